"""Requests that cannot be read: what is wrong, and with which field.

One exception for all of them, so that each contract renders it in one place. It names fields as
the client wrote them (`items[0].quantity`) and knows no status code and no contract.
"""

import re
from typing import Final, Literal

Where = Literal["body", "query", "path", "header"]

BODY: Final = "body"
"""The field that is named when the body as a whole is at fault."""


class Unreadable(Exception):
    """The request does not say what it wants in a way that can be understood.

    `problem` is a predicate for people, such as "must be an integer"; it never repeats what the
    client sent. `wanted` is the type that the body did not fit, if it was the body. Nothing was
    looked up and nothing was changed.
    """

    def __init__(self, field: str, problem: str, where: Where = "body") -> None:
        super().__init__(field, problem, where)
        self.field = field
        self.problem = problem
        self.where: Where = where
        self.wanted: type | None = None

    def __str__(self) -> str:
        return f"{self.field} {self.problem}"


class NoSuch(Exception):
    """A path names a thing by text that is not the canonical form of any identifier.

    `kind` is the contract's own word for the thing; `text` is what the client sent.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)
        self.kind = kind
        self.text = text


class BodyTooLarge(Exception):
    """The body is longer than this server reads."""


class BodyTooSlow(Exception):
    """The body did not arrive in time."""


class OverQuota(Exception):
    """The credential has used up what it may ask for now; in so many seconds there is more."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


_NOUNS: Final = {
    "int": "an integer",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "str": "a text",
    "object": "an object",
    "array": "a list",
    "null": "null",
    "datetime": "a date and time like 2023-10-27T10:30:00Z",
    "date": "a date like 2023-10-27",
}
_AT: Final = re.compile(r"(?P<what>.*?)(?: - at (?:`key` in )?`\$\.?(?P<path>[^`]*)`)?", re.DOTALL)
_EXPECTED: Final = re.compile(r"Expected `(?P<types>[^`]*)`(?P<rest>.*)", re.DOTALL)
_BOUND: Final = re.compile(r" (?P<sign><=|>=|<|>) (?P<bound>\S+)")
_LENGTH: Final = re.compile(r" of length (?P<sign><=|>=|==) (?P<bound>\d+)")
_MISSING: Final = re.compile(r"Object missing required field `(?P<name>[^`]*)`")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_SHOWN_NAME_CHARS: Final = 100
_SIGNS: Final = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}


def explain(message: str, where: Where) -> Unreadable:
    """The problem that a message of msgspec's validation speaks of, in our words."""
    found = _AT.fullmatch(message)
    what, path = (found["what"], found["path"] or "") if found else (message, "")
    missing = _MISSING.fullmatch(what)
    if missing:
        name = missing["name"]
        return Unreadable(f"{path}.{name}" if path else name, "is required", where)
    unknown = _UNKNOWN.fullmatch(what)
    if unknown:
        name = shown_name(unknown["name"])
        return Unreadable(f"{path}.{name}" if path else name, "is not known here", where)
    return Unreadable(path or BODY, _problem(what), where)


def shown_name(name: str) -> str:
    """The name of a field or parameter that nobody knows, as far as it can be shown."""
    plain = name.isascii() and name.isprintable() and name != ""
    return name[:_SHOWN_NAME_CHARS] if plain else "(a name that cannot be shown)"


def _problem(what: str) -> str:
    if what.startswith("must "):  # our own decoding hooks speak our words
        return what
    expected = _EXPECTED.fullmatch(what)
    if expected:
        return _expectation(expected["types"], expected["rest"])
    if what.startswith("Invalid enum value"):
        return "is not one of the values that are allowed"
    if what == "Invalid RFC3339 encoded date":
        return f"must be {_NOUNS['date']}"
    if "RFC3339" in what:
        return f"must be {_NOUNS['datetime']}"
    if "out of range" in what:
        return "is out of range"
    return "is not valid"


def _expectation(types: str, rest: str) -> str:
    length = _LENGTH.match(rest)
    if length:
        unit = "character" if types == "str" else "entry" if types == "array" else "field"
        count = int(length["bound"])
        plural = unit if count == 1 else {"entry": "entries"}.get(unit, unit + "s")
        amount = _SIGNS.get(length["sign"], "exactly")
        return f"must have {amount} {count} {plural}"
    bound = _BOUND.match(rest)
    if bound:
        return f"must be {_SIGNS[bound['sign']]} {bound['bound']}"
    if rest.startswith(" matching regex"):
        return "is not of the expected form"
    nouns = [_NOUNS.get(name, "a number") for name in types.split(" | ")]
    return "must be " + " or ".join(dict.fromkeys(nouns))
