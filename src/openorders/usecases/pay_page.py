"""What a person does on the pay page of one order: look at it, pay it, or say no.

The address of the page is the credential: whoever has it may see this one order and pay it,
and nothing else.
"""

import hashlib
import hmac
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from openorders.domain.access import Caller, Role
from openorders.domain.ids import OrderId, StoreId
from openorders.domain.order import Order, PaymentState, Progress
from openorders.domain.payment import AttemptState, owed
from openorders.domain.refusals import OrderNotFound, Reason, Refused
from openorders.domain.store_settings import Store
from openorders.gateways.payments import Declined
from openorders.gateways.sandbox_cards import CHOICES
from openorders.store import orders, payments, stores
from openorders.store.database import Connection
from openorders.usecases import charge_order
from openorders.usecases.answers import Answer, Later, Reply, keep, once
from openorders.usecases.context import Context, Keyed, Services, Unit
from openorders.usecases.pay_order import Paid, Pay, gateway_of, locked_and_owing, pay_order
from openorders.usecases.settle_payment import Settled, settle

_TURNED_DOWN = Declined(code="turned_down", message="You chose not to pay.")
_SANDBOX = "sandbox"


_DONE = Answer(status=204, body=b"")


def _done(_paid: Paid) -> Answer:
    return _DONE


def _refused(_reason: Reason) -> Answer:
    return _DONE


_SILENT = Reply(done=_done, refused=_refused)


class PageState(StrEnum):
    """What there is to do on the page."""

    PAYABLE = "payable"
    PAID = "paid"
    CHECKING = "checking"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayPage:
    """An order as its buyer sees it when paying. `owed` is minor units; `cards` are (token,
    label) pairs that the order's gateway offers; `problem` says why the last attempt failed.
    """

    store: Store
    order: Order
    state: PageState
    owed: int
    cards: tuple[tuple[str, str], ...]
    problem: str | None


def pay_path(store_id: StoreId, order: Order) -> str | None:
    """Where the order's pay page is, below the server's origin; None when it has none."""
    if order.payment_token is None:
        return None
    return f"/pay/{store_id}/{order.id}/{order.payment_token}"


async def open_pay_page(
    services: Services, store_id: StoreId, order_id: OrderId, token: str
) -> PayPage:
    """The page of an order. Refuses with `OrderNotFound` unless the token is the order's."""
    async with services.database.connection() as connection:
        store = await stores.read(connection, store_id)
        order = await orders.read(connection, store_id, order_id)
        if store is None or order is None or not _is_token_of(order, token):
            raise Refused(OrderNotFound(order_id))
        problem = await payments.last_decline(connection, store_id, order_id)
    state = _state(order)
    gateway = store.gateway(order.payment_gateway)
    sandbox = gateway is not None and gateway.kind == _SANDBOX
    return PayPage(
        store=store,
        order=order,
        state=state,
        owed=owed(order.totals.total, order.payments) if state is PageState.PAYABLE else 0,
        cards=CHOICES if sandbox and state is PageState.PAYABLE else (),
        problem=problem if state is PageState.PAYABLE else None,
    )


async def pay_from_page(services: Services, page: PayPage, *, card: str, nonce: str) -> None:
    """Pay with a card. The same `nonce` again is the same click: it never pays twice.

    How it went is on the page afterwards. What is refused leaves the page as it is.
    """
    ctx = _context(services, page, nonce, f"pay {card}")
    await _quietly(pay_order(ctx, Pay(order_id=page.order.id, token=card), _SILENT))


async def turn_down(services: Services, page: PayPage, *, nonce: str) -> None:
    """Say no: the attempt has failed, the order can still be paid until it expires."""
    ctx = _context(services, page, nonce, "turn down")

    async def work(unit: Unit) -> Later:
        attempt = await charge_order.begun(unit.connection, ctx)
        if attempt is None:
            order, due = await locked_and_owing(unit.connection, ctx, page.order.id)
            attempt = await charge_order.record(
                unit.connection,
                ctx,
                order,
                gateway=gateway_of(page.store, order).name,
                token=None,
                method=None,
                amount=due,
            )
        operation_id = attempt.operation_id

        async def within(tx: Connection, _settled: Settled) -> None:
            await keep(tx, ctx, _DONE)

        async def finish() -> Answer:
            await settle(services, page.store, operation_id, _TURNED_DOWN, within=within)
            return _DONE

        return Later(finish)

    await _quietly(once(ctx, _SILENT, work))


async def _quietly(paying: Awaitable[object]) -> None:
    """A refusal needs no words here: the page shows how the order stands."""
    with suppress(Refused):
        await paying


def _state(order: Order) -> PageState:
    if order.progress is Progress.CANCELLED or order.payment is PaymentState.REFUNDED:
        return PageState.ENDED
    if order.payment in (PaymentState.PAID, PaymentState.AUTHORISED, PaymentState.PART_REFUNDED):
        return PageState.PAID
    if any(payment.state is AttemptState.STARTED for payment in order.payments):
        return PageState.CHECKING
    return PageState.PAYABLE if owed(order.totals.total, order.payments) else PageState.PAID


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
