"""How a command says that it could not do what it was asked: a sentence, never a traceback."""

from typing import Final, Self

from openorders.settings import SettingsError

FAILED: Final = 1
MISUSED: Final = 2
INTERRUPTED: Final = 130


class CommandFailed(Exception):
    """Ends the command with this sentence on standard error."""

    def __init__(self, sentence: str, *, code: int = FAILED) -> None:
        super().__init__(sentence)
        self.code = code

    @classmethod
    def of(cls, error: SettingsError) -> Self:
        """A setting that cannot be: a misuse of the command line where that was its source."""
        return cls(str(error), code=MISUSED if error.on_command_line else FAILED)
