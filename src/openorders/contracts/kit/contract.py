"""What a contract is: its routes, its words for failures, and how it is described.

A contract is one whole application. Mounting, reference pages, keys and the shared tests read
this record and nothing else of it.
"""

from collections.abc import Callable
from enum import Enum
from typing import Final

from msgspec import Struct

from openorders.contracts.kit.routes import Route
from openorders.contracts.kit.unreadable import NoSuch, Unreadable
from openorders.domain.order import Order
from openorders.domain.refusals import Reason
from openorders.domain.store_settings import Store

JSON: Final = "application/json"


class Credential(Enum):
    """How a contract's document has callers prove themselves. Both headers always work."""

    BEARER = "bearer"
    API_KEY = "api_key"
    OPTIONAL = "optional"
    """The document has none; the operator decides whether it is open."""


class Rendered(Struct, frozen=True):
    """A failure in a contract's words. `body` is a Struct or a dict; None for no body."""

    status: int
    body: object
    headers: tuple[tuple[str, str], ...] = ()


class Contract(Struct, frozen=True, kw_only=True):
    """One documented API. `name` is its path prefix and the first label of its host name.

    The four functions are pure. `render_status` is asked for 404 and 405 (unknown path or
    method), 408, 413, 500 and 503. `error_type` describes what all of them put into bodies.

    A `strict` one refuses parameters and bodies that no operation asked for (unknown fields are
    its Structs' own affair: `forbid_unknown_fields`). One that is `limited` counts requests per
    credential and has `render_status` asked for 429. `sign` has the last word on a failure: it
    is given the request's id.

    `order_out` is an order as the contract's answers show it, for events that speak its words;
    pure as well. None: no event does.
    """

    name: str
    title: str
    description: str
    routes: tuple[Route, ...]
    render: Callable[[Reason], Rendered]
    render_unreadable: Callable[[Unreadable], Rendered]
    render_unknown: Callable[[NoSuch], Rendered]
    render_status: Callable[[int], Rendered]
    error_type: type
    order_out: Callable[[Store, Order], object] | None = None
    credential: Credential = Credential.BEARER
    strict: bool = False
    limited: bool = False
    sign: Callable[[Rendered, str], Rendered] | None = None
    failure_media: str = JSON
