"""Load: wrk for everything that is measured by how often or how fast, single requests for the rest.

No failed request ever counts: an answer that is not 2xx and a connection that breaks raise
`Wrong`, with the answer where it can be had.
"""

import http.client
import json
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench.subject import Subject
from bench.wrong import Wrong

INSTALL_WRK = "sudo apt-get install --yes wrk"
PATIENCE_S = 120.0

_HERE = Path(__file__).parent
_ASK = _HERE / "wrk" / "ask.lua"
_PLACE = _HERE / "place_orders.lua"
_PART_BYTES = 1 << 20
_COLD_TRIES = 20
_TOO_LONG = re.compile("too long|QUERY_TOO_EXPENSIVE")


class TooLong(Wrong):
    """The server would not take so long to answer."""


def wrk_is_here() -> bool:
    """Debian's package is installed when root may do so; nobody else's system is touched."""
    if shutil.which("wrk") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "--quiet", "--yes", "wrk"]
        if subprocess.run(install, check=False).returncode:
            subprocess.run(["apt-get", "update", "--quiet"], check=False)
            subprocess.run(install, check=False)
    return shutil.which("wrk") is not None


def place(subject: Subject, *, connections: int, seconds: int) -> dict[str, float]:
    """Place orders of three lines for so long: `requests`, `seconds`, `p50_ms` and so on."""
    words = [subject.key, str(subject.products), "/commerce"]
    found = _wrk(subject.port, _PLACE, words, connections=connections, seconds=seconds)
    _only_good(found, "The server's own lines above say more.")
    return _as_figures(found)


def ask(
    subject: Subject, paths: Sequence[str], *, connections: int, seconds: int
) -> dict[str, float]:
    """Ask for these paths at random for so long: `requests`, `seconds`, `p50_ms` and so on."""
    with tempfile.NamedTemporaryFile("w", prefix="openorders-bench-", suffix=".txt") as file:
        file.write("\n".join(paths) + "\n")
        file.flush()
        words = [subject.key, file.name]
        found = _wrk(subject.port, _ASK, words, connections=connections, seconds=seconds)
        if _is_bad(found):
            words.append("show")
            again = _wrk(subject.port, _ASK, words, connections=connections, seconds=1)
            _only_good(found, again.get("answer", ""))
    return _as_figures(found)


def _wrk(
    port: int, script: Path, words: Sequence[str], *, connections: int, seconds: int
) -> dict[str, Any]:
    done = subprocess.run(
        [
            "wrk", "--threads", "1", "--connections", str(connections),
            "--duration", f"{seconds}s", "--timeout", "10s", "--script", str(script),
            f"http://127.0.0.1:{port}/", "--", *words,
        ],
        check=False,
        capture_output=True,
        text=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    result = next((line for line in lines if line.startswith("RESULT ")), None)
    if done.returncode or result is None:
        raise Wrong(f"wrk failed: {done.stderr or done.stdout}")
    found: dict[str, Any] = json.loads(result.removeprefix("RESULT "))
    found["answer"] = next((line for line in lines if line.startswith("ANSWER ")), "")
    return found


def _is_bad(found: Mapping[str, Any]) -> bool:
    return bool(found["not_2xx"] or found["socket_errors"] or not found["requests"])


def _only_good(found: Mapping[str, Any], answer: str) -> None:
    if _is_bad(found):
        raise Wrong(
            f"Of {found['requests']} requests {found['not_2xx']} were refused and "
            f"{found['socket_errors']} connections broke. {answer}".rstrip()
        )


def _as_figures(found: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in found.items() if name != "answer"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took from sending the request to having read all of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    milliseconds: float

    def json(self) -> Any:  # noqa: ANN401 - as in the standard library
        """The body, read."""
        return json.loads(self.body)


class Client:
    """One connection that asks one thing after the other, with the subject's key."""

    def __init__(self, subject: Subject) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", subject.port, timeout=PATIENCE_S)
        self._key = subject.key

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, path: str, *, expect: int = 200) -> Answer:
        """Raises `Wrong` unless the status is the expected one."""
        return self._ask("GET", path, None, expect)

    def get_when_warm(self, path: str) -> Answer:
        """The same, and asked again while the server says that it would take too long: of orders
        that do not fit into memory, more has come from the disk each time.
        """
        for _ in range(_COLD_TRIES):
            try:
                return self.get(path)
            except TooLong:
                continue
        return self.get(path)

    def post(self, path: str, body: object, *, expect: int = 200) -> Answer:
        """The same with a body of JSON."""
        return self._ask("POST", path, json.dumps(body), expect)

    def _ask(self, method: str, path: str, body: str | None, expect: int) -> Answer:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        if body is not None:
            headers["Idempotency-Key"] = f"{random.getrandbits(64):016x}"
        began = time.perf_counter()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        taken = (time.perf_counter() - began) * 1000
        if answer.status != expect:
            shown = content[:500].decode(errors="replace")
            kind = TooLong if _TOO_LONG.search(shown) else Wrong
            raise kind(f"{method} {path} was answered with {answer.status}: {shown}")
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, content, taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that was fetched and thrown away. `lines` counts line feeds."""

    size: int
    lines: int
    first_byte_ms: float
    seconds: float
    head: bytes


def fetch(subject: Subject, path: str, body: object, *, count_lines: bool) -> File:
    """Take a file as fast as it comes: a reader that costs the machine next to nothing.

    Asked for by HTTP/1.0, which has no chunks, so that what is counted is the file alone. The
    first byte is that of the body. Raises `Wrong` unless the status is 200.
    """
    sent = json.dumps(body).encode()
    request = (
        f"POST {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {subject.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n"
        "\r\n"
    ).encode() + sent
    part = bytearray(_PART_BYTES)
    size = lines = 0
    head, first_byte_ms = b"", None
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", subject.port), timeout=PATIENCE_S) as line:
        line.sendall(request)
        while got := line.recv_into(part):
            size += got
            if first_byte_ms is None:
                head += part[:got]
                if head.partition(b"\r\n\r\n")[2]:
                    first_byte_ms = (time.perf_counter() - began) * 1000
            if count_lines:
                lines += part.count(b"\n", 0, got)
    seconds = time.perf_counter() - began
    if head[9:13] != b"200 " or first_byte_ms is None:
        raise Wrong(f"POST {path} was answered with: {head[:500].decode(errors='replace')}")
    start = head.index(b"\r\n\r\n") + 4
    return File(
        size=size - start,
        lines=lines - head[:start].count(b"\n"),
        first_byte_ms=first_byte_ms,
        seconds=seconds,
        head=head,
    )
