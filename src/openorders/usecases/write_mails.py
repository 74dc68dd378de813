"""Write to customers by ourselves about what a store wants them to know.

The store's feed of events is followed with a cursor of its own. Letters are written in the
transaction that moves the cursor, so each event has its letter once, however many processes
follow and whenever one dies. Nothing is sent here.
"""

from datetime import datetime
from typing import Final

import msgspec

from openorders import logs
from openorders.domain.ids import StoreId
from openorders.domain.mails import CAUSES, Template
from openorders.domain.order import Order, Word
from openorders.domain.store_settings import Store
from openorders.store import mails, stores
from openorders.store.database import Connection
from openorders.store.mails import NextEvent
from openorders.usecases import send_mail
from openorders.usecases.context import Services
from openorders.usecases.news import News
from openorders.usecases.pay_page import pay_path

EVENTS_LIMIT: Final = 50
"""How many events of a store are looked at in one transaction."""

_STORES_LIMIT: Final = 20
_order: Final = msgspec.json.Decoder(Order)

_log = logs.Logger(__name__)


async def write_mails(services: Services) -> int:
    """Write what the next events of a few stores cause. Returns how many events of one store
    were looked at, the most of all of them: `EVENTS_LIMIT` when there may be more. What goes wrong
    with one store is raised when the others have had their turn.
    """
    async with services.database.connection() as connection:
        behind = await mails.stores_behind(connection, _STORES_LIMIT)
    looked_at = 0
    fault: Exception | None = None
    for store_id in behind:
        try:
            looked_at = max(looked_at, await _follow(services, store_id))
        except Exception as error:  # noqa: BLE001 - one store's trouble must not silence the others
            _log.exception("mails_not_written", store_id=store_id)
            fault = error
    if fault is not None:
        raise fault
    return looked_at


async def _follow(services: Services, store_id: StoreId) -> int:
    now = services.clock()
    async with services.database.transaction() as tx:
        cursor = await mails.take_cursor(tx, store_id)
        store = await stores.read(tx, store_id) if cursor else None
        if cursor is None or store is None:
            return 0
        wanted = [event for event, template in CAUSES.items() if _wants(store, template)]
        events = await mails.next_events(tx, store_id, cursor, wanted, EVENTS_LIMIT)
        if not events:
            return 0
        written = [await _write(tx, services, store, event, now) for event in events]
        await mails.move_cursor(tx, store_id, events[-1].position)
        if any(written):
            await mails.announce(tx)
    return len(events)


def _wants(store: Store, template: Template) -> bool:
    return template in store.policy.mails.events


async def _write(
    tx: Connection, services: Services, store: Store, event: NextEvent, now: datetime
) -> bool:
    """Write the letter that an event causes, if it causes one."""
    if event.type is None or event.payload is None:
        return False
    try:
        order = _order.decode(event.payload)
    except msgspec.MsgspecError as error:
        # One event that cannot be read must not silence the store for good.
        _log.exception("event_unreadable", store=store.name, position=event.position, error=error)
        return False
    news = await _news(tx, services, store, order, event)
    if news is None:
        return False
    return await send_mail.write_about(tx, store, order, news, now=now, due_at=now) is not None


async def _news(
    tx: Connection, services: Services, store: Store, order: Order, event: NextEvent
) -> News | None:
    assert event.type is not None
    assert event.at is not None
    template = CAUSES[event.type]
    match template:
        case Template.PLACED:
            return News(template=template, pay_url=_pay_url(services, store, order))
        case Template.PAID:
            if await mails.has_been_told(tx, store.id, order.id, template):
                return None
            return News(template=template)
        case Template.REFUNDED:
            given = await mails.given_back_at(tx, store.id, order.id, event.at)
            return News(
                template=template, given_back=given.amount or None, refund_id=given.refund_id
            )
        case _:
            return News(template=template)


def _pay_url(services: Services, store: Store, order: Order) -> str | None:
    path = pay_path(store.id, order)
    if order.word is not Word.PAYMENT_PENDING or services.public_url is None or path is None:
        return None
    return f"{services.public_url}{path}"
