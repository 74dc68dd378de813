"""Letters reach a real mail server whole, and what it says is told apart."""

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from openorders import services
from openorders.gateways.mail import MailServerUnavailable, MailUndelivered
from openorders.gateways.mail_smtp import (
    LETTERS_PER_CONNECTION,
    MailServer,
    Security,
    SmtpMailer,
    opened_mailer,
)
from openorders.settings import read
from tests.gateways.mail_servers import (
    Mailbox,
    misbehaving,
    serving,
    until_the_text,
)
from tests.gateways.test_mail import SENDER, a_letter


@asynccontextmanager
async def mailer(
    port: int,
    security: Security = Security.NONE,
    trust: ssl.SSLContext | None = None,
    **more: Any,
) -> AsyncGenerator[SmtpMailer, None]:
    server = MailServer(host="127.0.0.1", port=port, security=security, **more)
    async with opened_mailer(server, SENDER, tls=trust) as one:
        yield one


async def undelivered(sending: SmtpMailer, **letter: Any) -> MailUndelivered:
    with pytest.raises(MailUndelivered) as failure:
        await sending.send(a_letter(**letter))
    return failure.value


async def test_a_letter_arrives_whole() -> None:
    mailbox = Mailbox()
    text = "Grüße,\n.\n..\nFrom here on: " + "ä" * 2000 + "\r\nlast line"
    html = "<p>" + "x" * 5000 + "€</p>"
    async with serving(mailbox) as port, mailer(port) as sending:
        await sending.send(
            a_letter(subject="Grüße aus Köln", text=text, html=html, recipient_name="Jörg Ø")
        )
    (mail,) = mailbox.messages()
    (envelope,) = mailbox.taken
    assert envelope.mail_from == "shop@example.com"
    assert envelope.rcpt_tos == ["jane@example.com"]
    assert mail["Subject"] == "Grüße aus Köln"
    assert mail["From"] == SENDER
    assert mail["To"].addresses[0].addr_spec == "jane@example.com"
    assert mail["To"].addresses[0].display_name == "Jörg Ø"
    assert mail["Message-ID"] == "<order-1-7-1@example.com>"
    assert mail["Date"] == "Tue, 02 Jun 2026 12:00:00 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    plain, rich = mail.iter_parts()
    assert (plain.get_content_type(), rich.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content().splitlines() == text.splitlines()
    assert rich.get_content().splitlines() == [html]
    content = envelope.content
    assert isinstance(content, bytes)
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 78
    assert b"\n" not in content.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("answer", "for_good"),
    [
        ("550 5.1.1 no such user", True),
        ("553 mailbox name not allowed", True),
        ("450 4.2.1 try again later", False),
        ("452 4.2.2 mailbox full", False),
        ("554 5.7.1 relay access denied", False),
        ("530 5.7.0 authentication required", False),
    ],
)
async def test_a_refused_recipient_is_told_apart(answer: str, for_good: bool) -> None:
    mailbox = Mailbox(to_rcpt=[answer])
    async with serving(mailbox) as port, mailer(port) as sending:
        problem = await undelivered(sending)
        assert (problem.for_good, mailbox.taken) == (for_good, [])
        assert answer[:3] in str(problem)
        assert not isinstance(problem, MailServerUnavailable)
        await sending.send(a_letter(id="order-1-7-2"))
    assert len(mailbox.taken) == 1


@pytest.mark.parametrize(
    ("answer", "for_good"),
    [("554 5.6.0 we do not like it", True), ("451 4.3.0 local error", False)],
)
async def test_a_refused_text_is_told_apart(answer: str, for_good: bool) -> None:
    mailbox = Mailbox(to_data=[answer])
    async with serving(mailbox) as port, mailer(port) as sending:
        problem = await undelivered(sending)
        assert problem.for_good is for_good
        await sending.send(a_letter())
    assert len(mailbox.taken) == 1


async def test_a_refused_sender_is_the_operators_to_put_right() -> None:
    mailbox = Mailbox(to_mail=["553 5.7.1 that is not yours"])
    async with serving(mailbox) as port, mailer(port) as sending:
        problem = await undelivered(sending)
    assert isinstance(problem, MailServerUnavailable)
    assert not problem.for_good


async def test_a_letter_that_is_too_big_is_not_even_sent() -> None:
    mailbox = Mailbox()
    async with serving(mailbox, size=5000) as port, mailer(port) as sending:
        problem = await undelivered(sending, text="x" * 10_000)
        assert problem.for_good
        assert mailbox.said == []
        await sending.send(a_letter())
    assert len(mailbox.taken) == 1


async def test_nobody_there_is_no_verdict_on_the_letter() -> None:
    async with misbehaving(until_the_text) as port:
        pass
    async with mailer(port) as sending:
        problem = await undelivered(sending)
    assert isinstance(problem, MailServerUnavailable)
    assert not problem.for_good


