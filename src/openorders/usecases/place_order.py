"""Place an order: price it, reserve its stock, take the payment if one came with it.

Two round trips without a charge: what is needed, then one statement that writes all of it.
With a charge the order stays out of sight until the gateway has said yes.
"""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta

from openorders.domain import pricing
from openorders.domain.access import Role
from openorders.domain.address import Address
from openorders.domain.catalogue import Offer, Wanted
from openorders.domain.change import MoveKind, moves_of
from openorders.domain.customer import Customer, Identity
from openorders.domain.events import EventType
from openorders.domain.ids import CLIENT_CUSTOMER_ID_MAX, CustomerId
from openorders.domain.order import (
    HistoryEntry,
    Line,
    Order,
    PaymentState,
    Progress,
    Word,
)
from openorders.domain.refusals import (
    CustomerNotFound,
    NotAvailable,
    NotPermitted,
    OutOfStock,
    PriceDiffers,
    ProductNotFound,
    Refused,
    UnknownDiscountCode,
    UnknownGateway,
    UnknownShippingMethod,
    VariantNotFound,
)
from openorders.domain.store_settings import DiscountCode, ShippingMethod
from openorders.store import placing, stock
from openorders.store.database import Connection
from openorders.usecases import charge_order
from openorders.usecases.answers import (
    Answer,
    Later,
    Reply,
    keep_refusal,
    once,
    replay,
    replay_of,
)
from openorders.usecases.context import Context, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Take the money with the order. `token` names a card at the gateway."""

    token: str
    method: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """What a client asks for. `start_when_paid` makes a charged order be processed at once."""

    lines: tuple[Wanted, ...]
    customer: CustomerId | Identity
    partner_name: str | None = None
    customer_reference: str | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    shipping_method: str | None = None
    discount_code: str | None = None
    notes: str | None = None
    payment_method: str | None = None
    gateway: str | None = None
    charge: Charge | None = None
    payment_asked: bool = False
    start_when_paid: bool = False


async def place_order(ctx: Context, command: PlaceOrder, reply: Reply[Order]) -> Answer:
    """Place an order, once per idempotency key.

    Refuses what the store does not sell, does not have, or does not do; then nothing is written.
    """
    if command.charge is not None:
        return await _place_with_charge(ctx, command, command.charge, reply)
    try:
        return await _place_at_once(ctx, command, reply)
    except Refused as refused:
        return await keep_refusal(ctx, reply.refused, refused)


async def _place_at_once(ctx: Context, command: PlaceOrder, reply: Reply[Order]) -> Answer:
    keyed = ctx.keyed
    async with ctx.services.database.connection() as connection:
        prepared = await _prepare(ctx, connection, command)
        if prepared.known is not None and keyed is not None:
            return replay_of(prepared.known, keyed)
        # Who is new under somebody else's name is registered with the order, or not at all.
        is_new = prepared.customer is None and isinstance(command.customer, Identity)
        async with connection.transaction() if is_new else nullcontext():
            order = await _draft(ctx, connection, command, prepared)
            answer = reply.done(order)
            placed = await placing.place(
                connection,
                ctx.store_id,
                order,
                _first_events(order),
                key=keyed,
                answer=(answer.status, answer.headers, answer.body),
            )
            if placed.variant_id is not None:
                raise _short(order, stock.Short(placed.variant_id, placed.left))
    if placed.outcome == "twin" and keyed is not None:
        return await replay(ctx, keyed)
    ctx.services.bell.ring()
    return answer


def _first_events(order: Order) -> list[EventType]:
    if order.payment_asked:
        return [EventType.ORDER_CREATED, EventType.ORDER_PAYMENT_REQUESTED]
    return [EventType.ORDER_CREATED]


async def _place_with_charge(
    ctx: Context, command: PlaceOrder, charge: Charge, reply: Reply[Order]
) -> Answer:
    async def work(unit: Unit) -> Answer | Later:
        begun = await charge_order.begun(unit.connection, ctx)
        if begun is not None:
            return charge_order.finish(ctx, begun, charge_order.placed(reply))
        prepared = await _prepare(ctx, unit.connection, command)
        order = await _draft(ctx, unit.connection, command, prepared)
        if order.totals.total == 0:
            return await _place_for_nothing(ctx, unit, order, reply)
        moves = moves_of(MoveKind.RESERVE, order.lines)
        short = await stock.move(unit.connection, ctx.store_id, order.id, moves, order.created_at)
        if short is not None:
            raise _short(order, short)
        await placing.register_customer(
            unit.connection, ctx.store_id, order.customer.id, order.created_at
        )
        await placing.hold_draft(unit.connection, ctx.store_id, order, order.created_at)
        assert order.payment_gateway is not None, "a charge needs a gateway"
        attempt = await charge_order.begin(
            unit.connection,
            ctx,
            order,
            gateway=order.payment_gateway,
            token=charge.token,
            method=charge.method,
            amount=order.totals.total,
        )
        return charge_order.finish(ctx, attempt, charge_order.placed(reply))

    return await once(ctx, reply, work)


async def _place_for_nothing(ctx: Context, unit: Unit, order: Order, reply: Reply[Order]) -> Answer:
    """An order that costs nothing is paid by being placed; no gateway takes a charge of zero."""
    placed = await placing.place(
        unit.connection, ctx.store_id, order, [EventType.ORDER_CREATED, EventType.ORDER_PAID]
    )
    if placed.variant_id is not None:
        raise _short(order, stock.Short(placed.variant_id, placed.left))
    return reply.done(order)


async def _prepare(ctx: Context, connection: Connection, command: PlaceOrder) -> placing.Prepared:
    _check_caller(ctx, command)
    digest = ctx.keyed.digest if ctx.keyed is not None and command.charge is None else None
    return await placing.prepare(connection, ctx.store_id, command.lines, command.customer, digest)


def _check_caller(ctx: Context, command: PlaceOrder) -> None:
    caller = ctx.caller
    match caller.role:
        case Role.PARTNER:
            if command.partner_name not in (None, caller.partner_name):
                raise Refused(NotPermitted("place orders for another partner"))
        case Role.CUSTOMER:
            if command.partner_name is not None or command.customer != caller.customer_id:
                raise Refused(NotPermitted("place orders for another customer"))
        case Role.ADMIN | Role.SERVICE:
            pass


async def _draft(
    ctx: Context, connection: Connection, command: PlaceOrder, prepared: placing.Prepared
) -> Order:
    """The order as it will be, before anything is written."""
    store, now = ctx.store, ctx.now()
    lines = _lines(command, prepared, store.minor_digits)
    shipping = _shipping_method(ctx, command.shipping_method)
    totals, lines = pricing.price(
        lines,
        store.policy,
        shipping=shipping,
        discount=_discount(ctx, command.discount_code),
    )
    gateway = _gateway(ctx, command)
    customer = await _customer(ctx, connection, command, prepared.customer)
    charged = command.charge is not None
    order = Order(
        id=prepared.order_id,
        number=prepared.number,
        customer=customer,
        currency=store.currency,
        minor_digits=store.minor_digits,
        totals=totals,
        lines=lines,
        created_at=now,
        updated_at=now,
        progress=Progress.PROCESSING if command.start_when_paid and charged else Progress.PLACED,
        payment=_first_payment_state(command, totals.total),
        payment_asked=command.payment_asked,
        partner_name=command.partner_name or ctx.caller.partner_name,
        customer_reference=command.customer_reference,
        discount_code=command.discount_code,
        shipping_method=command.shipping_method,
        estimated_delivery=(now + timedelta(days=shipping.days)).date() if shipping else None,
        shipping_address=command.shipping_address,
        billing_address=command.billing_address,
        payment_method=command.payment_method,
        payment_gateway=gateway,
        payment_token=ctx.services.token(),
        notes=command.notes,
    )
    return replace(order, history=_first_history(ctx, order, charged=charged))


def _first_history(ctx: Context, order: Order, *, charged: bool) -> tuple[HistoryEntry, ...]:
    """Every order begins as created. What a charge makes of it is remembered when it is settled."""
    first = HistoryEntry(
        word=Word.CREATED,
        at=order.created_at,
        actor=ctx.caller.actor,
        contract=ctx.caller.contract,
    )
    if order.word is Word.CREATED or (charged and order.totals.total):
        return (first,)
    return (first, replace(first, word=order.word))


def _first_payment_state(command: PlaceOrder, total: int) -> PaymentState:
    if total == 0:
        return PaymentState.PAID
    return PaymentState.PENDING if command.payment_asked else PaymentState.NONE


def _lines(command: PlaceOrder, prepared: placing.Prepared, digits: int) -> tuple[Line, ...]:
    return tuple(
        _line(position, wanted, offer, prepared, digits)
        for position, (wanted, offer) in enumerate(zip(command.lines, prepared.offers, strict=True))
    )


def _line(
    position: int,
    wanted: Wanted,
    offer: Offer | None,
    prepared: placing.Prepared,
    digits: int,
) -> Line:
    if offer is None:
        product_id, variant_id = wanted.product_id, wanted.variant_id
        if product_id is not None and product_id not in prepared.known_products:
            raise Refused(ProductNotFound(product_id))
        assert variant_id is not None, "a product always has a default variant"
        raise Refused(VariantNotFound(variant_id))
    if not offer.available:
        raise Refused(NotAvailable(offer.product_id, offer.variant_id))
    if wanted.price is not None and wanted.price != offer.price:
        raise Refused(PriceDiffers(offer.variant_id, wanted.price, offer.price, digits, position))
    return Line(
        id=prepared.line_ids[position],
        product_id=offer.product_id,
        variant_id=offer.variant_id,
        product_name=offer.product_name,
        variant_name=offer.variant_name,
        sku=offer.sku,
        image=offer.image,
        unit_price=offer.price,
        quantity=wanted.quantity,
    )


def _shipping_method(ctx: Context, code: str | None) -> ShippingMethod | None:
    if code is None:
        return None
    method = ctx.store.shipping_method(code)
    if method is None:
        raise Refused(UnknownShippingMethod(code))
    return method


def _discount(ctx: Context, code: str | None) -> DiscountCode | None:
    if code is None:
        return None
    discount = ctx.store.discount_code(code)
    if discount is None:
        raise Refused(UnknownDiscountCode(code))
    return discount


def _gateway(ctx: Context, command: PlaceOrder) -> str | None:
    gateway = ctx.store.gateway(command.gateway)
    if gateway is None and (command.gateway is not None or command.charge is not None):
        raise Refused(UnknownGateway(command.gateway or ""))
    return gateway.name if gateway is not None else None


async def _customer(
    ctx: Context, connection: Connection, command: PlaceOrder, known: Customer | None
) -> Customer:
    if known is not None:
        return known
    named = command.customer
    if isinstance(named, Identity):
        return await placing.register_identity(connection, ctx.store_id, named, ctx.now())
    ours = named > CLIENT_CUSTOMER_ID_MAX
    if ours or ctx.store.policy.require_registered_customers:
        raise Refused(CustomerNotFound(named))
    return Customer(id=named)


def _short(order: Order, short: stock.Short) -> Refused:
    lines = [line for line in order.lines if line.variant_id == short.variant_id]
    return Refused(
        OutOfStock(
            lines[0].product_id,
            short.variant_id,
            sum(line.quantity for line in lines),
            short.left,
        )
    )
