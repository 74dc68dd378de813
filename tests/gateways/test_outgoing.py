"""Requests to addresses that customers chose lead to no address of ours, and end in time."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from msgspec.structs import replace

from openorders.gateways.outgoing import (
    ANSWER_BYTES_MAX,
    ANSWER_KEPT,
    Answered,
    Outgoing,
    OutgoingForbidden,
    Rules,
    checked,
)
from tests.receiver import Receiver, answers, hangs, listening, writes

NOW = datetime(2026, 6, 2, 12, tzinfo=UTC)
LOCAL = Rules(allow_private=True, allow_http=True, timeout_s=20)
HASTY = replace(LOCAL, timeout_s=0.5)
"""For receivers that are never done."""
HTTP = Rules(allow_http=True)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as one:
        yield one


async def post(url: str, rules: Rules = LOCAL, **more: object) -> Answered:
    async with Outgoing(rules, **more).session(connections=10) as send:  # pyright: ignore[reportArgumentType]
        return await send(url, {"webhook-id": "evt_1"}, b"{}", now=NOW)


async def test_a_request_arrives_as_it_was_meant(receiver: Receiver) -> None:
    receiver.behave = answers(200, b"thanks")
    answered = await post(receiver.url("/hook?a=1"))
    assert (answered.status, answered.text, answered.complete) == (200, "thanks", True)
    [got] = receiver.got
    assert (got.path, got.body) == ("/hook?a=1", b"{}")
    assert got.headers["webhook-id"] == "evt_1"
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["accept-encoding"] == "identity"
    assert "cookie" not in got.headers


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "//example.com/", "",
        "https://", "https:///x", "https://user@example.com/", "https://user:pw@example.com/",
        "https://:@example.com/", "https://example.com/#part", "https://example.com/\\x",
        "https:\\\\example.com\\@other.com/", "https://good.com:80@127.0.0.1/",
        "https://example.com:0/", "https://example.com:22/", "https://example.com:99999/",
        "https://example.com./", "https://exa mple.com/", "https://ex\u3002ample.com/",
        "https://\uff11\uff12\uff17.0.0.1/", "https://%31%32%37.0.0.1/", "https://-a.com/",
        "https://a..com/", "https://example.com/\r\nx: y", "https://" + "a" * 2000 + ".com/",
        "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://017700000001/",
        "https://0177.0.0.1/", "https://127.0.0.1/", "https://127.0.0.1:8443/",
        "https://169.254.169.254/", "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:a9fe:a9fe]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",
        "https://[2001::1]/", "https://[fe80::1%25eth0]/", "https://[fd00::1]/",
        "https://100.64.0.1/", "https://0.0.0.0/", "https://224.0.0.1/", "https://1.2.3/",
        "https://1.2.3.4.5/", "https://example.0x7f/", "https://[::1",
    ],
)  # fmt: skip
async def test_a_url_that_could_lead_inside_is_refused(url: str) -> None:
    with pytest.raises(OutgoingForbidden):
        checked(url, Rules())
    with pytest.raises(OutgoingForbidden):
        await Outgoing().refuse_forbidden(url)
    answered = await post(url, Rules())
    assert (answered.status, answered.complete) == (None, False)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com", "https://example.com/hooks?x=1", "https://EXAMPLE.com:443/",
        "https://example.com:8443/", "https://8.8.8.8/", "https://[2606:4700:4700::1111]/",
        "https://xn--bcher-kva.example/", "https://a_b.example.com/",
    ],
)  # fmt: skip
def test_an_ordinary_url_is_taken(url: str) -> None:
    checked(url, Rules())


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"], ["::1"], ["8.8.8.8", "10.0.0.1"], ["8.8.8.8", "::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"], ["169.254.169.254"], ["fe80::1%eth0"],
    ],
)  # fmt: skip
async def test_a_name_with_any_address_inside_is_not_connected_to(
    receiver: Receiver, found: list[str]
) -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return found

    url = f"http://shop.example:{receiver.port}/"
    with pytest.raises(OutgoingForbidden):
        await Outgoing(HTTP, resolve=resolve).refuse_forbidden(url)
    answered = await post(url, HTTP, resolve=resolve)
    assert answered.failure == "The host has an address that is not a public one."
    assert receiver.connections == 0


async def test_a_name_that_leads_elsewhere_when_it_is_used_leads_nowhere(
    receiver: Receiver,
) -> None:
    told = [["8.8.8.8"], ["127.0.0.1"]]

    async def resolve(_host: str, _port: int) -> list[str]:
        return told.pop(0)

    outgoing = Outgoing(HTTP, resolve=resolve)
    url = f"http://shop.example:{receiver.port}/"
    await outgoing.refuse_forbidden(url)
    async with outgoing.session(connections=1) as send:
        answered = await send(url, {}, b"{}", now=NOW)
    assert answered.status is None
    assert receiver.connections == 0


async def test_a_connection_goes_to_the_address_that_was_checked(receiver: Receiver) -> None:
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    answered = await post(f"http://shop.example:{receiver.port}/", LOCAL, resolve=resolve)
    assert answered.status == 200
    assert asked == ["shop.example"]
    assert receiver.got[0].headers["host"] == f"shop.example:{receiver.port}"


async def test_numbers_that_the_system_takes_for_addresses_are_checked_as_what_they_are() -> None:
    assert socket.inet_aton("127.1") == socket.inet_aton("127.0.0.1")
    for host in ("127.1", "2130706433", "0x7f.1", "0x7f000001"):
        assert (await post(f"http://{host}:9/", HTTP)).status is None
        with pytest.raises(OutgoingForbidden):
            await Outgoing(LOCAL).refuse_forbidden(f"http://{host}:9/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.by_path["/hook"] = answers(status, location="/secret")
    answered = await post(receiver.url())
    assert (answered.status, answered.complete) == (status, False)
    assert answered.failure == "redirects are not followed"
    assert [got.path for got in receiver.got] == ["/hook"]


async def test_an_operator_can_have_redirects_followed_and_each_is_checked(
    receiver: Receiver,
) -> None:
    rules = replace(LOCAL, allow_redirects=True)
    receiver.by_path["/hook"] = answers(308, location="/there")
    assert (await post(receiver.url(), rules)).status == 200
    assert [(got.path, got.body) for got in receiver.got] == [("/hook", b"{}"), ("/there", b"{}")]

    receiver.by_path["/round"] = answers(307, location="/round")
    assert (await post(receiver.url("/round"), rules)).status == 307
    assert receiver.events("/round") == ["evt_1"] * 4

    receiver.by_path["/out"] = answers(307, location="http://user@127.0.0.1/")
    assert (await post(receiver.url("/out"), rules)).status is None


async def test_no_proxy_of_the_environment_is_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await post(receiver.url())).status == 200


async def test_a_receiver_that_says_nothing_is_left_in_time(receiver: Receiver) -> None:
    receiver.behave = hangs()
    async with asyncio.timeout(30):
        answered = await post(receiver.url(), HASTY)
    assert (answered.status, answered.timed_out) == (None, True)
    assert answered.failure == "no answer within 0.5 s"


async def test_an_answer_that_drips_is_left_in_time(receiver: Receiver) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"
    receiver.behave = writes(head, *[b"x"] * 1000, pause_s=0.05)
    async with asyncio.timeout(30):
        answered = await post(receiver.url(), replace(LOCAL, timeout_s=2))
    assert (answered.status, answered.complete, answered.timed_out) == (200, False, True)


async def test_headers_that_drip_are_left_in_time(receiver: Receiver) -> None:
    receiver.behave = writes(b"HTTP/1.1 200 OK\r\n", *[b"a: b\r\n"] * 1000, pause_s=0.05)
    async with asyncio.timeout(30):
        assert (await post(receiver.url(), HASTY)).status is None


async def test_no_more_of_an_answer_is_read_than_is_wanted(receiver: Receiver) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n"
    receiver.behave = writes(head, *[b"y" * 16_384] * 100)
    answered = await post(receiver.url())
    assert (answered.status, answered.complete) == (200, True)
    assert answered.text == "y" * ANSWER_KEPT
    assert ANSWER_BYTES_MAX < 100_000_000


async def test_what_is_packed_is_not_unpacked(receiver: Receiver) -> None:
    bomb = gzip.compress(b"z" * 10_000_000)
    receiver.behave = answers(200, bomb[:60_000], content_encoding="gzip")
    answered = await post(receiver.url())
    assert answered.complete
    assert len(answered.text) <= ANSWER_KEPT


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"a" * 20_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1_000 + b"\r\n",
    ],
)  # fmt: skip
async def test_an_answer_that_breaks_off_or_is_none_is_no_success(
    receiver: Receiver, sent: bytes
) -> None:
    receiver.behave = writes(sent)
    answered = await post(receiver.url())
    assert not answered.complete
    assert answered.failure
    assert "127.0.0.1" not in answered.failure


async def test_nobody_there_is_told_as_that() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        answered = await post(f"http://127.0.0.1:{free.getsockname()[1]}/")
    assert answered.failure is not None
    assert answered.failure.startswith("no connection")


async def test_a_host_that_is_not_found_is_told_as_that() -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    answered = await post("http://nowhere.example/", HTTP, resolve=resolve)
    assert answered.failure == "the host was not found"
    await Outgoing(HTTP, resolve=resolve).refuse_forbidden("http://nowhere.example/")


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ("120", 120), (" 7 ", 7), ("0", 0), ("-5", None), ("1.5", None), ("soon", None),
        (format_datetime(NOW + timedelta(minutes=2)), 120),
        (format_datetime(NOW - timedelta(minutes=2)), 0), ("9" * 50, 999_999_999),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999", None),
    ],
)  # fmt: skip
async def test_retry_after_is_understood_as_seconds_and_as_a_date(
    receiver: Receiver, said: str, understood: int | None
) -> None:
    receiver.behave = answers(429, retry_after=said)
    assert (await post(receiver.url())).retry_after_s == understood


async def test_text_that_cannot_be_stored_is_made_storable(receiver: Receiver) -> None:
    receiver.behave = answers(500, b"a\x00b\xff\xed\xa0\x80")
    text = (await post(receiver.url())).text
    assert "\x00" not in text
    text.encode()


async def test_connections_are_kept_for_the_next_request(receiver: Receiver) -> None:
    async with Outgoing(LOCAL).session(connections=10) as send:
        for _ in range(5):
            assert (await send(receiver.url(), {}, b"{}", now=NOW)).status == 200
    assert receiver.connections == 1
