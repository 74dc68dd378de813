"""Where gateways send their notices, over HTTP: what is taken, refused, to be sent again."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from openorders.domain.order import Word
from openorders.domain.payment import AttemptState
from openorders.pages.addressed import addressed_application
from openorders.services import is_weather
from openorders.usecases.cancel_order import Cancel, cancel_order
from openorders.usecases.notices import NOTICE_BYTES_MAX
from openorders.usecases.refund_order import Refund, refund_order
from tests.usecases.stripe_world import SECRET, AtStripe
from tests.world import told


@pytest.fixture
async def client(shop: AtStripe) -> AsyncIterator[httpx.AsyncClient]:
    application: Any = addressed_application(shop.world.services, is_weather)
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        yield client


async def paid_on_a_page(shop: AtStripe) -> tuple[Any, Any]:
    """An order that was paid on Stripe's page, and the event that nobody was told yet."""
    order = await shop.order()
    await shop.pays(order, None, page=True)
    reference = (await shop.payment(order)).reference
    assert reference is not None
    await shop.stripe.pay_page(reference)
    return order, shop.stripe.events.of_type("payment_intent.succeeded")[-1]


def address(shop: AtStripe) -> str:
    return f"/notices/{shop.world.store.id}/stripe"


async def test_a_notice_is_taken_and_taken_again(shop: AtStripe, client: httpx.AsyncClient) -> None:
    order, event = await paid_on_a_page(shop)
    headers, body = shop.stripe.signed(event, SECRET)
    for _ in range(2):
        answer = await client.post(address(shop), content=body, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"received": "yes"})
    assert (await shop.world.order(order.id)).word is Word.PAID


async def test_what_follows_from_a_notice_is_done_after_it_was_answered(
    shop: AtStripe, client: httpx.AsyncClient
) -> None:
    order, event = await paid_on_a_page(shop)
    cancelled = told(lambda _cancelled: "")
    shop.stripe.faults.lose_requests = 100
    await cancel_order(shop.world.context(), Cancel(order_id=order.id), cancelled)
    shop.stripe.faults.lose_requests = 0
    headers, body = shop.stripe.signed(event, SECRET)
    assert (await client.post(address(shop), content=body, headers=headers)).status_code == 200
    payment = await shop.payment(order)
    assert (payment.captured, payment.refunded) == (2500, 2500)


async def test_a_notice_that_is_forged_is_refused_in_a_sentence(
    shop: AtStripe, client: httpx.AsyncClient
) -> None:
    order, event = await paid_on_a_page(shop)
    headers, body = shop.stripe.signed(event, "whsec_of_somebody_else")
    answer = await client.post(address(shop), content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json() == {"error": "the signature is missing or does not fit"}
    assert (await shop.payment(order)).state is AttemptState.PENDING


@pytest.mark.parametrize("path", ["/notices/1/paypal", "/notices/99/stripe", "/notices/x/stripe"])
async def test_an_account_that_is_not_there_is_not_found(
    client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.post(path, content=b"{}")).status_code == 404


async def test_a_notice_has_bounds_and_is_posted(shop: AtStripe, client: httpx.AsyncClient) -> None:
    too_much = b" " * (NOTICE_BYTES_MAX + 1)
    assert (await client.post(address(shop), content=too_much)).status_code == 413
    assert (await client.get(address(shop))).status_code == 405


async def test_what_cannot_be_found_out_now_is_to_be_sent_again(
    shop: AtStripe, client: httpx.AsyncClient
) -> None:
    order = await shop.order()
    await shop.pays(order)
    refunded = told(lambda _returned: "")
    await refund_order(shop.world.context(), Refund(order_id=order.id), refunded)
    (event,) = shop.stripe.events.of_type("refund.created")
    refund = {**event["data"]["object"], "status": "failed"}
    contrary = {**event, "id": "evt_x", "type": "refund.failed", "data": {"object": refund}}
    headers, body = shop.stripe.signed(contrary, SECRET)
    shop.stripe.faults.lose_requests = 100
    answer = await client.post(address(shop), content=body, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert (await shop.payment(order)).refunded == 2500