@pytest.mark.parametrize("greeting", [b"", b"220 mail.example\r\n"])
async def test_a_server_that_hangs_is_not_waited_for_longer_than_was_said(greeting: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await asyncio.sleep(60)

    async with misbehaving(talk) as port, mailer(port, timeout_s=0.3) as sending:
        began = time.monotonic()
        problem = await undelivered(sending)
        assert time.monotonic() - began < 2
    assert isinstance(problem, MailServerUnavailable)


async def test_many_letters_to_a_server_that_hangs_wait_no_longer_than_one() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with misbehaving(talk) as port, mailer(port, timeout_s=2) as sending:
        async with asyncio.timeout(10):  # two at a time, one after another would take twenty
            await asyncio.gather(*(undelivered(sending, id=f"order-1-7-{n}") for n in range(20)))


async def test_a_letter_that_is_refused_holds_up_no_other() -> None:
    mailbox = Mailbox(to_rcpt=["550 no such user", "450 later"], to_data=["554 no", "451 later"])
    async with serving(mailbox) as port, mailer(port) as sending:
        for _ in range(4):
            assert not isinstance(await undelivered(sending), MailServerUnavailable)
        await sending.send(a_letter())
    assert len(mailbox.taken) == 1


@pytest.mark.parametrize("ending", ["drop", "hang"])
async def test_a_server_that_goes_silent_after_the_text_may_have_taken_it(ending: str) -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await until_the_text(reader, writer))
        if ending == "hang":
            await asyncio.sleep(60)

    async with misbehaving(talk) as port, mailer(port, timeout_s=2) as sending:
        first = await undelivered(sending)
        second = await undelivered(sending)
    assert not first.for_good
    assert not second.for_good
    assert len(heard) == 2
    identities = [text.split(b"Message-ID: ")[1].splitlines()[0] for text in heard]
    assert identities == [b"<order-1-7-1@example.com>"] * 2


async def test_letters_in_a_row_share_a_connection_but_not_for_ever() -> None:
    mailbox = Mailbox()
    async with serving(mailbox) as port, mailer(port) as sending:
        for number in range(LETTERS_PER_CONNECTION + 1):
            await sending.send(a_letter(id=f"order-1-7-{number}"))
    assert len(mailbox.taken) == LETTERS_PER_CONNECTION + 1
    assert len(mailbox.sessions) == 2


async def test_a_connection_that_the_server_closed_meanwhile_is_no_failure() -> None:
    served = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        await until_the_text(reader, writer)
        served += 1
        writer.write(b"250 taken\r\n")
        if served == 1:
            await reader.readline()  # the next letter's first word
            writer.write(b"421 too long idle\r\n")
        else:
            await asyncio.sleep(60)

    async with misbehaving(talk) as port, mailer(port) as sending:
        await sending.send(a_letter())
        await sending.send(a_letter(id="order-1-7-2"))
    assert served == 2


async def test_an_address_in_utf8_needs_a_server_that_takes_it() -> None:
    mailbox = Mailbox()
    async with serving(mailbox) as port, mailer(port) as sending:
        await sending.send(a_letter(recipient="jäne@köln.example"))
        await sending.send(a_letter(recipient="jane@köln.example"))
    first, second = mailbox.taken
    assert first.rcpt_tos == ["jäne@xn--kln-sna.example"]
    assert "SMTPUTF8" in mailbox.said[0]
    assert second.rcpt_tos == ["jane@xn--kln-sna.example"]
    assert "SMTPUTF8" not in mailbox.said[1]
    async with serving(mailbox, smtputf8=False) as port, mailer(port) as sending:
        problem = await undelivered(sending, recipient="jäne@example.com")
    assert problem.for_good
    assert len(mailbox.taken) == 2


async def test_a_name_cannot_add_recipients_or_headers() -> None:
    mailbox = Mailbox()
    names = ['Jane" <eve@example.com>, "x', "Jane\r\nBcc: eve@example.com", "Jane, Ø <e@x>", "()"]
    async with serving(mailbox) as port, mailer(port) as sending:
        for name in names:
            await sending.send(a_letter(recipient_name=name))
    for mail, envelope in zip(mailbox.messages(), mailbox.taken, strict=True):
        assert envelope.rcpt_tos == ["jane@example.com"]
        assert [one.addr_spec for one in mail["To"].addresses] == ["jane@example.com"]
        assert mail["Bcc"] is None


async def test_without_a_host_letters_are_files(tmp_path: Path) -> None:
    settings = read({"OPENORDERS_MAIL_DIR": str(tmp_path / "mail")})
    async with services._mailer(settings) as sending:
        await sending.send(a_letter())
    assert [path.name for path in (tmp_path / "mail").iterdir()] == ["order-1-7-1.eml"]
