"""Pages are asked over HTTP, without a server."""

import pytest

from tests.gateways.stripe_double.fixtures import localstripe_url, stripe  # noqa: F401
from tests.usecases.stripe_fixtures import shop  # noqa: F401


@pytest.fixture
def database_url(emptied_database_url: str) -> str:
    """These tests leave the schema alone, so they take turns on one database."""
    return emptied_database_url
