"""Pages are asked over HTTP, without a server."""

import pytest


@pytest.fixture
def database_url(emptied_database_url: str) -> str:
    """These tests leave the schema alone, so they take turns on one database."""
    return emptied_database_url
