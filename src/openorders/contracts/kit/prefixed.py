"""Identifiers that are written as a prefix and a number, in exactly one spelling each.

Which prefix and how many digits a contract uses is its own affair, in its `ids.py`.
"""

import re
from dataclasses import dataclass, field

from openorders.contracts.kit.unreadable import NoSuch, Unreadable
from openorders.domain.ids import ID_MAX


@dataclass(frozen=True, slots=True)
class Prefixed:
    """One kind of identifier: `Prefixed("order", "OR", 5)` writes 42 as `OR00042`.

    `kind` is the contract's word for the thing; `digits` is the least number of digits.
    """

    kind: str
    prefix: str
    digits: int = 1
    _canonical: re.Pattern[str] = field(init=False, repr=False)
    _form: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        canonical = f"{re.escape(self.prefix)}([0-9]{{{self.digits}}}|[1-9][0-9]{{{self.digits},}})"
        object.__setattr__(self, "_canonical", re.compile(canonical, re.ASCII))
        form = f"{self.prefix.replace('%', '%%')}%0{self.digits}d"
        object.__setattr__(self, "_form", form)

    @property
    def pattern(self) -> str:
        """The one spelling as a regular expression for a JSON schema."""
        return f"^{self._canonical.pattern}$"

    def format(self, number: int) -> str:
        """The number as this kind is written."""
        return self._form % number

    def parse(self, text: str) -> int:
        """The number of an identifier in a path. Raises `NoSuch` for text that names nothing."""
        digits = self._digits(text)
        if digits is None:
            raise NoSuch(self.kind, text)
        return self._within_64_bits(digits, text)

    def read(self, text: str, at: str) -> int:
        """The number of an identifier in a body, where `at` is its field.

        Raises `Unreadable` for another form; `NoSuch` for a number that no identifier can have.
        """
        digits = self._digits(text)
        if digits is None:
            raise Unreadable(at, f"must be an identifier like {self.format(42)}")
        return self._within_64_bits(digits, text)

    def _digits(self, text: str) -> str | None:
        found = self._canonical.fullmatch(text)
        return found[1] if found else None

    def _within_64_bits(self, digits: str, text: str) -> int:
        if len(digits) > len(str(ID_MAX)) or int(digits) > ID_MAX:
            raise NoSuch(self.kind, text)
        return int(digits)
