"""Reading what an operator wrote by hand: every problem is found and named with its path."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeVar, cast

from msgspec import Struct

from openorders.domain.money import AMOUNT_MAX, from_decimal

TEXT_CHARS_MAX: Final = 200

T = TypeVar("T")


class Problem(Struct, frozen=True):
    """What is wrong, and where: `taxes[0].rate`. A problem of the whole has an empty path."""

    path: str
    what: str

    def __str__(self) -> str:
        """The problem as a sentence without its full stop."""
        return f"{self.path} {self.what}" if self.path else self.what


@dataclass(slots=True)
class Fields:
    """Reads values and collects problems. What cannot be read becomes the harmless value that
    is given with the question; nobody sees it, since a problem was noted.
    """

    problems: list[Problem] = field(default_factory=list[Problem])

    def wrong(self, path: str, what: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(path, what))

    def known(self, given: Iterable[str], known: Collection[str], path: str = "") -> None:
        """Refuse names that mean nothing: a misspelt field would be silently lost."""
        for name in given:
            if name not in known:
                self.wrong(_below(path, name), f"is not known; there are {', '.join(known)}")

    def text(self, value: object, path: str, *, least: int = 1) -> str:
        """A text of one line."""
        if not isinstance(value, str):
            self.wrong(path, "must be a text")
        elif not least <= len(value) <= TEXT_CHARS_MAX:
            self.wrong(path, f"must have {least} to {TEXT_CHARS_MAX} characters")
        elif value != value.strip() or not value.isprintable():
            self.wrong(path, "must have no spaces around it and no control characters")
        else:
            return value
        return ""

    def text_in(self, record: Mapping[str, object], name: str, path: str) -> str:
        """A text that a record requires; that it is missing was noted with the record."""
        return self.text(record[name], _below(path, name)) if name in record else ""

    def choice(self, value: object, path: str, choices: Collection[str]) -> str:
        """One of a few words."""
        if isinstance(value, str) and value in choices:
            return value
        self.wrong(path, f"must be {' or '.join(choices)}")
        return next(iter(choices))

    def flag(self, value: object, path: str) -> bool:
        """True or false."""
        if not isinstance(value, bool):
            self.wrong(path, "must be true or false")
        return value is True

    def whole(self, value: object, path: str, least: int, most: int) -> int:
        """A whole number between two others."""
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.wrong(path, f"must be a whole number from {least} to {most}")
            return least
        return value

    def number(
        self, value: object, path: str, least: Decimal, most: Decimal, *, digits: int
    ) -> Decimal:
        """An exact number between two others, with at most so many digits after the point."""
        number = _exact(value)
        if number is None or not least <= number <= most:
            self.wrong(path, f"must be a number from {least} to {most}")
        elif number != round(number, digits):
            self.wrong(path, f"must have at most {digits} digits after the point")
        else:
            return number
        return least

    def money(self, value: object, path: str, digits: int, *, least: int = 0) -> int:
        """An amount in minor units, from a number with at most the currency's digits."""
        number = _exact(value)
        if number is None:
            self.wrong(path, "must be an amount, like 5.99")
            return least
        minor = from_decimal(number, digits)
        if minor is None and abs(number) <= AMOUNT_MAX:
            self.wrong(path, f"must have at most {digits} digits after the point")
        elif minor is None or not least <= minor:
            self.wrong(path, "must be more than 0" if least else "must be 0 or more, and in bounds")
        else:
            return minor
        return least

    def record(
        self, value: object, path: str, required: Collection[str], optional: Collection[str] = ()
    ) -> dict[str, Any]:
        """An object with these fields; a field of null counts as left out."""
        if not isinstance(value, dict):
            self.wrong(path, "must be an object")
            return {}
        fields = cast("dict[str, Any]", value)
        self.known(fields, (*required, *optional), path)
        given = {name: inner for name, inner in fields.items() if inner is not None}
        for name in required:
            if name not in given:
                self.wrong(_below(path, name), "is required")
        return given

    def rows(
        self, value: object, path: str, read: Callable[[Any, str], T], *, most: int
    ) -> tuple[T, ...]:
        """A list of things that are read one by one."""
        if not isinstance(value, list):
            self.wrong(path, "must be a list")
            return ()
        items = cast("list[object]", value)
        if len(items) > most:
            self.wrong(path, f"must have at most {most} entries")
            return ()
        return tuple(read(item, f"{path}[{index}]") for index, item in enumerate(items))

    def distinct(self, names: Iterable[str], path: str) -> None:
        """Refuse a name that stands twice in a list."""
        seen: set[str] = set()
        for index, name in enumerate(names):
            if name and name in seen:
                self.wrong(f"{path}[{index}]", f"names {name} a second time")
            seen.add(name)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _exact(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if number.is_finite() and abs(number.adjusted()) < 30 else None  # noqa: PLR2004 - beyond every amount
