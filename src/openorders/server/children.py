"""Child processes: made by fork, ended when their parent is, heard through a pipe.

A child is a copy of the parent as it was before any event loop or thread began, so it starts in
milliseconds. Knows nothing of what children do.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from openorders import logs

if TYPE_CHECKING:
    from openorders.server.stopping import Stopping

_log = logs.Logger(__name__)

READY: Final = "ready"
FAILED: Final = "failed"
FOUND: Final = "found"
REPORT: Final = "report"


class Voice:
    """A child's side of the pipe: what it tells its parent, a line each."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def say(self, kind: str, text: str = "") -> None:
        """Tell the parent; a parent that is gone hears nothing."""
        line = f"{kind} {' '.join(text.split())}\n".encode()
        try:
            os.write(self._descriptor, line)
        except BrokenPipeError:
            return


Duty = Callable[["Stopping", Voice], Awaitable[None]]


@dataclass(slots=True)
class Child:
    """A process of ours. `ears` is the descriptor to read what it says from."""

    name: str
    pid: int
    ears: int
    started: float
    heard: bytes = b""
    is_ready: bool = False
    problem: str = ""

    def listen(self) -> list[tuple[str, str]]:
        """What it has said since, as (kind, text)."""
        try:
            self.heard += os.read(self.ears, 65536)
        except BlockingIOError:
            return []
        *lines, self.heard = self.heard.split(b"\n")
        told = [line.decode(errors="replace").partition(" ") for line in lines]
        return [(kind, text) for kind, _, text in told]

    def send(self, sign: signal.Signals) -> None:
        """Send a signal, unless it is gone already."""
        try:
            os.kill(self.pid, sign)
        except ProcessLookupError:
            return

    def has_ended(self) -> bool:
        """Whether it is gone; it is then waited for, and its pipe is the caller's to close."""
        pid, _ = os.waitpid(self.pid, os.WNOHANG)
        return pid != 0


@dataclass(slots=True)
class Nursery:
    """Makes children. While it lives they live; when this process dies, they end."""

    _held: int = -1
    _watched: int = -1

    def __post_init__(self) -> None:
        self._watched, self._held = os.pipe()

    def bear(self, name: str, duty: Duty, *, now: float) -> Child:
        """Fork a child that does its duty and ends."""
        ears, mouth = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(ears)
            os.close(self._held)
            _live(name, duty, Voice(mouth), self._watched)
        os.close(mouth)
        os.set_blocking(ears, False)
        return Child(name=name, pid=pid, ears=ears, started=now)


def _live(name: str, duty: Duty, voice: Voice, watched: int) -> None:
    """All that a child ever does. It never returns into its parent's code."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for sign in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(sign, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; ours relays
        # Here, since the parent of the first child is to lose no time with what it does not use.
        import asyncio

        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_do(duty, voice, watched))
        code = 0
    except Exception as error:  # noqa: BLE001 - the last place that could tell of it
        _log.error("a process ended by a fault", process=name, exc_info=error)
        voice.say(FAILED, f"{type(error).__name__} in the process {name}; see the log.")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # the parent's clean-up is not ours


async def _do(duty: Duty, voice: Voice, watched: int) -> None:
    import asyncio

    from openorders.server.stopping import Stopping

    stopping = Stopping()
    loop = asyncio.get_running_loop()
    stopping.listen_to(signal.SIGTERM)
    loop.add_signal_handler(signal.SIGQUIT, stopping.force)

    def orphaned() -> None:
        loop.remove_reader(watched)
        stopping.force()

    loop.add_reader(watched, orphaned)
    try:
        await duty(stopping, voice)
    except asyncio.CancelledError:
        if not stopping.asked.is_set():
            raise
