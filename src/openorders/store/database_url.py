"""The `postgresql://` URL of a database: which hosts to try, as whom, and with what settings.

The driver reads such URLs too, but spends its whole patience on a first host that never answers
and hands options it does not know to the server. Here every option of PostgreSQL's own clients is
either honoured or refused in a sentence. Knows nothing of connections.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode

from msgspec import Struct

PORT = 5432
CONNECT_S = 4.0
"""How long one host may take to answer before the next one is tried, unless the URL says so."""

_PASSED_ON = frozenset(
    {
        "passfile",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslpassword",
        "sslrootcert",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslnegotiation",
    }
)
"""Options that the driver knows and that we leave to it."""

_ONLY = {
    "channel_binding": ("prefer", "disable"),
    "client_encoding": ("utf8", "UTF8", "auto"),
    "gssencmode": ("prefer", "disable"),
    "load_balance_hosts": ("disable", "random"),
    "target_session_attrs": ("any", "read-write", "primary"),
}
"""Options that are honoured for some of their values."""

_KEEPALIVE = {
    "keepalives_idle": "TCP_KEEPIDLE",
    "keepalives_interval": "TCP_KEEPINTVL",
    "keepalives_count": "TCP_KEEPCNT",
    "tcp_user_timeout": "TCP_USER_TIMEOUT",
}
"""Options of the connection's socket, by the name of the socket option."""


class DatabaseUrlError(ValueError):
    """A URL that cannot be honoured; the message says what about it, without its password."""


class Host(Struct, frozen=True):
    """One place to try: a name or address with a port, or the folder of a socket."""

    name: str | None
    port: int

    def __str__(self) -> str:
        return f"{self.name or 'the local socket'}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUrl:
    hosts: tuple[Host, ...]
    user: str | None
    password: str | None = field(repr=False)
    database: str | None
    session_attributes: str = "read-write"
    """What a host must be to be taken; `any` takes a standby too."""
    any_order: bool = False
    """Whether to spread over the hosts rather than to try them in order."""
    connect_s: float = CONNECT_S
    socket_options: tuple[tuple[str, int], ...] = ()
    """Names of `socket` constants at the TCP level, with their values."""
    settings: tuple[tuple[str, str], ...] = ()
    """Server settings that the URL asks for; they win over ours."""
    passed_on: str = ""
    """A URL without host, user and password that holds what the driver is to read itself."""


def parse(url: str) -> DatabaseUrl:
    """Read a URL; DatabaseUrlError for anything that would silently mean something else."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("postgresql", "postgres"):
        raise DatabaseUrlError(
            "A database URL has the form postgresql://user:password@host:port/database; "
            "`host=… port=…` is not understood."
        )
    location, _, query = rest.partition("?")
    authority, _, database = location.partition("/")
    options = _options(query)
    credentials, _, places = authority.rpartition("@")
    user, _, password = credentials.partition(":")
    passed_on = {name: value for name, value in options.items() if name in _PASSED_ON}
    return DatabaseUrl(
        hosts=_hosts(places, options),
        user=unquote(user) or options.get("user"),
        password=unquote(password) or options.get("password"),
        database=unquote(database) or options.get("dbname"),
        session_attributes=options.get("target_session_attrs", "read-write"),
        any_order=options.get("load_balance_hosts") == "random",
        connect_s=_connect_s(options),
        socket_options=_socket_options(options),
        settings=tuple(_settings(options).items()),
        passed_on=f"postgresql:///?{urlencode(passed_on, quote_via=quote)}",
    )


def _options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise DatabaseUrlError(
            "The options of the database URL are not name=value pairs."
        ) from None
    for name, value in pairs:
        if name in options:
            raise DatabaseUrlError(f"The database URL gives {name} twice.")
        if name not in _UNDERSTOOD:
            raise DatabaseUrlError(
                f"The database URL's option {name} is not supported; leave it out. (Settings of "
                f"the server are given as options=-c%20{name}%3Dvalue.)"
            )
        if value not in _ONLY.get(name, (value,)):
            raise DatabaseUrlError(
                f"The database URL's {name}={value} is not supported; openorders understands "
                f"{', '.join(_ONLY[name])} there."
            )
        options[name] = value
    return options


def _hosts(places: str, options: dict[str, str]) -> tuple[Host, ...]:
    names: list[str | None] = []
    ports: list[str] = []
    for place in places.split(",") if places else []:
        name, port = _split_port(place)
        names.append(unquote(name) or None)
        ports.append(port)
    if "host" in options:
        names = [name or None for name in options["host"].split(",")]
    if "port" in options:
        ports = options["port"].split(",")
    names = names or [None]
    ports = ports or [""]
    if len(ports) == 1:
        ports *= len(names)
    if len(ports) != len(names):
        raise DatabaseUrlError(
            f"The database URL names {len(names)} hosts and {len(ports)} ports; give one port, or "
            "one for each host."
        )
    return tuple(Host(name, _port(port)) for name, port in zip(names, ports, strict=True))


def _split_port(place: str) -> tuple[str, str]:
    if place.startswith("["):
        name, bracket, port = place[1:].partition("]")
        if not bracket:
            raise DatabaseUrlError(f"The database URL's host {place} lacks a closing bracket.")
        return name, port.removeprefix(":")
    name, _, port = place.partition(":")
    return name, port


def _port(text: str) -> int:
    if not text:
        return PORT
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:  # noqa: PLR2004 - ports
        raise DatabaseUrlError(f"The database URL's port {text} is none.")
    return int(text)


def _connect_s(options: dict[str, str]) -> float:
    seconds = _whole(options, "connect_timeout")
    return seconds or CONNECT_S  # 0 means the default, as for other clients


def _socket_options(options: dict[str, str]) -> tuple[tuple[str, int], ...]:
    if options.get("keepalives") == "0":
        return ()
    chosen = [(_KEEPALIVE[name], _whole(options, name)) for name in _KEEPALIVE if name in options]
    return tuple((name, value) for name, value in chosen if value)


def _whole(options: dict[str, str], name: str) -> int:
    text = options.get(name, "0")
    if not (text.isascii() and text.isdigit()):
        raise DatabaseUrlError(f"The database URL's {name}={text} is not a whole number.")
    return int(text)


def _settings(options: dict[str, str]) -> dict[str, str]:
    """Server settings from `options=-c name=value …`, and the name that the server shows for us."""
    settings: dict[str, str] = {}
    try:
        words = iter(shlex.split(options.get("options", "")))
    except ValueError:
        words = iter([""])  # an open quote is refused like any other word below
    for word in words:
        if word == "-c":
            assignment = next(words, "")
        elif word.startswith("-c"):
            assignment = word[2:]
        else:
            assignment = word.removeprefix("--") if word.startswith("--") else ""
        name, equals, value = assignment.partition("=")
        if not (name and equals):
            raise DatabaseUrlError(
                "The database URL's options must be of the form -c name=value, each."
            )
        settings[name.replace("-", "_")] = value
    for name in ("fallback_application_name", "application_name"):
        if name in options:
            settings["application_name"] = options[name]
    return settings


_UNDERSTOOD = {
    *_PASSED_ON,
    *_ONLY,
    *_KEEPALIVE,
    "application_name",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "host",
    "keepalives",
    "options",
    "password",
    "port",
    "user",
}
