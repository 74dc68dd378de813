"""How a process is told to end, by signals or by its parent's death."""

import asyncio
import signal


class Stopping:
    """How a process is told to end: `asked` politely, then perhaps `at_once`.

    Made by the task that starts the process: being asked cancels it, until it has `started`.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.at_once = asyncio.Event()
        self._starting = asyncio.current_task()

    def started(self) -> None:
        """From now on, ending is up to whoever waits for `asked`."""
        self._starting = None

    def ask(self) -> None:
        """End when everything under way is done; asked a second time, end at once."""
        if self.asked.is_set():
            self.at_once.set()
        self._ask()

    def force(self) -> None:
        """End at once."""
        self.at_once.set()
        self._ask()

    def _ask(self) -> None:
        self.asked.set()
        if self._starting is not None:
            self._starting.cancel()

    def listen_to(self, *signals: signal.Signals) -> None:
        """Be asked by these signals."""
        loop = asyncio.get_running_loop()
        for one in signals:
            loop.add_signal_handler(one, self.ask)
