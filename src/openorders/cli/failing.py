"""How a command says that it could not do what it was asked: a sentence, never a traceback."""

from typing import Final

FAILED: Final = 1
MISUSED: Final = 2
INTERRUPTED: Final = 130


class CommandFailed(Exception):
    """Ends the command with this sentence on standard error."""

    def __init__(self, sentence: str, *, code: int = FAILED) -> None:
        super().__init__(sentence)
        self.code = code
