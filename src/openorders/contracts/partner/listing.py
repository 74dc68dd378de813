"""The list as JSON, written while the orders are still being read: memory does not grow with it.

The kit sends whole bodies or streams; that `count` comes before the orders is this contract's.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final

from openorders.contracts.kit import encode
from openorders.contracts.partner import translate
from openorders.usecases.read_orders import OrderStream

_CHUNK_BYTES: Final = 64 * 1024


async def chunks(opening: AbstractAsyncContextManager[OrderStream]) -> AsyncIterator[bytes]:
    """`{"count": …, "items": [ … ]}` in parts of some 64 kB, read as fast as they are taken."""
    async with opening as stream:
        part = bytearray(b'{"count":%d,"items":[' % stream.count)
        separator = b""
        async for order in stream.orders:
            part += separator
            part += encode(translate.order_out(order))
            separator = b","
            if len(part) >= _CHUNK_BYTES:
                yield bytes(part)
                part.clear()
        yield bytes(part + b"]}")
