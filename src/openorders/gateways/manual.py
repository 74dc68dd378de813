"""Money that moved elsewhere: cash, a bank transfer, a terminal. Staff vouch for it.

Nothing is called and nothing can fail. What is asked of it is taken as done by hand.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from openorders.domain.ids import CustomerId
from openorders.gateways.payments import (
    Declined,
    Entry,
    GatewayCall,
    GatewayMisused,
    Notice,
    NoticeRefused,
    Outcome,
    SavedMethod,
    Succeeded,
)


class ManualGateway:
    """Says yes to everything, since a person has done it."""

    has_pages = False

    async def charge(self, call: GatewayCall) -> Outcome:
        """The money was taken by hand."""
        return _by_hand(call)

    async def authorise(self, call: GatewayCall) -> Outcome:
        """The money was promised to a person."""
        return _by_hand(call)

    async def capture(self, call: GatewayCall) -> Outcome:
        """The promised money was taken by hand."""
        return _by_hand(call)

    async def refund(self, call: GatewayCall) -> Outcome:
        """The money is given back by hand."""
        return _by_hand(call)

    async def void(self, call: GatewayCall) -> Outcome:
        """The promise was given up."""
        return _by_hand(call)

    async def open_page(self, call: GatewayCall) -> Outcome:
        """There is no page on which a person could pay by hand."""
        raise GatewayMisused(f"{call.kind} {call.key}: money by hand has no page")

    async def look_up(self, call: GatewayCall, since: datetime) -> Outcome | None:
        """Nobody else keeps books of it, so nothing was ever seen."""
        del call, since

    async def save_method(
        self, key: str, customer_id: CustomerId, customer: str | None, token: str
    ) -> SavedMethod | Declined:
        """Cash cannot be kept for later."""
        del key, customer_id, customer, token
        return Declined(code="not_supported", message="This way of paying cannot be saved.")

    async def forget_method(self, reference: str) -> None:
        """There is nothing to forget."""
        del reference

    def read_notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice | None:
        """Nobody sends news of it, so none is believed."""
        del headers, body, now
        raise NoticeRefused("money by hand sends no notices")

    async def entries(self, since: datetime, until: datetime) -> AsyncIterator[Entry]:
        """Nobody else keeps books of it: there is nothing to compare with."""
        del since, until
        for entry in ():
            yield entry


def _by_hand(call: GatewayCall) -> Succeeded:
    return Succeeded(reference=call.reference or f"{call.kind}-{call.key}")
