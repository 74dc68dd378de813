# ruff: noqa: ARG002 - the library calls these with all it has
"""Mail servers for tests: a real one (aiosmtpd) that can be told to refuse, and ones that fail in
the middle of a conversation, byte by byte.
"""

import asyncio
import ipaddress
import ssl
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as MAIL
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

OK = "250 OK"


@dataclass(slots=True)
class Mailbox:
    """What a server was given, and what it is to answer: the first of a list, then the default."""

    taken: list[Envelope] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    to_mail: list[str] = field(default_factory=list)
    to_rcpt: list[str] = field(default_factory=list)
    to_data: list[str] = field(default_factory=list)
    passwords: dict[bytes, bytes] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    def messages(self) -> list[EmailMessage]:
        return [
            cast("EmailMessage", message_from_bytes(cast("bytes", one.content), policy=MAIL))
            for one in self.taken
        ]

    async def handle_MAIL(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.said.append(f"MAIL {address} {' '.join(sorted(options))}")
        if self.to_mail:
            return self.to_mail.pop(0)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return OK

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_rcpt:
            return self.to_rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.sessions.add(id(session))
        self.encrypted.append(session.ssl is not None)
        if self.to_data:
            return self.to_data.pop(0)
        self.taken.append(envelope)
        return OK

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.said.append(f"AUTH {mechanism}")
        known = self.passwords.get(given.login) == given.password
        return AuthResult(success=known, handled=False)


@asynccontextmanager
async def serving(
    mailbox: Mailbox, *, implicit_tls: ssl.SSLContext | None = None, **options: Any
) -> AsyncGenerator[int, None]:
    """A mail server on a port of its own."""
    protocols: list[SMTP] = []

    def protocol() -> SMTP:
        made = SMTP(
            mailbox,
            hostname="mail.example",
            enable_SMTPUTF8=options.get("smtputf8", True),
            data_size_limit=options.get("size", 33554432),
            tls_context=options.get("starttls"),
            require_starttls="starttls" in options,
            authenticator=mailbox.authenticate if mailbox.passwords else None,
            auth_required=bool(mailbox.passwords),
            auth_require_tls=options.get("auth_require_tls", True),
        )
        protocols.append(made)
        return made

    # It warns of passwords without encryption, which is what some tests are about.
    warnings.filterwarnings("ignore", category=UserWarning, module="aiosmtpd")
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=implicit_tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for made in protocols:
            if made.transport is not None:
                made.transport.close()
        await asyncio.sleep(0)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]]


@asynccontextmanager
async def misbehaving(talk: Talk) -> AsyncGenerator[int, None]:
    """A server that does what `talk` says with each connection."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until_the_text(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Say what a polite server says up to the end of a letter's text, and give it back."""
    writer.write(b"220 mail.example\r\n")
    while line := await reader.readline():
        if line.startswith(b"DATA"):
            writer.write(b"354 go on\r\n")
            return await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"250 OK\r\n")
    return b""


def certificate(folder: Path, *, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side of TLS, and a client's side that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / f"{host}.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cadata=signed.public_bytes(serialization.Encoding.DER))
    return server, client
