"""What one connection may do, and how long it may take."""

import asyncio
import time

import pytest
from msgspec.structs import replace

from tests.server.conftest import LIMITS, Served, serving

HEAD = b"GET / HTTP/1.1\r\nHost: test\r\n"
CLOSE = b"Connection: close\r\n\r\n"


async def test_a_request_is_answered(served: Served):
    assert (await served.say(HEAD + CLOSE)).endswith(b"\r\n\r\nGET 0")


async def test_a_stream_is_sent_in_chunks_only_to_who_knows_them(served: Served):
    new = await served.say(b"GET /stream HTTP/1.1\r\nHost: test\r\n" + CLOSE)
    assert new.endswith(b"\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n")
    old = await served.say(b"GET /stream HTTP/1.0\r\n\r\n")
    assert b"transfer-encoding" not in old
    assert old.endswith(b"\r\n\r\none two")
    measured = await served.say(b"GET / HTTP/1.0\r\n\r\n")
    assert b"content-length: 5" in measured
    assert measured.endswith(b"\r\n\r\nGET 0")
    assert (await served.say(b"HEAD /stream HTTP/1.0\r\n\r\n")).endswith(b"\r\n\r\n")


async def test_an_answer_arrives_in_one_piece(served: Served):
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(HEAD + b"\r\n")
    assert (await reader.read(65_536)).endswith(b"content-length: 5\r\n\r\nGET 0")
    writer.write(b"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n")
    assert (await reader.read(65_536)).endswith(b"content-length: 6\r\n\r\n")
    writer.close()


@pytest.mark.parametrize("path", [b"/injected", b"/short"])
async def test_of_an_answer_that_breaks_the_rules_nothing_is_sent(served: Served, path):
    assert await served.say(b"GET " + path + b" HTTP/1.1\r\nHost: test\r\n\r\n") == b""
    assert served.asked == [path.decode()]


async def test_headers_up_to_the_limit_are_read_and_beyond_it_refused(served: Served):
    fitting = b"X-A: " + b"a" * 31_000 + b"\r\n"
    assert (await served.say(HEAD + fitting + CLOSE)).startswith(b"HTTP/1.1 200")
    one_large = b"X-A: " + b"a" * 33_000 + b"\r\n"
    assert (await served.say(HEAD + one_large + CLOSE)).startswith(b"HTTP/1.1 431")
    many_small = b"".join(b"X-%d: a\r\n" % number for number in range(4_000))
    assert (await served.say(HEAD + many_small + CLOSE)).startswith(b"HTTP/1.1 431")
    assert served.asked == ["/"]


async def test_endless_headers_are_cut_off_before_they_are_stored(served: Served):
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(HEAD + b"X-Endless: ")
    sent = 0
    try:
        while sent < 20_000_000:
            writer.write(b"a" * 65_536)
            sent += 65_536
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()
    assert sent < 10_000_000
    assert served.asked == []


