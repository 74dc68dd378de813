"""The contracts: every documented API that the one order book is served through.

This list is the only place that names them. A sixth contract is one folder and one line. Beside
them is the management API, which is no contract that orders are placed through.
"""

from openorders.contracts.basic import CONTRACT as BASIC
from openorders.contracts.commerce import CONTRACT as COMMERCE
from openorders.contracts.kit import Contract
from openorders.contracts.manage import CONTRACT as MANAGE
from openorders.contracts.marketplace import CONTRACT as MARKETPLACE
from openorders.contracts.partner import CONTRACT as PARTNER
from openorders.contracts.storefront import CONTRACT as STOREFRONT

ALL: tuple[Contract, ...] = (BASIC, COMMERCE, MARKETPLACE, PARTNER, STOREFRONT)
"""The documented ones."""

__all__ = ["ALL", "MANAGE"]
