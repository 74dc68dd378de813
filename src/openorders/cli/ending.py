"""How a command is ended before it is done."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def until_ended(work: Coroutine[Any, Any, T]) -> T:
    """Do the work of a command. SIGTERM ends it as Ctrl-C does, also where that is ignored, as in
    the background of a shell: statements end, and a database that was started for it is stopped.
    A second one waits for nothing. Raises `KeyboardInterrupt` then.
    """
    return asyncio.run(_heeding_sigterm(work))


async def _heeding_sigterm(work: Coroutine[Any, Any, T]) -> T:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "a coroutine runs in a task"
    asked = False

    # As asyncio does it for SIGINT: a handler of the loop's would wait for a loop that is held up.
    def end(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        task.cancel()
        loop.call_soon_threadsafe(lambda: None)

    before = signal.signal(signal.SIGTERM, end)
    try:
        return await work
    except asyncio.CancelledError:
        if asked:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
