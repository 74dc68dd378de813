"""Gateways keep their books in a real database, or at the double of Stripe."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from openorders.gateways.stripe_line import StripeLine
from openorders.store.database import opened
from openorders.store.sandbox_ledger import SandboxLedger
from tests.gateways.providers import Provider, Sandbox, Stripe
from tests.gateways.stripe_double.double import StripeDouble
from tests.gateways.stripe_double.fixtures import localstripe_url, stripe  # noqa: F401
from tests.world import Clock


@pytest.fixture
def database_url(emptied_database_url: str) -> str:
    """These tests leave the schema alone, so they take turns on one database."""
    return emptied_database_url


@pytest.fixture
async def at_stripe(stripe: StripeDouble) -> AsyncIterator[Stripe]:  # noqa: F811
    """Stripe, by its double."""
    async with aclosing(StripeLine(stripe.url, question_s=5.0)) as line:
        yield Stripe.at(stripe, line)


@pytest.fixture
async def at_sandbox(database_url: str) -> AsyncIterator[Sandbox]:
    """The sandbox, over its own books."""
    async with opened(database_url, connections=8) as database:
        clock = Clock()
        yield Sandbox.over(SandboxLedger(database, clock), clock)


@pytest.fixture(params=["at_sandbox", "at_stripe"])
def provider(request: pytest.FixtureRequest) -> Provider:
    """Each provider in turn."""
    return request.getfixturevalue(request.param)
