"""A desk of the test's own."""

from __future__ import annotations

import pytest

from tests.contracts.manage.desk import Desk
from tests.contracts.shop import Shop


@pytest.fixture
def desk(shop: Shop) -> Desk:
    """The management of a store that no other test sees."""
    return Desk(shop)
