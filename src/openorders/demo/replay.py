"""An order's past, played through the domain: what it became, and what it left in the ledgers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from openorders.demo.files import OrderFile, ProductFile, StepFile, VariantFile
from openorders.domain import pricing, progress
from openorders.domain.change import By, Change, MoveKind, StockMove, moves_of, recorded
from openorders.domain.customer import Customer
from openorders.domain.events import EventType
from openorders.domain.ids import LineId, OperationId, OrderId, ProductId, VariantId
from openorders.domain.money import from_decimal
from openorders.domain.order import HistoryEntry, Line, Order, PaymentState, Word
from openorders.domain.payment import AttemptState, OperationKind, Payment
from openorders.domain.refund import Refund, RefundState
from openorders.domain.store_settings import Store
from openorders.store.bulk import DoneOperation, Movement, ReservedIds, Told

ACTOR: Final = "demo"
_CARDS: Final = {
    "visa": ("Visa", "4242"),
    "mastercard": ("Mastercard", "4444"),
    "amex": ("American Express", "0005"),
}


class Shop(Struct, frozen=True, kw_only=True):
    """What a store's orders are made of."""

    store: Store
    contract: str
    customers: Mapping[int | None, Customer]
    variants: Mapping[int, tuple[ProductFile, VariantFile]]
    line_ids: Iterator[int]
    payment_ids: Iterator[ReservedIds]
    token: Callable[[], str]


@dataclass(slots=True)
class Past:
    """One order, and all it left behind."""

    order: Order
    moves: list[Movement] = field(default_factory=list[Movement])
    told: list[Told] = field(default_factory=list[Told])
    operations: list[DoneOperation] = field(default_factory=list[DoneOperation])
    ids: ReservedIds | None = None

    def move(self, moves: tuple[StockMove, ...], by: By) -> None:
        """Remember what moved, a row per kind."""
        for kind in dict.fromkeys(move.kind for move in moves):
            wanted: dict[VariantId, int] = {}
            for one in moves:
                if one.kind is kind:
                    wanted[one.variant_id] = wanted.get(one.variant_id, 0) + one.quantity
            self.moves.append(
                Movement(
                    kind=kind.value,
                    order_id=self.order.id,
                    variant_ids=tuple(wanted),
                    quantities=tuple(wanted.values()),
                    at=by.at,
                )
            )

    def tell(self, by: By, *events: EventType) -> None:
        """Remember what was told of the order as it is now."""
        self.told += [Told(type=event.value, order=self.order, at=by.at) for event in events]


def replay(shop: Shop, written: OrderFile) -> Past:
    """Everything that happened to an order, from its placing on."""
    by = By(actor=ACTOR, contract=written.contract or shop.contract, at=written.at)
    past = Past(_placed(shop, written, by))
    past.move(moves_of(MoveKind.RESERVE, past.order.lines), by)
    past.tell(by, EventType.ORDER_CREATED)
    if written.payment_asked:
        past.tell(by, EventType.ORDER_PAYMENT_REQUESTED)
    for step in written.steps:
        _take(shop, past, step, replace(by, at=step.at, reason=step.reason))
    return past


def _placed(shop: Shop, written: OrderFile, by: By) -> Order:
    store = shop.store
    shipping = store.shipping_method(written.shipping_method) if written.shipping_method else None
    discount = store.discount_code(written.discount_code) if written.discount_code else None
    totals, lines = pricing.price(
        tuple(_lines(shop, written)), store.policy, shipping=shipping, discount=discount
    )
    gateway = store.gateway(None)
    return Order(
        id=OrderId(written.id),
        number=written.number,
        customer=shop.customers[written.customer],
        currency=store.currency,
        minor_digits=store.minor_digits,
        totals=totals,
        lines=lines,
        created_at=written.at,
        updated_at=written.at,
        payment=PaymentState.PENDING if written.payment_asked else PaymentState.NONE,
        payment_asked=written.payment_asked,
        partner_name=written.partner_name,
        customer_reference=written.customer_reference,
        discount_code=written.discount_code,
        shipping_method=written.shipping_method,
        estimated_delivery=(written.at + timedelta(days=shipping.days)).date()
        if shipping
        else None,
        shipping_address=written.shipping_address,
        billing_address=written.billing_address,
        payment_method=written.payment_method,
        payment_gateway=gateway.name if gateway else None,
        payment_token=shop.token(),
        notes=written.notes,
        history=(HistoryEntry(word=Word.CREATED, at=by.at, actor=by.actor, contract=by.contract),),
    )


