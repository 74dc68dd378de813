"""A server as processes: how they start, replace each other and end."""

import asyncio
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

PROGRAM = Path(__file__).with_name("program.py")
PATIENCE_S = 60
"""Only so that a test ends that would hang."""


class Server:
    """A server program that is running, or was."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.strip())
            if line.startswith(("ready", "waiting")):
                break
        ready = self.said[-1].split()
        self.port = int(ready[1]) if ready[0] == "ready" else 0

    def ask(self, path: str = "/") -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def answering(self) -> set[int]:
        """The processes that answer; each new connection may meet another one."""
        return {int(self.ask().split()[0]) for _ in range(40)}

    def end(self, *signals: signal.Signals) -> list[str]:
        for one in signals:
            self.process.send_signal(one)
            time.sleep(0.2)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        assert "Traceback" not in err, err
        self.said += out.splitlines()
        return self.said


Start = Callable[..., Server]


@pytest.fixture
def start() -> Iterator[Start]:
    servers: list[Server] = []

    def begin(*arguments: str) -> Server:
        given = ("port=0", "drain_seconds=0.3", "stop_seconds=5")
        servers.append(Server(*given, *arguments))
        return servers[-1]

    yield begin
    for one in servers:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        for stream in (one.process.stdout, one.process.stderr):
            if stream is not None:
                stream.close()


def test_one_process_serves_and_ends_when_told(start: Start):
    server = start()
    assert server.ask() == f"{server.process.pid} serving"
    said = server.end(signal.SIGTERM)
    assert said[0] == "report The database of nothing is starting."
    assert said[-2:] == ["database stopped", "ended"]
    assert server.process.returncode == 0


def test_several_processes_share_the_port_and_end_when_told(start: Start):
    server = start("workers=2")
    assert len(server.answering()) == 2
    assert server.process.pid not in server.answering()
    assert server.end(signal.SIGTERM)[-2:] == ["database stopped", "ended"]


def test_a_process_that_dies_is_replaced(start: Start):
    server = start("workers=2")
    before = server.answering()
    os.kill(min(before), signal.SIGKILL)
    wait_for(lambda: len(server.answering()) == 2)
    after = server.answering()
    assert max(before) in after
    assert min(before) not in after


def test_a_supervisor_rests_after_a_process_died(start: Start):
    server = start("workers=2")
    os.kill(server.processes()[1].pid, signal.SIGKILL)  # those born later have copies of its pipe
    wait_for(lambda: len(server.answering()) == 2)
    supervisor = psutil.Process(server.process.pid)
    before = supervisor.cpu_times()
    time.sleep(1)
    after = supervisor.cpu_times()
    assert after.user + after.system - before.user - before.system < 0.2


def test_processes_end_when_their_parent_is_killed_and_the_port_is_free(start: Start):
    server = start("workers=2")
    children = server.processes()
    assert len(children) == 3
    server.process.kill()
    server.process.wait()
    _, alive = psutil.wait_procs(children, timeout=PATIENCE_S)
    assert alive == []
    assert start("workers=2", f"port={server.port}").port == server.port


def test_a_port_that_is_taken_is_a_sentence(start: Start):
    server = start("workers=2")
    second = start("workers=2", f"port={server.port}")
    assert second.process.wait(timeout=PATIENCE_S) == 1
    assert re.match(r"PortTaken Cannot listen on 127.0.0.1, port \d+: .*in use", second.said[0])


def test_a_port_taken_by_somebody_else_is_a_sentence(start: Start):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        second = start("workers=2", f"port={other.getsockname()[1]}")
    assert second.said[0].startswith("PortTaken")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_start_that_fails_says_why(start: Start, workers):
    server = start(f"workers={workers}", "fail=database")
    assert server.said[-1] == "CannotStart There is no database today."
    assert server.process.wait(timeout=PATIENCE_S) == 1


def test_a_start_that_takes_too_long_can_be_interrupted(start: Start):
    server = start("fail=never")
    began = time.monotonic()
    assert server.end(signal.SIGINT)[-1] == "ended"
    assert time.monotonic() - began < 5


def test_who_is_told_to_end_before_the_database_is_found_begins_nothing_more(start: Start):
    server = start("workers=2", "fail=late")
    server.process.send_signal(signal.SIGTERM)
    out, err = server.process.communicate(timeout=PATIENCE_S)
    assert out.splitlines()[-1] == "ended"
    assert err == ""


def test_a_fault_at_the_start_is_logged_without_its_text(start: Start):
    server = start("workers=2", "fail=fault")
    assert server.said[-1].startswith("CannotStart RuntimeError in the process keeper")
    _, err = server.process.communicate(timeout=PATIENCE_S)
    assert "program.py" in err
    assert "hush" not in err


@pytest.mark.parametrize("workers", [1, 2])
async def test_no_request_is_lost_on_the_way_out(start: Start, workers):
    server = start(f"workers={workers}", "drain_seconds=1")
    refused = asyncio.Event()
    answered: list[str] = []
    lost: list[Exception] = []

    async def keep_asking(client: httpx.AsyncClient, path: str) -> None:
        while not refused.is_set():
            try:
                answered.append((await client.get(path)).text)
            except httpx.ConnectError:
                refused.set()  # nobody listens any more: nothing was taken on
            except httpx.HTTPError as error:
                lost.append(error)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        asking = [asyncio.create_task(keep_asking(client, "/")) for _ in range(12)]
        asking += [asyncio.create_task(keep_asking(client, "/slow")) for _ in range(4)]
        await asyncio.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(*asking), timeout=PATIENCE_S)
    assert lost == []
    assert any("draining" in one for one in answered)
    assert (await asyncio.to_thread(server.end))[-1] == "ended"


def test_a_second_interrupt_ends_at_once(start: Start):
    interrupted_twice(start("workers=2", "drain_seconds=600"))


def test_one_process_ends_at_once_at_a_second_interrupt(start: Start):
    interrupted_twice(start("drain_seconds=600"))


def interrupted_twice(server: Server) -> None:
    began = time.monotonic()
    server.process.send_signal(signal.SIGINT)
    wait_for(lambda: server.ask().endswith("draining"))  # two at the same moment are one
    server.end(signal.SIGINT)
    assert time.monotonic() - began < 30


def test_metrics_are_of_all_processes_and_survive_them(start: Start):
    server = start("workers=2")
    processes = server.answering()
    assert counted(server.ask("/metrics")) == 40
    os.kill(min(processes), signal.SIGKILL)
    wait_for(lambda: len(server.answering()) == 2)
    assert counted(server.ask("/metrics")) >= 80


def counted(metrics: str) -> float:
    found = re.findall(
        r"^openorders_http_request_duration_seconds_count\{.*\} (.*)$", metrics, re.MULTILINE
    )
    return sum(map(float, found))


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
