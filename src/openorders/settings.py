"""Every setting of the product, read once at the start; nothing else reads the environment.

One table says what there is: a field's name gives its variable (`OPENORDERS_PORT`), its metadata
the sentence for people. The page of settings and the command line's help are made from it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, cast

from openorders import setting_values as to

PREFIX: Final = "OPENORDERS_"
_FILE: Final = "_FILE"
_TESTS: Final = "OPENORDERS_TEST_"
"""What tells our tests where to run is no setting of a server that they start."""

LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogRequests = Literal["all", "failed", "none"]
SmtpSecurity = Literal["starttls", "tls", "none"]


class SettingsError(Exception):
    """A setting that does not exist or cannot be what it is; the message is for the operator.

    `on_command_line`: it was given as an option.
    """

    def __init__(self, sentence: str, *, on_command_line: bool = False) -> None:
        super().__init__(sentence)
        self.on_command_line = on_command_line


def _setting(
    says: str, read: Callable[[str], object], default: object, *, secret: bool = False
) -> Any:  # noqa: ANN401 - a dataclass field stands for a value of the field's type
    metadata = {"says": says, "read": read, "secret": secret}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decided. Made by `read`; times are in seconds, sizes in bytes."""

    host: str = _setting("The address to listen on.", to.text, "127.0.0.1")
    port: int = _setting("The TCP port to listen on; 0 takes a free one.", to.whole(0, 65535), 8000)
    workers: int = _setting(
        "How many processes answer requests; one per core is the most that helps.",
        to.whole(1, 128),
        1,
    )
    data_dir: Path | None = _setting(
        "The folder of the embedded database and of written mail; unset: "
        "`~/.local/share/openorders`, for root `/var/lib/openorders`.",
        to.path,
        None,
    )
    database_url: str | None = _setting(
        "A `postgresql://` URL of a PostgreSQL of your own, 15 or later, instead of the "
        "embedded one.",
        to.text,
        None,
        secret=True,
    )
    pg_bindir: Path | None = _setting(
        "The folder of PostgreSQL's programs for the embedded database; unset: those that were "
        "installed with openorders, else what is found on the machine.",
        to.path,
        None,
    )
    pool_size: int = _setting(
        "How many connections each process keeps to the database at most.", to.whole(1, 200), 16
    )
    background: bool = _setting(
        "Whether a server does what is done beside requests (webhooks, mail, unfinished payments, "
        "expiry); `off` leaves all of it to `openorders worker`.",
        to.flag,
        True,
    )
    demo: bool = _setting(
        "Fill an empty database with the demo's five stores and their documented keys.",
        to.flag,
        False,
    )
    open: tuple[tuple[str, str | None], ...] = _setting(
        "Contracts that ask for no credential, as `CONTRACT` or `CONTRACT=STORE`, separated by "
        "commas; the store may be left out where there is only one.",
        to.openings,
        (),
    )
    public_url: str | None = _setting(
        "The origin under which clients reach the server, such as `https://shop.example`, for "
        "links to payment pages and reference pages; unset: the request's own.",
        to.origin,
        None,
    )
    hosts: tuple[tuple[str, str], ...] = _setting(
        "Host names that serve one contract at their root, as `HOST=CONTRACT`, separated by "
        "commas; `CONTRACT.localhost` always does.",
        to.hosts,
        (),
    )
    mail_dir: Path | None = _setting(
        "The folder that mails to customers are written to, as `.eml` files; unset: `mail` in "
        "the data folder.",
        to.path,
        None,
    )
    mail_from: str = _setting(
        "The sender of mails to customers: an address, or `Name <address>`.",
        to.mailbox,
        "orders@localhost",
    )
    smtp_host: str | None = _setting(
        "The mail server that takes mails to customers; unset: they are written to the folder.",
        to.text,
        None,
    )
    smtp_port: int | None = _setting(
        "Its port; unset: 587 for `starttls`, 465 for `tls`, 25 for `none`.",
        to.whole(1, 65535),
        None,
    )
    smtp_security: SmtpSecurity = _setting(
        "How the connection to it is encrypted: `starttls`, `tls` from its first byte, or `none`. "
        "Its certificate is checked, and a password is never sent before.",
        to.choice("starttls", "tls", "none"),
        "starttls",
    )
    smtp_username: str | None = _setting(
        "Who signs in to the mail server; unset: nobody does.", to.text, None
    )
    smtp_password: str | None = _setting("The password of that user.", to.text, None, secret=True)
    smtp_timeout_seconds: float = _setting(
        "How long the mail server may take for one mail, at most 25.", to.seconds(25), 15.0
    )
    stripe_url: str = _setting(
        "The origin of Stripe's API, for the stores that have a gateway of the kind `stripe`.",
        to.origin,
        "https://api.stripe.com",
    )
    mails_kept_days: int = _setting(
        "For how many days the texts of mails to customers are kept, and whom they went to.",
        to.whole(7, 36500),
        90,
    )
    log_format: LogFormat = _setting(
        "`json`, `console`, or `auto`: JSON unless the log goes to a terminal.",
        to.choice("auto", "console", "json"),
        "auto",
    )
    log_level: LogLevel = _setting(
        "The least that is logged: `debug`, `info`, `warning` or `error`.",
        to.choice("debug", "info", "warning", "error"),
        "info",
    )
    log_requests: LogRequests = _setting(
        "Which requests are logged: `all`, `failed` (status 500 and above) or `none`.",
        to.choice("all", "failed", "none"),
        "all",
    )
    drain_seconds: float = _setting(
        "How long a server that is told to stop goes on accepting connections while `/readyz` "
        "already fails, so that a load balancer can turn away from it.",
        to.seconds(600),
        1.0,
    )
    stop_seconds: float = _setting(
        "How long requests in flight may then take to finish.", to.seconds(600), 30.0
    )
    header_seconds: float = _setting(
        "How long a client may take to send a request's headers.", to.seconds(600), 10.0
    )
    body_seconds: float = _setting(
        "How long a client may take to send a request's body.", to.seconds(3600), 30.0
    )
    connections: int = _setting(
        "How many clients may be connected to one process; who comes then is answered with 503 "
        "and closed.",
        to.whole(16, 60000),
        2000,
    )
    idle_seconds: float = _setting(
        "How long a connection is kept open without a request.", to.seconds(3600), 15.0
    )
    header_bytes: int = _setting(
        "How long a request's headers may be, all together.", to.whole(1024, 1048576), 32768
    )
    line_bytes: int = _setting("How long a request line may be.", to.whole(1024, 1048576), 65536)
    body_bytes: int = _setting(
        "How long a request's body may be.", to.whole(1024, 1073741824), 1048576
    )

    events_kept_days: int = _setting(
        "For how many days events stay in the feed and can be sent again; what a webhook endpoint "
        "could not be told in that time is forgotten with them.",
        to.whole(1, 36500),
        30,
    )
    manage_rate: int = _setting(
        "How many requests to the management API each credential may make per minute and process.",
        to.whole(1, 1000000),
        600,
    )

    webhook_allow_private: bool = _setting(
        "Let webhooks go to private, loopback and link-local addresses too: whoever may manage a "
        "store can then reach what this machine can.",
        to.flag,
        False,
    )
    webhook_allow_http: bool = _setting(
        "Let webhooks go to URLs that begin with `http://`, unencrypted.", to.flag, False
    )
    webhook_allow_redirects: bool = _setting(
        "Let webhooks follow redirects (307 and 308, three at most), each checked like a URL.",
        to.flag,
        False,
    )
    webhook_timeout_seconds: float = _setting(
        "How long a webhook's receiver may take to answer, from finding its address to the end "
        "of its answer.",
        to.seconds(60),
        15.0,
    )

    xdg_data_home: str | None = None
    """Where the desktop keeps data of programs: a custom of the system, no setting of ours."""

    @property
    def listens_on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


