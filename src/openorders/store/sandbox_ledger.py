"""The sandbox gateway's books, in tables of their own that the order book never reads.

Every entry is a transaction of its own on a connection of its own: what an outside provider
did stays done, whatever becomes of the caller.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Literal

from asyncpg import Record
from msgspec import Struct

from openorders.domain.ids import OrderId, StoreId
from openorders.store import queries
from openorders.store.database import Connection, Database

_Q = queries.load("sandbox_ledger")

PageKind = Literal["hosted", "3ds"]
PageState = Literal["open", "accepted", "refused", "voided"]


class SandboxCharge(Struct, frozen=True, kw_only=True):
    """A payment in the sandbox's books. Amounts are minor units."""

    id: int
    order_id: int
    amount: int
    currency: str
    captured: int
    refunded: int
    voided: bool
    card_brand: str | None
    card_last_four: str | None


class ListedSandboxCharge(SandboxCharge, frozen=True, kw_only=True):
    """A payment as it is listed: with the key that opened it, and whether its money is there."""

    key: str | None
    held: bool
    at: datetime


class SandboxPage(Struct, frozen=True, kw_only=True):
    """A page on which a buyer decides about a payment."""

    token: str
    charge_id: int
    order_id: int
    amount: int
    currency: str
    kind: PageKind
    captures: bool
    state: PageState
    return_url: str


class SandboxMethod(Struct, frozen=True, kw_only=True):
    """A card that a buyer left."""

    id: int
    customer: str
    token: str


class SandboxCall(Struct, frozen=True, kw_only=True):
    """A call that arrived at the sandbox, and what it answered; both are the sandbox's own."""

    kind: str
    request: bytes
    outcome: bytes


class SandboxLedger:
    """The books of all sandbox accounts of a database."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    @asynccontextmanager
    async def entry(self, store_id: StoreId, gateway: str) -> AsyncGenerator["SandboxBook"]:
        """Open an account's books; all of the entry is kept when the block ends well."""
        async with self._database.transaction() as connection:
            yield SandboxBook(connection, store_id, gateway, self._clock())

    async def find(self, store_id: StoreId, gateway: str, key: str) -> SandboxCall | None:
        """The call that once arrived with a key."""
        async with self._database.connection() as connection:
            return await SandboxBook(connection, store_id, gateway, self._clock()).call(key)

    async def opened(
        self,
        store_id: StoreId,
        gateway: str,
        *,
        since: datetime,
        until: datetime,
        after: int,
        limit: int,
    ) -> tuple[ListedSandboxCharge, ...]:
        """Payments of an account that were opened in that time, by their numbers."""
        async with self._database.connection() as connection:
            rows = await _Q.opened_charges.fetch(
                connection,
                store_id=store_id,
                gateway=gateway,
                since=since,
                until=until,
                after=after,
                limit=limit,
            )
        return tuple(ListedSandboxCharge(**dict(row)) for row in rows)

    async def charges_of(self, store_id: StoreId, order_id: OrderId) -> tuple[SandboxCharge, ...]:
        """Everything that was ever charged for an order, to compare with our own books."""
        async with self._database.connection() as connection:
            rows = await _Q.charges_of_order.fetch(connection, store_id=store_id, order_id=order_id)
        return tuple(_charge_of(row) for row in rows)


