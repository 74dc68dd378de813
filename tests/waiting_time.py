"""Time that passes only while everybody waits: what happens at once takes no time at all, on a busy
machine too, and an hour takes no longer than a second. For what waits for nothing outside the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def time_of_waiting() -> Iterator[None]:
    """The running loop's clock stands still, but for what the loop would have slept."""
    loop: Any = asyncio.get_running_loop()
    now, look = loop.time(), loop._selector.select

    def sleep(timeout: float | None) -> Any:
        nonlocal now
        found = look(0)
        if found or timeout == 0:
            return found
        if timeout is None:  # nothing is to come by itself
            return look(None)
        now += timeout
        return look(0)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(loop, "time", lambda: now)
        patched.setattr(loop._selector, "select", sleep)
        yield
