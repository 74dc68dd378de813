"""Storefront's own fixture, on top of a store of the test's own."""

import pytest_asyncio

from tests.contracts.shop import Shop
from tests.contracts.storefront.world import Storefront, open_storefront


@pytest_asyncio.fixture(loop_scope="session")
async def front(shop: Shop) -> Storefront:
    """A furnished store, with a customer's key."""
    return await open_storefront(shop)
