"""A server of several processes: one keeps the database and the loops, the others answer.

The supervisor itself only watches: it has no event loop, no thread and no connection, so it can
make a new process at any time. A process that dies is replaced, later and later if it keeps
dying; connections that wait in its queue are kept meanwhile.
"""

import importlib
import os
import selectors
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openorders import logs
from openorders.server.assembly import Assembly, CannotStart, Report
from openorders.server.children import FAILED, FOUND, READY, REPORT, Child, Duty, Nursery, Voice
from openorders.server.starting import starting
from openorders.settings import Settings

if TYPE_CHECKING:
    from openorders.server.stopping import Stopping

_KEEPER: Final = "keeper"
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 10.0
_STEADY_SECONDS: Final = 30.0
"""A process that lived this long starts with a clean record."""

_KEEPER_STOP_SECONDS: Final = 90.0
_LATE_SECONDS: Final = 5.0

_log = logs.Logger(__name__)


class Supervisor:
    """Runs a server until it is told to stop. Used once."""

    def __init__(
        self,
        settings: Settings,
        assembly: Assembly,
        sockets: list[socket.socket],
        *,
        report: Report,
        on_ready: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._assembly = assembly
        self._sockets = sockets
        self._report = report
        self._on_ready = on_ready
        self._nursery = Nursery()
        self._metrics = Path(tempfile.mkdtemp(prefix="openorders-metrics-"))
        self._url = ""
        self._told = False
        self._asked = 0
        self._problem = ""
        self._children: dict[str, Child] = {}
        self._pauses: dict[str, float] = {}
        self._due: dict[str, float] = {}

    def run(self) -> None:
        """Returns when everything has ended as asked; raises `CannotStart` when it did not."""
        self._selector = selectors.DefaultSelector()
        wake, waker = os.pipe()
        for end in (wake, waker):
            os.set_blocking(end, False)
        self._selector.register(wake, selectors.EVENT_READ)
        before = {one: signal.signal(one, self._signalled) for one in _HEARD}
        old_waker = signal.set_wakeup_fd(waker)
        try:
            self._prepare()
            while not self._asked:
                self._watch(wake)
            self._stop(wake)
        finally:
            signal.set_wakeup_fd(old_waker)
            for one, handler in before.items():
                signal.signal(one, handler)
            shutil.rmtree(self._metrics, ignore_errors=True)
        if self._problem:
            raise CannotStart(self._problem)

    def _prepare(self) -> None:
        """Have the database come up while all is made that the workers, who are copies of this
        process, need.
        """
        with starting():
            self._start(_KEEPER)
            self._assembly.prepare(self._settings)
            importlib.import_module("openorders.server.worker")

    def _signalled(self, number: int, _frame: object) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self._asked += 1

    def _start(self, name: str) -> None:
        self._due.pop(name, None)
        child = self._nursery.bear(name, self._duty(name), now=time.monotonic())
        self._children[name] = child
        self._selector.register(child.ears, selectors.EVENT_READ)

    def _duty(self, name: str) -> Duty:
        settings, assembly, url, folder = self._settings, self._assembly, self._url, self._metrics

        async def keep(stopping: "Stopping", voice: Voice) -> None:
            # Each child loads what it is made of, unless this process has by then.
            from openorders.server import keeper
            from openorders.telemetry import Metrics

            _close(self._sockets)
            metrics = Metrics(folder, self._slot(name))
            await keeper.keep(settings, assembly, metrics, stopping, voice)

        async def answer(stopping: "Stopping", voice: Voice) -> None:
            from openorders.server import worker
            from openorders.telemetry import Metrics

            slot = self._slot(name)
            _close(one for one in self._sockets if one is not self._sockets[slot])
            await worker.answer_requests(
                settings,
                assembly,
                url,
                listening=self._sockets[slot],
                metrics=Metrics(folder, slot),
                stopping=stopping,
                on_ready=lambda: voice.say(READY),
            )

        return keep if name == _KEEPER else answer

    def _slot(self, name: str) -> int:
        """Which of the metrics' places is a process's: the keeper's comes after the others'."""
        return len(self._sockets) if name == _KEEPER else int(name)

    def _watch(self, wake: int) -> None:
        """Wait for something to happen, and deal with it."""
        now = time.monotonic()
        wait = max(0.0, min([1.0, *(due - now for due in self._due.values())]))
        for key, _ in self._selector.select(wait):
            if key.fd == wake:
                os.read(wake, 4096)
        for child in list(self._children.values()):
            self._hear(child)
            if child.has_ended():
                self._lost(child)
        for name in [name for name, due in self._due.items() if due <= time.monotonic()]:
            self._start(name)

    def _hear(self, child: Child) -> None:
        for kind, text in child.listen():
            if kind == REPORT:
                self._report(text)
            elif kind == FAILED:
                child.problem = text
            elif kind == FOUND:
                self._found(text)
            elif kind == READY:
                child.is_ready = True
        everybody = len(self._children) == len(self._sockets) + 1
        if everybody and not self._told and all(one.is_ready for one in self._children.values()):
            self._told = True
            self._on_ready()

    def _found(self, url: str) -> None:
        """The database is up. Those who know another address of it are replaced."""
        if self._asked:
            return  # there is nothing left to listen on
        moved, self._url = self._url not in ("", url), url
        for slot in range(len(self._sockets)):
            worker = self._children.get(str(slot))
            if worker is None:
                self._start(str(slot))
            elif moved:
                worker.send(signal.SIGTERM)

    def _lost(self, child: Child) -> None:
        # Before it is closed: a later child has a copy of it, for which it would be told for ever.
        self._selector.unregister(child.ears)
        os.close(child.ears)
        del self._children[child.name]
        from openorders.telemetry import forget_process

        forget_process(self._metrics, self._slot(child.name))
        if self._asked:
            return
        if not self._told:
            self._problem = child.problem or "A process of the server ended while it started."
            self._asked = 1
            return
        lived = time.monotonic() - child.started
        pause = self._pauses.get(child.name, 0.0) * 2 if lived < _STEADY_SECONDS else 0.0
        pause = min(max(pause, _FIRST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
        self._pauses[child.name] = pause
        self._due[child.name] = time.monotonic() + pause
        _log.warning("a process died and is replaced", process=child.name, pause_seconds=pause)

    def _stop(self, wake: int) -> None:
        """Those who answer first, then the keeper of what they need."""
        self._due.clear()
        _close(self._sockets)  # the processes have their own; ours would keep the queues alive
        settings = self._settings
        patience = settings.drain_seconds + settings.stop_seconds + _LATE_SECONDS
        workers = [name for name in self._children if name != _KEEPER]
        self._end(workers, patience, wake)
        self._end([_KEEPER], _KEEPER_STOP_SECONDS, wake)

    def _end(self, names: list[str], patience: float, wake: int) -> None:
        deadline = time.monotonic() + patience
        asked = 1
        for name in names:
            if name in self._children:
                self._children[name].send(signal.SIGTERM)
        while left := [self._children[name] for name in names if name in self._children]:
            if time.monotonic() >= deadline:
                for child in left:
                    child.send(signal.SIGKILL)
            elif self._asked > asked:
                asked = self._asked
                for child in left:
                    child.send(signal.SIGQUIT)
            self._watch(wake)


_HEARD: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


def _close(sockets: Iterable[socket.socket]) -> None:
    for one in sockets:
        one.close()
