"""Mails to customers: written with what caused them, sent later, once per cause."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from asyncpg import Record
from msgspec import Struct

from openorders.domain.events import EventType
from openorders.domain.ids import CustomerId, OperationId, OrderId, RefundId, StoreId
from openorders.store import queries
from openorders.store.database import Connection

WRITTEN: Final = "openorders_mails"
"""The channel on which it is announced that there are mails to hand over."""

FIRST_SWEEP_AFTER: Final = timedelta(seconds=30)
"""A mail is left to whoever wrote it for so long, then the background takes it."""

_Q = queries.load("mails")


class Reader(Struct, frozen=True, kw_only=True):
    """Whom a mail would reach, and in which language; None where the store does not know."""

    name: str | None
    email: str | None
    language: str | None


class NewMail(Struct, frozen=True, kw_only=True):
    """A mail as it was worded. `template` and `cause` make it one of a kind for its order."""

    order_id: OrderId
    template: str
    cause: str
    recipient: str
    recipient_name: str | None
    language: str
    subject: str
    body_text: str
    body_html: str
    template_failure: str | None = None


class Mail(Struct, frozen=True, kw_only=True):
    """A mail in our hands to be handed over; `tries` counts this one too."""

    id: int
    store_id: StoreId
    order_id: OrderId
    recipient: str
    recipient_name: str | None
    subject: str
    body_text: str
    body_html: str
    tries: int
    created_at: datetime


class Fate(Struct, frozen=True, kw_only=True):
    """What has become of a mail. `is_held`: somebody is handing it over right now."""

    sent_at: datetime | None
    is_held: bool


class Cursor(Struct, frozen=True, kw_only=True):
    """How far a store's mails are written. Events with ids up to `past` cause none."""

    position: int
    past: int


class GivenBack(Struct, frozen=True, kw_only=True):
    """Money that went back at one time, in minor units, and for which refund."""

    amount: int
    refund_id: RefundId | None


class NextEvent(Struct, frozen=True, kw_only=True):
    """An event to look at; `payload` (the order as it was) only where it may cause a mail."""

    position: int
    type: EventType | None
    version: int | None
    payload: bytes | None
    at: datetime | None


async def read_reader(
    connection: Connection, store_id: StoreId, customer_id: CustomerId
) -> Reader | None:
    """The customer as a reader of mail."""
    row = await _Q.read_reader.fetchrow(connection, store_id=store_id, customer_id=customer_id)
    return None if row is None else Reader(**dict(row))


async def write(
    connection: Connection, store_id: StoreId, mail: NewMail, now: datetime, *, due_at: datetime
) -> int:
    """Write a mail; the same cause again gives the mail that is there."""
    return await _Q.write_mail.fetchval(
        connection,
        store_id=store_id,
        order_id=mail.order_id,
        template=mail.template,
        cause=mail.cause,
        recipient=mail.recipient,
        recipient_name=mail.recipient_name,
        language=mail.language,
        subject=mail.subject,
        body_text=mail.body_text,
        body_html=mail.body_html,
        template_failure=mail.template_failure,
        due_at=due_at,
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


async def claim_due(connection: Connection, now: datetime, *, again: datetime) -> Mail | None:
    """Take a mail of any store whose time has come; it is ours until `again`."""
    row = await _Q.claim_due_mail.fetchrow(connection, now=now, again=again)
    return None if row is None else _mail_of(row)


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
    counts: bool,
) -> None:
    """The mail server did not take it. A try `counts` when it was about this mail."""
    await _Q.mail_failed.execute(
        connection,
        store_id=mail.store_id,
        id=mail.id,
        failure=failure,
        due_at=due_at,
        given_up_at=given_up_at,
        counts=counts,
    )


async def fate(connection: Connection, store_id: StoreId, mail_id: int, now: datetime) -> Fate:
    """What has become of a mail; of one that is not this store's, nothing."""
    row = await _Q.read_fate.fetchrow(connection, store_id=store_id, id=mail_id, now=now)
    return Fate(sent_at=None, is_held=False) if row is None else Fate(**dict(row))


async def has_been_told(
    connection: Connection, store_id: StoreId, order_id: OrderId, template: str
) -> bool:
    """Whether a mail of this template was written about the order."""
    return await _Q.has_been_told.fetchval(
        connection, store_id=store_id, order_id=order_id, template=template
    )


