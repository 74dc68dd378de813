"""A million orders, made once for all tests that look at plans."""

from collections.abc import AsyncIterator, Iterator

import pytest

from openorders.store.database import Connection, connected
from tests.plans import million
from tests.postgres import databases


@pytest.fixture(scope="session")
def million_url(postgres_url: str, template_url: str) -> Iterator[str]:
    """A database with a million orders; what a test changes there it takes back."""
    with databases.created(postgres_url, template=template_url) as url:
        databases.finish(million.fill(url))
        yield url


@pytest.fixture
async def connection(million_url: str) -> AsyncIterator[Connection]:
    """A session on it, with the settings of production."""
    async with connected(million_url, statement_s=120) as session:
        yield session
