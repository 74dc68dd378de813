"""The command `openorders`: what an operator does from a terminal."""

from openorders.cli.program import main

__all__ = ["main"]
