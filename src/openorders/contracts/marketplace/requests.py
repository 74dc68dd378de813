"""What `marketplace` reads: query strings and bodies as its document prints them."""

from datetime import date
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct, field

from openorders.contracts.kit import Amount, refuse_unknown
from openorders.contracts.marketplace.columns import COLUMNS
from openorders.contracts.marketplace.odata import TOP_MAX
from openorders.contracts.marketplace.words import Status

ITEMS_MAX: Final = 500
ORDERS_MAX: Final = 1_000
QUANTITY_MAX: Final = 1_000_000

GroupBy: TypeAlias = Literal["status", "day", "week", "month", "customer", "offer"]

_Reason = Annotated[
    Annotated[str, Meta(max_length=500)] | None, Meta(description="Why; kept in the history.")
]
_Word = Annotated[str, Meta(max_length=100)]
_Token = Annotated[str, Meta(max_length=255)]


def _whole(largest: int, description: str) -> Meta:
    """The meta of a number that is read as a text, so that a fault can tell its position."""
    schema = {"type": "integer", "minimum": 0, "maximum": largest}
    return Meta(description=description, extra_json_schema=schema)


@refuse_unknown("$")
class NoOptions(Struct):
    """No query options are known for one order."""


@refuse_unknown("$")
class ODataQuery(Struct):
    """Which orders, in which order, which page of them, and what of them."""

    filter: Annotated[
        str | None, Meta(description="An OData filter expression: `status eq 'completed'`.")
    ] = field(name="$filter", default=None)
    orderby: Annotated[
        str | None, Meta(description="Keys to sort by: `totalAmount desc, id`. By id if none.")
    ] = field(name="$orderby", default=None)
    skip: Annotated[str | None, _whole(2**63 - 1, "Leave out this many orders first.")] = field(
        name="$skip", default=None
    )
    top: Annotated[str | None, _whole(TOP_MAX, "At most this many orders; 20 if none.")] = field(
        name="$top", default=None
    )
    count: Annotated[
        str | None,
        Meta(
            description="Whether to count all matches, which is so unless this says `false`.",
            extra_json_schema={"type": "boolean"},
        ),
    ] = field(name="$count", default=None)
    select: Annotated[
        str | None, Meta(description="Fields to answer with: `id,totalAmount,updatedAt`.")
    ] = field(name="$select", default=None)

    def pairs(self) -> list[tuple[str, str]]:
        """The options that were given, by the names they have on the wire."""
        values: dict[str, str | None] = {
            "$filter": self.filter,
            "$orderby": self.orderby,
            "$skip": self.skip,
            "$top": self.top,
            "$count": self.count,
            "$select": self.select,
        }
        return [(name, value) for name, value in values.items() if value is not None]


@refuse_unknown("$")
class MetricsQuery(Struct, rename="camel"):
    """Which days, and how to split the figures."""

    start_date: Annotated[
        date | None, Meta(description="The first day, in the store's time zone.")
    ] = None
    end_date: Annotated[date | None, Meta(description="The last day, which is counted too.")] = None
    group_by: Annotated[
        GroupBy | None, Meta(description="Adds `groups`, one for each of these.")
    ] = None


class ItemIn(Struct, rename="camel"):
    """An offer and how many of it."""

    offer_id: Annotated[str, Meta(description="The offer's ID, like offer_456.")]
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX, description="How many units.")]
    price: Annotated[
        Amount | None,
        Meta(description="What one unit is believed to cost; refused if it costs another amount."),
    ] = None


class OrderIn(Struct, rename="camel"):
    """A new order, to be paid on the page that `paymentUrl` names."""

    customer_id: Annotated[str, Meta(description="Who orders, like cust_123.")]
    items: Annotated[
        list[ItemIn],
        Meta(min_length=1, max_length=ITEMS_MAX, description="What is ordered, line by line."),
    ]
    payment_method: Annotated[
        _Word | None, Meta(description="How the customer means to pay, like credit_card.")
    ] = None
    payment_gateway_id: Annotated[
        _Word | None, Meta(description="One of the store's gateways; the default one if none.")
    ] = None


class StatusIn(Struct):
    """The status an order is to have, and why."""

    status: Annotated[Status, Meta(description="The status to bring the order to.")]
    reason: _Reason = None


class BulkCancelIn(Struct, rename="camel"):
    """Orders to cancel."""

    order_ids: Annotated[
        list[str],
        Meta(min_length=1, max_length=ORDERS_MAX, description="IDs of orders, like ord_789."),
    ]
    reason: _Reason = None


class ItemActionIn(Struct, rename="camel"):
    """What is to happen to one item."""

    item_id: Annotated[str, Meta(description="The item's ID, like item_1.")]
    action: Annotated[Literal["cancel", "verify"], Meta(description="What to do with it.")]
    reason: _Reason = None


class ItemActionsIn(Struct, rename="camel"):
    """What is to happen to items of an order: all of it, or nothing."""

    order_id: Annotated[str, Meta(description="The order's ID, like ord_789.")]
    items: Annotated[
        list[ItemActionIn],
        Meta(min_length=1, max_length=ITEMS_MAX, description="Each item at most once."),
    ]


class FiltersIn(Struct, rename="camel"):
    """Which orders to export; all that are seen, if none."""

    status: Annotated[Status | None, Meta(description="Only orders with this status.")] = None
    customer_id: Annotated[
        str | None, Meta(description="Only this customer's orders, like cust_123.")
    ] = None
    start_date: Annotated[
        date | None, Meta(description="The first day, in the store's time zone.")
    ] = None
    end_date: Annotated[date | None, Meta(description="The last day, which is exported too.")] = (
        None
    )


_Column = Annotated[str, Meta(extra_json_schema={"enum": list(COLUMNS)})]


class ExportIn(Struct):
    """A file to make."""

    format: Annotated[Literal["csv", "excel"], Meta(description="What kind of file.")]
    filters: Annotated[
        FiltersIn | None, Meta(description="Which orders; all that are seen, if none.")
    ] = None
    columns: Annotated[
        Annotated[list[_Column], Meta(min_length=1)] | None,
        Meta(
            description="Which columns, in this order. A column of `items` repeats the order for"
            " each of its items."
        ),
    ] = None


class PaymentDetailsIn(Struct):
    """How to pay, or how much to give back."""

    method: Annotated[_Word | None, Meta(description="How it is paid, like credit_card.")] = None
    token: Annotated[_Token | None, Meta(description="The gateway's token for a card.")] = None
    amount: Annotated[
        Amount | None,
        Meta(
            description="What is believed to be owed; refused if it is another amount. For a"
            " refund, how much to give back."
        ),
    ] = None


class PaymentIn(Struct, rename="camel"):
    """A step of an order's payment."""

    order_id: Annotated[str, Meta(description="The order's ID, like ord_789.")]
    action: Annotated[
        Literal["process", "refund", "void"],
        Meta(description="Take what is owed, give back, or release what is only authorised."),
    ]
    payment_details: Annotated[
        PaymentDetailsIn | None, Meta(description="The card, or how much to give back.")
    ] = None
