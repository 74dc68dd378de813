"""What tests of contracts may ask for. Those that share the one application of the session run on
the session's event loop; each opens a store of its own, so that no test sees another's orders.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from openorders.demo import fill
from openorders.store.database import opened
from tests.contracts.serving import Served, served
from tests.contracts.shop import Shop, open_shop
from tests.postgres import databases

SHARED = {"everyone", "shop", "demo"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything that uses the session's application waits on the session's loop."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and not SHARED.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def shared_database_url(postgres_url: str, template_url: str) -> Iterator[str]:
    """A migrated database for all tests that keep to a store of their own."""
    with databases.created(postgres_url, template=template_url) as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def everyone(shared_database_url: str, temporary_folder: Path) -> AsyncIterator[Served]:
    """All contracts, served once for the session."""
    async with served(shared_database_url, temporary_folder / "mails") as world:
        yield world


@pytest_asyncio.fixture(loop_scope="session")
async def shop(everyone: Served) -> AsyncIterator[Shop]:
    """A store of the test's own. No request to it may end in a fault."""
    everyone.faults.clear()
    yield await open_shop(everyone)
    assert everyone.faults == []


@pytest.fixture(scope="session")
def demo_url(postgres_url: str, template_url: str) -> Iterator[str]:
    """A database with the demo, fresh from filling; nobody writes to it."""

    async def filled(url: str) -> None:
        async with opened(url, connections=1) as database:
            assert (await fill(database, lambda: secrets.token_urlsafe(24))).now

    with databases.created(postgres_url, template=template_url) as url:
        databases.finish(filled(url))
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def demo(postgres_url: str, demo_url: str, temporary_folder: Path) -> AsyncIterator[Served]:
    """The demo as one copy that all tests read from."""
    with databases.created(postgres_url, template=demo_url) as url:
        async with served(url, temporary_folder / "mails", demo=True) as world:
            yield world


@pytest_asyncio.fixture
async def fresh_demo(postgres_url: str, demo_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    """The demo as a copy of the test's own, to be written to."""
    with databases.created(postgres_url, template=demo_url) as url:
        async with served(url, tmp_path, demo=True) as world:
            yield world
            assert world.faults == []
