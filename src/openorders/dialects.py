"""The contracts' words for an order, for whoever tells of orders outside of a request.

Loaded when first asked for: commands that tell of nothing do not load what answers HTTP.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial

from openorders.domain.order import Order
from openorders.domain.store_settings import Store

Words = Callable[[Store, Order], bytes]


class Dialects(Mapping[str, Words]):
    """By a contract's name, what writes an order as the contract's answers have it."""

    @cached_property
    def _words(self) -> dict[str, Words]:
        from openorders.contracts import ALL

        return {
            one.name: partial(_write, one.order_out) for one in ALL if one.order_out is not None
        }

    def __getitem__(self, contract: str) -> Words:
        return self._words[contract]

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)


def _write(order_out: Callable[[Store, Order], object], store: Store, order: Order) -> bytes:
    from openorders.contracts import kit

    return kit.encode(order_out(store, order))