class SandboxBook:
    """One entry into one account's books."""

    def __init__(
        self, connection: Connection, store_id: StoreId, gateway: str, now: datetime
    ) -> None:
        self._connection = connection
        self._account = {"store_id": store_id, "gateway": gateway}
        self._now = now

    async def begin(self, key: str, kind: str, request: bytes) -> SandboxCall | None:
        """Take the key for this call; the earlier call when it was taken before."""
        taken = await _Q.begin_call.fetchval(
            self._connection, **self._account, key=key, kind=kind, request=request, now=self._now
        )
        return None if taken else await self.call(key)

    async def call(self, key: str) -> SandboxCall | None:
        """The call that came with a key."""
        row = await _Q.find_call.fetchrow(self._connection, **self._account, key=key)
        if row is None:
            return None
        return SandboxCall(
            kind=row["kind"],
            request=row["request"],
            outcome=row["outcome"],
        )

    async def answer(self, key: str, outcome: bytes) -> None:
        """Remember what is answered to the call that began."""
        await _Q.answer_call.execute(self._connection, **self._account, key=key, outcome=outcome)

    async def open(
        self,
        *,
        key: str,
        order_id: int,
        amount: int,
        currency: str,
        captured: int,
        card_brand: str | None,
        card_last_four: str | None,
    ) -> int:
        """Enter a new payment and return its number."""
        return await _Q.open_charge.fetchval(
            self._connection,
            **self._account,
            key=key,
            order_id=order_id,
            amount=amount,
            currency=currency,
            captured=captured,
            card_brand=card_brand,
            card_last_four=card_last_four,
            now=self._now,
        )

    async def charge(self, charge_id: int) -> SandboxCharge | None:
        """A payment, held until this entry is complete."""
        row = await _Q.hold_charge.fetchrow(self._connection, **self._account, id=charge_id)
        return None if row is None else _charge_of(row)

    async def change(self, charge_id: int, *, captured: int, refunded: int, voided: bool) -> None:
        """Enter what a payment has become."""
        await _Q.change_charge.execute(
            self._connection,
            **self._account,
            id=charge_id,
            captured=captured,
            refunded=refunded,
            voided=voided,
        )

    async def name_card(self, charge_id: int, brand: str, last_four: str) -> None:
        """Enter which card a payment was made with."""
        await _Q.name_card.execute(
            self._connection, **self._account, id=charge_id, brand=brand, last_four=last_four
        )

    async def open_page(
        self, charge_id: int, token: str, *, kind: PageKind, captures: bool, return_url: str
    ) -> None:
        """Let a buyer decide about a payment."""
        await _Q.open_page.execute(
            self._connection,
            **self._account,
            token=token,
            charge_id=charge_id,
            kind=kind,
            captures=captures,
            return_url=return_url,
            now=self._now,
        )

    async def page(self, token: str) -> SandboxPage | None:
        """The page behind a token."""
        row = await _Q.find_page.fetchrow(self._connection, **self._account, token=token)
        return None if row is None else SandboxPage(**dict(row))

    async def page_of(self, charge_id: int) -> SandboxPage | None:
        """The page of a payment, if it has one."""
        row = await _Q.page_of_charge.fetchrow(
            self._connection, **self._account, charge_id=charge_id
        )
        return None if row is None else SandboxPage(**dict(row))

    async def close_page(self, token: str, state: PageState) -> None:
        """Enter what became of a page."""
        await _Q.close_page.execute(self._connection, **self._account, token=token, state=state)

    async def keep_method(self, key: str, customer: str, token: str) -> SandboxMethod:
        """Keep a card; the same key again gives the same card."""
        row = await _Q.keep_method.fetchrow(
            self._connection,
            **self._account,
            key=key,
            customer=customer,
            token=token,
            now=self._now,
        ) or await _Q.method_of_key.fetchrow(self._connection, **self._account, key=key)
        assert row is not None, "a key that kept a card before has it"
        return SandboxMethod(**dict(row))

    async def method(self, method_id: int) -> SandboxMethod | None:
        """A card that was kept and not forgotten."""
        row = await _Q.find_method.fetchrow(self._connection, **self._account, id=method_id)
        return None if row is None else SandboxMethod(**dict(row))

    async def forget_method(self, method_id: int) -> None:
        """Let go of a card."""
        await _Q.forget_method.execute(self._connection, **self._account, id=method_id)


def _charge_of(row: Record) -> SandboxCharge:
    return SandboxCharge(**dict(row))
