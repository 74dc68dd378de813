"""Write to a customer, and see to it that the letter arrives.

The letter is written in the transaction of its cause, once per cause. It is handed over right
after the commit, and in the background for as long as the mail server does not take it. No
transaction is open while a mail server is asked.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from openorders import logs
from openorders.domain.change import By
from openorders.domain.ids import OperationId, StoreId
from openorders.domain.mails import Template, template_of
from openorders.domain.order import Order
from openorders.domain.store_settings import Store
from openorders.gateways.mail import (
    Letter,
    MailServerUnavailable,
    MailUndelivered,
    in_one_line,
)
from openorders.store import mails
from openorders.store.database import Connection
from openorders.store.mails import Mail, NewMail
from openorders.store.payments import StoredOperation
from openorders.usecases.context import Services
from openorders.usecases.news import News

MAILS_WRITTEN: Final = mails.WRITTEN
"""The channel on which it is announced that there are letters to hand over."""

LEASE: Final = timedelta(seconds=60)
"""How long a mail belongs to the process that took it: longer than a mail server may take (25 s)
with the waits for a connection before it and after it, and what two clocks differ by.
"""

WAITS: Final = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 300, 600, 840, 1200, 1440)
)
"""How long to wait after each failure, about three days in all; then the mail is given up."""

SERVER_WAIT: Final = timedelta(minutes=1)
"""How long to wait for a server that takes nobody's letters."""

OLDEST: Final = sum(WAITS, start=timedelta())
"""How long a letter waits for such a server before it is given up."""

SWEEP_LIMIT: Final = 20
"""How many mails one sweep hands over, `_ABREAST` of them at a time."""

_ABREAST: Final = 2
_SWEEP_S: Final = 5.0
"""A sweep takes no further letter after this time, so that a process can stop soon."""

_SUBJECT_CHARS_MAX: Final = 250
_LOOK_AGAIN_S: Final = 0.25
_LOOKS: Final = 120
"""So often is looked whether another one, who has the mail, is done: longer than sending takes."""

_log = logs.Logger(__name__)


class Notification(Struct, frozen=True, kw_only=True):
    """Whether the mail server has taken the letter, and when that was found out."""

    sent: bool
    at: datetime
    method: str = "email"


async def write(tx: Connection, store: Store, order: Order, by: By) -> int | None:
    """Write to the customer where the order stands. None: there is no address to write to.

    The same version of an order is never written about twice: the earlier mail is returned.
    """
    due_at = by.at + mails.FIRST_SWEEP_AFTER
    news = News(template=template_of(order.word))
    return await write_about(tx, store, order, news, now=by.at, due_at=due_at)


async def write_about(
    tx: Connection, store: Store, order: Order, news: News, *, now: datetime, due_at: datetime
) -> int | None:
    """Write a letter to where the customer reads mail now, in the language they read. The
    background takes it from `due_at` on. None: there is no address.
    """
    reader = await mails.read_reader(tx, store.id, order.customer.id)
    if reader is None or not reader.email:
        return None
    # Here, since loading words and templates takes longer than a start can spare.
    from openorders.usecases import letters

    wording = letters.about(order, store, news.to(reader.language))
    if wording.template_failure is not None:
        _log.warning("own_template_failed", store=store.name, failure=wording.template_failure)
    mail = NewMail(
        order_id=order.id,
        template=news.template.value,
        cause=f"version {order.version}",
        recipient=reader.email,
        recipient_name=reader.name,
        language=wording.language,
        subject=in_one_line(wording.subject)[:_SUBJECT_CHARS_MAX],
        body_text=wording.text,
        body_html=wording.html,
        template_failure=wording.template_failure,
    )
    return await mails.write(tx, store.id, mail, now, due_at=due_at)


async def promise(tx: Connection, store_id: StoreId, operation_ids: Sequence[OperationId]) -> None:
    """Have the customer written to when the money of these refunds is back, not before."""
    await mails.promise(tx, store_id, operation_ids)


async def keep_promise(
    tx: Connection, store: Store, operation: StoredOperation, order: Order, by: By
) -> None:
    """Write the letter that was asked for with a refund, now that it is done: in the transaction
    that says so.
    """
    if not await mails.is_promised(tx, store.id, operation.id):
        return
    news = News(
        template=Template.REFUNDED, given_back=operation.amount, refund_id=operation.refund_id
    )
    due_at = by.at + mails.FIRST_SWEEP_AFTER
    mail_id = await write_about(tx, store, order, news, now=by.at, due_at=due_at)
    if mail_id is not None:
        await mails.keep_promise(tx, store.id, operation.id, mail_id)


