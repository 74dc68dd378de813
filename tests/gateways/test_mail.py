"""Letters become messages that any mail client opens, and that nothing can break out of."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.gateways.mail import FolderMailer, Letter, MailUndelivered, compose

SENDER = "The Shop <shop@example.com>"


def a_letter(**more: Any) -> Letter:
    fields: dict[str, Any] = {
        "id": "order-1-7-1",
        "recipient": "jane@example.com",
        "subject": "Your order",
        "text": "Hello",
        "html": "<p>Hello</p>",
        "at": datetime(2026, 6, 2, 12, tzinfo=UTC),
    }
    return Letter(**{**fields, **more})


def read(path: Path) -> EmailMessage:
    return cast("EmailMessage", message_from_bytes(path.read_bytes(), policy=cast("Any", default)))


def everything_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_a_letter_becomes_a_file_that_a_mail_client_opens(tmp_path: Path) -> None:
    await FolderMailer(tmp_path / "mail", SENDER).send(a_letter(subject="Grüße aus Köln"))
    (path,) = everything_in(tmp_path / "mail")
    mail = read(path)
    assert path.name == "order-1-7-1.eml"
    assert mail["Subject"] == "Grüße aus Köln"
    assert mail["From"] == SENDER
    assert mail["To"] == "jane@example.com"
    assert mail["Date"] == "Tue, 02 Jun 2026 12:00:00 +0000"
    assert mail["Message-ID"] == "<order-1-7-1@example.com>"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().strip() == "Hello"
    assert html.get_content().strip() == "<p>Hello</p>"


async def test_the_same_letter_again_is_the_same_file(tmp_path: Path) -> None:
    mailer = FolderMailer(tmp_path, SENDER)
    await mailer.send(a_letter())
    await mailer.send(a_letter())
    (path,) = everything_in(tmp_path)
    assert path.name == "order-1-7-1.eml"


def test_a_domain_of_any_script_is_written_the_way_of_the_mail_system() -> None:
    mail = compose(a_letter(recipient="jane@köln.example"), SENDER)
    assert mail["To"] == "jane@xn--kln-sna.example"


def test_an_address_in_utf8_makes_the_headers_utf8_and_no_other_does() -> None:
    assert (
        b"To: j\xc3\xa4ne@example.com"
        in compose(a_letter(recipient="jäne@example.com"), SENDER).as_bytes()
    )
    assert compose(a_letter(subject="Grüße", recipient_name="Jäne"), SENDER).as_bytes().isascii()


@given(
    text=st.text(max_size=300),
    name=st.text(max_size=300),
    subject=st.text(max_size=300),
)
def test_whatever_is_said_stays_where_it_belongs(text: str, name: str, subject: str) -> None:
    clean = text.encode("utf-8", "ignore").decode()
    letter = a_letter(text=clean, recipient_name=name, subject=subject)
    raw = compose(letter, SENDER).as_bytes()
    mail = cast("EmailMessage", message_from_bytes(raw, policy=cast("Any", default)))
    assert [one.addr_spec for one in mail["To"].addresses] == ["jane@example.com"]
    assert set(mail.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
        "Content-Type",
    }  # fmt: skip
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    plain = mail.get_body(("plain",))
    assert plain is not None
    said = clean.replace("\r\n", "\n").replace("\r", "\n")
    heard = plain.get_content().replace("\r\n", "\n")
    assert heard.removesuffix("\n") == said.removesuffix("\n")


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\x00", "\x0b", "\u2028", "\x85"])
def test_a_subject_cannot_add_a_header(line_break: str) -> None:
    mail = compose(a_letter(subject=f"Hello{line_break}Bcc: eve@example.com"), SENDER)
    assert mail["Subject"] == "Hello Bcc: eve@example.com"
    assert mail["Bcc"] is None


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "jane",
        "@example.com",
        "jane@",
        "jane@example.com, eve@example.com",
        "jane@example.com\r\nBcc: eve@example.com",
        "jane@example.com\nBcc: eve@example.com",
        "Jane <jane@example.com>",
        "jane@exam ple.com",
        "jä ne@example.com",
        "jä\r\nBcc: eve@example.com",
        "<jäne>@example.com",
        "ä" * 33 + "@example.com",
        "jane@" + "x" * 100 + ".com",
    ],
)
def test_what_is_no_address_gets_no_mail(recipient: str) -> None:
    with pytest.raises(MailUndelivered) as undelivered:
        compose(a_letter(recipient=recipient), SENDER)
    assert undelivered.value.for_good


async def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    in_the_way = tmp_path / "mail"
    in_the_way.write_text("a file")
    with pytest.raises(MailUndelivered) as undelivered:
        await FolderMailer(in_the_way, SENDER).send(a_letter())
    assert not undelivered.value.for_good