@dataclass(frozen=True, slots=True)
class Described:
    """One setting as a table shows it."""

    name: str
    variable: str
    says: str
    default: object
    secret: bool


def described() -> tuple[Described, ...]:
    """All settings, in the order of the table."""
    return tuple(
        Described(
            name=one.name,
            variable=PREFIX + one.name.upper(),
            says=one.metadata["says"],
            default=None if one.default is MISSING else one.default,
            secret=one.metadata["secret"],
        )
        for one in _TABLE.values()
    )


_TABLE: Final = {one.name: one for one in fields(Settings) if one.metadata}


def read(environment: Mapping[str, str] | None = None, **given: object) -> Settings:
    """The settings of the environment; `given` (from a command line) counts more.

    A `given` text is read as a variable's would be, anything else is taken as it is; None counts
    as not given. Raises `SettingsError` for a variable that does not exist and for a value that
    cannot be.
    """
    found = os.environ if environment is None else environment
    values: dict[str, object] = {"xdg_data_home": found.get("XDG_DATA_HOME")}
    for name, value in given.items():
        if value is not None:
            option = "--" + name.replace("_", "-")
            is_text = isinstance(value, str)
            values[name] = _value(_TABLE[name], option, value) if is_text else value
    known = {PREFIX + name.upper(): one for name, one in _TABLE.items()}
    for variable in sorted(found):
        if not variable.startswith(PREFIX) or variable.startswith(_TESTS):
            continue
        one = known.get(variable) or _secret_in_file(variable, known)
        if one is None:
            raise SettingsError(f"{variable} is no setting of openorders; see docs/settings.md.")
        if one.name not in values:
            values[one.name] = _value(one, variable, found[variable])
    settings = Settings(**cast("dict[str, Any]", values))
    if (settings.smtp_username is None) != (settings.smtp_password is None):
        raise SettingsError(f"{PREFIX}SMTP_USERNAME and {PREFIX}SMTP_PASSWORD go together.")
    return settings


