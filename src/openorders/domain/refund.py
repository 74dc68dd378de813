"""A refund as it was decided, and what became of it.

Two things are kept apart. A refund *gives money back*: `amount`, through one call per payment it
comes from. And it *lowers the order's price* for its buyer, by lines, by shipping, or as goodwill:
nobody is to pay, or to pay again, for what they gave back. The two differ when little was paid, or
when money went back before. All amounts are minor units.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from openorders.domain.ids import LineId, RefundId


class RefundState(StrEnum):
    """What became of a refund: always computed from the calls that carry it out."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PART_FAILED = "part_failed"


class RefundedLine(Struct, frozen=True, kw_only=True):
    """So many units of a line, and what they were worth with discount and taxes.

    `quantity` can be 0: then only the rest of the line's money was left to be given back.
    `returned` units came back and are on hand again. Of these, `restocked` are so because of this
    refund; the others came back for an earlier one that failed.
    """

    line_id: LineId
    quantity: int
    amount: int
    returned: int = 0
    restocked: int = 0


class RefundTerms(Struct, frozen=True, kw_only=True):
    """What a refund says, before it has a number.

    `lines`, `shipping` and `goodwill` are by how much the order's price falls. There is none of
    them when money goes back for another reason: a cancelled line, an order that has ended, too
    much paid, or a payment that is to be made in another way.
    """

    lines: tuple[RefundedLine, ...] = ()
    shipping: int = 0
    goodwill: int = 0
    reason: str | None = None
    restock: bool = False

    @property
    def lowers_price_by(self) -> int:
        """What the buyer no longer owes because of it."""
        return sum(line.amount for line in self.lines) + self.shipping + self.goodwill


class Refund(RefundTerms, frozen=True, kw_only=True):
    """`amount` goes back to the buyer; `failed` of it did not, as the gateways say.

    `firm` once money went back in another way because this refund had not given back all that
    the price fell by: from then on the price stays, whatever becomes of its own calls.
    """

    id: RefundId
    amount: int
    state: RefundState
    failed: int = 0
    firm: bool = False
    at: datetime

    @property
    def holds(self) -> bool:
        """Whether it lowers the price. One that failed altogether does not and can be asked for
        again; when only a part failed, or it is firm, what failed is still to be given back.
        """
        return self.firm or self.state is not RefundState.FAILED

    @property
    def given_back(self) -> int:
        """What went back, or is on its way."""
        return self.amount - self.failed


def state_of(amount: int, *, started: int, failed: int) -> RefundState:
    """How a refund of `amount` stands when so much of it is under way, and so much has failed."""
    if started:
        return RefundState.STARTED
    if failed == 0:
        return RefundState.SUCCEEDED
    return RefundState.FAILED if failed >= amount else RefundState.PART_FAILED