async def given_back_at(
    connection: Connection, store_id: StoreId, order_id: OrderId, at: datetime
) -> GivenBack:
    """What of the order's money was given back at this very time."""
    row = await _Q.given_back_at.fetchrow(connection, store_id=store_id, order_id=order_id, at=at)
    assert row is not None, "a sum is always there"
    return GivenBack(**dict(row))


async def promise(
    connection: Connection, store_id: StoreId, operation_ids: Sequence[OperationId]
) -> None:
    """Note that the customer is to be written to when one of these refunds is done."""
    await _Q.promise_mails.execute(connection, store_id=store_id, operation_ids=list(operation_ids))


async def is_promised(connection: Connection, store_id: StoreId, operation_id: OperationId) -> bool:
    """Whether a mail about this refund is still to be written."""
    return await _Q.is_promised.fetchval(connection, store_id=store_id, operation_id=operation_id)


async def keep_promise(
    connection: Connection, store_id: StoreId, operation_id: OperationId, mail_id: int
) -> None:
    """This is the mail that was asked for with the refund."""
    await _Q.keep_promise.execute(
        connection, store_id=store_id, operation_id=operation_id, mail_id=mail_id
    )


async def promised(
    connection: Connection, store_id: StoreId, operation_ids: Sequence[OperationId]
) -> int | None:
    """The mail that was written for these refunds, the latest of several."""
    return await _Q.promised_mail.fetchval(
        connection, store_id=store_id, operation_ids=list(operation_ids)
    )


async def announce(connection: Connection) -> None:
    """Wake those who hand mails over, at commit."""
    await _Q.announce.execute(connection)


async def follow(connection: Connection, store_id: StoreId, *, anew: bool = False) -> None:
    """From now on the store's events cause mails; `anew` counts also what it was already
    following, and has not been written about, as the past.
    """
    await _Q.follow.execute(connection, store_id=store_id, anew=anew)


async def stop_following(connection: Connection, store_id: StoreId) -> None:
    """The store's events cause no mails any more."""
    await _Q.stop_following.execute(connection, store_id=store_id)


async def stores_behind(connection: Connection, limit: int) -> tuple[StoreId, ...]:
    """Stores with events that were not looked at."""
    rows = await _Q.stores_behind.fetch(connection, limit=limit)
    return tuple(StoreId(row["store_id"]) for row in rows)


async def take_cursor(connection: Connection, store_id: StoreId) -> Cursor | None:
    """The store's cursor, to be moved in this transaction. None: somebody else is at it."""
    row = await _Q.take_cursor.fetchrow(connection, store_id=store_id)
    return None if row is None else Cursor(**dict(row))


async def next_events(
    connection: Connection,
    store_id: StoreId,
    cursor: Cursor,
    types: Sequence[EventType],
    limit: int,
) -> tuple[NextEvent, ...]:
    """The store's events behind the cursor, in their order; contents only of these types."""
    rows = await _Q.next_events.fetch(
        connection,
        store_id=store_id,
        after=cursor.position,
        past=cursor.past,
        types=[one.value for one in types],
        limit=limit,
    )
    return tuple(
        NextEvent(
            position=row["position"],
            type=None if row["type"] is None else EventType(row["type"]),
            version=row["version"],
            payload=row["payload"],
            at=row["at"],
        )
        for row in rows
    )


async def move_cursor(connection: Connection, store_id: StoreId, position: int) -> None:
    """Everything up to this position is written."""
    await _Q.move_cursor.execute(connection, store_id=store_id, position=position)


async def set_language(
    connection: Connection, store_id: StoreId, customer_id: CustomerId, language: str | None
) -> bool:
    """Write to the customer in this language. False: there is no such customer."""
    done = await _Q.set_language.fetchval(
        connection, store_id=store_id, customer_id=customer_id, language=language
    )
    return done is True


async def learn_language(
    connection: Connection, store_id: StoreId, customer_id: CustomerId, language: str
) -> None:
    """The customer reads this language, unless the store knows better."""
    await _Q.learn_language.execute(
        connection, store_id=store_id, customer_id=customer_id, language=language
    )


async def forget(connection: Connection, before: datetime, *, limit: int) -> int:
    """Empty mails that were written before and are done with. Returns how many."""
    status = await _Q.forget_letters.execute(connection, before=before, limit=limit)
    return int(status.rpartition(" ")[2])


def _mail_of(row: Record) -> Mail:
    return Mail(**dict(row))
