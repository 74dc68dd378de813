"""What a server process needs from the composition root, and what it tells back."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from openorders.asgi import Application
from openorders.server.lifecycle import Lifecycle
from openorders.settings import Settings

if TYPE_CHECKING:
    from openorders.telemetry import Metrics

Report = Callable[[str], None]
"""Takes a sentence about what is going on, for a person who waits."""


class CannotStart(Exception):
    """The server did not come up; the message is for the operator."""


class Running(Struct, frozen=True, kw_only=True):
    """A server that answers. `origin` is how this machine reaches it."""

    origin: str
    port: int


class Assembly(Protocol):
    """How the parts of the product are put together. Every manager undoes what it did."""

    @property
    def expected(self) -> tuple[type[Exception], ...]:
        """Failures at the start whose message is for the operator."""
        ...

    def prepare(self, settings: Settings) -> None:
        """Load and build whatever `application` needs; called while the database comes up, and
        before the processes that answer are made.
        """
        ...

    def prepare_background(self) -> None:
        """The same for `background`."""
        ...

    def database(self, settings: Settings, report: Report) -> AbstractAsyncContextManager[str]:
        """A database that is up, migrated and, if asked for, filled; gives its URL.

        In one process of a server only.
        """
        ...

    def background(
        self, settings: Settings, url: str, metrics: "Metrics"
    ) -> AbstractAsyncContextManager[None]:
        """What works without being asked. In one process of a server only."""
        ...

    def application(
        self, settings: Settings, url: str, lifecycle: Lifecycle, metrics: "Metrics"
    ) -> AbstractAsyncContextManager[Application]:
        """Everything that answers requests. In every process that does."""
        ...
