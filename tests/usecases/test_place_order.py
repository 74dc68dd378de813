"""Placing an order: what is written, what is refused, and that a refusal writes nothing."""

import asyncio
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from openorders.domain.access import Role
from openorders.domain.address import Address
from openorders.domain.customer import Identity
from openorders.domain.ids import CustomerId, ProductId, VariantId
from openorders.domain.order import Fulfilment, PaymentState, Progress, Word
from openorders.domain.refusals import (
    CustomerNotFound,
    KeyInFlight,
    KeyReused,
    NotAvailable,
    NotPermitted,
    OutOfStock,
    PaymentUnsettled,
    PriceDiffers,
    ProductNotFound,
    Reason,
    Refused,
    UnknownDiscountCode,
    UnknownGateway,
    UnknownShippingMethod,
    VariantNotFound,
)
from openorders.domain.store_settings import (
    DiscountCode,
    ShippingMethod,
    StorePolicy,
    TaxRate,
)
from openorders.store.database import Database
from openorders.usecases.place_order import Charge, PlaceOrder, place_order
from tests.world import NOON, World, a_world, an_order_for, told_the_id, wanted

TABLES = (
    "orders",
    "order_lines",
    "order_history",
    "outbox",
    "stock_movements",
    "pending_orders",
    "payments",
    "payment_operations",
    "idempotency_keys",
    "customers",
)
POLICY = StorePolicy(
    taxes=(TaxRate(name="State Tax", rate=Decimal("0.06")),),
    shipping_methods=(ShippingMethod(code="express", cost=999, days=2),),
    discount_codes=(DiscountCode(code="SPRING20", percent=Decimal(20)),),
)
CARD = Charge(token="tok_visa", method="credit_card")
DECLINED = Charge(token="tok_chargeDeclined", method="credit_card")


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    world = await a_world(database, tmp_path, policy=POLICY)
    await world.sells(1, price=1000, stock=10)
    await world.sells(2, price=250, stock=None)
    return world


async def written(world: World) -> dict[str, int]:
    counts = {}
    for table in TABLES:
        row = await world.row(f"select count(*) from {table} where store_id = $1")
        counts[table] = row["count"]
    return counts


async def refusal(world: World, command: PlaceOrder, **context: object) -> Reason:
    """Why it was refused, having made sure that nothing was written and no stock held."""
    before = await written(world), await world.stock(1)
    with pytest.raises(Refused) as refused:
        await place_order(world.context(**context), command, told_the_id())  # type: ignore[arg-type]
    assert (await written(world), await world.stock(1)) == before
    return refused.value.reason


async def test_an_order_keeps_the_catalogue_as_it_was(world: World) -> None:
    address = Address(line1="1 Main St", city="Anytown")
    order = await world.placed(
        wanted(1, 2),
        wanted(2, 3),
        shipping_address=address,
        shipping_method="express",
        discount_code="SPRING20",
        notes="Gift wrap",
    )
    assert [
        (line.product_name, line.sku, line.unit_price, line.quantity) for line in order.lines
    ] == [
        ("Product 1", "SKU-1", 1000, 2),
        ("Product 2", "SKU-2", 250, 3),
    ]
    assert (order.totals.subtotal, order.totals.discount, order.totals.shipping) == (2750, 550, 999)
    assert (order.totals.tax, order.totals.total) == (165, 3364)
    assert order.estimated_delivery == date(2026, 6, 4)
    assert (order.shipping_address, order.notes) == (address, "Gift wrap")
    assert (order.progress, order.payment, order.fulfilment) == (
        Progress.PLACED,
        PaymentState.NONE,
        Fulfilment.NONE,
    )
    assert [(entry.word, entry.actor, entry.contract) for entry in order.history] == [
        (Word.CREATED, "key:1", "commerce")
    ]


async def test_stock_is_reserved_with_the_order_and_written_into_the_ledger(world: World) -> None:
    order = await world.placed(wanted(1, 2), wanted(2, 1), wanted(1, 3))
    assert await world.stock(1) == (10, 5)
    moves = await world.rows(
        "select kind, variant_ids, quantities from stock_movements "
        "where store_id = $1 and order_id = $2",
        order.id,
    )
    assert [tuple(move) for move in moves] == [("reserve", [1], [5])]


async def test_lines_stay_as_sent_also_when_two_name_the_same_thing(world: World) -> None:
    order = await world.placed(wanted(1, 2), wanted(2, 1), wanted(1, 3))
    assert [(line.product_id, line.quantity) for line in order.lines] == [(1, 2), (2, 1), (1, 3)]


async def test_the_event_tells_the_whole_order(world: World) -> None:
    order = await world.placed(wanted(1), payment_asked=True)
    rows = await world.rows(
        "select type, version, payload from outbox where store_id = $1 order by id"
    )
    assert [row["type"] for row in rows] == ["order.created", "order.payment_requested"]
    assert b'"id":%d' % order.id in rows[0]["payload"]


