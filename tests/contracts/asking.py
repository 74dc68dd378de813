"""Asking a contract over HTTP, and what it told: with every number's digits as they were sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx


class Exact(str):
    """A JSON number with a point or an exponent, as the digits that were sent."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Exact({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Exact) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(("Exact", str(self)))


def read_json(text: str | bytes) -> Any:
    """JSON in which 75.00 and 75.0 differ, and neither is the text "75.00"."""
    return json.loads(text, parse_float=Exact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent. `path` is below the contract's prefix; a `text` is sent instead of a body."""

    method: str
    path: str
    body: object = None
    text: str | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def content(self) -> bytes | None:
        """The body as it goes over the wire."""
        if self.text is not None:
            return self.text if isinstance(self.text, bytes) else self.text.encode()
        return None if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Told:
    """An answer."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def json(self) -> Any:
        """The body, its numbers exact."""
        return read_json(self.body)

    def __repr__(self) -> str:
        return f"{self.status} {self.body[:2000]!r}"


async def ask(
    client: httpx.AsyncClient, base: str, request: Request, headers: Mapping[str, str] | None = None
) -> Told:
    """Send the request below `base`. A body is JSON unless a header says otherwise."""
    content = request.content()
    sent = {"Content-Type": "application/json"} if content is not None else {}
    sent |= dict(headers or {}) | dict(request.headers)
    answer = await client.request(
        request.method,
        base + request.path,
        content=content,
        headers=[(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
    )
    return Told(answer.status_code, answer.headers, answer.content)
