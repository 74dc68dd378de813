"""What a person does on the pay page of one order: look at it, pay it, or say no.

The address of the page is the credential: whoever has it may see this one order and pay it,
and nothing else. Where the gateway wants its buyer elsewhere (its own page, their bank), they go
there and come back here, and the gateway is asked how it went.
"""

import asyncio
import hashlib
import hmac
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from msgspec import Struct

from openorders import logs
from openorders.domain import balance
from openorders.domain.access import Caller, Role
from openorders.domain.ids import OperationId, OrderId, StoreId
from openorders.domain.order import Order, PaymentState, Progress
from openorders.domain.payment import AttemptState, Payment
from openorders.domain.refusals import OrderNotFound, Reason, Refused
from openorders.domain.store_settings import GatewaySettings, Store
from openorders.gateways.payments import Declined, UnknownGatewayKind
from openorders.gateways.sandbox_cards import CHOICES
from openorders.store import orders, payments, stores, waiting
from openorders.store.database import Connection
from openorders.usecases import charge_order
from openorders.usecases.answers import Answer, Later, Reply, keep, once
from openorders.usecases.context import Context, Keyed, Services, Unit
from openorders.usecases.give_up_waiting import give_up
from openorders.usecases.pay_order import Paid, Pay, gateway_of, locked_and_owing, pay_order
from openorders.usecases.perform_operations import perform, perform_all
from openorders.usecases.settle_payment import Settled, settle

LOOKED_AT_EVERY: Final = timedelta(seconds=2)
"""How often the gateway is asked about a payment that waits, however often the page is opened."""

LOOK_TIMEOUT_S: Final = 5.0
"""How long a person waits for that; then the page shows what is known."""

_TURNED_DOWN: Final = Declined(code="turned_down", message="You chose not to pay.")
_SANDBOX: Final = "sandbox"

_log = logs.Logger(__name__)


def _done(paid: Paid) -> Answer:
    """Where the person goes next: to the gateway while it waits for them, else back to the page."""
    payment = paid.payment
    if payment.state is AttemptState.PENDING and payment.action_url is not None:
        return Answer(
            status=HTTPStatus.SEE_OTHER, body=b"", headers=(("location", payment.action_url),)
        )
    return _DONE


def _refused(_reason: Reason) -> Answer:
    return _DONE


_DONE: Final = Answer(status=HTTPStatus.NO_CONTENT, body=b"")
_SILENT: Final = Reply(done=_done, refused=_refused)


class PageState(StrEnum):
    """What there is to do on the page."""

    PAYABLE = "payable"
    WAITING = "waiting"
    PAID = "paid"
    CHECKING = "checking"
    ENDED = "ended"


class PayPage(Struct, frozen=True, kw_only=True):
    """An order as its buyer sees it when paying. `owed` is minor units; `cards` are (token,
    label) pairs that the order's gateway offers; `problem` says why the last attempt failed.

    `opens_page` when the gateway has a page of its own, `leads_away` when that is on another site;
    `action_url` is where a payment goes on that was begun and waits.
    """

    store: Store
    order: Order
    state: PageState
    owed: int
    cards: tuple[tuple[str, str], ...]
    problem: str | None
    opens_page: bool = False
    leads_away: bool = False
    action_url: str | None = None


def pay_path(store_id: StoreId, order: Order) -> str | None:
    """Where the order's pay page is, below the server's origin; None when it has none."""
    if order.payment_token is None:
        return None
    return f"/pay/{store_id}/{order.id}/{order.payment_token}"


async def open_pay_page(
    services: Services, store_id: StoreId, order_id: OrderId, token: str
) -> PayPage:
    """The page of an order. Refuses with `OrderNotFound` unless the token is the order's.

    The gateway is asked about a payment that waits, so that who comes back sees the truth.
    """
    store, order, problem = await _read(services, store_id, order_id, token)
    waits = _waiting(order)
    if waits is not None and await _looked(services, store, waits):
        store, order, problem = await _read(services, store_id, order_id, token)
    state = _state(order)
    gateway = store.gateway(order.payment_gateway)
    can_pay = state in (PageState.PAYABLE, PageState.WAITING)
    sandbox = gateway is not None and gateway.kind == _SANDBOX
    opens_page = can_pay and _has_pages(services, store, gateway)
    waits = _waiting(order)
    return PayPage(
        store=store,
        order=order,
        state=state,
        owed=balance.owed(order) if can_pay else 0,
        cards=CHOICES if sandbox and can_pay else (),
        problem=problem if state is PageState.PAYABLE else None,
        opens_page=opens_page,
        leads_away=opens_page and not sandbox,
        action_url=waits.action_url if waits is not None else None,
    )


