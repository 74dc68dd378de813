"""Amounts are whole minor units, and dividing them loses nothing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.domain.money import (
    AMOUNT_MAX,
    CURRENCIES,
    average,
    from_decimal,
    minor_digits,
    portion,
    split,
    to_decimal,
)

amounts = st.integers(min_value=0, max_value=AMOUNT_MAX)


@pytest.mark.parametrize(
    ("currency", "digits"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("MGA", 2)]
)
def test_a_currency_has_the_digits_of_iso_4217(currency: str, digits: int) -> None:
    assert currency in CURRENCIES
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(
    ("minor", "digits", "text"),
    [
        (7500, 2, "75.00"),
        (150, 0, "150"),
        (1, 3, "0.001"),
        (0, 2, "0.00"),
        (10**15, 2, "10000000000000.00"),
    ],
)
def test_an_amount_is_written_with_exactly_the_digits_of_its_currency(
    minor: int, digits: int, text: str
) -> None:
    assert format(to_decimal(minor, digits), "f") == text


@given(amounts, st.sampled_from([0, 2, 3, 4]))
def test_an_amount_comes_back_as_it_went(minor: int, digits: int) -> None:
    assert from_decimal(to_decimal(minor, digits), digits) == minor


@pytest.mark.parametrize("amount", ["10.999", "0.001", "1e30", "NaN", "Infinity"])
def test_an_amount_finer_or_larger_than_money_is_none(amount: str) -> None:
    assert from_decimal(Decimal(amount), 2) is None


@pytest.mark.parametrize(
    ("minor", "rate", "part"),
    [(8497, "0.06", 510), (8497, "0.04", 340), (50, "0.05", 2), (150, "0.05", 8), (0, "0.2", 0)],
)
def test_a_portion_is_rounded_half_even(minor: int, rate: str, part: int) -> None:
    assert portion(minor, Decimal(rate)) == part


@pytest.mark.parametrize(
    ("total", "count", "text"), [(1000, 3, "3.33"), (5, 2, "0.02"), (15, 2, "0.08"), (0, 0, "0.00")]
)
def test_an_average_is_rounded_half_even(total: int, count: int, text: str) -> None:
    assert format(average(total, count, 2), "f") == text


@given(amounts, st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=50))
def test_shares_add_up_and_none_is_off_by_a_whole_unit(total: int, weights: list[int]) -> None:
    shares = split(total, weights)
    assert sum(shares) == total
    if sum(weights):
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share * sum(weights) - total * weight) < sum(weights)


def test_the_remainder_goes_to_the_largest_one_and_ties_to_the_first() -> None:
    assert split(100, [1, 1, 1]) == (34, 33, 33)
    assert split(10, [1, 2, 2]) == (2, 4, 4)
    assert split(7, [0, 0]) == (7, 0)
    assert split(5, []) == ()
