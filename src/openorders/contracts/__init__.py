"""The contracts: every documented API that the one order book is served through.

This list is the only place that names them. A sixth contract is one folder and one line.
"""

from openorders.contracts.kit import Contract

ALL: tuple[Contract, ...] = ()
