"""No failed request ever counts, and what was wrong with it is told."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bench.load import Client, ask, fetch, place
from bench.subject import Subject
from bench.wrong import Wrong

BODY = b"a,b\r\n1,2\r\n3,4\r\n"


TOO_LONG = b'{"error": {"code": "QUERY_TOO_EXPENSIVE"}}'


class Answering(BaseHTTPRequestHandler):
    cold = 0
    """So many requests for /cold take too long."""

    def do_GET(self):
        body = BODY
        status = 200 if self.path in ("/good", "/cold") else 500
        if self.path == "/cold" and Answering.cold:
            Answering.cold -= 1
            status, body = 400, TOO_LONG
        self.send_response(status)
        self.send_header("X-Total-Count", "7")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield Subject(
            port=server.server_port,
            key="a key",
            products=3,
            database_url="",
            bindir=tmp_path,
            folder=tmp_path,
        )
        server.shutdown()
        serving.join()


@pytest.fixture
def wrk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a program of that name first, which prints what it is given; `asked` has its words."""
    asked = tmp_path / "asked"

    def install(result: str, *, answer: str = "") -> Path:
        program = tmp_path / "wrk"
        program.write_text(
            f'#!/bin/sh\necho "$@" >> {asked}\n'
            f"case \"$*\" in *show) echo 'ANSWER {answer}';; esac\necho 'RESULT {result}'\n"
        )
        program.chmod(0o755)
        return asked

    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return install


def result(*, requests: int = 10, not_2xx: int = 0, socket_errors: int = 0) -> str:
    return (
        f'{{"requests": {requests}, "seconds": 2.0, "not_2xx": {not_2xx}, '
        f'"socket_errors": {socket_errors}, "p50_ms": 1.5, "p95_ms": 2.5, "p99_ms": 3.5}}'
    )


@pytest.mark.parametrize(("cold", "comes"), [(0, True), (3, True), (50, False)])
def test_what_takes_too_long_cold_is_asked_again_for_a_while(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, cold: int, comes: bool
):
    monkeypatch.setattr(Answering, "cold", cold)
    with Client(subject) as client:
        if comes:
            assert client.get_when_warm("/cold").body == BODY
        else:
            with pytest.raises(Wrong, match="QUERY_TOO_EXPENSIVE"):
                client.get_when_warm("/cold")
        with pytest.raises(Wrong, match="500"):
            client.get_when_warm("/bad")


def test_what_the_load_generator_found_is_handed_on(subject, wrk):
    asked = wrk(result())

    assert ask(subject, ["/good"], connections=4, seconds=2)["p99_ms"] == 3.5
    assert "--connections 4 --duration 2s" in asked.read_text()
    assert "a key" in asked.read_text()


def test_an_answer_that_was_refused_is_shown(subject, wrk):
    wrk(result(not_2xx=3), answer='500 {"error": "oops"}')

    with pytest.raises(Wrong, match=r'Of 10 requests 3 were refused.*500 {"error": "oops"}'):
        ask(subject, ["/bad"], connections=1, seconds=1)


@pytest.mark.parametrize("bad", [result(not_2xx=1), result(socket_errors=1), result(requests=0)])
def test_an_order_that_failed_is_not_counted(subject, wrk, bad):
    wrk(bad)

    with pytest.raises(Wrong, match="requests"):
        place(subject, connections=1, seconds=1)


def test_a_load_generator_that_fails_is_told(subject, wrk, tmp_path):
    wrk(result())
    (tmp_path / "wrk").write_text("#!/bin/sh\necho 'unable to connect' >&2\nexit 1\n")

    with pytest.raises(Wrong, match="unable to connect"):
        ask(subject, ["/good"], connections=1, seconds=1)


def test_a_single_answer_has_its_headers_its_body_and_its_time(subject):
    with Client(subject) as client:
        answer = client.get("/good")

        assert (answer.status, answer.body) == (200, BODY)
        assert answer.headers["x-total-count"] == "7"
        assert answer.milliseconds > 0


def test_another_status_than_the_expected_one_is_wrong(subject):
    with (
        Client(subject) as client,
        pytest.raises(Wrong, match="GET /bad was answered with 500: a,b"),
    ):
        client.get("/bad")
    with Client(subject) as client, pytest.raises(Wrong, match="POST /good was answered with 200"):
        client.post("/good", {}, expect=201)


def test_a_file_is_counted_without_its_headers(subject):
    file = fetch(subject, "/good", {}, count_lines=True)

    assert (file.size, file.lines) == (len(BODY), 3)
    assert 0 < file.first_byte_ms <= file.seconds * 1000


def test_a_file_that_is_refused_is_wrong(subject):
    with pytest.raises(Wrong, match=r"POST /bad was answered with: HTTP/1\.0 500"):
        fetch(subject, "/bad", {}, count_lines=False)


def test_a_server_that_is_not_there_has_no_processes_that_answer(subject):
    gone = replace(subject, pid=2**22 + 1)

    assert gone.workers == []
    assert gone.own.cpu_seconds() is None
    assert gone.postgres.cpu_seconds() is None
