"""Use cases run against a real database, one store, and a sandbox gateway that can fail."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from openorders.gateways.stripe_line import StripeLine
from openorders.store.database import Database
from openorders.usecases.verify_ledgers import verify
from tests.gateways.stripe_double.double import StripeDouble
from tests.gateways.stripe_double.fixtures import localstripe_url, stripe  # noqa: F401
from tests.usecases.stripe_world import AtStripe, a_world_at_stripe
from tests.world import World, a_world


@pytest.fixture
def database_url(emptied_database_url: str) -> str:
    """These tests leave the schema alone, so they take turns on one database."""
    return emptied_database_url


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    return await a_world(database, tmp_path / "mail")


@pytest.fixture
async def audited(world: World) -> AsyncIterator[None]:
    """Whatever the test did, the books add up afterwards."""
    yield
    assert [difference async for difference in verify(world.services)] == []


@pytest.fixture
async def shop(
    database: Database,
    tmp_path: Path,
    stripe: StripeDouble,  # noqa: F811
) -> AsyncIterator[AtStripe]:
    """A store whose first gateway is Stripe, by its double."""
    async with aclosing(StripeLine(stripe.url, question_s=5.0)) as line:
        shop = await a_world_at_stripe(database, tmp_path / "mail", stripe, line)
        yield shop
        assert [difference async for difference in verify(shop.world.services)] == []
