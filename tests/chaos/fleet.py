"""Everything that runs in a trial, as processes: server, workers, receiver. All of them can die."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.program import forked
from tests.concurrency.program import OPENORDERS, Program

WEBHOOKS = {
    "OPENORDERS_WEBHOOK_ALLOW_PRIVATE": "true",
    "OPENORDERS_WEBHOOK_ALLOW_HTTP": "true",
    "OPENORDERS_WEBHOOK_TIMEOUT_SECONDS": "2",
    "OPENORDERS_LOG_LEVEL": "warning",
}
SERVER = {**WEBHOOKS, "OPENORDERS_BACKGROUND": "off", "OPENORDERS_DRAIN_SECONDS": "0"}
AT_WORK = b"at work"


class Worker:
    """An `openorders worker`, started as an operator starts it."""

    def __init__(self, program: Program, log: Path) -> None:
        self._program = program
        self._log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, without waiting until it is at work."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [OPENORDERS, "worker", "--data-dir", str(self._program.folder)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **WEBHOOKS},
            )

    def send(self, sign: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(sign)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def stop(self, *, within_s: float = 40) -> int:
        """Stop as an operator does; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)

    def wait_until_at_work(self, *, times: int = 1, within_s: float = 60) -> None:
        """Until the log says so for the `times`th time."""
        end = time.monotonic() + within_s
        while self._log.read_bytes().count(AT_WORK) < times:
            assert self.process is not None
            assert self.process.poll() is None, self._log.read_text()
            assert time.monotonic() < end, self._log.read_text()
            time.sleep(0.05)


@dataclass
class Receiver:
    """The receiver's process and its log."""

    folder: Path
    seed: int
    share: float
    process: subprocess.Popen[str] | None = None
    port: int = 0

    @property
    def log(self) -> Path:
        return self.folder / "received.jsonl"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets.json"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "tests.chaos.receiver",
                str(self.log), str(self.secrets), str(self.seed), str(self.share),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            assert self.process.stdout is not None
            self.process.stdout.close()


@dataclass
class Fleet:
    """What a trial runs on, below one folder."""

    folder: Path
    seed: int
    workers: int
    processes: int
    share: float
    hurried: bool = False
    """Commands are then copies of this process, which has read all modules already."""
    server: Program = field(init=False)
    crew: list[Worker] = field(init=False)
    receiver: Receiver = field(init=False)

    def __post_init__(self) -> None:
        self.server = Program(self.folder / "served", environment=SERVER)
        logs = [self.folder / f"worker-{n}.log" for n in range(self.workers)]
        self.crew = [Worker(self.server, log) for log in logs]
        self.receiver = Receiver(self.folder, self.seed, self.share)

    def start(self) -> None:
        self.receiver.start()
        self.server.start(workers=self.processes)

    def command(self, *words: str, code: int | None = 0) -> str:
        """What a command prints that is run beside the server."""
        if not self.hurried:
            return self.server.command(*words, code=code)
        ended = forked(self.folder, *words, "--data-dir", str(self.server.folder))
        assert code is None or ended.code == code, ended
        return ended.out

    def end(self) -> None:
        for worker in self.crew:
            if worker.process is not None and worker.process.poll() is None:
                worker.process.send_signal(signal.SIGCONT)
                worker.kill()
        self.receiver.end()
        self.server.remove()

    def logs(self) -> str:
        """What the processes said that is worth reading after a failure."""
        said = [path.read_text() for path in sorted(self.folder.glob("worker-*.log"))]
        return "\n".join([self.server.log(), *said])


@dataclass
class Nemesis:
    """Does harm, decided by the seed, and keeps count."""

    fleet: Fleet
    chance: random.Random
    victims: dict[str, float]
    counts: dict[str, int] = field(default_factory=dict[str, int])

    def strike(self) -> None:
        """One blow; what died is started again."""
        self.hit(self.chance.choices(list(self.victims), list(self.victims.values()))[0])

    def hit(self, victim: str) -> None:
        """This one."""
        self.counts[victim] = self.counts.get(victim, 0) + 1
        server = self.fleet.server
        match victim:
            case "worker":
                worker = self.chance.choice(self.fleet.crew)
                worker.kill()
                time.sleep(self.chance.uniform(0, 1))
                worker.start()
            case "worker stopped for a while":
                worker = self.chance.choice(self.fleet.crew)
                worker.send(signal.SIGSTOP)
                time.sleep(self.chance.uniform(1, 4))
                worker.send(signal.SIGCONT)
            case "worker told to stop":
                worker = self.chance.choice(self.fleet.crew)
                code = worker.stop()
                # One that has only just begun to read its modules does not listen yet.
                assert code in (0, -signal.SIGTERM), f"told to stop, it ended with {code}"
                worker.start()
            case "one process of the server":
                children = server.family()[1:]
                if children:
                    os.kill(self.chance.choice(children), signal.SIGKILL)
            case "server":
                server.kill()
                server.start(workers=self.fleet.processes)
            case "database":
                server.kill_database()
                server.kill()
                server.start(workers=self.fleet.processes)
            case _:
                raise ValueError(victim)
