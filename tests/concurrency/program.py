"""The real program, started as a user starts it, for tests that kill it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

OPENORDERS = Path(sys.executable).with_name("openorders")
READY_WITHIN_S = 60


@dataclass
class Program:
    """A server on a data folder of its own. It can be killed and started again."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    extra: list[str] = field(default_factory=list[str])
    environment: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, workers: int = 2) -> None:
        self.port = self.port or _free_port()
        words = ["--data-dir", str(self.folder), "--port", str(self.port)]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [OPENORDERS, "serve", *words, "--workers", str(workers), *self.extra],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "OPENORDERS_LOG_LEVEL": "warning", **self.environment},
            )
        self._wait()

    def stop(self) -> int:
        """Stop as an operator does; the exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def family(self) -> list[int]:
        """The server's processes that answer requests, without its database."""
        assert self.process is not None
        return [self.process.pid, *_python_children(self.process.pid)]

    def kill(self) -> None:
        """End every process of ours at once, without a word; the database may go on."""
        assert self.process is not None
        for pid in self.family():
            _kill(pid)
        self.process.wait(30)

    def kill_database(self) -> None:
        """End the postmaster without a word; its children follow it."""
        pid = int((self._cluster() / "postmaster.pid").read_text().splitlines()[0])
        _kill(pid)

    def command(self, *words: str, code: int | None = 0) -> str:
        """What a command prints, run beside the server on the same folder."""
        done = subprocess.run(
            [OPENORDERS, *words, "--data-dir", str(self.folder)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def log(self) -> str:
        path = self.folder.parent / f"{self.folder.name}.log"
        return path.read_text() if path.exists() else ""

    def remove(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _cluster(self) -> Path:
        return next(self.folder.rglob("postmaster.pid")).parent

    def _wait(self) -> None:
        assert self.process is not None
        end = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end:
            assert self.process.poll() is None, f"the server ended:\n{self.log()}"
            try:
                if httpx.get(f"{self.url}/readyz", timeout=1).status_code == httpx.codes.OK:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"not ready within {READY_WITHIN_S} s:\n{self.log()}")


def _python_children(pid: int) -> list[int]:
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            try:
                words = Path(f"/proc/{child}/cmdline").read_bytes()
            except OSError:
                continue
            if b"postgres" not in words.split(b"\0")[0]:
                found += [child, *_python_children(child)]
    return found


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _free_port() -> int:
    """One that the system gives to nobody who asks for any: ours is free for a while whenever the
    server was killed, and other tests ask all the time.
    """
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first_given = int(given.read_text().split()[0]) if given.exists() else 32_768
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(first_given // 2, first_given)))  # noqa: S311 - any
            return probe.getsockname()[1]
