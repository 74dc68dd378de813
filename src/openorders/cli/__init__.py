"""The command `openorders`: what an operator does from a terminal."""

import gc

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process, and end the process with its exit code."""
    # Nothing that is loaded here is ever thrown away, so that nobody need look for it meanwhile.
    gc.disable()
    from openorders.cli import program

    gc.enable()
    program.main()
