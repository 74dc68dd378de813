"""Endpoints and their deliveries through the management API. That anything is really sent, and how
it is signed, is tried where it is sent.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.asking import Told
from tests.contracts.manage.desk import HOOK, Desk


async def made(desk: Desk, **how: Any) -> Any:
    return await desk.done("POST", "/webhook-endpoints", {"url": HOOK, "contract": "partner"} | how)


def kind_of(told: Told) -> tuple[int, str]:
    assert told.headers["content-type"] == "application/problem+json", told
    return told.status, told.json["type"].removeprefix("/problems#")


async def test_an_endpoint_is_made_with_a_secret_that_is_shown_once(desk: Desk) -> None:
    endpoint = await made(desk, types=["order.paid", "order.cancelled"], label="warehouse")
    assert endpoint["secret"].startswith("whsec_")
    assert (endpoint["state"], endpoint["label"], endpoint["contract"]) == (
        "active",
        "warehouse",
        "partner",
    )
    assert set(endpoint["types"]) == {"order.paid", "order.cancelled"}
    shown = await desk.done("GET", f"/webhook-endpoints/{endpoint['id']}")
    assert shown == {name: value for name, value in endpoint.items() if name != "secret"}
    listed = await desk.done("GET", "/webhook-endpoints")
    assert listed == {"webhookEndpoints": [shown], "next": None}


async def test_the_same_key_makes_one_endpoint_and_a_retry_learns_its_secret(desk: Desk) -> None:
    key = {"Idempotency-Key": "once"}
    first = await made(desk)
    body = {"url": HOOK, "contract": "basic"}
    told = [await desk.ask("POST", "/webhook-endpoints", body, headers=key) for _ in range(2)]
    assert told[0].body == told[1].body
    listed = await desk.done("GET", "/webhook-endpoints")
    assert [one["id"] for one in listed["webhookEndpoints"]] == [first["id"], told[0].json["id"]]


@pytest.mark.parametrize(
    ("how", "status", "kind"),
    [
        ({"url": "https://127.0.0.1/hooks"}, 422, "url-refused"),
        ({"url": "https://[::1]/hooks"}, 422, "url-refused"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, 422, "url-refused"),
        ({"url": "http://1.1.1.1/hooks"}, 422, "url-refused"),
        ({"url": "ftp://1.1.1.1/hooks"}, 422, "url-refused"),
        ({"url": ""}, 400, "invalid-request"),
        ({"contract": "wholesale"}, 400, "invalid-request"),
        ({"types": []}, 400, "invalid-request"),
        ({"types": ["order.exploded"]}, 400, "invalid-request"),
        ({"secret": "whsec_mine"}, 400, "invalid-request"),
    ],
)
async def test_an_endpoint_that_cannot_be_is_not_made(
    desk: Desk, how: dict[str, Any], status: int, kind: str
) -> None:
    before = await desk.shop.everything()
    body = {"url": HOOK, "contract": "partner"} | how
    assert kind_of(await desk.ask("POST", "/webhook-endpoints", body)) == (status, kind)
    assert await desk.shop.everything() == before


async def test_an_endpoint_is_changed_and_switched_off_and_on(desk: Desk) -> None:
    endpoint = await made(desk, types=["order.paid"])
    path = f"/webhook-endpoints/{endpoint['id']}"
    changed = await desk.done("PATCH", path, {"contract": "basic", "allTypes": True})
    assert (changed["contract"], changed["types"]) == ("basic", None)
    off = await desk.done("PATCH", path, {"enabled": False})
    assert (off["state"], off["offReason"]) == ("off", "operator")
    assert off["missedAfter"] is not None
    on = await desk.done("PATCH", path, {"enabled": True})
    assert (on["state"], on["offReason"], on["offAt"]) == ("active", None, None)
    for nothing in ({}, {"label": None}):
        told = await desk.ask("PATCH", path, nothing)
        assert told.json["detail"] == "body must have something to change."


async def test_a_change_under_a_key_is_told_again_even_when_it_was_changed_since(
    desk: Desk,
) -> None:
    path = f"/webhook-endpoints/{(await made(desk))['id']}"
    key = {"Idempotency-Key": "off"}
    first = await desk.ask("PATCH", path, {"enabled": False}, headers=key)
    await desk.done("PATCH", path, {"enabled": True})
    again = await desk.ask("PATCH", path, {"enabled": False}, headers=key)
    assert (again.body, again.headers["idempotency-replayed"]) == (first.body, "true")
    assert (await desk.done("GET", path))["state"] == "active"
    other = await desk.ask("PATCH", path, {"enabled": True}, headers=key)
    assert kind_of(other) == (422, "idempotency-key-reused")


async def test_a_removed_endpoint_is_gone(desk: Desk) -> None:
    path = f"/webhook-endpoints/{(await made(desk))['id']}"
    key = {"Idempotency-Key": "away"}
    told = [await desk.ask("DELETE", path, headers=key) for _ in range(2)]
    assert [(one.status, one.body) for one in told] == [(204, b"")] * 2
    assert kind_of(await desk.ask("GET", path)) == (404, "not-found")
    assert kind_of(await desk.ask("DELETE", path)) == (404, "not-found")
    assert await desk.done("GET", "/webhook-endpoints") == {"webhookEndpoints": [], "next": None}


async def test_a_secret_is_rotated(desk: Desk) -> None:
    endpoint = await made(desk)
    path = f"/webhook-endpoints/{endpoint['id']}/rotate-secret"
    rotated = await desk.done("POST", path, {"keepOldHours": 1})
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != endpoint["secret"]
    assert (await desk.done("POST", path))["secret"] != rotated["secret"]
    for hours in (-1, 169, 1.5, "1"):
        assert (await desk.ask("POST", path, {"keepOldHours": hours})).status == 400


async def test_what_an_endpoint_is_to_be_told_is_listed_newest_first(desk: Desk) -> None:
    endpoint = await made(desk)
    path = f"/webhook-endpoints/{endpoint['id']}/deliveries"
    order = await desk.paid(shipped=True)
    await desk.sequenced()
    first = await desk.done("GET", f"{path}?limit=2")
    assert [one["type"] for one in first["deliveries"]] == ["order.shipped", "order.paid"]
    assert {one["orderId"] for one in first["deliveries"]} == {order}
    assert {one["state"] for one in first["deliveries"]} == {"waiting"}
    rest = await desk.done("GET", f"{path}?limit=2&after={first['next']}")
    assert [one["type"] for one in rest["deliveries"]] == ["order.created"]
    assert rest["next"] is None
    assert (await desk.done("GET", f"{path}?state=delivered"))["deliveries"] == []
    [newest, *_] = first["deliveries"]
    one = await desk.done("GET", f"{path}/{newest['eventId']}")
    assert one["attempts"] == []
    assert one["eventId"] == newest["eventId"]


async def test_one_event_or_a_part_of_the_feed_is_told_again(desk: Desk) -> None:
    await desk.paid()
    await desk.sequenced()
    feed = await desk.done("GET", "/events")
    endpoint = await made(desk)
    path = f"/webhook-endpoints/{endpoint['id']}"
    event = feed["events"][0]["id"]
    told = await desk.ask("POST", f"{path}/deliveries/{event}/replay")
    assert (told.status, told.json["eventId"], told.json["state"]) == (202, event, "waiting")
    replayed = await desk.ask("POST", f"{path}/replay", {})
    assert (replayed.status, replayed.json["more"]) == (202, False)
    waiting = await desk.done("GET", f"{path}/deliveries")
    assert len(waiting["deliveries"]) == len(feed["events"])
    nothing = await desk.done("POST", f"{path}/replay", {"after": feed["next"]})
    assert (nothing["queued"], nothing["next"]) == (0, feed["next"])


async def test_nothing_is_told_again_to_an_endpoint_that_is_off(desk: Desk) -> None:
    await desk.paid()
    await desk.sequenced()
    event = (await desk.done("GET", "/events"))["events"][0]["id"]
    path = f"/webhook-endpoints/{(await made(desk))['id']}"
    await desk.done("PATCH", path, {"enabled": False})
    for asked, body in ((f"{path}/deliveries/{event}/replay", None), (f"{path}/replay", {})):
        assert kind_of(await desk.ask("POST", asked, body)) == (409, "endpoint-off")
    told = await desk.ask("POST", f"{path}/replay", {"after": "evt_1"})
    assert told.json["errors"][0]["pointer"] == "#/after"