async def test_numbers_run_per_store(database: Database, world: World, tmp_path: Path) -> None:
    other = await a_world(database, tmp_path, name="other")
    await other.sells(1)
    first, second = await world.placed(), await world.placed()
    assert [first.number, second.number, (await other.placed()).number] == [1, 2, 1]


async def test_the_first_order_registers_its_customer(world: World) -> None:
    await world.placed(customer=77)
    await world.placed(customer=77)
    rows = await world.rows("select id from customers where store_id = $1")
    assert [row["id"] for row in rows] == [77]


async def test_somebody_elses_name_for_a_customer_is_registered_once(world: World) -> None:
    jane = Identity(issuer="partner", subject="RayTech/CUST-1", name="RayTech")
    orders = await asyncio.gather(
        *(
            place_order(
                world.context(), PlaceOrder(lines=(wanted(2),), customer=jane), told_the_id()
            )
            for _ in range(6)
        )
    )
    placed = [await world.order(int(answer.body)) for answer in orders]  # type: ignore[arg-type]
    assert len({order.customer.id for order in placed}) == 1
    assert placed[0].customer.id >= 1_000_000_000_000
    assert placed[0].customer.name == "RayTech"
    assert len(await world.rows("select id from customers where store_id = $1")) == 1


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (an_order_for(wanted(99)), ProductNotFound(ProductId(99))),
        (an_order_for(wanted(99, variant_id=VariantId(1))), ProductNotFound(ProductId(99))),
        (an_order_for(wanted(2, variant_id=VariantId(1))), VariantNotFound(VariantId(1))),
        (an_order_for(wanted(1, 11)), OutOfStock(ProductId(1), VariantId(1), 11, 10)),
        (
            an_order_for(wanted(1, 6), wanted(1, 5)),
            OutOfStock(ProductId(1), VariantId(1), 11, 10),
        ),
        (an_order_for(wanted(1, price=999)), PriceDiffers(VariantId(1), 999, 1000, 2, 0)),
        (an_order_for(discount_code="NOPE"), UnknownDiscountCode("NOPE")),
        (an_order_for(shipping_method="boat"), UnknownShippingMethod("boat")),
        (an_order_for(gateway="nobody_1"), UnknownGateway("nobody_1")),
        (
            an_order_for(wanted(1, 11), charge=CARD),
            OutOfStock(ProductId(1), VariantId(1), 11, 10),
        ),
    ],
)
async def test_what_cannot_be_placed_is_refused_and_changes_nothing(
    world: World, command: PlaceOrder, reason: Reason
) -> None:
    assert await refusal(world, command) == reason


async def test_a_variant_that_is_switched_off_is_not_sold(world: World) -> None:
    await world.sells(3, available=False)
    assert await refusal(world, an_order_for(wanted(3))) == NotAvailable(ProductId(3), VariantId(3))


async def test_a_store_can_demand_registered_customers(database: Database, tmp_path: Path) -> None:
    world = await a_world(database, tmp_path, policy=StorePolicy(require_registered_customers=True))
    await world.sells(1)
    assert await refusal(world, an_order_for(customer=6)) == CustomerNotFound(CustomerId(6))


async def test_an_id_that_only_we_give_registers_nobody(world: World) -> None:
    stranger = CustomerId(1_000_000_000_007)
    assert await refusal(world, an_order_for(customer=stranger)) == CustomerNotFound(stranger)


async def test_a_refused_order_registers_no_identity(world: World) -> None:
    jane = Identity(issuer="partner", subject="RayTech")
    command = PlaceOrder(lines=(wanted(1, 11),), customer=jane)
    assert isinstance(await refusal(world, command), OutOfStock)


async def test_a_partner_places_only_its_own_orders(world: World) -> None:
    caller = world.caller(Role.PARTNER, partner_name="RayTech")
    order = await world.placed(ctx=world.context(caller))
    assert order.partner_name == "RayTech"
    assert await refusal(world, an_order_for(partner_name="Other"), caller=caller) == NotPermitted(
        "place orders for another partner"
    )


async def test_a_customer_places_only_for_itself(world: World) -> None:
    caller = world.caller(Role.CUSTOMER, customer_id=CustomerId(5))
    assert (await world.placed(ctx=world.context(caller))).customer.id == 5
    assert await refusal(world, an_order_for(customer=6), caller=caller) == NotPermitted(
        "place orders for another customer"
    )


async def test_the_same_key_gets_the_first_answer_and_makes_one_order(world: World) -> None:
    ctx = world.context(key="k", request="r")
    first = await place_order(ctx, an_order_for(), told_the_id())
    again = await place_order(ctx, an_order_for(), told_the_id())
    assert (again.status, again.body, again.replayed) == (first.status, first.body, True)
    assert (await written(world))["orders"] == 1
    assert await world.stock(1) == (10, 1)


async def test_the_same_key_for_another_request_is_refused(world: World) -> None:
    await place_order(world.context(key="k", request="r"), an_order_for(), told_the_id())
    assert await refusal(world, an_order_for(), key="k", request="other") == KeyReused()


