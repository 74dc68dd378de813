"""Use cases run against a real database, one store, and a sandbox gateway that can fail."""

from pathlib import Path

import pytest

from openorders.store.database import Database
from tests.world import World, a_world


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    return await a_world(database, tmp_path / "mail")
