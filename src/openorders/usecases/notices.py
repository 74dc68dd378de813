"""Take in what a gateway tells by itself: checked, matched with the call it is about, settled.

A notice may come twice, at once, in any order, and before the answer to our own call. Its effect
and its name are written in one transaction, so it has its effect once. Knows nothing of HTTP.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from openorders import logs
from openorders.domain.ids import OperationId, StoreId
from openorders.domain.refusals import Refused
from openorders.domain.store_settings import Store
from openorders.gateways.payments import Declined, Gateway, Notice, NoticeRefused, Outcome
from openorders.store import notices, payments, stores, waiting
from openorders.store.payments import StoredOperation
from openorders.usecases.context import Services
from openorders.usecases.payment_news import is_contested
from openorders.usecases.perform_operations import (
    call_key,
    looked_up,
    operation_named,
    perform_all,
)
from openorders.usecases.settle_payment import settle

NOTICE_BYTES_MAX: Final = 512 * 1024
"""A gateway's notice is a few kilobytes; what is larger is not read to its end."""

KEPT_FOR: Final = timedelta(days=35)
"""Longer than any gateway sends a notice again, by itself or because a person asks it to."""

FORGET_LIMIT: Final = 1_000
"""How many notices one run forgets."""

ASKED_WITHIN_S: Final = 8.0
"""A gateway waits longer than this for our answer to a notice."""

_log = logs.Logger(__name__)


class UnknownAccount(Exception):
    """There is no such store, or it has no such gateway that could tell anything."""


class NoticeUnread(Exception):
    """A notice is not what it claims to be; the message may be told to whoever sent it."""


class NoticeUnsettled(Exception):
    """What is true could not be found out now: it is to be sent again."""


async def take_notice(
    services: Services,
    store_id: StoreId,
    gateway_name: str,
    headers: Mapping[str, str],
    body: bytes,
) -> tuple[Store, tuple[OperationId, ...]]:
    """Settle what a notice says; header names come in lower case.

    Answers what is to be performed because of it, which the caller hands to `follow_up` once the
    gateway has been answered. Raises `UnknownAccount`, `NoticeUnread` and `NoticeUnsettled`.
    """
    store, gateway = await _account(services, store_id, gateway_name)
    try:
        notice = gateway.read_notice(headers, body, services.clock())
    except NoticeRefused as refused:
        _log.warning("notice_refused", store=store_id, gateway=gateway_name, reason=str(refused))
        raise NoticeUnread(str(refused)) from refused
    operation = None if notice is None else await _matching(services, store, gateway_name, notice)
    if notice is None or operation is None:
        return store, ()
    outcome = await _certain(services, store, operation, notice)
    settled = await settle(services, store, operation.id, outcome, notice_id=notice.id)
    return store, settled.follow_ups


async def follow_up(
    services: Services, store: Store, operation_ids: tuple[OperationId, ...]
) -> None:
    """Do what a notice led to, money to be given back for instance. The sweep does it otherwise."""
    await perform_all(services, store, operation_ids)


async def forget_notices(services: Services) -> int:
    """Forget a batch of notices that nobody will send again. Returns how many there were."""
    before = services.clock() - KEPT_FOR
    async with services.database.connection() as connection:
        return await notices.forget(connection, before=before, limit=FORGET_LIMIT)


async def _account(services: Services, store_id: StoreId, name: str) -> tuple[Store, Gateway]:
    async with services.database.connection() as connection:
        store = await stores.read(connection, store_id)
    settings = store.gateway(name) if store is not None else None
    if store is None or settings is None or settings.is_by_hand:
        raise UnknownAccount
    return store, services.gateways.of(store, name)


async def _matching(
    services: Services, store: Store, gateway_name: str, notice: Notice
) -> StoredOperation | None:
    """The operation whose call a notice is about; None when the call was not ours."""
    named = operation_named(notice.key)
    if named is None:
        return None
    async with services.database.connection() as connection:
        operation = await payments.read_operation(connection, store.id, named.id)
    ours = operation is not None and operation.gateway == gateway_name
    if operation is None or not ours or call_key(store, operation) != notice.key:
        _log.warning("notice_of_a_stranger", store=store.id, gateway=gateway_name, key=notice.key)
        return None
    return operation


async def _certain(
    services: Services, store: Store, operation: StoredOperation, notice: Notice
) -> Outcome | None:
    """What the notice says; where that contradicts what was settled, what is true now."""
    if isinstance(notice.outcome, Declined) and await _is_given_up(services, store, operation):
        return None  # The gateway tells of our own void, whose answer says the same.
    if not is_contested(operation, notice.outcome):
        return notice.outcome
    try:
        async with asyncio.timeout(ASKED_WITHIN_S):
            return await looked_up(services, store, operation)
    except (Refused, TimeoutError) as error:
        raise NoticeUnsettled from error


async def _is_given_up(services: Services, store: Store, operation: StoredOperation) -> bool:
    if not operation.opens_payment:
        return False
    async with services.database.connection() as connection:
        return await waiting.open_void(connection, store.id, operation.payment_id) is not None
