"""Carry out what was decided about money: ask the gateway, and settle what it says.

Every operation was committed before. No transaction is open while a gateway is asked, and an
answer that does not come leaves the operation open: the sweep finds out later.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

from msgspec import Struct

from openorders import logs
from openorders.domain.ids import ID_MAX, OperationId, StoreId
from openorders.domain.payment import AttemptState, OperationKind, OperationState
from openorders.domain.refusals import PaymentUnsettled, Refused
from openorders.domain.store_settings import Store
from openorders.gateways.payments import (
    Gateway,
    GatewayCall,
    GatewayUnreachable,
    Outcome,
    Pending,
)
from openorders.store import payments, stores
from openorders.store.payments import StoredOperation
from openorders.usecases.context import Services
from openorders.usecases.give_up_waiting import give_up_waiting
from openorders.usecases.settle_payment import NEVER_ARRIVED, Settled, Within, settle

CALL_TIMEOUT_S: Final = 20.0
"""How long a gateway may take to answer; after that its answer counts as lost."""

_ANSWERED_WITHIN: Final = timedelta(seconds=CALL_TIMEOUT_S)

NEVER_SEEN_AFTER: Final = timedelta(seconds=45)
"""A charge of this age that the gateway has not seen will not arrive any more."""

SENT_AGAIN_WITHIN: Final = timedelta(hours=12)
"""A charge of this age is not sent again for its buyer, either: a gateway forgets keys in a day."""

LEASE: Final = timedelta(seconds=60)
"""How long a swept operation belongs to the process that took it."""

LONGEST_WAIT: Final = timedelta(hours=1)
"""The longest pause between two questions about what nobody answers, or what waits."""

WAITS_AT_MOST: Final = timedelta(hours=24)
"""A payment whose buyer has not come back for so long is given up."""

SWEEP_LIMIT: Final = 20
"""How many operations one sweep takes; `_ABREAST` of them are asked for at a time."""

_ABREAST: Final = 10

_KEY: Final = re.compile(r"([0-9]{1,19})-([0-9]{1,19})-([0-9]{1,19})", re.ASCII)

_log = logs.Logger(__name__)

_T = TypeVar("_T")
_Ask = Callable[[GatewayCall], Coroutine[Any, Any, Outcome]]

_VERBS: Final[dict[OperationKind, Callable[[Gateway], _Ask]]] = {
    OperationKind.CHARGE: lambda gateway: gateway.charge,
    OperationKind.AUTHORISE: lambda gateway: gateway.authorise,
    OperationKind.CAPTURE: lambda gateway: gateway.capture,
    OperationKind.REFUND: lambda gateway: gateway.refund,
    OperationKind.VOID: lambda gateway: gateway.void,
}


async def perform(
    services: Services,
    store: Store,
    operation_id: OperationId,
    *,
    within: Within | None = None,
) -> Settled:
    """Ask the gateway for an operation that was recorded, and settle its answer.

    One that is settled already is not asked for again, nor is one that waits for its buyer: the
    gateway is asked how it stands. Raises `Refused(PaymentUnsettled)` when the outcome is not
    known; `within` has not run then.
    """
    operation = await _read(services, store.id, operation_id)
    outcome = None
    if operation.state is OperationState.STARTED:
        outcome = await _outcome(services, store, operation)
    if isinstance(outcome, Pending) and not operation.opens_payment:
        await _postpone(services, store, operation)
        raise Refused(PaymentUnsettled(operation.order_id))
    settled = await settle(services, store, operation_id, outcome, within=within)
    await perform_all(services, store, settled.follow_ups)
    return settled


async def perform_all(
    services: Services, store: Store, operation_ids: Sequence[OperationId]
) -> None:
    """Carry out what follows from a change that is committed. What fails is left to the sweep."""
    for operation_id in operation_ids:
        try:
            await perform(services, store, operation_id)
        except Refused as refused:
            _log.warning("left_to_the_sweep", operation=operation_id, reason=refused.reason)
        except Exception:  # noqa: BLE001 - what it follows from is committed and stays so
            _log.exception("left_to_the_sweep", operation=operation_id)


async def sweep_operations(services: Services) -> int:
    """Finish operations that nobody finished, of any store. Returns how many were looked at."""
    now = services.clock()
    async with services.database.transaction() as tx:
        due = await payments.claim_due(tx, now, again=now + LEASE, limit=SWEEP_LIMIT)
        known = {store.id: store for store in await stores.all_stores(tx)} if due else {}
    abreast = asyncio.Semaphore(_ABREAST)

    async def one(store_id: StoreId, operation_id: OperationId) -> None:
        async with abreast:
            await _sweep(services, known[store_id], operation_id)

    await asyncio.gather(*(one(*operation) for operation in due))
    return len(due)


async def _sweep(services: Services, store: Store, operation_id: OperationId) -> None:
    try:
        operation = await _read(services, store.id, operation_id)
        if operation.opens_payment:
            await _find_out(services, store, operation)
        else:
            await _see_to(services, store, operation)
    except Refused as refused:
        _log.warning("still_unsettled", operation=operation_id, reason=refused.reason)
    except Exception:  # noqa: BLE001 - one operation that cannot be settled holds up no other
        _log.exception("sweep_failed", operation=operation_id)


async def _find_out(services: Services, store: Store, operation: StoredOperation) -> None:
    """Ask what became of a charge. Its buyer may be gone, so it is never sent again."""
    outcome = await looked_up(services, store, operation)
    too_old = operation.created_at + NEVER_SEEN_AFTER
    if outcome is None and services.clock() < too_old:
        async with services.database.connection() as connection:
            await payments.postpone(connection, store.id, operation.id, too_old)
        return
    if outcome is None and (await _read(services, store.id, operation.id)).tries != operation.tries:
        return  # It was sent again meanwhile, and is looked for once that can be answered.
    settled = await settle(services, store, operation.id, outcome or NEVER_ARRIVED)
    await perform_all(services, store, settled.follow_ups)
    if isinstance(outcome, Pending):
        await _let_wait(services, store, operation, outcome)


async def _let_wait(
    services: Services, store: Store, operation: StoredOperation, outcome: Pending
) -> None:
    """Ask again later, each time after a longer pause, until its buyer has had time enough."""
    await _postpone(services, store, operation)
    is_bank = outcome.action_url is None
    if is_bank or services.clock() < operation.created_at + WAITS_AT_MOST:
        return
    void = await give_up_waiting(services, store, operation)
    await perform_all(services, store, void)


async def _see_to(services: Services, store: Store, operation: StoredOperation) -> None:
    """Finish a refund, a capture or a void. A gateway forgets keys after a while, so it is asked
    what it did before it is asked to do anything again.
    """
    outcome = await looked_up(services, store, operation)
    if outcome is None:
        await perform(services, store, operation.id)
    elif isinstance(outcome, Pending):
        await _postpone(services, store, operation)
    else:
        settled = await settle(services, store, operation.id, outcome)
        await perform_all(services, store, settled.follow_ups)


async def looked_up(services: Services, store: Store, operation: StoredOperation) -> Outcome | None:
    """What the gateway says became of an operation; None when it has never seen it.

    Raises `Refused(PaymentUnsettled)` when it does not answer.
    """
    call, since = _call(store, operation), operation.created_at
    return await _ask(services, store, operation, lambda gateway: gateway.look_up(call, since))


async def _outcome(services: Services, store: Store, operation: StoredOperation) -> Outcome | None:
    if _waits(operation):
        return await looked_up(services, store, operation)
    age = services.clock() - operation.created_at
    if operation.opens_payment and age >= SENT_AGAIN_WITHIN:
        return await looked_up(services, store, operation) or NEVER_ARRIVED
    if operation.opens_payment and age >= _ANSWERED_WITHIN:
        # The sweep is not to judge by its age what is only now being sent.
        await _postpone(services, store, operation)
    return await _asked(services, store, operation)


async def _asked(services: Services, store: Store, operation: StoredOperation) -> Outcome:
    call = _call(store, operation)
    verb = _VERBS[operation.kind]
    if operation.page and operation.opens_payment:
        return await _ask(services, store, operation, lambda gateway: gateway.open_page(call))
    return await _ask(services, store, operation, lambda gateway: verb(gateway)(call))


def _call(store: Store, operation: StoredOperation) -> GatewayCall:
    return GatewayCall(
        key=call_key(store, operation),
        kind=operation.kind,
        amount=operation.amount,
        currency=operation.currency,
        order_id=operation.order_id,
        token=operation.token if operation.opens_payment else None,
        customer=operation.customer if operation.opens_payment else None,
        return_url=operation.return_url if operation.opens_payment else None,
        reference=operation.reference,
    )


def _waits(operation: StoredOperation) -> bool:
    return operation.opens_payment and operation.payment_state is AttemptState.PENDING


async def _ask(
    services: Services,
    store: Store,
    operation: StoredOperation,
    question: Callable[[Gateway], Coroutine[Any, Any, _T]],
) -> _T:
    """The gateway's answer. Whatever goes wrong leaves the outcome unknown, never failed."""
    try:
        gateway = services.gateways.of(store, operation.gateway)
        async with asyncio.timeout(CALL_TIMEOUT_S):
            return await question(gateway)
    except (GatewayUnreachable, TimeoutError) as error:
        _log.warning("gateway_unreachable", operation=operation.id, error=str(error))
        await _postpone(services, store, operation)
        raise Refused(PaymentUnsettled(operation.order_id)) from error
    except Exception as error:
        _log.exception("gateway_failed", operation=operation.id)
        await _postpone(services, store, operation)
        raise Refused(PaymentUnsettled(operation.order_id)) from error


