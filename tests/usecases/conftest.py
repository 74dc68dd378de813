"""Use cases run against a real database, one store, and a sandbox gateway that can fail."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openorders.store.database import Database
from openorders.usecases.verify_ledgers import verify
from tests.gateways.stripe_double.fixtures import localstripe_url, stripe  # noqa: F401
from tests.usecases.stripe_fixtures import shop, shop_by_hand  # noqa: F401
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
