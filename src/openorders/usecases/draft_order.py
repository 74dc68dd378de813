"""The order that a client asks for, as it will be: checked, priced and worded, nothing written.

What the store does not sell, does not do, or does not let this caller do is refused here. What it
does not have is only known when the order is placed.
"""

from datetime import timedelta

from msgspec import Struct

from openorders.domain import pricing
from openorders.domain.access import Role
from openorders.domain.address import Address
from openorders.domain.catalogue import Offer, Wanted
from openorders.domain.customer import Customer, Identity
from openorders.domain.events import EventType
from openorders.domain.ids import CLIENT_CUSTOMER_ID_MAX, CustomerId
from openorders.domain.order import (
    Fulfilment,
    HistoryEntry,
    Line,
    Order,
    PaymentState,
    Progress,
    Word,
    word_of,
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
from openorders.store import stock
from openorders.store.placing import Prepared
from openorders.usecases.context import Context


class Charge(Struct, frozen=True, kw_only=True):
    """Take the money with the order. `token` names a card at the gateway."""

    token: str
    method: str | None = None


class PlaceOrder(Struct, frozen=True, kw_only=True):
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


def check_caller(ctx: Context, command: PlaceOrder) -> None:
    """Refuse to order in another one's name."""
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


def draft(
    ctx: Context, command: PlaceOrder, prepared: Prepared, customer: Customer | None = None
) -> Order:
    """The order as it will be, for the customer who was found or, if new, just registered.

    Refuses what the store does not sell or do.
    """
    store, now = ctx.store, ctx.now()
    lines = _lines(command, prepared, store.minor_digits)
    shipping = _shipping_method(ctx, command.shipping_method)
    totals, lines = pricing.price(
        lines,
        store.policy,
        shipping=shipping,
        discount=_discount(ctx, command.discount_code),
    )
    charged = command.charge is not None
    progress = Progress.PROCESSING if command.start_when_paid and charged else Progress.PLACED
    payment = _first_payment_state(command, totals.total)
    caller = ctx.caller
    return Order(
        id=prepared.order_id,
        number=prepared.number,
        customer=_customer(ctx, command, customer or prepared.customer),
        currency=store.currency,
        minor_digits=store.minor_digits,
        totals=totals,
        lines=lines,
        created_at=now,
        updated_at=now,
        progress=progress,
        payment=payment,
        payment_asked=command.payment_asked,
        partner_name=command.partner_name or caller.partner_name,
        customer_reference=command.customer_reference,
        discount_code=command.discount_code,
        shipping_method=command.shipping_method,
        estimated_delivery=(now + timedelta(days=shipping.days)).date() if shipping else None,
        shipping_address=command.shipping_address,
        billing_address=command.billing_address,
        payment_method=command.payment_method,
        payment_gateway=_gateway(ctx, command),
        payment_token=ctx.services.token(),
        notes=command.notes,
        history=tuple(
            HistoryEntry(word=word, at=now, actor=caller.actor, contract=caller.contract)
            for word in _first_words(command, progress, payment)
        ),
    )


def _first_words(command: PlaceOrder, progress: Progress, payment: PaymentState) -> list[Word]:
    """Every order begins as created. What a charge makes of it is remembered when it is settled."""
    word = word_of(progress, payment, Fulfilment.NONE, asked=command.payment_asked)
    is_open = command.charge is not None and payment is not PaymentState.PAID
    return [Word.CREATED] if word is Word.CREATED or is_open else [Word.CREATED, word]


def _first_payment_state(command: PlaceOrder, total: int) -> PaymentState:
    if total == 0:
        return PaymentState.PAID
    return PaymentState.PENDING if command.payment_asked else PaymentState.NONE


def _lines(command: PlaceOrder, prepared: Prepared, digits: int) -> tuple[Line, ...]:
    return tuple(
        _line(position, wanted, offer, prepared, digits)
        for position, (wanted, offer) in enumerate(zip(command.lines, prepared.offers, strict=True))
    )


def _line(
    position: int,
    wanted: Wanted,
    offer: Offer | None,
    prepared: Prepared,
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


def _customer(ctx: Context, command: PlaceOrder, known: Customer | None) -> Customer:
    if known is not None:
        return known
    named = command.customer
    assert not isinstance(named, Identity), "who is new under another name is registered before"
    ours = named > CLIENT_CUSTOMER_ID_MAX
    if ours or ctx.store.policy.require_registered_customers:
        raise Refused(CustomerNotFound(named))
    return Customer(id=named)


def first_events(order: Order) -> list[EventType]:
    """What is told of an order that was just placed."""
    if order.payment_asked:
        return [EventType.ORDER_CREATED, EventType.ORDER_PAYMENT_REQUESTED]
    return [EventType.ORDER_CREATED]


def out_of_stock(order: Order, short: stock.Short) -> Refused:
    """The refusal of an order that wants more than there is."""
    lines = [line for line in order.lines if line.variant_id == short.variant_id]
    return Refused(
        OutOfStock(
            lines[0].product_id,
            short.variant_id,
            sum(line.quantity for line in lines),
            short.left,
        )
    )
