"""What an order costs, to the minor unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.domain.order import Tax, Totals
from openorders.domain.pricing import discount_on, price, without
from openorders.domain.refusals import AmountTooLarge, Refused
from openorders.domain.store_settings import (
    DiscountCode,
    ShippingMethod,
    StorePolicy,
    TaxBase,
    TaxRate,
)
from tests.domain.orders import a_line

STATE_AND_CITY = (
    TaxRate(name="State Tax", rate=Decimal("0.06")),
    TaxRate(name="City Tax", rate=Decimal("0.04")),
)
STANDARD = ShippingMethod(code="standard", cost=599, days=5)
WELCOME10 = DiscountCode(code="WELCOME10", amount=1000)


def test_the_documented_order_adds_up() -> None:
    lines = (a_line(1, unit_price=3499, quantity=2), a_line(2, unit_price=1499))
    totals, _ = price(
        lines, StorePolicy(taxes=STATE_AND_CITY), shipping=STANDARD, discount=WELCOME10
    )
    assert totals == Totals(
        subtotal=8497,
        discount=1000,
        shipping=599,
        taxes=(
            Tax(name="State Tax", rate=Decimal("0.06"), amount=510),
            Tax(name="City Tax", rate=Decimal("0.04"), amount=340),
        ),
    )
    assert totals.total == 8946


def test_taxes_after_discount_are_taken_of_what_is_left() -> None:
    policy = StorePolicy(taxes=STATE_AND_CITY, tax_base=TaxBase.AFTER_DISCOUNT)
    totals, _ = price((a_line(unit_price=8497),), policy, discount=WELCOME10)
    assert [tax.amount for tax in totals.taxes] == [450, 300]


@pytest.mark.parametrize(
    ("code", "off"),
    [
        (DiscountCode(code="A", percent=Decimal(20)), 1699),
        (DiscountCode(code="B", amount=99_999), 8497),
        (DiscountCode(code="C", percent=Decimal(100)), 8497),
        (None, 0),
    ],
)
def test_a_discount_never_takes_more_than_the_goods_cost(
    code: DiscountCode | None, off: int
) -> None:
    assert discount_on(8497, code) == off


def test_an_order_worth_more_than_can_be_written_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        price((a_line(unit_price=10**15, quantity=2),), StorePolicy())
    assert refused.value.reason == AmountTooLarge()


lines_of_orders = st.lists(
    st.tuples(st.integers(0, 10**7), st.integers(1, 1000)), min_size=1, max_size=12
)
policies = st.builds(
    StorePolicy,
    taxes=st.lists(
        st.builds(TaxRate, name=st.just("Tax"), rate=st.decimals(0, 1, places=4)), max_size=3
    ).map(tuple),
    tax_base=st.sampled_from(TaxBase),
)
discounts = st.one_of(
    st.none(),
    st.builds(DiscountCode, code=st.just("X"), percent=st.decimals(0, 100, places=2)),
    st.builds(DiscountCode, code=st.just("X"), amount=st.integers(0, 10**8)),
)


@given(lines_of_orders, policies, discounts)
def test_shares_of_lines_add_up_to_the_order(
    wanted: list[tuple[int, int]], policy: StorePolicy, discount: DiscountCode | None
) -> None:
    lines = [a_line(i, unit_price=unit, quantity=q) for i, (unit, q) in enumerate(wanted)]
    totals, priced = price(lines, policy, shipping=STANDARD, discount=discount)
    assert totals.subtotal == sum(line.subtotal for line in priced)
    if totals.discount or totals.taxes:
        assert totals.discount == sum(line.discount_share for line in priced)
        for position, tax in enumerate(totals.taxes):
            assert tax.amount == sum(line.tax_shares[position] for line in priced)
    assert totals.total == totals.subtotal - totals.discount + 599 + totals.tax


@given(lines_of_orders, policies, discounts, st.randoms())
def test_taking_lines_out_one_by_one_or_together_costs_the_same(
    wanted: list[tuple[int, int]], policy: StorePolicy, discount: DiscountCode | None, dice: object
) -> None:
    lines = [a_line(i, unit_price=unit, quantity=q) for i, (unit, q) in enumerate(wanted)]
    totals, priced = price(lines, policy, discount=discount)
    out = list(priced)
    dice.shuffle(out)  # type: ignore[attr-defined]
    step = totals
    for line in out:
        step = without(step, [line])
        assert step.total >= 0
    assert step == without(totals, priced)
    assert step.total == 0