async def test_a_refusal_is_kept_under_the_key(world: World) -> None:
    ctx = world.context(key="k", request="r")
    first = await place_order(ctx, an_order_for(wanted(1, 11)), told_the_id())
    assert b"OutOfStock" in first.body
    await world.sells(9, stock=100)
    again = await place_order(ctx, an_order_for(wanted(9)), told_the_id())
    assert (again.body, again.replayed) == (first.body, True)


async def test_parallel_twins_make_one_order_and_get_one_answer(world: World) -> None:
    ctx = world.context(key="k", request="r")
    answers = await asyncio.gather(
        *(place_order(ctx, an_order_for(), told_the_id()) for _ in range(8))
    )
    assert len({answer.body for answer in answers}) == 1
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 7
    assert (await written(world))["orders"] == 1
    assert await world.stock(1) == (10, 1)


async def test_a_charge_that_succeeds_makes_a_paid_order_that_is_being_processed(
    world: World,
) -> None:
    order = await world.placed(charge=CARD, payment_method="credit_card", start_when_paid=True)
    assert (order.word, order.payment) == (Word.PROCESSING, PaymentState.PAID)
    assert [entry.word for entry in order.history] == [Word.CREATED, Word.PROCESSING]
    assert [(p.captured, p.card_last_four) for p in order.payments] == [(1060, "4242")]
    assert await world.stock(1) == (10, 1)
    assert (await written(world))["pending_orders"] == 0


async def test_a_charge_that_is_declined_leaves_only_its_attempt(world: World) -> None:
    answer = await place_order(world.context(), an_order_for(charge=DECLINED), told_the_id())
    assert b"PaymentDeclined" in answer.body
    counts = await written(world)
    assert (counts["orders"], counts["outbox"], counts["pending_orders"]) == (0, 0, 0)
    assert (counts["payments"], counts["payment_operations"]) == (1, 1)
    assert await world.stock(1) == (10, 0)


@pytest.mark.parametrize("charge", [CARD, DECLINED])
async def test_parallel_twins_with_a_charge_are_charged_once(world: World, charge: Charge) -> None:
    ctx = world.context(key="k", request="r")
    answers = await asyncio.gather(
        *(place_order(ctx, an_order_for(charge=charge), told_the_id()) for _ in range(4)),
        return_exceptions=True,
    )
    for answer in answers:
        if isinstance(answer, BaseException):
            assert isinstance(answer, Refused), answer
            assert answer.reason == KeyInFlight()
    assert (await written(world))["payments"] == 1
    row = await world.row("select count(*) from sandbox_charges where store_id = $1")
    assert row["count"] <= 1
    again = await place_order(ctx, an_order_for(charge=charge), told_the_id())
    assert again.replayed
    assert (await written(world))["payments"] == 1


async def test_a_retry_after_a_lost_answer_finds_the_charge_and_repeats_nothing(
    world: World,
) -> None:
    world.faults.lose_answers = 1
    ctx = world.context(key="k", request="r")
    with pytest.raises(Refused) as refused:
        await place_order(ctx, an_order_for(charge=CARD), told_the_id())
    assert isinstance(refused.value.reason, PaymentUnsettled)
    assert (await written(world))["orders"] == 0
    assert await world.stock(1) == (10, 1)
    answer = await place_order(ctx, an_order_for(charge=CARD), told_the_id())
    order = await world.order(int(answer.body))  # type: ignore[arg-type]
    assert order.payment is PaymentState.PAID
    row = await world.row("select count(*), sum(captured) from sandbox_charges where store_id = $1")
    assert tuple(row) == (1, 1060)
    assert await world.stock(1) == (10, 1)


async def test_an_order_that_costs_nothing_is_paid_by_being_placed(world: World) -> None:
    await world.sells(4, price=0)
    order = await world.placed(wanted(4), charge=CARD, start_when_paid=True)
    assert (order.payment, order.word, order.payments) == (
        PaymentState.PAID,
        Word.PROCESSING,
        (),
    )
    assert order.created_at > NOON


async def test_parallel_buyers_get_exactly_what_is_there(world: World) -> None:
    async def buy(n: int) -> bool:
        try:
            await place_order(
                world.context(), an_order_for(wanted(1), customer=n + 1), told_the_id()
            )
        except Refused as refused:
            return not isinstance(refused.reason, OutOfStock)
        return True

    bought = await asyncio.gather(*(buy(n) for n in range(64)))
    assert sum(bought) == 10
    assert await world.stock(1) == (10, 10)
    assert (await written(world))["orders"] == 10


async def test_buyers_of_the_same_things_in_any_order_never_wait_for_each_other_in_a_circle(
    world: World,
) -> None:
    for n in range(10, 16):
        await world.sells(n, stock=1_000)
    await asyncio.gather(
        *(
            place_order(
                world.context(),
                an_order_for(*(wanted(10 + (n * step) % 6) for step in (5, 3, 1))),
                told_the_id(),
            )
            for n in range(60)
        )
    )
    assert (await written(world))["orders"] == 60
