"""OData query options of the marketplace list, read into a search.

It knows this contract's field names and words, and nothing of HTTP or SQL. The language is a
subset of OData 4.01; `read_options` is the way in, and `InvalidQuery` the only complaint.
"""

from openorders.contracts.marketplace.odata.errors import InvalidQuery, Part
from openorders.contracts.marketplace.odata.fields import SHOWN_WORDS
from openorders.contracts.marketplace.odata.options import TOP_MAX, OrderQuery, read_options

__all__ = ["SHOWN_WORDS", "TOP_MAX", "InvalidQuery", "OrderQuery", "Part", "read_options"]
