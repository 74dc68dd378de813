"""Stores at Stripe as fixtures: `from tests.usecases.stripe_fixtures import ...` in a conftest,
beside the double's own.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from openorders.domain.store_settings import Capture
from openorders.gateways.stripe_line import StripeLine
from openorders.store.database import Database
from openorders.usecases.verify_ledgers import verify
from tests.gateways.stripe_double.double import StripeDouble
from tests.usecases.stripe_world import AtStripe, a_world_at_stripe


@pytest.fixture
async def shop(database: Database, tmp_path: Path, stripe: StripeDouble) -> AsyncIterator[AtStripe]:
    """A store whose money Stripe takes at once."""
    async with aclosing(StripeLine(stripe.url, question_s=5.0)) as line:
        shop = await a_world_at_stripe(database, tmp_path / "mail", stripe, line)
        yield shop
        assert [difference async for difference in verify(shop.world.services)] == []


@pytest.fixture
async def shop_by_hand(
    database: Database, tmp_path: Path, stripe: StripeDouble
) -> AsyncIterator[AtStripe]:
    """A store that has Stripe reserve the money, and takes it when staff say so."""
    async with aclosing(StripeLine(stripe.url, question_s=5.0)) as line:
        shop = await a_world_at_stripe(
            database, tmp_path / "mail", stripe, line, capture=Capture.BY_HAND
        )
        yield shop
        assert [difference async for difference in verify(shop.world.services)] == []
