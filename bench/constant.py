"""The limit of reading one order: the same server, answering bytes that it has already.

Processes, sockets, protocol, shell and router are the product's own, the paths too. What is left
out is what an order costs: who asks, the database, and wording the answer.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, cast

from litestar import Litestar, Request
from litestar.handlers import HTTPRouteHandler

from bench.load import Answer
from bench.subject import Subject
from bench.wrong import Wrong
from openorders import server
from openorders.asgi import Application, exchange_of
from openorders.contracts import ALL
from openorders.contracts.kit.answers import Outgoing
from openorders.logs import configure_logging
from openorders.server.lifecycle import Lifecycle
from openorders.server.shell import SECURITY_HEADERS, Shell, Site
from openorders.settings import Settings, read
from openorders.telemetry import Metrics

Fixed = tuple[list[tuple[bytes, bytes]], bytes]
"""Headers and body of an answer."""

_ADDED_BY_THE_SERVER: Final = {"date", "server", "connection", "transfer-encoding"}
_ADDED_BY_THE_SHELL: Final = {
    "x-request-id",
    *(name.decode() for name, _ in SECURITY_HEADERS),
}
_STOP_S = 30


class Constant:
    """Puts a server together that knows one answer for each contract, and no database."""

    expected: tuple[type[Exception], ...] = ()

    def __init__(self, answers: Mapping[str, Fixed]) -> None:
        self._answers = answers

    def prepare(self, settings: Settings) -> None:
        """Everything is loaded by now."""

    def prepare_background(self) -> None:
        """Nothing works beside the requests."""

    @asynccontextmanager
    async def database(
        self, settings: Settings, report: server.Report
    ) -> AsyncGenerator[str, None]:
        """There is none."""
        del settings, report
        yield ""

    @asynccontextmanager
    async def background(
        self, settings: Settings, url: str, metrics: Metrics
    ) -> AsyncGenerator[None, None]:
        """Nothing is done beside requests."""
        del settings, url, metrics
        yield

    @asynccontextmanager
    async def application(
        self, settings: Settings, url: str, lifecycle: Lifecycle, metrics: Metrics
    ) -> AsyncGenerator[Application, None]:
        """The product's shell around one router per contract."""
        del url
        routers = {name: _router(name, fixed) for name, fixed in self._answers.items()}

        def report(error: Exception, _: object) -> None:
            print(error, file=sys.stderr)

        yield Shell(
            site=Site(
                contracts=routers, documentation={}, hosts={}, pages=next(iter(routers.values()))
            ),
            metrics=metrics,
            lifecycle=lifecycle,
            log_requests=settings.log_requests,
            report=report,
        )


def _router(contract: str, fixed: Fixed) -> Application:
    """The contract's path of one order, answered with the same bytes whatever order it names."""
    headers, body = fixed
    path = _path_of_one(contract)

    async def one(request: Request[Any, Any, Any]) -> Outgoing:
        exchange_of(cast("Any", request.scope)).route = path
        return Outgoing(200, list(headers), body)

    handler = HTTPRouteHandler(path, http_method=["GET", "HEAD"], status_code=200)(one)
    router = Litestar(route_handlers=[handler], openapi_config=None, logging_config=None)
    return cast("Application", router)


def _path_of_one(contract: str) -> str:
    routes = next(one.routes for one in ALL if one.name == contract)
    return next(route.litestar_path for route in routes if route.name == "get_order")


def fixed_of(answer: Answer) -> Fixed:
    """What a contract itself put into an answer: what the server adds, it adds to the copy too."""
    added = _ADDED_BY_THE_SERVER | _ADDED_BY_THE_SHELL
    headers = [
        (name.encode(), value.encode("latin-1"))
        for name, value in answer.headers.items()
        if name not in added
    ]
    return headers, answer.body


@contextmanager
def answering(answers: Mapping[str, Answer], key: str, *, workers: int) -> Iterator[Subject]:
    """A server that answers each contract's path of one order with what is given."""
    with tempfile.TemporaryDirectory(prefix="oo-bench-") as folder:
        file = Path(folder) / "answers.json"
        file.write_text(_written({name: fixed_of(answer) for name, answer in answers.items()}))
        started = subprocess.Popen(
            [sys.executable, "-m", "bench.constant", str(file), "--workers", str(workers)],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent,
            env={**os.environ, "OPENORDERS_LOG_LEVEL": "warning"},
        )  # fmt: skip
        try:
            assert started.stdout is not None, "it was asked for"
            said = started.stdout.readline()
            if not said.startswith("PORT "):
                raise Wrong(f"The constant server did not start: {said}")
            yield Subject(
                port=int(said.split()[1]), key=key, products=0, database_url="",
                bindir=Path(folder), folder=Path(folder), pid=started.pid,
            )  # fmt: skip
        finally:
            started.send_signal(signal.SIGTERM)
            started.wait(_STOP_S)


def _written(answers: Mapping[str, Fixed]) -> str:
    return json.dumps(
        {
            name: {
                "headers": [[key.decode(), value.decode("latin-1")] for key, value in headers],
                "body": body.decode(),
            }
            for name, (headers, body) in answers.items()
        }
    )


def _read(text: str) -> dict[str, Fixed]:
    return {
        name: (
            [(key.encode(), value.encode("latin-1")) for key, value in one["headers"]],
            one["body"].encode(),
        )
        for name, one in json.loads(text).items()
    }


def main(words: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM; the port goes to standard output."""
    parser = argparse.ArgumentParser(prog="python -m bench.constant", description=__doc__)
    parser.add_argument("answers", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(words)
    settings = read(port="0", workers=str(options.workers))
    configure_logging(settings.log_format, settings.log_level)
    server.run(
        settings,
        Constant(_read(options.answers.read_text())),
        report=lambda _: None,
        on_ready=lambda running: print(f"PORT {running.port}", flush=True),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
