"""The pages of a process without a web server: few, small, and never held up."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from openorders.worker import probes
from openorders.worker.probes import Page, Probes


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def well() -> Page:
        return Page(200, "text/plain", b"ok\n")

    async def badly() -> Page:
        raise ValueError("broken")

    async with await Probes({"/livez": well, "/broken": badly}).start("127.0.0.1", 0) as port:
        yield port


async def say(port: int, raw: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    try:
        async with asyncio.timeout(60):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def head(method: str, path: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


async def test_a_page_is_answered_and_the_connection_closed(port: int) -> None:
    said = await say(port, head("GET", "/livez?verbose"))
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert said.endswith(b"connection: close\r\n\r\nok\n")
    bare = await say(port, head("HEAD", "/livez"))
    assert b"content-length: 3\r\n" in bare
    assert bare.endswith(b"\r\n\r\n")


async def test_nothing_else_is(port: int) -> None:
    assert (await say(port, head("GET", "/orders"))).startswith(b"HTTP/1.1 404 ")
    assert (await say(port, head("POST", "/livez"))).startswith(b"HTTP/1.1 405 ")
    assert (await say(port, b"\r\n\r\n")).startswith(b"HTTP/1.1 404 ")


async def test_a_page_that_fails_is_503_and_the_next_is_answered(port: int) -> None:
    assert (await say(port, head("GET", "/broken"))).startswith(b"HTTP/1.1 503 ")
    assert (await say(port, head("GET", "/livez"))).startswith(b"HTTP/1.1 200 ")


async def test_endless_heads_and_slow_clients_are_cut_off(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await say(port, b"GET /livez HTTP/1.1\r\nX: " + b"a" * 20_000) == b""
    with monkeypatch.context() as hurried:
        hurried.setattr(probes, "_SECONDS", 0.2)
        assert await say(port, b"GET /livez") == b""
    assert (await say(port, head("GET", "/livez"))).startswith(b"HTTP/1.1 200 ")


async def test_connections_beyond_what_is_bearable_are_closed_unheard(port: int) -> None:
    kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(32)]
    await asyncio.sleep(0.1)
    assert await say(port, head("GET", "/livez")) == b""
    for _, writer in kept:
        writer.close()
    await asyncio.sleep(0.1)
    assert (await say(port, head("GET", "/livez"))).startswith(b"HTTP/1.1 200 ")