async def test_a_request_line_up_to_64_kb_is_read_and_a_longer_one_refused(served: Served):
    fitting = b"GET /?" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: test\r\n" + CLOSE
    assert (await served.say(fitting)).startswith(b"HTTP/1.1 200")
    longer = b"GET /?" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: test\r\n" + CLOSE
    assert (await served.say(longer)).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "raw",
    [
        b"NONSENSE / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nBad Header\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_no_http_is_400_and_closed(served: Served, raw):
    assert (await served.say(raw)).startswith(b"HTTP/1.1 400")
    assert served.asked == []


async def test_headers_must_arrive_in_time(served: Served):
    began = time.monotonic()
    assert (await served.say(HEAD)).startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began < 2


async def test_dripping_headers_do_not_buy_time(served: Served):
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    began = time.monotonic()
    writer.write(HEAD)
    while not reader.at_eof() and time.monotonic() - began < 3:
        writer.write(b"X: a\r\n")
        try:
            async with asyncio.timeout(0.1):
                await reader.read(1000)
        except TimeoutError:
            continue
    assert time.monotonic() - began < 2
    writer.close()


async def test_a_connection_that_says_nothing_is_closed(served: Served):
    began = time.monotonic()
    await served.say(b"")
    assert time.monotonic() - began < 2


async def test_an_idle_connection_is_closed(served: Served):
    began = time.monotonic()
    assert (await served.say(HEAD + b"\r\n")).endswith(b"GET 0")
    assert 0.2 < time.monotonic() - began < 2


async def test_a_connection_is_used_again(served: Served):
    answer = await served.say((HEAD + b"\r\n") * 3 + HEAD + CLOSE)
    assert answer.count(b"HTTP/1.1 200") == 4


async def test_a_body_in_pieces_is_whole(served: Served):
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    chunks = b"".join(b"5\r\nabcde\r\n" for _ in range(100)) + b"0\r\n\r\n"
    assert (await served.say(head + chunks)).endswith(b"POST 500")


async def test_an_offer_of_another_protocol_is_ignored_and_the_body_read(served: Served):
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    raw = b"POST / HTTP/1.1\r\nHost: a\r\n" + offer + b"Content-Length: 14\r\n\r\n"
    assert (await served.say(raw + b"\r\nUpgrade: x\r\n")).endswith(b"POST 14")


async def test_a_client_that_does_not_read_is_cut_off(served: Served):
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1024)
    writer.transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue]
    writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    await asyncio.sleep(1.5)
    writer.transport.resume_reading()  # pyright: ignore[reportAttributeAccessIssue]
    received = 0
    try:
        async with asyncio.timeout(5):
            while part := await reader.read(1_000_000):
                received += len(part)
    except ConnectionError:
        pass
    writer.close()
    assert received < 30_000_000


async def test_slow_clients_do_not_slow_others():
    async with serving(replace(LIMITS, header_seconds=600)) as served:
        slow = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(300)]
        for _, writer in slow:
            writer.write(HEAD)  # and nothing more
        began = time.monotonic()
        assert (await served.say(HEAD + CLOSE)).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - began < 20
        for _, writer in slow:
            writer.close()


async def test_what_is_under_way_is_finished_on_the_way_out(served: Served):
    slow = asyncio.create_task(served.say(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"))
    while not served.asked:
        await asyncio.sleep(0.01)
    closing = asyncio.create_task(served.listener.close(5, asyncio.Event()))
    await asyncio.sleep(0.1)
    with pytest.raises(ConnectionRefusedError):
        await served.say(HEAD + CLOSE)
    served.gate.set()
    assert b"HTTP/1.1 200" in await slow
    await closing


async def test_who_waits_in_the_queue_is_answered_on_the_way_out(served: Served):
    clients = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(50)]
    for _, writer in clients:
        writer.write(HEAD + b"\r\n")
    await served.listener.close(5, asyncio.Event())
    answers = [await reader.read() for reader, _ in clients]
    assert all(answer.endswith(b"GET 0") for answer in answers)
    for _, writer in clients:
        writer.close()


async def test_what_takes_too_long_is_cut_in_the_end(served: Served):
    slow = asyncio.create_task(served.say(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"))
    while not served.asked:
        await asyncio.sleep(0.01)
    began = time.monotonic()
    await served.listener.close(0.2, asyncio.Event())
    assert time.monotonic() - began < 1
    assert await slow == b""


async def test_connections_beyond_the_limit_are_refused_until_others_leave():
    few = replace(LIMITS, header_seconds=30, connections=20)
    async with serving(few) as served:
        kept = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(20)]
        for _, writer in kept:
            writer.write(HEAD)  # and nothing more yet
        refused = await served.say(b"")
        assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"\r\nretry-after: 1\r\n" in refused
        assert b"\r\nconnection: close\r\n" in refused
        assert served.asked == []
        reader, writer = kept[0]
        writer.write(CLOSE)
        assert (await reader.read()).startswith(b"HTTP/1.1 200"), "who was there is served"
        assert (await served.say(HEAD + CLOSE)).startswith(b"HTTP/1.1 200")
        for _, writer in kept:
            writer.close()
