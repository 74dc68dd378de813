"""Cancelling many orders: identifiers of which some may be none, and what became of each."""

from collections.abc import Sequence

from msgspec import UNSET

from openorders.contracts.kit import NoSuch
from openorders.contracts.marketplace.errors import fault_of, no_such_order
from openorders.contracts.marketplace.ids import parse_order
from openorders.contracts.marketplace.schemas import BulkCancelOut, BulkResultOut, Fault
from openorders.domain.ids import OrderId
from openorders.domain.order import Order
from openorders.usecases.cancel_many import Fate


def read(texts: Sequence[str]) -> list[OrderId | None]:
    """The orders that are named; None for a text that is no identifier."""
    return [_read(text) for text in texts]


def told(
    texts: Sequence[str], named: Sequence[OrderId | None], fates: Sequence[Fate]
) -> BulkCancelOut:
    """What became of each text, in its order; the fates are those of the identifiers among them."""
    following = iter(fates)
    results = [
        _failed(text, no_such_order(text)) if order_id is None else _result(text, next(following))
        for text, order_id in zip(texts, named, strict=True)
    ]
    failed = sum(result.status == "failed" for result in results)
    return BulkCancelOut(cancelled=len(results) - failed, failed=failed, results=results)


def _read(text: str) -> OrderId | None:
    try:
        return parse_order(text)
    except NoSuch:
        return None


def _result(text: str, fate: Fate) -> BulkResultOut:
    if isinstance(fate, Order):
        return BulkResultOut(order_id=text, status="cancelled", error=UNSET)
    return _failed(text, fault_of(fate))


def _failed(text: str, fault: Fault) -> BulkResultOut:
    return BulkResultOut(order_id=text, status="failed", error=fault)
