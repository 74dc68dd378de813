"""Accepting connections on one socket: from the first to the last, losing none on the way out.

Leaving has three steps: go on as before while load balancers turn away, take what still waits in
the socket's queue and close it, let what is under way finish.
"""

import asyncio
import socket
import time
from email.utils import formatdate
from typing import Final

from uvicorn.config import Config
from uvicorn.server import ServerState

from openorders.asgi import Application
from openorders.server.lifecycle import Lifecycle, Phase
from openorders.server.protocol import LimitedProtocol, Limits
from openorders.server.sockets import BACKLOG

_STEP_SECONDS: Final = 0.02


class Listener:
    """Serves one application on one listening socket, which it owns from `start` on."""

    def __init__(
        self,
        application: Application,
        limits: Limits,
        lifecycle: Lifecycle,
        *,
        idle_seconds: float,
    ) -> None:
        self._config = Config(
            app=application,  # pyright: ignore[reportArgumentType] - ASGI in plainer types
            http=LimitedProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=idle_seconds,  # pyright: ignore[reportArgumentType] - any number
        )
        self._config.load()
        self._limits = limits
        self._lifecycle = lifecycle
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self._waiting_room: socket.socket | None = None
        self._clock: asyncio.Task[None] | None = None

    async def start(self, listening: socket.socket) -> None:
        """Begin to accept. The socket is bound and listens already."""
        loop = asyncio.get_running_loop()
        listening.setblocking(False)
        self._waiting_room = listening.dup()
        self._server = await loop.create_server(self._connection, sock=listening, backlog=BACKLOG)
        self._clock = asyncio.create_task(self._tell_time(), name="date-header")
        self._lifecycle.phase = Phase.SERVING

    def drain(self) -> None:
        """Fail readiness while still serving; clients are told to come back elsewhere."""
        self._lifecycle.phase = Phase.DRAINING

    async def close(self, seconds: float, at_once: asyncio.Event) -> None:
        """Accept no more and finish what is under way, until time is up or `at_once` is set."""
        self.drain()
        await self._close_door()
        await asyncio.sleep(0)  # what has arrived in the meantime is read before anything closes
        for connection in list(self._state.connections):
            connection.shutdown()
        deadline = time.monotonic() + seconds
        while self._state.connections or self._state.tasks:
            if time.monotonic() >= deadline or at_once.is_set():
                self._cut()
                break
            await asyncio.sleep(_STEP_SECONDS)
        if self._clock is not None:
            self._clock.cancel()

    def _connection(self) -> LimitedProtocol:
        loop = asyncio.get_running_loop()
        return LimitedProtocol(self._config, self._state, self._limits, loop)

    async def _close_door(self) -> None:
        """Close the socket once nobody waits in its queue: closing resets those who do."""
        if self._server is None or self._waiting_room is None:
            return
        self._server.close()
        loop = asyncio.get_running_loop()
        arrived: list[socket.socket] = []
        try:
            while True:
                arrived.append(self._waiting_room.accept()[0])
        except OSError:
            self._waiting_room.close()
        for one in arrived:
            one.setblocking(False)
            await loop.connect_accepted_socket(self._connection, one)

    def _cut(self) -> None:
        for task in list(self._state.tasks):
            task.cancel()
        for connection in list(self._state.connections):
            connection.transport.abort()  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]

    async def _tell_time(self) -> None:
        while True:
            date = formatdate(time.time(), usegmt=True).encode()
            self._state.default_headers = [(b"date", date)]
            await asyncio.sleep(1)
