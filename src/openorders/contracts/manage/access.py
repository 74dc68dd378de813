"""Whose the operations of the management API are."""

from typing import Final

from openorders.contracts.kit import Only
from openorders.domain.access import Role

ADMIN: Final = Only((Role.ADMIN,), "manage the store")
STAFF: Final = Only((Role.ADMIN, Role.SERVICE), "read the store's events and payments")
