"""Mail on its way out: a letter, and who carries it.

Knows nothing of orders. A letter's texts can hold anything: they cannot break out into headers,
since line breaks never reach one and the message is built by the standard library.
"""

import asyncio
import os
import re
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final, Protocol

_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")


class MailUndelivered(Exception):
    """The mail server did not take it. `for_good` when trying again cannot help."""

    def __init__(self, problem: str, *, for_good: bool = False) -> None:
        super().__init__(problem)
        self.for_good = for_good


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail to one person. `id` is the same however often it is handed over."""

    id: str
    recipient: str
    subject: str
    text: str
    html: str
    at: datetime


class Mailer(Protocol):
    """Takes letters and answers for them from then on."""

    async def send(self, letter: Letter) -> None:
        """Hand a letter over. Raises `MailUndelivered`."""
        ...


class FolderMailer:
    """Writes every letter into a folder as an `.eml` file that any mail client opens."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, letter: Letter) -> None:
        """Write the letter; the same letter again replaces its own file."""
        message = compose(letter, self._sender)
        try:
            await asyncio.to_thread(self._write, letter.id, message.as_bytes())
        except OSError as error:
            raise MailUndelivered(f"cannot write to the mail folder: {error}") from error

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self._folder / f".{name}.part"
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._folder / f"{name}.eml")


def compose(letter: Letter, sender: str) -> EmailMessage:
    """The letter as a message: text first, HTML beside it.

    Raises `MailUndelivered` for good when the recipient is no mail address.
    """
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = sender
        message["To"] = Address(addr_spec=_in_ascii(letter.recipient))
        message["Subject"] = in_one_line(letter.subject)
    except (MessageError, ValueError, IndexError) as error:
        raise MailUndelivered(f"not a mail address: {error}", for_good=True) from error
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.id}@{_domain(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


def in_one_line(text: str) -> str:
    """The text without line breaks and control characters, fit for a header."""
    return _BREAKS.sub(" ", text).strip()


def _in_ascii(address: str) -> str:
    """The address with its domain as the mail system writes it; a name in front of it that is
    not ASCII stays, and is refused by who builds the header.
    """
    name, at, domain = address.rpartition("@")
    return f"{name}{at}{domain.encode('idna').decode('ascii')}"


def _domain(sender: str) -> str:
    return sender.rstrip("> ").rpartition("@")[2] or "localhost"
