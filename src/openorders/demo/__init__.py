"""The demo: five stores with the documents' own data, so that every example in them runs.

The stores are written down in `stores/*.json`; their orders' past is played through the same
decisions as any order's.
"""

from openorders.demo.files import STORES, known_keys
from openorders.demo.fill import Filled, fill

__all__ = ["STORES", "Filled", "fill", "known_keys"]
