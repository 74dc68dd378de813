"""How Stripe's API is spoken: forms with brackets going in, JSON and errors coming out."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

Params = dict[str, Any]


class Refusal(Exception):
    """An answer of Stripe that is no success. `kept` says whether an idempotency key keeps it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        kept: bool = False,
        **more: object,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        self.body = {"error": {"type": kind, "message": message, **more}}


def missing(what: str, name: str) -> Refusal:
    """Nothing of this name here."""
    return Refusal(404, f"No such {what}: '{name}'", code="resource_missing", param="id")


def nested(form: str) -> Params:
    """`a[b][0]=c` as `{"a": {"b": ["c"]}}`."""
    tree: Params = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        first, *rest = name.replace("]", "").split("[")
        node = tree
        for step in rest:
            node = node.setdefault(first, {})
            first = step
        node[first] = value
    return {name: _with_lists(value) for name, value in tree.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _with_lists(part) for name, part in value.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def flat(params: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """The way back, for localstripe."""
    form: dict[str, str] = {}
    for name, value in params.items():
        key = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, Mapping):
            form |= flat(value, key)
        elif isinstance(value, bool):
            form[key] = str(value).lower()
        elif value is not None:
            form[key] = str(value)
    return form


EXPANDABLE = ("latest_charge", "payment_intent", "payment_method", "charge", "customer")


def collapsed(answer: Any, expand: list[str]) -> Any:
    """An answer in which only what was asked for is more than a name."""
    if isinstance(answer, list):
        return [collapsed(one, expand) for one in answer]
    if not isinstance(answer, dict):
        return answer
    shown: Params = {}
    for name, value in answer.items():
        inner = [path.partition(".")[2] for path in expand if path.partition(".")[0] == name]
        if name in EXPANDABLE and isinstance(value, dict) and not inner:
            shown[name] = value["id"]
        elif name == "data" or inner or not isinstance(value, dict | list):
            shown[name] = collapsed(value, [path for path in inner if path])
        else:
            shown[name] = value
    return shown


BESIDES: Final = frozenset(("payment_method_data", "card"))
"""Fields whose inside Stripe documents beside its types: a card's token."""


def check_known(params: Params, types: Any) -> None:
    """Refuses what the pinned version of Stripe's API does not know, by the SDK's own types."""
    known = set(types.__annotations__)
    for name in params:
        if name not in known and name not in BESIDES:
            raise Refusal(
                400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name
            )
