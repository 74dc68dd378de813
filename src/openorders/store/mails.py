"""Mails to customers: written with what caused them, sent later, once per cause."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from asyncpg import Record

from openorders.domain.ids import OrderId, StoreId
from openorders.store import queries
from openorders.store.database import Connection

FIRST_SWEEP_AFTER: Final = timedelta(seconds=30)
"""A mail is left to whoever wrote it for so long, then the background takes it."""

_Q = queries.load("mails")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMail:
    """A mail as it was worded. `template` and `cause` make it one of a kind for its order."""

    order_id: OrderId
    template: str
    cause: str
    recipient: str
    subject: str
    body_text: str
    body_html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail in our hands to be handed over; `tries` counts this one too."""

    id: int
    store_id: StoreId
    order_id: OrderId
    recipient: str
    subject: str
    body_text: str
    body_html: str
    tries: int
    created_at: datetime


async def write(connection: Connection, store_id: StoreId, mail: NewMail, now: datetime) -> int:
    """Write a mail; the same cause again gives the mail that is there."""
    return await _Q.write_mail.fetchval(
        connection,
        store_id=store_id,
        order_id=mail.order_id,
        template=mail.template,
        cause=mail.cause,
        recipient=mail.recipient,
        subject=mail.subject,
        body_text=mail.body_text,
        body_html=mail.body_html,
        due_at=now + FIRST_SWEEP_AFTER,
        now=now,
    )


async def claim(
    connection: Connection, store_id: StoreId, mail_id: int, now: datetime, *, again: datetime
) -> Mail | None:
    """Take one mail to hand it over. None: it is not ours to send now."""
    row = await _Q.claim_mail.fetchrow(
        connection, store_id=store_id, id=mail_id, now=now, again=again
    )
    return None if row is None else _mail_of(row)


async def claim_due(
    connection: Connection, now: datetime, *, again: datetime, limit: int
) -> tuple[Mail, ...]:
    """Take mails of any store whose time has come; they are ours until `again`."""
    rows = await _Q.claim_due_mails.fetch(connection, now=now, again=again, limit=limit)
    return tuple(_mail_of(row) for row in rows)


async def sent(connection: Connection, mail: Mail, now: datetime) -> None:
    """The mail server took it."""
    await _Q.mail_sent.execute(connection, store_id=mail.store_id, id=mail.id, now=now)


async def failed(
    connection: Connection,
    mail: Mail,
    failure: str,
    *,
    due_at: datetime,
    given_up_at: datetime | None,
) -> None:
    """The mail server did not take it."""
    await _Q.mail_failed.execute(
        connection,
        store_id=mail.store_id,
        id=mail.id,
        failure=failure,
        due_at=due_at,
        given_up_at=given_up_at,
    )


async def when_sent(connection: Connection, store_id: StoreId, mail_id: int) -> datetime | None:
    """When the mail server took it; None when it has not."""
    return await _Q.when_sent.fetchval(connection, store_id=store_id, id=mail_id)


def _mail_of(row: Record) -> Mail:
    return Mail(**dict(row))
