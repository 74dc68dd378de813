"""Keys: who they are, what refuses them, and how fast a change is known everywhere."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from openorders.domain.access import Caller, Role
from openorders.domain.refusals import NotAuthenticated, Refused
from openorders.domain.store_settings import StorePolicy
from openorders.store.database import Database, opened
from openorders.store.known import KnownCallers
from openorders.store.stores import ACCESS_CHANGED
from openorders.usecases.admit_callers import admit
from openorders.usecases.context import Services
from openorders.usecases.keep_keys import WantedKey, create_key, revoke_key
from openorders.usecases.keep_stores import apply_store
from tests.world import World, a_world

NOBODY = StorePolicy()


async def a_key(world: World, role: Role = Role.SERVICE, **more) -> str:
    wanted = WantedKey(store=world.store.name, role=role, **more)
    return (await create_key(world.services, wanted)).text


async def refused(services: Services, credential: str | None, contract: str = "commerce") -> bool:
    with pytest.raises(Refused) as refusal:
        await admit(services, credential, contract)
    return refusal.value.reason == NotAuthenticated()


@pytest.mark.parametrize(
    ("role", "tie"),
    [
        (Role.ADMIN, {}),
        (Role.SERVICE, {}),
        (Role.PARTNER, {"partner_name": "RayTech Corp."}),
        (Role.CUSTOMER, {"customer_id": 42}),
    ],
)
async def test_a_key_is_its_store_its_role_and_whom_it_is_tied_to(world: World, role, tie):
    key = await a_key(world, role, **tie)
    caller = await admit(world.services, key, "basic")
    assert caller == Caller(
        store=world.store, role=role, actor="key:1", credential="key:1", contract="basic", **tie
    )


async def test_what_is_no_key_is_refused(world: World):
    await a_key(world)
    for credential in (
        "", " ", "oo_", "nothing", "x" * 9000, "a.b", "a.b.c.d", "\x00", "\udcff", "é", "'; --"
    ):  # fmt: skip
        assert await refused(world.services, credential), credential


async def test_a_key_is_compared_whole(world: World):
    key = await a_key(world)
    for wrong in (key[:-1], key + "x", key.upper(), f" {key}", f"{key}\n"):
        assert await refused(world.services, wrong)


async def test_without_a_credential_nobody_is_admitted(world: World):
    assert await refused(world.services, None)


async def test_an_open_contract_admits_anybody_to_its_store(world: World):
    services = replace(world.services, open_contracts={"basic": world.store.name})
    caller = await admit(services, None, "basic")
    assert (caller.store, caller.role) == (world.store, Role.SERVICE)
    assert caller.actor == caller.credential == "open:basic"
    assert await refused(services, None, "commerce")


async def test_a_wrong_credential_is_refused_also_where_a_contract_is_open(world: World):
    services = replace(world.services, open_contracts={"basic": world.store.name})
    assert await refused(services, "wrong", "basic")
    assert await refused(services, "", "basic")
    key = await a_key(world, Role.CUSTOMER, customer_id=5)
    assert (await admit(services, key, "basic")).role is Role.CUSTOMER


async def test_an_open_contract_without_a_store_means_the_only_one(
    world: World, database: Database, tmp_path
):
    services = replace(world.services, open_contracts={"basic": None})
    assert (await admit(services, None, "basic")).store == world.store
    await a_world(database, tmp_path, name="another")
    services.known.forget()
    assert await refused(services, None, "basic")


async def test_an_open_contract_of_a_store_that_is_not_there_admits_nobody(world: World):
    services = replace(world.services, open_contracts={"basic": "nobody"})
    assert await refused(services, None, "basic")


async def test_a_caller_is_remembered_for_a_moment_without_a_look_at_the_database(world: World):
    key = await a_key(world)
    first = await admit(world.services, key, "commerce")
    async with world.database.transaction() as tx:
        await tx.execute("update api_keys set role = 'admin'")
    assert await admit(world.services, key, "commerce") == first
    world.clock.move(seconds=6)
    assert (await admit(world.services, key, "commerce")).role is Role.ADMIN


async def test_a_refusal_is_not_remembered(world: World):
    services = world.services
    key = await a_key(world)
    async with world.database.transaction() as tx:
        await tx.execute("update api_keys set revoked_at = now()")
    assert await refused(services, key)
    async with world.database.transaction() as tx:
        await tx.execute("update api_keys set revoked_at = null")
    assert await admit(services, key, "commerce")


def a_caller(world: World, contract: str = "commerce") -> Caller:
    return world.caller(contract=contract)


async def test_what_was_looked_up_before_a_change_is_not_remembered_after_it(world: World):
    known, now = KnownCallers(), world.clock()
    changes = known.changes
    known.forget()
    known.remember(b"digest", a_caller(world), now, changes=changes)
    assert known.find("commerce", b"digest", now) is None


async def test_memory_is_bounded_in_number_and_time(world: World):
    known, now = KnownCallers(entries_max=3), world.clock()
    for number in range(10):
        known.remember(bytes([number]), a_caller(world), now, changes=0)
    assert len(known) == 3
    assert known.find("commerce", bytes([9]), now) is not None
    assert known.find("commerce", bytes([6]), now) is None
    known.remember(b"x", a_caller(world), now, changes=0, until=now + timedelta(seconds=1))
    assert known.find("commerce", b"x", now + timedelta(seconds=1)) is None


@pytest.fixture
async def workers(world: World, database_url: str) -> AsyncIterator[list[Services]]:
    """Three processes' services, each listening on a pool of its own."""
    async with (
        opened(database_url, connections=1) as first,
        opened(database_url, connections=1) as second,
        opened(database_url, connections=1) as third,
    ):
        services = [
            replace(world.services, database=pool, known=KnownCallers())
            for pool in (first, second, third)
        ]
        async with (
            first.listening(ACCESS_CHANGED, services[0].known.forget),
            second.listening(ACCESS_CHANGED, services[1].known.forget),
            third.listening(ACCESS_CHANGED, services[2].known.forget),
        ):
            await until(lambda: all(one.known.changes for one in services))
            yield services


async def until(holds) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)


async def test_a_revoked_key_is_refused_on_all_workers_at_once(world: World, workers):
    key = await a_key(world)
    await until(lambda: all(one.known.changes > 1 for one in workers))
    for services in workers:
        assert await admit(services, key, "commerce")
        assert len(services.known) == 1
    await revoke_key(world.services, key)
    await until(lambda: not any(len(one.known) for one in workers))
    for services in workers:
        assert await refused(services, key)


async def test_a_stores_new_settings_are_known_to_all_workers(world: World, workers):
    key = await a_key(world)
    await until(lambda: all(one.known.changes > 1 for one in workers))
    for services in workers:
        await admit(services, key, "commerce")
    taxes = [{"name": "VAT", "rate": 0}]
    await apply_store(world.services, {"name": "shop", "taxes": taxes})
    await until(lambda: not any(len(one.known) for one in workers))
    for services in workers:
        caller = await admit(services, key, "commerce")
        assert [tax.name for tax in caller.store.policy.taxes] == ["VAT"]
