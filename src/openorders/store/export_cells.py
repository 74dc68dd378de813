"""One cell of a table as an SQL expression over `orders o`, `customers c` and `order_lines l`.

Every part is a constant of this file or a parameter's number, which `bound` gives out.
"""

from collections.abc import Callable
from enum import Enum, auto
from types import MappingProxyType
from typing import Final, TypeAlias

from msgspec import Struct

from openorders.domain.table import LinePart, OrderPart, Part, TableColumn

Bound: TypeAlias = Callable[[str], str]


class Kind(Enum):
    """What sort of value a cell has. PREFIXED is a number behind the column's prefix."""

    TEXT = auto()
    WORD = auto()
    PREFIXED = auto()
    WHOLE = auto()
    AMOUNT = auto()
    MOMENT = auto()
    DAY = auto()


class _Cell(Struct, frozen=True):
    sql: str
    kind: Kind = Kind.TEXT
    free: bool = False
    """Whether somebody outside chose the text: it may hold anything."""


def _free(sql: str) -> _Cell:
    return _Cell(sql, free=True)


def _address(column: str, parts: tuple[OrderPart, ...]) -> dict[Part, _Cell]:
    keys = ("name", "line1", "line2", "city", "state", "postal_code", "country", "phone")
    return {part: _free(f"({column} ->> '{key}')") for part, key in zip(parts, keys, strict=True)}


_CELLS: Final = MappingProxyType[Part, _Cell](
    {
        OrderPart.ID: _Cell("o.id", Kind.PREFIXED),
        OrderPart.NUMBER: _Cell("o.number", Kind.PREFIXED, free=True),
        OrderPart.CUSTOMER_ID: _Cell("o.customer_id", Kind.PREFIXED),
        OrderPart.CUSTOMER_NAME: _free("c.name"),
        OrderPart.CUSTOMER_EMAIL: _free("c.email"),
        OrderPart.WORD: _Cell("o.word", Kind.WORD),
        OrderPart.PAYMENT: _Cell("o.payment", Kind.WORD),
        OrderPart.FULFILMENT: _Cell("o.fulfilment", Kind.WORD),
        OrderPart.CURRENCY: _Cell("o.currency"),
        OrderPart.SUBTOTAL: _Cell("o.subtotal", Kind.AMOUNT),
        OrderPart.DISCOUNT: _Cell("o.discount", Kind.AMOUNT),
        OrderPart.DISCOUNT_CODE: _free("o.discount_code"),
        OrderPart.SHIPPING: _Cell("o.shipping", Kind.AMOUNT),
        OrderPart.TAX: _Cell("o.tax", Kind.AMOUNT),
        OrderPart.TOTAL: _Cell("o.total", Kind.AMOUNT),
        OrderPart.PAYMENT_METHOD: _free("o.payment_method"),
        OrderPart.PAYMENT_GATEWAY: _free("o.payment_gateway"),
        OrderPart.PARTNER_NAME: _free("o.partner_name"),
        OrderPart.CUSTOMER_REFERENCE: _free("o.customer_reference"),
        OrderPart.SHIPPING_METHOD: _free("o.shipping_method"),
        OrderPart.ESTIMATED_DELIVERY: _Cell("o.estimated_delivery", Kind.DAY),
        OrderPart.CARRIER: _free("(o.shipment ->> 'carrier')"),
        OrderPart.TRACKING_NUMBER: _free("(o.shipment ->> 'tracking_number')"),
        OrderPart.TRACKING_URL: _free("(o.shipment ->> 'tracking_url')"),
        OrderPart.SHIPPED_AT: _Cell("(o.shipment ->> 'shipped_at')::timestamptz", Kind.MOMENT),
        **_address(
            "o.shipping_address",
            (
                OrderPart.SHIP_TO_NAME,
                OrderPart.SHIP_TO_LINE1,
                OrderPart.SHIP_TO_LINE2,
                OrderPart.SHIP_TO_CITY,
                OrderPart.SHIP_TO_STATE,
                OrderPart.SHIP_TO_POSTAL_CODE,
                OrderPart.SHIP_TO_COUNTRY,
                OrderPart.SHIP_TO_PHONE,
            ),
        ),
        **_address(
            "o.billing_address",
            (
                OrderPart.BILL_TO_NAME,
                OrderPart.BILL_TO_LINE1,
                OrderPart.BILL_TO_LINE2,
                OrderPart.BILL_TO_CITY,
                OrderPart.BILL_TO_STATE,
                OrderPart.BILL_TO_POSTAL_CODE,
                OrderPart.BILL_TO_COUNTRY,
                OrderPart.BILL_TO_PHONE,
            ),
        ),
        OrderPart.NOTES: _free("o.notes"),
        OrderPart.CANCELLATION_REASON: _free("(o.cancellation ->> 'reason')"),
        OrderPart.CANCELLED_AT: _Cell("(o.cancellation ->> 'at')::timestamptz", Kind.MOMENT),
        OrderPart.CREATED_AT: _Cell("o.created_at", Kind.MOMENT),
        OrderPart.UPDATED_AT: _Cell("o.updated_at", Kind.MOMENT),
        OrderPart.COMPLETED_AT: _Cell("o.completed_at", Kind.MOMENT),
        OrderPart.VERSION: _Cell("o.version", Kind.WHOLE),
        LinePart.ID: _Cell("l.id", Kind.PREFIXED),
        LinePart.PRODUCT_ID: _Cell("l.product_id", Kind.PREFIXED),
        LinePart.VARIANT_ID: _Cell("l.variant_id", Kind.PREFIXED),
        LinePart.PRODUCT_NAME: _free("l.product_name"),
        LinePart.VARIANT_NAME: _free("l.variant_name"),
        LinePart.SKU: _free("l.sku"),
        LinePart.IMAGE: _free("l.image"),
        LinePart.QUANTITY: _Cell("l.quantity", Kind.WHOLE),
        LinePart.UNIT_PRICE: _Cell("l.unit_price", Kind.AMOUNT),
        LinePart.SUBTOTAL: _Cell("(l.unit_price * l.quantity)", Kind.AMOUNT),
        LinePart.STATE: _Cell("l.state", Kind.WORD),
    }
)
# A minor unit in major ones. Multiplying is exact, and has exactly the currency's digits.
_UNIT: Final = (
    "case o.minor_digits when 2 then 0.01 when 0 then 1 when 3 then 0.001 else 0.0001 end"
)
# What makes a spreadsheet calculate when a cell starts with it, full-width forms included.
_FORMULA: Final = ",".join(str(ord(one)) for one in "-=+@\t\r\uff1d\uff0b\uff0d\uff20")


