"""One value of a setting: from the text of a variable or an option to what the program uses.

Each reader raises `ValueError` with a predicate (`must be ...`) for a text that cannot be. Knows
no setting by name.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")


def text(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def path(value: str) -> Path:
    return Path(text(value)).expanduser()


def whole(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", value, re.ASCII) or not low <= int(value) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(value)

    return read


def seconds(high: float) -> Callable[[str], float]:
    def read(value: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,3})?", value, re.ASCII) or float(value) > high:
            raise ValueError(f"must be a number of seconds from 0 to {high:g}")
        return float(value)

    return read


def flag(value: str) -> bool:
    match value.strip().lower():
        case "1" | "true" | "yes" | "on":
            return True
        case "0" | "false" | "no" | "off":
            return False
        case _:
            raise ValueError("must be true or false")


def choice(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value

    return read


def origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError("must be a URL like https://shop.example")
    if parts.query or parts.fragment or parts.path not in ("", "/"):
        raise ValueError("must be an origin, without a path")
    return f"{parts.scheme}://{parts.netloc}"


def mailbox(value: str) -> str:
    # Here, since reading the rules of mail takes longer than all else in this file.
    from email.errors import MessageError
    from email.policy import default as mail_policy

    try:
        header = mail_policy.header_factory("From", value)
        proper = len(header.addresses) == 1 and not header.defects and header.addresses[0].username
        header.addresses[0].domain.encode("idna")
    except (MessageError, ValueError, IndexError):
        proper = False
    if not proper or "\n" in value or "\r" in value:
        raise ValueError("must be a mail address, or Name <address>")
    return value.strip()


def parts(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def read_opening(value: str) -> tuple[str, str | None]:
    """`CONTRACT` or `CONTRACT=STORE` as (contract, store or None)."""
    contract, equals, store = value.partition("=")
    if not _NAME.fullmatch(contract) or (equals and not store.strip()):
        raise ValueError("must be CONTRACT or CONTRACT=STORE")
    return contract, store.strip() or None


def openings(value: str) -> tuple[tuple[str, str | None], ...]:
    return tuple(read_opening(part) for part in parts(value))


def hosts(value: str) -> tuple[tuple[str, str], ...]:
    pairs = [part.partition("=") for part in parts(value)]
    hosts = [(host.strip().lower(), contract.strip()) for host, _, contract in pairs]
    if any(not _NAME.fullmatch(host) or not _NAME.fullmatch(name) for host, name in hosts):
        raise ValueError("must be HOST=CONTRACT, several separated by commas")
    return tuple(hosts)
