"""What makes a start quick, and keeps the copies of a process small."""

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

_TURN_S: Final = 0.0005
"""A thread that waits for the database is not to wait as long again for one that loads modules."""

_USUAL_TURN_S: Final = sys.getswitchinterval()
"""Before any start, so that a process born in the middle of its parent's comes back to it, too."""


@contextmanager
def starting() -> Generator[None, None, None]:
    """While inside, nothing is looked through for what could be thrown away: it is all loaded to
    stay. Later it is not looked through either, so that a copy of this process shares it for good.
    """
    gc.disable()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(_USUAL_TURN_S)
        gc.freeze()
        gc.enable()
