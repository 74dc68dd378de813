"""One type per kind of identifier, so that a line id cannot be passed for an order id.

How an id is written (`ORD000000042`, `ord_42`, `42`) belongs to the contracts.
"""

from typing import Final, NewType

StoreId = NewType("StoreId", int)
OrderId = NewType("OrderId", int)
LineId = NewType("LineId", int)
ProductId = NewType("ProductId", int)
VariantId = NewType("VariantId", int)
CustomerId = NewType("CustomerId", int)
PaymentId = NewType("PaymentId", int)
OperationId = NewType("OperationId", int)
RefundId = NewType("RefundId", int)
MethodId = NewType("MethodId", int)
EventId = NewType("EventId", int)
EndpointId = NewType("EndpointId", int)
KeyId = NewType("KeyId", int)

UNNUMBERED: Final = 0
"""Stands for the id of what was decided and is not written down yet: the store gives it one."""

ID_MAX: Final = 2**63 - 1
"""The largest number any identifier can be: ids are signed 64-bit integers, from 1."""

CLIENT_CUSTOMER_ID_MAX: Final = 999_999_999_999
"""The largest customer id a client may name; ids that we give start right above."""
