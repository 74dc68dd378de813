"""What every test may ask for: a real PostgreSQL, and a migrated database of its own.

The server is the one of OPENORDERS_TEST_DATABASE_URL (a role that may create databases), else an
embedded one in a temporary folder, not synced to disk. Databases are cloned from one template.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from openorders.store import embedded, embedded_process, migrate
from openorders.store.database import Database, opened
from openorders.store.embedded_folder import open_folder
from tests.postgres import databases

FOR_TESTS = {
    # Nothing is to survive a power cut.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # What is known of tables, and who is at work on them, is the same at every run.
    "autovacuum": "off",
}
GIVEN_URL = "OPENORDERS_TEST_DATABASE_URL"


@pytest.fixture(scope="session")
def temporary_folder() -> Iterator[Path]:
    """A folder that other accounts can reach, unlike pytest's own when root runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="openorders-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(temporary_folder: Path) -> Iterator[str]:
    """A server for the whole session, as the URL of a role that may create databases."""
    if given := os.environ.get(GIVEN_URL):
        yield given
        return
    folder = open_folder(temporary_folder / "postgres")
    bindir = os.environ.get("OPENORDERS_PG_BINDIR")
    try:
        postmaster = embedded_process.start(
            folder, bindir=Path(bindir) if bindir else None, settings=FOR_TESTS, report=print
        )
        server = embedded.facts(folder, postmaster)
        yield server.url_as(embedded_process.SUPERUSER, "postgres")
    finally:
        embedded_process.stop(folder)


@pytest.fixture(scope="session")
def template_url(postgres_url: str) -> Iterator[str]:
    """A migrated database that nobody writes to; others are cloned from it."""
    with databases.created(postgres_url) as url:
        databases.finish(migrate.migrate(url))
        yield url


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database without any table, for one test."""
    with databases.created(postgres_url) as url:
        yield url


@pytest.fixture
def database_url(postgres_url: str, template_url: str) -> Iterator[str]:
    """A migrated database without any row, for one test."""
    with databases.created(postgres_url, template=template_url) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(postgres_url: str, template_url: str) -> Iterator[str]:
    """A migrated database that the tests of one module share; it starts without any row."""
    with databases.created(postgres_url, template=template_url) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool on a migrated database of the test's own."""
    async with opened(database_url, connections=8) as pool:
        yield pool


@pytest.fixture(scope="session")
def reused_database_url(postgres_url: str, template_url: str) -> Iterator[str]:
    """A migrated database that many tests use one after the other; see the one below."""
    with databases.created(postgres_url, template=template_url) as url:
        yield url


@pytest.fixture
def emptied_database_url(reused_database_url: str) -> str:
    """A migrated database without any row, for one test that leaves the schema alone: quicker
    than a new one.
    """
    databases.empty(reused_database_url)
    return reused_database_url
