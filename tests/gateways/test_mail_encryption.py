"""A password goes nowhere that is not encrypted, to nobody who cannot prove who they are."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from openorders import services
from openorders.gateways.mail import MailServerUnavailable
from openorders.gateways.mail_smtp import Security
from openorders.settings import read
from tests.gateways.mail_servers import Mailbox, certificate, misbehaving, serving
from tests.gateways.test_mail import SENDER, a_letter
from tests.gateways.test_mail_smtp import mailer, undelivered


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"))


async def test_starttls_encrypts_before_anything_is_said(tls: Any) -> None:
    server, trust = tls
    mailbox = Mailbox(passwords={b"shop": b"secret"})
    async with (
        serving(mailbox, starttls=server) as port,
        mailer(port, Security.STARTTLS, trust, username="shop", password="secret") as sending,
    ):
        await sending.send(a_letter())
    assert len(mailbox.taken) == 1
    assert mailbox.encrypted == [True]
    assert [one for one in mailbox.said if one.startswith("AUTH")] != []


async def test_tls_from_the_first_byte(tls: Any) -> None:
    server, trust = tls
    mailbox = Mailbox()
    async with (
        serving(mailbox, implicit_tls=server) as port,
        mailer(port, Security.TLS, trust) as sending,
    ):
        await sending.send(a_letter())
    assert len(mailbox.taken) == 1


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_certificate_of_nobody_is_not_believed(tls: Any, security: Security) -> None:
    server, _ = tls
    mailbox = Mailbox(passwords={b"shop": b"secret"})
    options = {"implicit_tls": server} if security is Security.TLS else {"starttls": server}
    async with (
        serving(mailbox, **options) as port,
        mailer(port, security, username="shop", password="secret") as sending,
    ):
        problem = await undelivered(sending)
    assert isinstance(problem, MailServerUnavailable)
    assert "certificate" in str(problem).lower()
    assert mailbox.taken == []
    assert mailbox.said == []


async def test_a_certificate_of_another_host_is_not_believed(tmp_path: Path) -> None:
    server, trust = certificate(tmp_path, host="127.0.0.9")
    mailbox = Mailbox()
    async with (
        serving(mailbox, starttls=server) as port,
        mailer(port, Security.STARTTLS, trust) as sending,
    ):
        assert isinstance(await undelivered(sending), MailServerUnavailable)
    assert mailbox.taken == []


async def test_no_password_is_sent_when_the_server_offers_no_encryption() -> None:
    mailbox = Mailbox(passwords={b"shop": b"secret"})
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        while line := await reader.readline():
            heard.append(line)
            greeting = line.startswith(b"EHLO")
            writer.write(
                b"250-mail.example\r\n250 AUTH PLAIN LOGIN\r\n" if greeting else b"250 OK\r\n"
            )

    async with (
        misbehaving(talk) as port,
        mailer(port, Security.STARTTLS, username="shop", password="secret") as sending,
    ):
        problem = await undelivered(sending)
    assert isinstance(problem, MailServerUnavailable)
    assert not any(line.upper().startswith((b"AUTH", b"MAIL")) for line in heard)
    assert mailbox.taken == []


async def test_without_encryption_a_password_is_sent_only_where_that_was_said() -> None:
    mailbox = Mailbox(passwords={b"shop": b"secret"})
    async with (
        serving(mailbox, auth_require_tls=False) as port,
        mailer(port, Security.NONE, username="shop", password="secret") as sending,
    ):
        await sending.send(a_letter())
    assert len(mailbox.taken) == 1


async def test_a_wrong_password_is_the_operators_to_put_right(tls: Any) -> None:
    server, trust = tls
    mailbox = Mailbox(passwords={b"shop": b"secret"})
    async with (
        serving(mailbox, starttls=server) as port,
        mailer(port, Security.STARTTLS, trust, username="shop", password="wrong") as sending,
    ):
        problem = await undelivered(sending)
    assert isinstance(problem, MailServerUnavailable)
    assert not problem.for_good
    assert "535" in str(problem)
    assert "wrong" not in str(problem)


async def test_settings_lead_to_the_server(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("trusted")
    server, _ = certificate(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "127.0.0.1.pem"))
    mailbox = Mailbox(passwords={b"shop": b"secret"})
    async with serving(mailbox, starttls=server) as port:
        settings = read(
            {
                "OPENORDERS_MAIL_FROM": SENDER,
                "OPENORDERS_SMTP_HOST": "127.0.0.1",
                "OPENORDERS_SMTP_PORT": str(port),
                "OPENORDERS_SMTP_USERNAME": "shop",
                "OPENORDERS_SMTP_PASSWORD": "secret",
            }
        )
        async with services._mailer(settings) as sending:
            await sending.send(a_letter())
    assert len(mailbox.taken) == 1
    assert mailbox.encrypted == [True]


async def test_a_server_that_takes_nobodys_letters_is_left_alone_for_a_while(tls: Any) -> None:
    server, trust = tls
    mailbox = Mailbox(passwords={b"shop": b"secret"})
    async with (
        serving(mailbox, starttls=server) as port,
        mailer(port, Security.STARTTLS, trust, username="shop", password="wrong") as sending,
    ):
        first = await undelivered(sending)
        signed_in = len(mailbox.said)
        now = asyncio.get_running_loop().time()
        assert now < sending._rest.until <= now + 1
        sending._rest.until = now + 60  # as long as it takes to try it so often
        for _ in range(20):
            again = await undelivered(sending)
            assert isinstance(again, MailServerUnavailable)
            assert str(again) == str(first)
        assert len(mailbox.said) == signed_in
        mailbox.passwords[b"shop"] = b"wrong"
        sending._rest.until = asyncio.get_running_loop().time()
        await sending.send(a_letter())
        await sending.send(a_letter(id="order-1-7-2"))
    assert len(mailbox.taken) == 2