def kind_of(part: Part) -> Kind:
    """What sort of value the part has."""
    return _CELLS[part].kind


def csv_cell(column: TableColumn, bound: Bound) -> str:
    """The cell as COPY is to write it, which puts quotes where they must be; null where there is
    nothing.

    Texts from outside that a spreadsheet would calculate get an apostrophe in front. Numbers,
    times and our own words need none.
    """
    cell = _CELLS[column.part]
    match cell.kind:
        case Kind.AMOUNT:
            return f"{cell.sql} * {_UNIT}"
        case Kind.MOMENT:
            # Quoted, with a T and fractions of a second: the first 19 characters are wanted.
            return f"substr(to_json({cell.sql})::text, 2, 19) || 'Z'"
        case Kind.WHOLE | Kind.DAY:
            return cell.sql
        case Kind.TEXT | Kind.WORD | Kind.PREFIXED:
            text = _text(cell, column, bound)
            return _guarded(text) if cell.free else text


def typed_cell(column: TableColumn, bound: Bound, characters_max: int) -> str:
    """The cell as a value of its own type, null where there is none."""
    cell = _CELLS[column.part]
    match cell.kind:
        case Kind.AMOUNT:
            return f"({cell.sql} * {_UNIT})::double precision"
        case Kind.MOMENT:
            return f"date_trunc('second', {cell.sql}) at time zone 'UTC'"
        case Kind.WHOLE | Kind.DAY:
            return cell.sql
        case Kind.TEXT | Kind.WORD | Kind.PREFIXED:
            text = _text(cell, column, bound)
            return f"left({text}, {characters_max})" if cell.free else text


def _text(cell: _Cell, column: TableColumn, bound: Bound) -> str:
    if cell.kind is Kind.PREFIXED:
        return f"({bound(column.prefix)} || {cell.sql}::text)"
    renamed = [(inside, shown) for inside, shown in column.words if inside != shown]
    if cell.kind is Kind.WORD and renamed:
        cases = " ".join(f"when {bound(inside)} then {bound(shown)}" for inside, shown in renamed)
        return f"(case {cell.sql} {cases} else {cell.sql} end)"
    return cell.sql


def _guarded(text: str) -> str:
    """An empty text becomes none, which COPY writes without quotes."""
    return (
        f"case when ascii({text}) = any('{{{_FORMULA}}}'::int[]) then '''' || {text}"
        f" else nullif({text}, '') end"
    )