async def pay_from_page(
    services: Services, page: PayPage, *, card: str | None, nonce: str, return_url: str
) -> str | None:
    """Pay with a card, or with none on the gateway's own page. The same `nonce` again is the same
    click: it never pays twice.

    Answers where the person is to go next, None for the page itself: how it went is on it then.
    What is refused leaves the page as it is.
    """
    ctx = _context(services, page, nonce, f"pay {card}" if card is not None else "open page")
    command = Pay(order_id=page.order.id, token=card, return_url=return_url, page=card is None)
    with suppress(Refused):  # It needs no words here: the page shows how the order stands.
        answer = await pay_order(ctx, command, _SILENT)
        return next((value for name, value in answer.headers if name == "location"), None)
    return None


async def turn_down(services: Services, page: PayPage, *, nonce: str) -> None:
    """Say no: the attempt has failed, the order can still be paid until it expires.

    A payment that waits for its buyer is given up.
    """
    ctx = _context(services, page, nonce, "turn down")

    async def work(unit: Unit) -> Answer | Later:
        attempt = await charge_order.begun(unit.connection, ctx)
        if attempt is not None:
            return _settled_as_no(ctx, attempt.operation_id)
        order, due = await locked_and_owing(unit.connection, ctx, page.order.id)
        by = ctx.by(_TURNED_DOWN.message)
        voids = await give_up(unit.connection, ctx.store_id, order.id, order.payments, by)
        if voids:
            unit.afterwards.append(lambda: perform_all(services, page.store, voids))
            return _DONE
        attempt = await charge_order.record(
            unit.connection,
            ctx,
            order,
            gateway=gateway_of(page.store, order).name,
            token=None,
            method=None,
            amount=due,
        )
        return _settled_as_no(ctx, attempt.operation_id)

    with suppress(Refused):
        await once(ctx, _SILENT, work)


def _settled_as_no(ctx: Context, operation_id: OperationId) -> Later:
    async def within(tx: Connection, _settled: Settled) -> None:
        await keep(tx, ctx, _DONE)

    async def finish() -> Answer:
        await settle(ctx.services, ctx.store, operation_id, _TURNED_DOWN, within=within)
        return _DONE

    return Later(finish)


async def _read(
    services: Services, store_id: StoreId, order_id: OrderId, token: str
) -> tuple[Store, Order, str | None]:
    async with services.database.connection() as connection:
        store = await stores.read(connection, store_id)
        order = await orders.read(connection, store_id, order_id)
        if store is None or order is None or not _is_token_of(order, token):
            raise Refused(OrderNotFound(order_id))
        return store, order, await payments.last_decline(connection, store_id, order_id)


async def _looked(services: Services, store: Store, payment: Payment) -> bool:
    """Ask the gateway how a payment stands that waits; whether anything may be new."""
    now = services.clock()
    async with services.database.connection() as connection:
        before = now - LOOKED_AT_EVERY
        if not await waiting.take_look(connection, store.id, payment.id, now, before=before):
            return False
        operation_id = await waiting.opening_of(connection, store.id, payment.id)
    assert operation_id is not None, "a payment is begun with the call that opens it"
    try:
        async with asyncio.timeout(LOOK_TIMEOUT_S):
            await perform(services, store, operation_id)
    except (Refused, TimeoutError) as error:
        _log.warning("page_shows_what_is_known", payment=payment.id, error=repr(error))
        return False
    return True


def _has_pages(services: Services, store: Store, gateway: GatewaySettings | None) -> bool:
    if gateway is None:
        return False
    try:
        return services.gateways.of(store, gateway.name).has_pages
    except UnknownGatewayKind:
        return False


def _waiting(order: Order) -> Payment | None:
    return next((p for p in order.payments if p.state is AttemptState.PENDING), None)


def _state(order: Order) -> PageState:
    if order.progress is Progress.CANCELLED or order.payment is PaymentState.REFUNDED:
        return PageState.ENDED
    if order.payment in (PaymentState.PAID, PaymentState.AUTHORISED, PaymentState.PART_REFUNDED):
        return PageState.PAID
    if any(payment.state is AttemptState.STARTED for payment in order.payments):
        return PageState.CHECKING
    waits = _waiting(order)
    if waits is not None:
        return PageState.WAITING if waits.action_url is not None else PageState.CHECKING
    return PageState.PAYABLE if balance.owed(order) else PageState.PAID


def _is_token_of(order: Order, token: str) -> bool:
    known = order.payment_token
    return known is not None and hmac.compare_digest(known.encode(), token.encode(errors="replace"))


def _context(services: Services, page: PayPage, nonce: str, request: str) -> Context:
    order = page.order
    caller = Caller(
        store=page.store,
        role=Role.CUSTOMER,
        actor="pay page",
        credential=f"pay page {order.id}",
        contract="pay_page",
        customer_id=order.customer.id,
    )
    place = f"{caller.credential} {page.store.id} {nonce}"
    keyed = Keyed(
        digest=hashlib.sha256(place.encode()).digest(),
        fingerprint=hashlib.sha256(request.encode()).digest(),
    )
    return Context(services=services, caller=caller, keyed=keyed)
