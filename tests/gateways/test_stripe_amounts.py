"""Amounts at Stripe, by Stripe's table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.domain.money import CURRENCIES
from openorders.gateways.stripe_amounts import from_stripe, to_stripe


@pytest.mark.parametrize(
    ("currency", "minor", "theirs"),
    [
        ("USD", 1099, 1099),
        ("EUR", 1, 1),
        ("HUF", 1045, 1045),
        ("TWD", 80_045, 80_045),
        ("JPY", 500, 500),
        ("KRW", 5000, 5000),
        ("XPF", 1, 1),
        ("ISK", 5, 500),
        ("UGX", 5, 500),
        ("MGA", 500, 5),
        ("MGA", 520, None),
        ("KWD", 5120, 5120),
        ("KWD", 5124, None),
        ("BHD", 10, 10),
        ("BHD", 5, None),
        ("TND", 1, None),
        ("IQD", 1000, None),
        ("LYD", 1000, None),
        ("CLF", 10_000, None),
        ("UYW", 10_000, None),
        ("UYI", 10, None),
        ("USD", 0, None),
        ("USD", -1, None),
    ],
)
def test_an_amount_is_counted_as_stripe_counts_it(
    currency: str, minor: int, theirs: int | None
) -> None:
    assert to_stripe(minor, currency) == theirs
    if theirs is not None:
        assert from_stripe(theirs, currency) == minor


@pytest.mark.parametrize(
    ("currency", "theirs"), [("ISK", 550), ("UGX", 1), ("CLF", 100), ("IQD", 10)]
)
def test_an_amount_that_is_none_of_ours_is_not_made_one(currency: str, theirs: int) -> None:
    assert from_stripe(theirs, currency) is None


@given(st.sampled_from(sorted(CURRENCIES)), st.integers(1, 10**12))
def test_no_amount_changes_on_the_way_and_back(currency: str, minor: int) -> None:
    theirs = to_stripe(minor, currency)
    assert theirs is None or from_stripe(theirs, currency) == minor
