"""Mail on its way out: a letter, the message it becomes, and who carries it.

Knows nothing of orders. A letter's texts can hold anything: they cannot break out into headers,
since line breaks never reach one and the message is built by the standard library.
"""

import asyncio
import os
import re
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

ADDRESS_CHARS_MAX: Final = 254
"""The longest address that a mail server has to take (RFC 5321, with its brackets 256)."""

_LOCAL_PART_BYTES_MAX: Final = 64
_NAME_CHARS_MAX: Final = 100
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029\ud800-\udfff]+")
_SPECIAL: Final = re.compile(r'[\s"(),:;<>@\[\\\]]+')
"""What means something in an address. A name that keeps none of it cannot be misread."""


class MailUndelivered(Exception):
    """The mail server did not take it, or it is not known that it did. `for_good` when trying
    again cannot help.
    """

    def __init__(self, problem: str, *, for_good: bool = False) -> None:
        super().__init__(problem)
        self.for_good = for_good


class MailServerUnavailable(MailUndelivered):
    """No letter of anybody can be handed over right now: it is not about this one."""


class Letter(Struct, frozen=True, kw_only=True):
    """One mail to one person. `id` is the same however often it is handed over."""

    id: str
    recipient: str
    subject: str
    text: str
    html: str
    at: datetime
    recipient_name: str | None = None


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
            problem = f"cannot write to the mail folder: {error}"
            raise MailServerUnavailable(problem) from error

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self._folder / f".{name}.part"
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._folder / f"{name}.eml")


def compose(letter: Letter, sender: str) -> EmailMessage:
    """The letter as a message: text first, HTML beside it, all of it in ASCII lines of at most 78
    characters. Only an address that is not ASCII before its @ makes the headers UTF-8.

    Raises `MailUndelivered` for good when the recipient is no mail address.
    """
    recipient = address_of(letter)
    message = EmailMessage(policy=SMTP if recipient.addr_spec.isascii() else SMTPUTF8)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = in_one_line(letter.subject)
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.id}@{domain_of(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_lines(letter.text), cte="quoted-printable")
    message.add_alternative(_lines(letter.html), subtype="html", cte="quoted-printable")
    return message


def address_of(letter: Letter) -> Address:
    """Whom the letter is for. Raises `MailUndelivered` for good when that is no mail address."""
    try:
        return _address(letter.recipient, letter.recipient_name)
    except (MessageError, ValueError, IndexError) as error:
        raise MailUndelivered(f"not a mail address: {error}", for_good=True) from error


def in_one_line(text: str) -> str:
    """The text without line breaks and control characters, fit for a header."""
    return _BREAKS.sub(" ", text).strip()


def domain_of(sender: str) -> str:
    """The part of a sender behind its @, as the mail system writes it."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    return domain.encode("idna").decode("ascii") if domain else "localhost"


def _address(written: str, name: str | None) -> Address:
    """The standard library checks ASCII alone, so what is not stands for a letter meanwhile."""
    local, at, domain = written.rpartition("@")
    domain = domain.encode("idna").decode("ascii")
    plain = "".join(char if char.isascii() else "x" for char in local)
    checked = Address(addr_spec=f"{plain}{at}{domain}")
    if len(local.encode()) > _LOCAL_PART_BYTES_MAX or len(written) > ADDRESS_CHARS_MAX:
        raise ValueError("it is too long")
    if not checked.domain or not local.isprintable() or " " in local:
        raise ValueError("a part is missing, or cannot be")
    shown = _SPECIAL.sub(" ", in_one_line(name or ""))[:_NAME_CHARS_MAX].strip()
    if local.isascii():
        return Address(display_name=shown, username=checked.username, domain=checked.domain)
    return Address(display_name=shown, username=local, domain=domain)


def _lines(text: str) -> str:
    """One kind of line break, whoever wrote the text."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
