"""`openorders serve --demo` as a newcomer starts it, and commands beside it on the same folder."""

import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.cli import program
from tests.cli.program import Ended

READY_S = 60


@dataclass
class Served:
    """A running server, and what it has printed."""

    process: subprocess.Popen[str]
    banner: str
    origin: str
    folder: Path

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.origin + path, headers=headers, timeout=READY_S)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(READY_S)


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Served]:
    arguments = program.command("serve", "--port", "0", "--data-dir", folder, *options)
    log = folder.with_suffix(".log")
    with log.open("w") as said:
        process = subprocess.Popen(
            arguments,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env=program.environment(folder.parent, OPENORDERS_DRAIN_SECONDS="0"),
        )
    assert process.stdout is not None
    banner = ""
    try:
        while "Ctrl-C" not in banner:
            line = process.stdout.readline()
            assert line, f"it ended: {log.read_text()}"
            banner += line
        origin = re.search(r"http://127\.0\.0\.1:\d+", banner)
        assert origin is not None
        yield Served(process, banner, origin[0], folder)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(READY_S)
        process.stdout.close()


@pytest.fixture(scope="module")
def folder(temporary_folder: Path) -> Path:
    return temporary_folder / "served"


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Served]:
    with served(folder, "--demo", "--workers", "2") as running:
        yield running


def beside(demo: Served, *arguments: str) -> Ended:
    return program.forked(demo.folder.parent, *arguments, "--data-dir", str(demo.folder))


def test_it_prints_where_everything_is(demo: Served):
    for contract, key in (
        ("commerce", "Authorization: Bearer YOUR_API_KEY"),
        ("basic", "needs no credential"),
        ("marketplace", "Authorization: Bearer demo-marketplace-key"),
        ("partner", "x-api-key: demo-secret-key"),
        ("storefront", "Authorization: Bearer demo-customer-key"),
    ):
        assert re.search(rf"{contract} +{demo.origin}/{contract} +{key}", demo.banner)
    for said in (
        f"{demo.origin}/CONTRACT/docs",
        str(demo.folder),
        "Authorization: Bearer demo-admin-key",
    ):
        assert said in demo.banner


def test_the_printed_keys_open_the_printed_addresses(demo: Served):
    bearer = {"authorization": "Bearer YOUR_API_KEY"}
    orders = demo.get("/commerce/v1/orders?status=processing&limit=1", **bearer).json()
    assert orders["pagination"]["total"] == 50
    assert [order["id"] for order in demo.get("/basic/orders").json()] == [101, 102]
    assert demo.get("/partner/orders").status_code == 401


def test_commands_work_beside_it(demo: Served):
    stores = json.loads(beside(demo, "store", "list", "--json").out)
    assert len(stores) == 5
    assert beside(demo, "verify").code == 0
    assert beside(demo, "db", "url").out.startswith("postgresql://")


def test_a_key_that_is_revoked_beside_it_is_refused_at_once_by_every_worker(demo: Served):
    key = beside(demo, "key", "create", "--store", "commerce", "--role", "service").out.strip()
    path = "/commerce/v1/orders?limit=1"
    for _ in range(20):
        assert demo.get(path, authorization=f"Bearer {key}").status_code == 200
    assert beside(demo, "key", "revoke", key).code == 0
    soon, refusals = time.monotonic() + 4, 0  # what is remembered is believed for five seconds
    while refusals < 20:  # in a row: whichever worker is asked, it has heard of it
        status = demo.get(path, authorization=f"Bearer {key}").status_code
        assert status == 401 or time.monotonic() < soon
        refusals = refusals + 1 if status == 401 else 0


def test_a_second_server_on_the_folder_or_the_port_is_one_sentence(demo: Served):
    twin = beside(demo, "serve", "--port", "0")
    assert (twin.code, twin.out) == (1, "")
    assert "is in use by another openorders server" in twin.err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        other = program.forked(
            demo.folder.parent, "serve", "--port", str(port), "--data-dir", str(demo.folder)
        )
    assert other.code == 1
    assert f"{port}" in other.err.splitlines()[-1]
    assert "Traceback" not in twin.err + other.err


@pytest.mark.parametrize("name", ["basics", "manage"])
def test_what_is_no_contract_cannot_be_opened(demo: Served, name: str):
    ended = beside(demo, "serve", "--open", f"{name}=commerce")
    assert ended.code == 2
    assert f"--open names no contract: '{name}'; there are" in ended.err


def test_ctrl_c_stops_it_and_a_filled_folder_is_left_alone(temporary_folder: Path):
    folder = temporary_folder / "twice"
    with served(folder, "--demo") as first:
        basic = {"authorization": "Bearer demo-basic-key"}
        httpx.delete(f"{first.origin}/basic/orders/102", headers=basic).raise_for_status()
        assert first.stop() == 0
    with served(folder, "--demo") as second:
        statuses = {order["id"]: order["status"] for order in second.get("/basic/orders").json()}
        assert statuses == {101: "shipped", 102: "cancelled"}


def test_without_the_demo_nothing_is_open_and_commands_fill_the_shop(temporary_folder: Path):
    folder = temporary_folder / "empty"
    with served(folder) as running:
        assert "YOUR_API_KEY" not in running.banner
        assert "needs no credential" not in running.banner
        assert running.get("/basic/orders").status_code == 401
        assert beside(running, "store", "create", "shop").code == 0
        key = beside(running, "key", "create", "--store", "shop", "--role", "admin").out.strip()
        assert running.get("/basic/orders", **{"x-api-key": key}).json() == []
