"""`openorders settings`: what a server started here and now would be told."""

from typing import cast

from openorders.cli.failing import CommandFailed
from openorders.cli.showing import AsJson, as_json, as_table


def settings(*, json: AsJson = False) -> None:
    """Show every setting: its variable, its value in this environment, and what it does.

    Secrets are not shown. A setting that cannot be is named, with exit code 1.
    """
    from openorders.settings import SettingsError, described, read

    try:
        effective = read()
    except SettingsError as error:
        raise CommandFailed(str(error)) from error
    rows = [
        {
            "variable": one.variable,
            "value": _shown(getattr(effective, one.name), secret=one.secret),
            "default": _shown(one.default, secret=False),
            "about": one.says,
        }
        for one in described()
    ]
    if json:
        as_json(rows)
    else:
        as_table(rows, ("variable", "value", "default", "about"), "")


def _shown(value: object, *, secret: bool) -> str | None:
    match value:
        case None | ():
            return None
        case _ if secret:
            return "********"
        case bool():
            return str(value).lower()
        case tuple():
            pairs = cast("tuple[tuple[str, str | None], ...]", value)
            return ",".join(name if to is None else f"{name}={to}" for name, to in pairs)
        case _:
            return str(value)
