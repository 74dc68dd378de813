"""Write to a customer, and see to it that the letter arrives.

The letter is written in the transaction of its cause, once per cause. It is handed over right
after the commit, and in the background for as long as the mail server does not take it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from openorders.domain.change import By
from openorders.domain.order import Order
from openorders.domain.store_settings import Store
from openorders.gateways.mail import Letter, MailUndelivered, in_one_line
from openorders.store import mails
from openorders.store.database import Connection
from openorders.store.mails import Mail, NewMail
from openorders.usecases import letters
from openorders.usecases.context import Services

LEASE: Final = timedelta(seconds=60)
"""How long a mail belongs to the process that took it."""

WAITS: Final = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 300, 600, 840, 1200, 1440)
)
"""How long to wait after each failure, about three days in all; then the mail is given up."""

SWEEP_LIMIT: Final = 20
"""How many mails one sweep hands over."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Whether the mail server has taken the letter, and when that was found out."""

    sent: bool
    at: datetime
    method: str = "email"


async def write(tx: Connection, store: Store, order: Order, by: By) -> int | None:
    """Write to the customer where the order stands. None: there is no address to write to.

    The same version of an order is never written about twice: the earlier mail is returned.
    """
    if not order.customer.email:
        return None
    wording = letters.about(order, store)
    mail = NewMail(
        order_id=order.id,
        template=order.word.value,
        cause=f"version {order.version}",
        recipient=order.customer.email,
        subject=in_one_line(wording.subject),
        body_text=wording.text,
        body_html=wording.html,
    )
    return await mails.write(tx, store.id, mail, by.at)


async def hand_over(services: Services, store: Store, mail_id: int | None) -> Notification:
    """Hand a letter over now, and say whether it was taken. One that was sent stays sent."""
    now = services.clock()
    if mail_id is None:
        return Notification(sent=False, at=now)
    async with services.database.connection() as connection:
        mail = await mails.claim(connection, store.id, mail_id, now, again=now + LEASE)
        sent_at = None if mail else await mails.when_sent(connection, store.id, mail_id)
    if mail is None:
        return Notification(sent=sent_at is not None, at=sent_at or now)
    return Notification(sent=await _send(services, mail), at=services.clock())


async def sweep_mails(services: Services) -> int:
    """Hand over letters that are still here, of any store. Returns how many were tried."""
    now = services.clock()
    async with services.database.connection() as connection:
        due = await mails.claim_due(connection, now, again=now + LEASE, limit=SWEEP_LIMIT)
    for mail in due:
        await _send(services, mail)
    return len(due)


async def _send(services: Services, mail: Mail) -> bool:
    letter = Letter(
        id=f"order-{mail.store_id}-{mail.order_id}-{mail.id}",
        recipient=mail.recipient,
        subject=mail.subject,
        text=mail.body_text,
        html=mail.body_html,
        at=mail.created_at,
    )
    try:
        await services.mailer.send(letter)
    except MailUndelivered as error:
        await _not_sent(services, mail, str(error), for_good=error.for_good)
        return False
    except Exception as error:  # noqa: BLE001 - one letter that cannot be sent holds up no other
        _log.exception("mailer_failed", mail=mail.id)
        await _not_sent(services, mail, repr(error), for_good=False)
        return False
    async with services.database.connection() as connection:
        await mails.sent(connection, mail, services.clock())
    return True


async def _not_sent(services: Services, mail: Mail, failure: str, *, for_good: bool) -> None:
    now = services.clock()
    given_up = for_good or mail.tries > len(WAITS)
    wait = WAITS[min(mail.tries, len(WAITS)) - 1]
    _log.warning("mail_not_sent", mail=mail.id, tries=mail.tries, given_up=given_up)
    async with services.database.connection() as connection:
        await mails.failed(
            connection,
            mail,
            failure[:500],
            due_at=now + wait,
            given_up_at=now if given_up else None,
        )