def _lines(shop: Shop, written: OrderFile) -> Iterator[Line]:
    for line in written.lines:
        product, variant = shop.variants[line.variant]
        price = from_decimal(variant.price, shop.store.minor_digits)
        assert price is not None, "the demo's prices fit their currency"
        yield Line(
            id=LineId(line.id or next(shop.line_ids)),
            product_id=ProductId(product.id),
            variant_id=VariantId(variant.id),
            product_name=product.name,
            variant_name=variant.name,
            sku=variant.sku,
            image=variant.image,
            unit_price=price,
            quantity=line.quantity,
        )


def _take(shop: Shop, past: Past, step: StepFile, by: By) -> None:
    match step.to:
        case "charged" | "paid":
            _charge(shop, past, step, by)
        case "cancelled":
            _change(past, progress.cancel(past.order, by, comments=step.comments), by)
        case word:
            change = progress.advance(past.order, Word(word), by, tracking=step.tracking)
            _change(past, change, by)


def _charge(shop: Shop, past: Past, step: StepFile, by: By) -> None:
    ids = next(shop.payment_ids)
    brand, last_four = _CARDS[step.card or "visa"]
    order = past.order
    assert order.payment_gateway is not None, "the demo's stores have a gateway"
    payment = Payment(
        id=ids.payment_id,
        gateway=order.payment_gateway,
        method=order.payment_method or "credit_card",
        amount=order.totals.total,
        state=AttemptState.CAPTURED,
        captured=order.totals.total,
        reference=f"ch_{ids.sandbox_id}",
        card_brand=brand,
        card_last_four=last_four,
        created_at=by.at,
        settled_at=by.at,
    )
    order = replace(order, payments=(payment,), payment_method=payment.method)
    order = replace(order, payment=progress.payment_state(order))
    past.order = recorded(order, by) if step.to == "paid" else order
    past.ids = ids
    past.operations.append(_done(past, ids.charge_id, OperationKind.CHARGE, payment.amount, by))
    past.tell(by, EventType.ORDER_PAID)


def _change(past: Past, change: Change, by: By) -> None:
    past.order = _numbered(past, change)
    past.move(change.moves, by)
    past.tell(by, *change.events)
    for give_back in change.give_backs:
        _give_back(past, give_back.amount, by)


def _numbered(past: Past, change: Change) -> Order:
    """The order, its new refund with the number that is kept for it."""
    order = change.order
    if past.ids is None or not order.refunds:
        return order
    return replace(order, refunds=(replace(order.refunds[-1], id=past.ids.refund_id),))


def _give_back(past: Past, amount: int, by: By) -> None:
    (payment,), ids = past.order.payments, past.ids
    assert ids is not None, "what is given back was taken"
    plain = Refund(
        id=ids.refund_id, amount=amount, state=RefundState.STARTED, reason=by.reason, at=by.at
    )
    refund = past.order.refunds[-1] if past.order.refunds else plain
    order = replace(
        past.order,
        payments=(replace(payment, refunded=payment.refunded + amount, refunding=0),),
        refunds=(replace(refund, state=RefundState.SUCCEEDED),),
        version=past.order.version + 1,
    )
    past.order = replace(order, payment=progress.payment_state(order))
    done = _done(past, ids.giving_back_id, OperationKind.REFUND, amount, by)
    past.operations.append(replace(done, refund_id=refund.id))
    past.tell(by, EventType.ORDER_REFUNDED)


def _done(
    past: Past, operation_id: OperationId, kind: OperationKind, amount: int, by: By
) -> DoneOperation:
    payment = past.order.payments[0]
    return DoneOperation(
        id=operation_id,
        payment_id=payment.id,
        order_id=past.order.id,
        kind=kind,
        amount=amount,
        reference=payment.reference or "",
        actor=by.actor,
        contract=by.contract,
        at=by.at,
        reason=by.reason,
    )
