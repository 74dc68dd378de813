"""The sandbox gateway's books, in tables of their own that the order book never reads.

Every entry is a transaction of its own on a connection of its own: what an outside provider
did stays done, whatever becomes of the caller.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record

from openorders.domain.ids import OrderId, StoreId
from openorders.store import queries
from openorders.store.database import Connection, Database

_Q = queries.load("sandbox_ledger")


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCharge:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCall:
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
        order_id: int,
        amount: int,
        currency: str,
        captured: int,
        card_brand: str,
        card_last_four: str,
    ) -> int:
        """Enter a new payment and return its number."""
        return await _Q.open_charge.fetchval(
            self._connection,
            **self._account,
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


def _charge_of(row: Record) -> SandboxCharge:
    return SandboxCharge(**dict(row))
