"""Hand letters to a mail server (SMTP, RFC 5321), and say truly what became of each.

A refusal is for good only when it is about this letter: its recipient, its size, its content.
What is about us (a password, a sender, a certificate) is for the operator to put right, and the
letters wait. A server that goes silent or away after the text was sent may have taken it: the
letter is sent again, under the same Message-ID.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum
from typing import Final

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from openorders.gateways.mail import (
    Letter,
    MailServerUnavailable,
    MailUndelivered,
    address_of,
    compose,
    domain_of,
    in_one_line,
)

CONNECTIONS_MAX: Final = 2
"""How many connections to the mail server a process has at most."""

IDLE_S: Final = 5.0
"""How long a connection is kept for the next letter."""

LETTERS_PER_CONNECTION: Final = 50

LONGEST_REST_S: Final = 60.0
"""How long a server that takes nobody's letters is left alone at most; at first for a second."""

_LEAVE_S: Final = 2.0
_PROBLEM_CHARS_MAX: Final = 300
_PERMANENT: Final = range(500, 600)
_TOO_BIG: Final = 552
_CLOSING: Final = 421
_AUTHENTICATION: Final = frozenset({530, 534, 535, 538})
_NOT_ALLOWED: Final = "5.7."
"""Enhanced status codes (RFC 3463) of policy: at the recipient, most often that we have not
signed in, which is nothing the letter can help.
"""


class Security(StrEnum):
    """How the connection is encrypted: upgraded at once, from the start, or not at all."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"

    @property
    def usual_port(self) -> int:
        """The port that mail servers use for it (RFC 6409, RFC 8314)."""
        return {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where letters go. `timeout_s` is for one letter in all, with the connection it may need."""

    host: str
    port: int
    security: Security = Security.STARTTLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_s: float = 15.0


@dataclass(slots=True)
class _Line:
    """A connection, and how many letters went through it."""

    client: SMTP
    letters: int = 0
    closing: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Posting:
    """A letter on its way. `is_told` once the server may have its text."""

    message: EmailMessage
    recipient: str
    is_told: bool = False


@dataclass(slots=True)
class _Rest:
    """Leaving a server alone that takes nobody's letters, for longer each time it does not."""

    failures: int = 0
    until: float = 0.0
    why: str = ""

    def refuse_during(self) -> None:
        if asyncio.get_running_loop().time() < self.until:
            raise MailServerUnavailable(self.why)

    def begun(self, why: str) -> MailServerUnavailable:
        """A rest from now on, unless there is one; what to tell whoever wanted to send."""
        now = asyncio.get_running_loop().time()
        if now >= self.until:
            self.until = now + min(LONGEST_REST_S, 2.0 ** min(self.failures, 10))
            self.failures += 1
            self.why = why
        return MailServerUnavailable(why)

    def end(self) -> None:
        self.failures, self.until = 0, 0.0


