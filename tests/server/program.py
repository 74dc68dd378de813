"""A whole server with nothing behind it: what tests of processes start and kill.

Arguments are settings as `name=value`; `fail=database` makes the start fail.
"""

import asyncio
import os
import sys
import time
from contextlib import asynccontextmanager

from openorders import server
from openorders.logs import configure_logging
from openorders.settings import Settings, read
from openorders.telemetry import Metrics


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Unavailable(Exception):
    """What this assembly's database can say."""


class Nothing:
    """An assembly whose application answers with the number of its process."""

    expected: tuple[type[Exception], ...] = (Unavailable,)

    # ruff: noqa: ARG002 - this assembly needs nothing of what it is given

    def __init__(self, fails: str) -> None:
        self.fails = fails

    def prepare(self, settings: Settings) -> None:
        if self.fails == "late":
            say("waiting")
            time.sleep(1)

    def prepare_background(self) -> None:
        pass

    @asynccontextmanager
    async def database(self, settings: Settings, report: server.Report):
        report("The database of nothing is starting.")
        if self.fails == "database":
            raise Unavailable("There is no database today.")
        if self.fails == "never":
            say("waiting")
            await asyncio.sleep(60)
        if self.fails == "fault":
            raise RuntimeError("hush")
        yield "nothing://"
        say("database stopped")

    @asynccontextmanager
    async def background(self, settings: Settings, url: str, metrics: Metrics):
        yield

    @asynccontextmanager
    async def application(self, settings: Settings, url: str, lifecycle, metrics: Metrics):
        async def application(scope, receive, send):
            path = scope["path"]
            if path == "/slow":
                await asyncio.sleep(0.7)
            if path == "/metrics":
                body = metrics.exposition()
            else:
                body = f"{os.getpid()} {lifecycle.phase.value}".encode()
                metrics.answered("test", "/", "GET", 200, 0.01)
            closing = [(b"connection", b"close")] if lifecycle.is_draining else []
            headers = [(b"content-length", b"%d" % len(body)), *closing]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        yield application


def main() -> int:
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    fails = given.pop("fail", "")
    configure_logging("json", "info")
    try:
        server.run(
            read({}, **given),
            Nothing(fails),
            report=lambda text: say(f"report {text}"),
            on_ready=lambda running: say(f"ready {running.port}"),
        )
    except (server.CannotStart, server.PortTaken) as problem:
        say(f"{type(problem).__name__} {problem}")
        return 1
    say("ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
