"""What a server process is doing: starting, serving, or on its way out."""

from enum import Enum


class Phase(Enum):
    """The life of a process, in order."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"


class Lifecycle:
    """The phase of this process: set by the process, read by its answers."""

    __slots__ = ("phase",)

    def __init__(self) -> None:
        self.phase = Phase.STARTING

    @property
    def is_draining(self) -> bool:
        """Whether clients should go elsewhere with their next request."""
        return self.phase is Phase.DRAINING
