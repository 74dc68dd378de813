"""A store's gateways as its operator writes them down. Secrets are read and never shown.

Part of `store_file.py`, which has the rest of a store.
"""

import re
from typing import Any, Final

from openorders.domain.payment import MANUAL_GATEWAY
from openorders.domain.store_settings import Capture, GatewaySettings
from openorders.usecases.written_fields import Fields

SANDBOX: Final = "sandbox"
STRIPE: Final = "stripe"
GATEWAY_KINDS: Final = (SANDBOX, MANUAL_GATEWAY, STRIPE)
GATEWAYS_MAX: Final = 20

SECRET_KEPT: Final = "********"  # noqa: S105 - it stands for a secret, and is none
"""What a secret is shown as; written back, the secret stays what it is."""

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,50}", re.ASCII)
_SECRETS: Final = ("secret_key", "webhook_secret")


def written(gateway: GatewaySettings) -> dict[str, Any]:
    """A gateway as a file would say it; what is as usual is left out."""
    given: dict[str, Any] = {"name": gateway.name, "kind": gateway.kind}
    if gateway.capture is not Capture.AT_ONCE:
        given["capture"] = gateway.capture.value
    if gateway.secret_key is not None:
        given["secret_key"] = SECRET_KEPT
    if gateway.webhook_secret is not None:
        given["webhook_secret"] = SECRET_KEPT
    return given


def read(
    fields: Fields, base: tuple[GatewaySettings, ...], value: object, path: str
) -> tuple[GatewaySettings, ...]:
    """The gateways of a store that has had `base`; what is wrong is told to `fields`."""
    known = {gateway.name: gateway for gateway in base}

    def one(given: object, at: str) -> GatewaySettings:
        return _read_one(fields, known, given, at)

    gateways = fields.rows(value, path, one, most=GATEWAYS_MAX)
    fields.distinct((gateway.name for gateway in gateways), path)
    if value == []:
        fields.wrong(path, "must name at least one gateway")
    return gateways


def _read_one(
    fields: Fields, known: dict[str, GatewaySettings], value: object, path: str
) -> GatewaySettings:
    """A gateway, or just its name for one of the sandbox."""
    written_down = {"name": value} if isinstance(value, str) else value
    given = fields.record(written_down, path, ("name",), ("kind", "capture", *_SECRETS))
    name = fields.text_in(given, "name", path)
    kind = fields.choice(given.get("kind", SANDBOX), f"{path}.kind", GATEWAY_KINDS)
    if not _NAME.fullmatch(name):
        rule = "must be at most 50 letters, digits, dots, hyphens and underscores"
        fields.wrong(f"{path}.name", rule)
    if name == MANUAL_GATEWAY != kind:
        fields.wrong(f"{path}.name", f"{name} is only for a gateway of that kind")
    capture = Capture(
        fields.choice(
            given.get("capture", Capture.AT_ONCE.value),
            f"{path}.capture",
            [one.value for one in Capture],
        )
    )
    if kind == MANUAL_GATEWAY and capture is not Capture.AT_ONCE:
        fields.wrong(f"{path}.capture", "must be at_once, since money by hand is there at once")
    before = known.get(name)
    if before is not None and before.kind != kind:
        before = None
    return GatewaySettings(
        name=name,
        kind=kind,
        capture=capture,
        secret_key=_secret_key(fields, before, kind, given, path),
        webhook_secret=_webhook_secret(fields, before, kind, given, path),
    )


def _secret_key(
    fields: Fields, before: GatewaySettings | None, kind: str, given: dict[str, Any], path: str
) -> str | None:
    kept = before.secret_key if before is not None else None
    secret = _secret(fields, kept, kind, given, "secret_key", path)
    at = f"{path}.secret_key"
    if kind == STRIPE and "secret_key" not in given:
        fields.wrong(at, "is required for a gateway of kind stripe")
    if secret is not None and not secret.startswith(("sk_", "rk_")):
        what = "is a publishable key" if secret.startswith("pk_") else "is no key of Stripe"
        fields.wrong(at, f"{what}; a secret one begins with sk_ or rk_")
    return secret


def _webhook_secret(
    fields: Fields, before: GatewaySettings | None, kind: str, given: dict[str, Any], path: str
) -> str | None:
    kept = before.webhook_secret if before is not None else None
    secret = _secret(fields, kept, kind, given, "webhook_secret", path)
    if secret is not None and not secret.startswith("whsec_"):
        fields.wrong(f"{path}.webhook_secret", "is no signing secret; one begins with whsec_")
    return secret


def _secret(
    fields: Fields, kept: str | None, kind: str, given: dict[str, Any], name: str, path: str
) -> str | None:
    value, at = given.get(name), f"{path}.{name}"
    if value is None:
        return None
    if kind != STRIPE:
        fields.wrong(at, "is only for a gateway of kind stripe")
        return None
    secret = fields.text(value, at)
    if secret != SECRET_KEPT:
        return secret or None
    if kept is None:
        fields.wrong(at, "stands for a secret that is not there yet")
    return kept
