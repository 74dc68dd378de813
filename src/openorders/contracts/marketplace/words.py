"""The status words of `marketplace`, from and to the words inside."""

from functools import cache
from typing import Final, Literal, TypeAlias, assert_never, get_args

from openorders.domain.order import Word

Status: TypeAlias = Literal[
    "pending_payment",
    "pending",
    "processing",
    "shipped",
    "delivered",
    "completed",
    "refunded",
    "cancelled",
]
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
"""All of them, in the order of an order's life."""


@cache
def status_of(word: Word) -> Status:
    """The status that is shown for an order whose word inside this is."""
    match word:
        case Word.CREATED | Word.PAID:
            return "pending"
        case Word.PAYMENT_PENDING:
            return "pending_payment"
        case Word.PROCESSING:
            return "processing"
        case Word.SHIPPED:
            return "shipped"
        case Word.DELIVERED:
            return "delivered"
        case Word.COMPLETED:
            return "completed"
        case Word.REFUNDED:
            return "refunded"
        case Word.CANCELLED:
            return "cancelled"
        case _:
            assert_never(word)


def words_of(status: Status) -> frozenset[Word]:
    """Every word inside that shows as this status."""
    return frozenset(word for word in Word if status_of(word) == status)


def target_of(status: Status) -> Word:
    """The word inside that a client asks for with this status."""
    match status:
        case "pending":
            return Word.CREATED
        case "pending_payment":
            return Word.PAYMENT_PENDING
        case "processing":
            return Word.PROCESSING
        case "shipped":
            return Word.SHIPPED
        case "delivered":
            return Word.DELIVERED
        case "completed":
            return Word.COMPLETED
        case "refunded":
            return Word.REFUNDED
        case "cancelled":
            return Word.CANCELLED
        case _:
            assert_never(status)
