"""The double as fixtures: `from tests.gateways.stripe_double.fixtures import ...` in a conftest."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.gateways.stripe_double.double import StripeDouble
from tests.gateways.stripe_double.localstripe_process import running_localstripe


@pytest.fixture(scope="session")
def localstripe_url() -> Iterator[str]:
    """One localstripe for the session; every double empties it first."""
    with running_localstripe() as url:
        yield url


@pytest.fixture
async def stripe(localstripe_url: str) -> AsyncIterator[StripeDouble]:
    """A double of Stripe without anything in it."""
    async with StripeDouble.running(localstripe_url) as double:
        yield double