async def _postpone(services: Services, store: Store, operation: StoredOperation) -> None:
    wait = min(LONGEST_WAIT, payments.SWEPT_AFTER * 2 ** min(operation.tries, 10))
    async with services.database.connection() as connection:
        await payments.postpone(connection, store.id, operation.id, services.clock() + wait)


async def _read(
    services: Services, store_id: StoreId, operation_id: OperationId
) -> StoredOperation:
    async with services.database.connection() as connection:
        operation = await payments.read_operation(connection, store_id, operation_id)
    assert operation is not None, "operations are never deleted"
    return operation


def call_key(store: Store, operation: StoredOperation) -> str:
    """The key of a call: the same for an operation whenever it is sent.

    The second of its record keeps apart what a database says that was made anew.
    """
    return f"{store.id}-{operation.id}-{int(operation.created_at.timestamp())}"


class Named(Struct, frozen=True, kw_only=True):
    """What the key of a call says: the operation, and the second in which it was recorded."""

    store_id: int
    id: OperationId
    second: int


def operation_named(key: str) -> Named | None:
    """The operation that the key of a call names; None for a key that is none of ours."""
    parts = _KEY.fullmatch(key)
    if parts is None:
        return None
    store_id, number, second = (int(part) for part in parts.groups())
    if max(store_id, number, second) > ID_MAX:
        return None
    return Named(store_id=store_id, id=OperationId(number), second=second)