class SmtpMailer:
    """Sends letters through a mail server. Get one from `opened_mailer`."""

    def __init__(
        self, server: MailServer, sender: str, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self._server = server
        self._sender = sender
        self._tls = tls
        self._slots = asyncio.Semaphore(CONNECTIONS_MAX)
        self._idle: list[_Line] = []
        self._rest = _Rest()

    async def send(self, letter: Letter) -> None:
        """Hand a letter over; when this returns, the server has said that it took it.

        A server that just took nobody's letters is not asked at all.
        """
        message = compose(letter, self._sender)
        posting = _Posting(message, address_of(letter).addr_spec)
        self._rest.refuse_during()
        try:
            async with asyncio.timeout(self._server.timeout_s), self._slots:
                self._rest.refuse_during()  # it may have begun while this letter waited
                await self._deliver(posting)
        except TimeoutError as error:
            problem = f"the mail server did not answer within {self._server.timeout_s:g} s"
            if posting.is_told:
                raise MailUndelivered(f"{problem}; it may have taken the letter") from error
            raise self._rest.begun(problem) from error
        except MailServerUnavailable as error:
            raise self._rest.begun(str(error)) from error
        self._rest.end()

    async def close(self) -> None:
        """Take leave of the server, politely where it listens."""
        lines, self._idle = self._idle, []
        for line in lines:
            if line.closing is not None:
                line.closing.cancel()
            with suppress(SMTPException, OSError, TimeoutError):
                await line.client.quit(timeout=_LEAVE_S)
            line.client.close()

    async def _deliver(self, posting: _Posting) -> None:
        while (kept := self._kept()) is not None:
            try:
                await self._hand_over(kept, posting)
            except _WentAwayUnheard:
                continue  # it had been idle for too long for the server's taste
            return
        line = _Line(await self._connected())
        try:
            await self._hand_over(line, posting)
        except _WentAwayUnheard as error:
            raise MailServerUnavailable(f"the mail server went away: {error}") from error

    def _kept(self) -> _Line | None:
        """A connection that was kept, alive as far as anybody knows."""
        while self._idle:
            line = self._idle.pop()
            if line.closing is not None:
                line.closing.cancel()
            if line.client.is_connected:
                return line
        return None

    def _keep(self, line: _Line) -> None:
        if line.letters >= LETTERS_PER_CONNECTION:
            line.client.close()
            return
        self._idle.append(line)
        line.closing = asyncio.get_running_loop().call_later(IDLE_S, self._let_go, line)

    def _let_go(self, line: _Line) -> None:
        if line in self._idle:
            self._idle.remove(line)
        line.client.close()

    async def _connected(self) -> SMTP:
        """A new connection, encrypted and signed in as the operator wants it, or none."""
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=domain_of(self._sender),
            timeout=server.timeout_s,
            use_tls=server.security is Security.TLS,
            start_tls=server.security is Security.STARTTLS,
            username=server.username,
            password=server.password,
            tls_context=self._trust(),
        )
        try:
            await client.connect()
            await _introduced(client)
        except SMTPResponseException as error:
            raise MailServerUnavailable(_said("the mail server turned us away", error)) from error
        except (SMTPException, OSError) as error:
            raise MailServerUnavailable(_short(f"no mail server: {error}")) from error
        return client

    def _trust(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    async def _hand_over(self, line: _Line, posting: _Posting) -> None:
        """One letter through one connection, which is kept only when all went well."""
        done = False
        try:
            await _transact(line.client, self._envelope_sender(posting.message), posting)
            done = True
        finally:
            if done:
                line.letters += 1
                self._keep(line)
            else:
                line.client.close()

    def _envelope_sender(self, message: EmailMessage) -> str:
        address = message["From"].addresses[0]
        return f"{address.username}@{domain_of(self._sender)}"


class _WentAwayUnheard(Exception):
    """The connection was gone before the server had heard of the letter."""


@asynccontextmanager
async def opened_mailer(
    server: MailServer, sender: str, *, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[SmtpMailer, None]:
    """A mailer for the server, which is taken leave of at the end. `tls` says whom to trust;
    None trusts whom the machine trusts.
    """
    mailer = SmtpMailer(server, sender, tls=tls)
    try:
        yield mailer
    finally:
        await mailer.close()


async def _introduced(client: SMTP) -> None:
    """Say hello, where encrypting and signing in did not, to learn what the server can do."""
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except SMTPHeloError:
            await client.helo()


async def _transact(client: SMTP, sender: str, posting: _Posting) -> None:
    content = posting.message.as_bytes()
    utf8 = not posting.recipient.isascii()
    encoding = "utf-8" if utf8 else "ascii"
    await _announce(client, sender, len(content), utf8=utf8)
    try:
        await client.rcpt(posting.recipient, encoding=encoding)
        posting.is_told = True
        await client.data(content)
    except SMTPRecipientRefused as error:
        ours = error.code in _AUTHENTICATION or error.message.lstrip().startswith(_NOT_ALLOWED)
        raise MailUndelivered(
            _said("the mail server refused the recipient", error),
            for_good=error.code in _PERMANENT and not ours,
        ) from error
    except SMTPDataError as error:
        raise MailUndelivered(
            _said("the mail server refused the letter", error),
            for_good=error.code in _PERMANENT and error.code not in _AUTHENTICATION,
        ) from error
    except (SMTPException, OSError) as error:
        problem = f"the mail server did not say whether it took the letter: {error}"
        raise MailUndelivered(_short(problem)) from error


async def _announce(client: SMTP, sender: str, size: int, *, utf8: bool) -> None:
    """The first command of a letter, with what the server has to know of it beforehand."""
    if utf8 and not client.supports_extension("smtputf8"):
        problem = "the mail server takes only addresses of ASCII (it has no SMTPUTF8)"
        raise MailUndelivered(problem, for_good=True)
    options = ["SMTPUTF8"] if utf8 else []
    if client.supports_extension("size"):
        most = client.esmtp_extensions.get("size", "")
        if most.isdigit() and 0 < int(most) < size:
            problem = f"the letter has {size} bytes, and the mail server takes {most}"
            raise MailUndelivered(problem, for_good=True)
        options.append(f"SIZE={size}")
    try:
        await client.mail(sender, options=options, encoding="utf-8" if utf8 else "ascii")
    except SMTPSenderRefused as error:
        if error.code == _CLOSING:
            raise _WentAwayUnheard(_said("it is closing", error)) from error
        if error.code == _TOO_BIG:
            problem = _said("the mail server refused the letter", error)
            raise MailUndelivered(problem, for_good=True) from error
        problem = _said("the mail server refused the sender", error)
        raise MailServerUnavailable(problem) from error
    except (SMTPException, OSError) as error:
        raise _WentAwayUnheard(_short(str(error))) from error


def _said(what: str, error: SMTPResponseException) -> str:
    return _short(f"{what}: {error.code} {error.message}")


def _short(problem: str) -> str:
    return in_one_line(problem)[:_PROBLEM_CHARS_MAX]
