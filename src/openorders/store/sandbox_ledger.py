"""The sandbox gateway's books, in tables of their own that the order book never reads.

Every entry is a transaction of its own on a connection of its own: what an outside provider
did stays done, whatever becomes of the caller.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict

from asyncpg import Record

from openorders.domain.ids import OrderId, StoreId
from openorders.gateways.sandbox import RecordedCall, SandboxCharge
from openorders.store import queries
from openorders.store.database import Connection, Database

_Q = queries.load("sandbox_ledger")


class StoredLedger:
    """The books of all sandbox accounts of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def entry(self, store_id: StoreId, gateway: str) -> AsyncGenerator["StoredBook"]:
        """Open an account's books; all of the entry is kept when the block ends well."""
        async with self._database.transaction() as connection:
            yield StoredBook(connection, store_id, gateway)

    async def find(self, store_id: StoreId, gateway: str, key: str) -> RecordedCall | None:
        """The call that once arrived with a key."""
        async with self._database.connection() as connection:
            return await StoredBook(connection, store_id, gateway).call(key)

    async def charges_of(self, store_id: StoreId, order_id: OrderId) -> tuple[SandboxCharge, ...]:
        """Everything that was ever charged for an order, to compare with our own books."""
        async with self._database.connection() as connection:
            rows = await _Q.charges_of_order.fetch(connection, store_id=store_id, order_id=order_id)
        return tuple(_charge_of(row) for row in rows)


class StoredBook:
    """One entry into one account's books."""

    def __init__(self, connection: Connection, store_id: StoreId, gateway: str) -> None:
        self._connection = connection
        self._account = {"store_id": store_id, "gateway": gateway}

    async def begin(self, key: str, kind: str, request: bytes) -> RecordedCall | None:
        """Take the key for this call; the earlier call when it was taken before."""
        taken = await _Q.begin_call.fetchval(
            self._connection, **self._account, key=key, kind=kind, request=request
        )
        return None if taken else await self.call(key)

    async def call(self, key: str) -> RecordedCall | None:
        """The call that came with a key."""
        row = await _Q.find_call.fetchrow(self._connection, **self._account, key=key)
        if row is None:
            return None
        return RecordedCall(
            key=row["idempotency_key"],
            kind=row["kind"],
            request=row["request"],
            outcome=row["outcome"],
        )

    async def answer(self, key: str, outcome: bytes) -> None:
        """Remember what is answered to the call that began."""
        await _Q.answer_call.execute(self._connection, **self._account, key=key, outcome=outcome)

    async def open(self, charge: SandboxCharge) -> int:
        """Enter a new payment and return its number."""
        columns = asdict(charge)
        del columns["id"]
        return await _Q.open_charge.fetchval(self._connection, **self._account, **columns)

    async def charge(self, charge_id: int) -> SandboxCharge | None:
        """A payment, held until this entry is complete."""
        row = await _Q.hold_charge.fetchrow(self._connection, **self._account, id=charge_id)
        return None if row is None else _charge_of(row)

    async def change(self, charge: SandboxCharge) -> None:
        """Enter what a payment has become."""
        await _Q.change_charge.execute(
            self._connection,
            **self._account,
            id=charge.id,
            captured=charge.captured,
            refunded=charge.refunded,
            voided=charge.voided,
        )


def _charge_of(row: Record) -> SandboxCharge:
    return SandboxCharge(**dict(row))
