"""The documented examples as files: what was true before, what is sent, what is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tests.contracts.asking import Exact, Request, read_json

FOLDER = Path(__file__).parent
REFUSED = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The answer that is documented. Of its headers, those named are compared."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One file. `excused` maps JSON pointers (`*` is any entry) to the reason why the value there
    cannot be the documented one; it must be there all the same, and of the same type. `cut` maps
    pointers of lists to the reason why the document prints only the first entries.
    """

    contract: str
    name: str
    says: str
    before: tuple[Request, ...]
    request: Request
    response: Expected
    excused: Mapping[str, str]
    cut: Mapping[str, str]

    @property
    def changes_nothing(self) -> bool:
        """Whether it leaves the demo as it is: it reads, or is refused."""
        reads = self.request.method == "GET" or self.response.status >= REFUSED
        return reads and not self.before


def all_examples() -> list[Example]:
    """Every example file there is, in the order of contracts and names."""
    return [_load(path) for path in sorted(FOLDER.glob("*/examples/*.json"))]


def _load(path: Path) -> Example:
    content = read_json(path.read_text(encoding="utf-8"))
    known = {"says", "before", "request", "response", "excused", "cut"}
    assert set(content) <= known, f"{path}: unknown {set(content) - known}"
    response = content["response"]
    assert set(response) <= {"status", "headers", "body", "text"}, path
    excused, cut = content.get("excused", {}), content.get("cut", {})
    assert all((excused | cut).values()), f"{path}: an excuse needs a reason"
    return Example(
        contract=path.parent.parent.name,
        name=path.stem,
        says=content["says"],
        before=tuple(_request(one) for one in content.get("before", [])),
        request=_request(content["request"]),
        response=Expected(
            status=response["status"],
            headers=response.get("headers", {}),
            body=response.get("body"),
            text=response.get("text"),
        ),
        excused=excused,
        cut=cut,
    )


def _request(content: Mapping[str, Any]) -> Request:
    assert set(content) <= {"method", "path", "headers", "body", "text"}, content
    body = content.get("body")
    return Request(
        method=content["method"],
        path=content["path"],
        headers=content.get("headers", {}),
        # Numbers with a point are sent with the very digits of the file.
        text=content.get("text") if body is None else to_json(body),
    )


def to_json(value: Any) -> str:
    """The value as JSON, exact numbers in their own digits."""
    match value:
        case Exact():
            return str(value)
        case dict():
            fields = cast("dict[str, Any]", value).items()
            return "{" + ", ".join(f"{json.dumps(k)}: {to_json(v)}" for k, v in fields) + "}"
        case list():
            return "[" + ", ".join(to_json(v) for v in cast("list[Any]", value)) + "]"
        case _:
            return json.dumps(value)


def differences(example: Example, got: Any) -> list[str]:
    """Where a body is not the documented one, one line for each place."""
    return list(_differences(example.response.body, got, (), example))


def unused_excuses(example: Example) -> list[str]:
    """Excuses that name no place of the documented body."""
    places = list(_places(example.response.body, ()))
    pointers = (*example.excused, *example.cut)
    return [pointer for pointer in pointers if not any(_fits(pointer, at) for at in places)]


def _differences(expected: Any, got: Any, at: tuple[str, ...], example: Example) -> Iterator[str]:
    here = "/" + "/".join(at)
    if any(_fits(pointer, at) for pointer in example.excused):
        if _kind(expected) != _kind(got):
            yield f"{here}: expected some {_kind(expected)}, got {got!r}"
    elif isinstance(expected, dict) and isinstance(got, dict):
        if list(expected) != list(got):
            yield f"{here}: expected the fields {list(expected)}, got {list(got)}"
        for name in expected.keys() & got.keys():
            yield from _differences(expected[name], got[name], (*at, name), example)
    elif isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got) and not any(_fits(pointer, at) for pointer in example.cut):
            yield f"{here}: expected {len(expected)} entries, got {len(got)}"
        if len(expected) > len(got):
            yield f"{here}: expected at least {len(expected)} entries, got {len(got)}"
        for position, (one, other) in enumerate(zip(expected, got, strict=False)):
            yield from _differences(one, other, (*at, str(position)), example)
    elif (type(expected), expected) != (type(got), got):
        yield f"{here}: expected {expected!r}, got {got!r}"


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | Exact():
            return "number"
        case str():
            return "text"
        case dict():
            return "object"
        case list():
            return "list"
        case _:
            return "null"


def _places(value: Any, at: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield at
    if isinstance(value, dict):
        for name, entry in cast("dict[str, Any]", value).items():
            yield from _places(entry, (*at, name))
    elif isinstance(value, list):
        for position, entry in enumerate(cast("list[Any]", value)):
            yield from _places(entry, (*at, str(position)))


def _fits(pointer: str, at: tuple[str, ...]) -> bool:
    pattern = pointer.split("/")[1:] if pointer else []
    return len(pattern) == len(at) and all(
        wanted in ("*", part) for wanted, part in zip(pattern, at, strict=True)
    )