def _secret_in_file(variable: str, known: Mapping[str, Field[Any]]) -> Field[Any] | None:
    one = known.get(variable.removesuffix(_FILE)) if variable.endswith(_FILE) else None
    return one if one is not None and one.metadata["secret"] else None


def _value(one: Field[Any], variable: str, text: str) -> object:
    if variable.endswith(_FILE):
        try:
            text = Path(text).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{variable}: {text} cannot be read ({error}).") from None
    try:
        return one.metadata["read"](text)
    except ValueError as error:
        shown = "" if one.metadata["secret"] else f" It is {text!r}."
        sentence = f"{variable} {error}.{shown}"
        raise SettingsError(sentence, on_command_line=variable.startswith("--")) from None


def as_markdown() -> str:
    """The page of settings."""
    rows = [f"| `{one.variable}` | {_shown(one.default)} | {one.says} |" for one in described()]
    return "\n".join((_PAGE, *rows, ""))


def _shown(default: object) -> str:
    match default:
        case None | ():
            return "unset"
        case bool():
            return f"`{str(default).lower()}`"
        case float():
            return f"`{default:g}`"
        case _:
            return f"`{default}`"


_PAGE: Final = """\
# Settings

Every setting is an environment variable. The command line's options are named like them
(`--port` for `OPENORDERS_PORT`) and count more. A variable that starts with `OPENORDERS_` and is
not in this table, or a value that cannot be, stops the start with a sentence that names it.

`OPENORDERS_DATABASE_URL_FILE` names a file to read the URL from, for secrets that are mounted as
files. Times are in seconds, sizes in bytes.

This page is written by `python -m openorders.settings`; a test keeps it current.

| variable | default | what it does |
| --- | --- | --- |"""


if __name__ == "__main__":
    Path("docs/settings.md").write_text(as_markdown(), encoding="utf-8")
