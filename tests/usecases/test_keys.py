"""Keys are shown once, kept as hashes, tied to somebody, and ended for good."""

import hashlib

import pytest

from openorders.domain.access import Role
from openorders.usecases.keep_keys import (
    KeyRefusedError,
    WantedKey,
    create_key,
    list_keys,
    revoke_key,
)
from openorders.usecases.keep_stores import StoreUnknownError
from tests.world import World


def a_wanted(role: Role = Role.SERVICE, **more) -> WantedKey:
    return WantedKey(**({"store": "shop", "role": role} | more))


async def test_a_key_is_long_random_and_kept_as_a_hash(world: World):
    first = await create_key(world.services, a_wanted())
    second = await create_key(world.services, a_wanted())
    assert first.text.startswith("oo_")
    assert len(first.text) == len("oo_") + 43
    assert first.text != second.text
    rows = await world.rows(
        "select to_jsonb(k)::text as row, hash from api_keys k where store_id = $1"
    )
    assert not any(first.text[3:] in row["row"] for row in rows)
    assert rows[0]["hash"] == hashlib.sha256(first.text.encode()).digest()


async def test_keys_are_listed_with_everything_but_the_key(world: World):
    await create_key(world.services, a_wanted(Role.PARTNER, partner_name="RayTech Corp."))
    await create_key(world.services, a_wanted(Role.CUSTOMER, customer_id=42, label="Jane"))
    first, second = await list_keys(world.services, "shop")
    assert (first.role, first.partner_name, first.store) == (Role.PARTNER, "RayTech Corp.", "shop")
    assert (second.role, second.customer_id, second.label) == (Role.CUSTOMER, 42, "Jane")
    assert await list_keys(world.services) == (first, second)


async def test_a_key_is_tied_to_whom_its_role_says_and_to_nobody_else(world: World):
    for wanted in (
        a_wanted(Role.PARTNER),
        a_wanted(Role.CUSTOMER),
        a_wanted(Role.ADMIN, partner_name="x"),
        a_wanted(Role.SERVICE, customer_id=1),
        a_wanted(Role.PARTNER, partner_name=""),
        a_wanted(Role.PARTNER, partner_name="a\x00b"),
        a_wanted(Role.PARTNER, partner_name="x" * 300),
        a_wanted(Role.CUSTOMER, customer_id=0),
        a_wanted(Role.CUSTOMER, customer_id=2**53),
        a_wanted(label="a\nb"),
    ):
        with pytest.raises(KeyRefusedError):
            await create_key(world.services, wanted)
    assert await list_keys(world.services) == ()


async def test_a_key_needs_a_store_that_is_there(world: World):
    for name in ("nobody", "", "a\x00b"):
        with pytest.raises(StoreUnknownError, match="there are shop"):
            await create_key(world.services, a_wanted(store=name))


async def test_a_key_is_ended_by_its_number_or_by_itself_and_once(world: World):
    first = await create_key(world.services, a_wanted())
    second = await create_key(world.services, a_wanted())
    assert (await revoke_key(world.services, str(first.id))).now
    ended = (await list_keys(world.services))[0].revoked_at
    assert not (await revoke_key(world.services, str(first.id))).now
    assert (await list_keys(world.services))[0].revoked_at == ended
    assert await revoke_key(world.services, second.text)
    assert all(key.revoked_at for key in await list_keys(world.services))


async def test_a_key_that_is_not_there_cannot_be_ended(world: World):
    for key in ("99", "0", "-1", "x", "", "9" * 40, "²"):
        with pytest.raises(KeyRefusedError, match="no such key"):
            await revoke_key(world.services, key)