async def promised(
    services: Services, store_id: StoreId, operation_ids: Sequence[OperationId]
) -> int | None:
    """The letter about these refunds; None while none of them is done."""
    async with services.database.connection() as connection:
        return await mails.promised(connection, store_id, operation_ids)


async def hand_over(services: Services, store: Store, mail_id: int | None) -> Notification:
    """Hand a letter over now, and say whether it was taken. One that was sent stays sent; one
    that somebody else is handing over is waited for.
    """
    if mail_id is None:
        return Notification(sent=False, at=services.clock())
    for _ in range(_LOOKS):
        now = services.clock()
        async with services.database.connection() as connection:
            mail = await mails.claim(connection, store.id, mail_id, now, again=now + LEASE)
            fate = None if mail else await mails.fate(connection, store.id, mail_id, now)
        if mail is not None:
            sent = await _send(services, mail)
            return Notification(sent=sent is None, at=services.clock())
        if fate is not None and not fate.is_held:
            return Notification(sent=fate.sent_at is not None, at=fate.sent_at or now)
        await asyncio.sleep(_LOOK_AGAIN_S)
    return Notification(sent=False, at=services.clock())


async def sweep_mails(services: Services) -> int:
    """Hand over letters that are still here, of any store. Returns how many were tried, or
    `SWEEP_LIMIT` when time was up before; none when the mail server takes nobody's, since the next
    one would fare no better.
    """
    tried = await asyncio.gather(*(_sweep_some(services) for _ in range(_ABREAST)))
    return 0 if any(count is None for count in tried) else sum(filter(None, tried))


async def _sweep_some(services: Services) -> int | None:
    """One letter at a time, so that none waits in our hands. None: nobody takes any."""
    share = SWEEP_LIMIT // _ABREAST
    clock = asyncio.get_running_loop().time
    enough = clock() + _SWEEP_S
    for tried in range(share):
        if clock() > enough:
            return share
        now = services.clock()
        async with services.database.connection() as connection:
            mail = await mails.claim_due(connection, now, again=now + LEASE)
        if mail is None:
            return tried
        if isinstance(await _send(services, mail), MailServerUnavailable):
            return None
    return share


async def _send(services: Services, mail: Mail) -> Exception | None:
    """Hand a letter over and write down what came of it. None: it was taken."""
    written = int(mail.created_at.timestamp())
    letter = Letter(
        # With its time, so that a database that was begun anew says nothing twice.
        id=f"order-{mail.store_id}-{mail.order_id}-{mail.id}-{written}",
        recipient=mail.recipient,
        recipient_name=mail.recipient_name,
        subject=mail.subject,
        text=mail.body_text,
        html=mail.body_html,
        at=mail.created_at,
    )
    try:
        await services.mailer.send(letter)
    except MailServerUnavailable as error:
        await _not_taken(services, mail, str(error))
        return error
    except MailUndelivered as error:
        await _not_sent(services, mail, str(error), for_good=error.for_good)
        return error
    except Exception as error:  # noqa: BLE001 - one letter that cannot be sent holds up no other
        _log.exception("mailer_failed", mail=mail.id)
        await _not_sent(services, mail, repr(error), for_good=False)
        return error
    async with services.database.connection() as connection:
        await mails.sent(connection, mail, services.clock())
    return None


async def _not_sent(services: Services, mail: Mail, failure: str, *, for_good: bool) -> None:
    """This letter was refused, or it is not known whether it was taken."""
    given_up = for_good or mail.tries > len(WAITS)
    wait = WAITS[min(mail.tries, len(WAITS)) - 1]
    await _failed(services, mail, failure, wait, given_up=given_up, counts=True)


async def _not_taken(services: Services, mail: Mail, failure: str) -> None:
    """Nobody's letter was taken, so it says nothing of this one."""
    given_up = services.clock() - mail.created_at > OLDEST
    await _failed(services, mail, failure, SERVER_WAIT, given_up=given_up, counts=False)


async def _failed(
    services: Services, mail: Mail, failure: str, wait: timedelta, *, given_up: bool, counts: bool
) -> None:
    now = services.clock()
    _log.warning("mail_not_sent", mail=mail.id, tries=mail.tries, given_up=given_up)
    async with services.database.connection() as connection:
        await mails.failed(
            connection,
            mail,
            failure[:500],
            due_at=now + wait,
            given_up_at=now if given_up else None,
            counts=counts,
        )
