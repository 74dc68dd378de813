"""Keys of a store, made, looked at and ended by the store itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openorders.domain.access import Role
from tests.contracts.manage.desk import Desk


async def test_a_key_is_shown_once_and_opens_the_store(desk: Desk) -> None:
    made = await desk.done("POST", "/keys", {"role": "service", "label": "warehouse"})
    assert made["key"].startswith("oo_")
    assert (made["role"], made["label"], made["revokedAt"]) == ("service", "warehouse", None)
    assert (await desk.ask("GET", "/payments", key=made["key"])).status == 200
    shown = await desk.done("GET", f"/keys/{made['id']}")
    assert shown == {name: value for name, value in made.items() if name != "key"}
    listed = await desk.done("GET", "/keys")
    assert shown in listed["keys"]
    assert made["key"] not in str(listed)


async def test_a_repeated_request_makes_one_key_and_does_not_show_it_again(desk: Desk) -> None:
    once = {"Idempotency-Key": "a-key"}
    body = {"role": "admin"}
    twins = await asyncio.gather(*(desk.ask("POST", "/keys", body, headers=once) for _ in range(4)))
    assert {told.status for told in twins} <= {201, 409}
    [first] = [told.json for told in twins if told.status == 201 and told.json["key"]]
    again = await desk.ask("POST", "/keys", body, headers=once)
    assert (again.status, again.json) == (201, first | {"key": None})
    assert again.headers["idempotency-replayed"] == "true"
    async with desk.shop.served.services.database.connection() as connection:
        kept = await connection.fetchval(
            "select convert_from(body, 'utf8') from idempotency_keys where store_id = $1",
            desk.shop.store.id,
        )
        made = await connection.fetchval(
            "select count(*) from api_keys where store_id = $1", desk.shop.store.id
        )
    assert first["id"] in kept
    assert first["key"] not in kept
    assert made == 2


async def test_a_revoked_key_opens_nothing_from_then_on(desk: Desk) -> None:
    made = await desk.done("POST", "/keys", {"role": "admin"})
    assert (await desk.ask("GET", "/keys", key=made["key"])).status == 200
    ended = await desk.done("DELETE", f"/keys/{made['id']}")
    assert ended["revokedAt"] is not None
    async with asyncio.timeout(60):
        while (await desk.ask("GET", "/keys", key=made["key"])).status != 401:
            await asyncio.sleep(0.01)
    assert await desk.done("DELETE", f"/keys/{made['id']}") == ended
    listed = await desk.done("GET", "/keys")
    assert ended in listed["keys"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "partner"}, "partnerName"),
        ({"role": "customer"}, "customerId"),
        ({"role": "admin", "partnerName": "Brewers"}, "partnerName"),
        ({"role": "service", "customerId": "cus_7"}, "customerId"),
        ({"role": "customer", "customerId": "cus_0"}, "customerId"),
        ({"role": "customer", "customerId": "7"}, "customerId"),
        ({"role": "owner"}, "role"),
        ({"role": "admin", "label": "a\nb"}, "label"),
        ({"role": "admin", "key": "oo_mine"}, "key"),
    ],
)
async def test_a_key_that_cannot_be_is_not_made(
    desk: Desk, body: dict[str, Any], field: str
) -> None:
    before = await desk.done("GET", "/keys")
    told = await desk.ask("POST", "/keys", body)
    assert told.status == 400
    assert told.json["errors"][0]["pointer"] == f"#/{field}"
    assert await desk.done("GET", "/keys") == before


async def test_keys_are_tied_as_they_were_asked_to_be(desk: Desk) -> None:
    partner = await desk.done("POST", "/keys", {"role": "partner", "partnerName": "Brewers"})
    customer = await desk.done("POST", "/keys", {"role": "customer", "customerId": "cus_7"})
    assert (partner["partnerName"], customer["customerId"]) == ("Brewers", "cus_7")
    for key in (partner["key"], customer["key"]):
        assert (await desk.ask("POST", "/keys", {"role": "admin"}, key=key)).status == 403


async def test_only_an_admin_makes_keys(desk: Desk) -> None:
    key = await desk.shop.key(Role.SERVICE)
    told = await desk.ask("POST", "/keys", {"role": "admin"}, key=key)
    assert told.status == 403


async def test_keys_come_in_pages_that_new_ones_do_not_disturb(desk: Desk) -> None:
    made = [(await desk.done("POST", "/keys", {"role": "service"}))["id"] for _ in range(4)]
    first = await desk.done("GET", "/keys?limit=3")
    made.append((await desk.done("POST", "/keys", {"role": "service"}))["id"])
    rest = await desk.done("GET", f"/keys?limit=3&after={first['next']}")
    listed = [key["id"] for key in first["keys"] + rest["keys"]]
    assert listed[1:] == made
    assert rest["next"] is None
