"""What is the sandbox's alone: cards that misbehave, pages that our own pages show, its books.
What it promises like every gateway is in `test_every_gateway*.py`."""

import asyncio

import pytest

from openorders.domain.ids import OrderId
from openorders.domain.payment import OperationKind
from openorders.domain.store_settings import GatewaySettings, Store, StorePolicy
from openorders.gateways import sandbox
from openorders.gateways.manual import ManualGateway
from openorders.gateways.payments import (
    Declined,
    Gateways,
    GatewayUnreachable,
    NoticeRefused,
    Succeeded,
    UnknownGatewayKind,
)
from openorders.gateways.sandbox import SLOW_S, SandboxGateway, SandboxPage
from tests.gateways.providers import (
    ELSEWHERE,
    HERE,
    Sandbox,
    a_call,
    a_page,
    about,
    books,
    done,
    entries,
    waits,
)
from tests.world import NOON

AUTHORISE = OperationKind.AUTHORISE
CAPTURE = OperationKind.CAPTURE
REFUND = OperationKind.REFUND
VOID = OperationKind.VOID


async def a_token(at_sandbox: Sandbox) -> str:
    """The token of a page that was opened with the key 1."""
    url = waits(await at_sandbox.gateway.open_page(a_page("1"))).action_url
    assert url is not None
    head, _, token = url.rpartition("/")
    assert head == "/sandbox/1/sandbox"
    return token


async def test_a_refund_that_fails_does_so_at_once(at_sandbox: Sandbox) -> None:
    reference = done(await at_sandbox.gateway.charge(a_call("1", token="tok_refundFail")))
    outcome = await at_sandbox.gateway.refund(about(reference, "r", REFUND))
    assert isinstance(outcome, Declined)
    assert outcome.code == "refund_failed"
    assert await books(at_sandbox) == [(2500, 2500, 0)]


async def test_a_pending_refund_is_unanswered_at_first(at_sandbox: Sandbox) -> None:
    reference = done(await at_sandbox.gateway.charge(a_call("1", token="tok_pendingRefund")))
    with pytest.raises(GatewayUnreachable):
        await at_sandbox.gateway.refund(about(reference, "r", REFUND))
    done(await at_sandbox.gateway.refund(about(reference, "r", REFUND)))


@pytest.mark.parametrize(
    ("token", "seen"), [("tok_timeoutBeforeCharge", False), ("tok_timeoutAfterCharge", True)]
)
async def test_cards_can_lose_a_request_or_an_answer(
    at_sandbox: Sandbox, token: str, *, seen: bool
) -> None:
    call = a_call("1", token=token)
    with pytest.raises(GatewayUnreachable):
        await at_sandbox.gateway.charge(call)
    assert (await at_sandbox.gateway.look_up(call, NOON) is not None) is seen
    assert await books(at_sandbox) == [(2500, 2500, 0)] * seen


async def test_a_slow_card_is_answered_late(at_sandbox: Sandbox) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    gateway = SandboxGateway(at_sandbox.ledger, HERE, "sandbox", sleep=sleep)
    done(await gateway.charge(a_call("1", token="tok_slow")))
    done(await gateway.charge(a_call("2")))
    assert waited == [SLOW_S]


async def test_a_page_shows_what_is_to_be_decided(at_sandbox: Sandbox) -> None:
    token = await a_token(at_sandbox)
    assert len(token) >= 32
    assert await at_sandbox.gateway.page(token) == SandboxPage(
        order_id=OrderId(7),
        amount=2500,
        currency="USD",
        return_url="https://shop.example/back",
        kind="hosted",
        state="open",
    )
    assert await at_sandbox.gateway.page("another") is None
    assert await at_sandbox.gateway.decide("another", accept=True) is None


@pytest.mark.parametrize(("first", "state"), [(True, "accepted"), (False, "refused")])
async def test_a_page_is_decided_once(at_sandbox: Sandbox, first: bool, state: str) -> None:
    token = await a_token(at_sandbox)
    for accept in (first, not first, first):
        page = await at_sandbox.gateway.decide(token, accept=accept)
        assert page is not None
        assert page.state == state
    assert await books(at_sandbox) == [(2500, 2500, 0) if first else (0, 0, 0)]


async def test_a_buyer_who_accepts_while_the_page_is_given_up_pays_or_does_not(
    at_sandbox: Sandbox,
) -> None:
    for number in range(8):
        call = a_page(str(number))
        pending = waits(await at_sandbox.gateway.open_page(call))
        token = (pending.action_url or "").rpartition("/")[2]
        void = about(pending.reference, f"v{number}", VOID)
        page, voided = await asyncio.gather(
            at_sandbox.gateway.decide(token, accept=True), at_sandbox.gateway.void(void)
        )
        found = await at_sandbox.gateway.look_up(call, NOON)
        assert page is not None
        paid = page.state == "accepted"
        assert isinstance(voided, Declined) is paid
        assert isinstance(found, Succeeded) is paid
        [*_, entry] = await entries(at_sandbox)
        assert (entry.captured, entry.authorised) == ((2500, 2500) if paid else (0, 0))


async def test_a_page_belongs_to_its_account(at_sandbox: Sandbox) -> None:
    token = await a_token(at_sandbox)
    for other in (at_sandbox.another, SandboxGateway(at_sandbox.ledger, ELSEWHERE, "sandbox")):
        assert await other.page(token) is None
        assert await other.decide(token, accept=True) is None
    page = await at_sandbox.gateway.page(token)
    assert page is not None
    assert page.state == "open"


async def test_a_long_book_is_read_piece_by_piece(
    at_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        await at_sandbox.gateway.charge(a_call(str(number)))
    for size in (1, 2, 5, 6):
        monkeypatch.setattr(sandbox, "ENTRIES_AT_ONCE", size)
        assert [one.key for one in await entries(at_sandbox)] == ["0", "1", "2", "3", "4"]


async def test_the_sandbox_sends_no_notices(at_sandbox: Sandbox) -> None:
    with pytest.raises(NoticeRefused):
        at_sandbox.gateway.read_notice({}, b"{}", NOON)


async def test_what_is_done_by_hand_is_done() -> None:
    gateway = ManualGateway()
    refund = about("manual-7", "1", REFUND)
    assert await gateway.refund(refund) == Succeeded(reference="manual-7")
    assert await gateway.look_up(refund, NOON) is None
    assert [entry async for entry in gateway.entries(NOON, NOON)] == []
    assert not gateway.has_pages
    with pytest.raises(NoticeRefused):
        gateway.read_notice({}, b"{}", NOON)


def test_a_store_is_served_by_the_kind_it_names(at_sandbox: Sandbox) -> None:
    ledger = at_sandbox.ledger
    gateways = Gateways(
        {
            "sandbox": lambda store, account: SandboxGateway(ledger, store.id, account.name),
            "manual": lambda _store, _account: ManualGateway(),
        }
    )
    policy = StorePolicy(
        gateways=(GatewaySettings(name="stripe_1"), GatewaySettings(name="new", kind="new"))
    )
    store = Store(id=HERE, name="shop", currency="USD", policy=policy)
    assert isinstance(gateways.of(store, "stripe_1"), SandboxGateway)
    assert gateways.of(store, "stripe_1") is gateways.of(store, "stripe_1")
    assert isinstance(gateways.of(store, "manual"), ManualGateway)
    for unknown in ("new", "gone"):
        with pytest.raises(UnknownGatewayKind):
            gateways.of(store, unknown)
