"""What an order costs, in whole minor units: subtotal, discount, shipping, each tax, total.

Discount and taxes are split over the lines once, by largest remainder, and stay with them.
Taxes are rounded half-even, each rate by itself, on the whole subtotal (not per line).
"""

from collections.abc import Sequence

from msgspec.structs import replace

from openorders.domain.money import AMOUNT_MAX, portion, split
from openorders.domain.order import Line, Tax, Totals
from openorders.domain.refusals import AmountTooLarge, Refused
from openorders.domain.store_settings import (
    DiscountCode,
    ShippingMethod,
    StorePolicy,
    TaxBase,
)


def price(
    lines: Sequence[Line],
    policy: StorePolicy,
    *,
    shipping: ShippingMethod | None = None,
    discount: DiscountCode | None = None,
) -> tuple[Totals, tuple[Line, ...]]:
    """The totals, and the lines with their shares. Refuses what cannot be written exactly."""
    subtotal = sum(line.subtotal for line in lines)
    if subtotal > AMOUNT_MAX:
        raise Refused(AmountTooLarge())
    off = discount_on(subtotal, discount)
    base = subtotal - off if policy.tax_base is TaxBase.AFTER_DISCOUNT else subtotal
    taxes = tuple(
        Tax(name=tax.name, rate=tax.rate, amount=portion(base, tax.rate)) for tax in policy.taxes
    )
    totals = Totals(
        subtotal=subtotal, discount=off, shipping=shipping.cost if shipping else 0, taxes=taxes
    )
    if totals.total > AMOUNT_MAX:
        raise Refused(AmountTooLarge())
    return totals, _with_shares(lines, totals)


def discount_on(subtotal: int, discount: DiscountCode | None) -> int:
    """What the code takes off: never more than the subtotal."""
    if discount is None:
        return 0
    if discount.percent is not None:
        return min(subtotal, portion(subtotal, discount.percent.scaleb(-2)))
    return min(subtotal, discount.amount or 0)


def without(totals: Totals, cancelled: Sequence[Line]) -> Totals:
    """The totals after lines were taken out: exactly their frozen shares leave with them."""
    return replace(
        totals,
        subtotal=totals.subtotal - sum(line.subtotal for line in cancelled),
        discount=totals.discount - sum(line.discount_share for line in cancelled),
        taxes=tuple(
            replace(tax, amount=tax.amount - sum(line.tax_shares[i] for line in cancelled))
            for i, tax in enumerate(totals.taxes)
        ),
    )


def _with_shares(lines: Sequence[Line], totals: Totals) -> tuple[Line, ...]:
    if not totals.discount and not totals.taxes:
        return tuple(lines)
    weights = [line.subtotal for line in lines]
    discounts = split(totals.discount, weights)
    taxes = [split(tax.amount, weights) for tax in totals.taxes]
    return tuple(
        replace(line, discount_share=discounts[i], tax_shares=tuple(shares[i] for shares in taxes))
        for i, line in enumerate(lines)
    )
