"""Money that moved elsewhere: cash, a bank transfer, a terminal. Staff vouch for it.

Nothing is called and nothing can fail. What is asked of it is taken as done by hand.
"""

from openorders.gateways.payments import GatewayCall, Outcome, Succeeded


class ManualGateway:
    """Says yes to everything, since a person has done it."""

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

    async def look_up(self, key: str) -> Outcome | None:
        """Nobody else keeps books of it, so nothing was ever seen."""
        del key


def _by_hand(call: GatewayCall) -> Succeeded:
    return Succeeded(reference=call.reference or f"{call.kind}-{call.key}")
