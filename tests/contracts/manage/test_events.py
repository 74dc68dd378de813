"""The feed as it is served: complete, in order, resumable, in the chosen words."""

from __future__ import annotations

import asyncio

import pytest

from openorders.contracts import ALL
from openorders.contracts.manage import event_schemas
from openorders.domain.order import Word
from openorders.usecases import read_events
from tests.contracts.commerce.driver import DRIVER as COMMERCE
from tests.contracts.journeys import move, place
from tests.contracts.manage.desk import Desk
from tests.contracts.manage.listening import Heard, listening


async def everything(desk: Desk, limit: int, after: str | None = None) -> list[str]:
    """The ids of all events, read page by page until there is no more."""
    ids: list[str] = []
    while True:
        query = f"limit={limit}" + (f"&after={after}" if after else "")
        page = await desk.done("GET", f"/events?{query}")
        ids += [event["id"] for event in page["events"]]
        after = page["next"]
        if not page["more"]:
            return ids


def test_the_words_on_offer_are_those_of_the_contracts() -> None:
    assert set(event_schemas.ContractWord.__args__) == {contract.name for contract in ALL}


async def test_events_come_in_order_and_in_the_chosen_words(desk: Desk) -> None:
    order = await desk.paid(shipped=True)
    await desk.sequenced()
    page = await desk.done("GET", "/events?contract=partner")
    assert [event["type"] for event in page["events"]] == [
        "order.created",
        "order.paid",
        "order.shipped",
    ]
    versions = [event["orderVersion"] for event in page["events"]]
    assert versions == sorted(versions)
    assert {event["contract"] for event in page["events"]} == {"partner"}
    number = int(order.removeprefix("order_"))
    assert page["events"][0]["data"]["order_id"] == f"OR{number:05}"
    default = await desk.done("GET", "/events?limit=1")
    assert default["events"][0]["data"]["orderId"] == f"ORD{number:09}"


async def test_one_event_is_the_same_as_in_the_feed(desk: Desk) -> None:
    await desk.paid()
    await desk.sequenced()
    feed = await desk.ask("GET", "/events?contract=storefront")
    for event in feed.json["events"]:
        told = await desk.ask("GET", f"/events/{event['id']}?contract=storefront")
        assert told.status == 200
        assert told.body in feed.body


async def test_the_feed_is_narrowed_by_type_and_by_order(desk: Desk) -> None:
    first, second = await desk.paid(), await desk.paid()
    await desk.sequenced()
    paid = await desk.done("GET", "/events?types=order.paid,order.shipped")
    assert [event["type"] for event in paid["events"]] == ["order.paid", "order.paid"]
    of_one = await desk.done("GET", f"/events?order={second}")
    numbers = {event["data"]["orderId"] for event in of_one["events"]}
    assert numbers == {f"ORD{int(second.removeprefix('order_')):09}"}
    assert first != second
    for query in ("types=order.exploded", "types=", "order=7", "contract=wholesale", "limit=501"):
        told = await desk.ask("GET", f"/events?{query}")
        assert told.status == 400, told
        assert told.json["errors"][0]["parameter"] == query.partition("=")[0]


async def test_a_feed_with_nothing_new_says_where_to_ask_again(desk: Desk) -> None:
    empty = await desk.ask("GET", "/events")
    assert (empty.json["events"], empty.json["more"]) == ([], False)
    assert 'rel="next"' not in empty.headers["link"]
    await desk.order()
    await desk.sequenced()
    page = await desk.done("GET", f"/events?after={empty.json['next']}")
    assert [event["type"] for event in page["events"]] == ["order.created"]


async def test_a_page_that_is_not_the_last_links_to_the_next(desk: Desk) -> None:
    await desk.paid()
    await desk.sequenced()
    told = await desk.ask("GET", "/events?limit=1&contract=basic")
    assert told.json["more"]
    link = told.headers["link"]
    following = next(part for part in link.split(", ") if 'rel="next"' in part)
    url = following.partition(">")[0].removeprefix("<")
    assert f"after={told.json['next']}" in url
    assert "contract=basic" in url
    answer = await desk.shop.served.client.get(
        url, headers={"Authorization": f"Bearer {desk.shop.admin}"}
    )
    assert [event["type"] for event in answer.json()["events"]] == ["order.paid"]


@pytest.mark.parametrize(
    "cursor", ["0", "1", "evt_1", "AAAAAAAAAAAAAAAAAAAA", "%00", "x" * 100, "=" * 20, "é" * 20]
)
async def test_what_is_no_cursor_is_refused(desk: Desk, cursor: str) -> None:
    for path in ("/events", "/events/stream", "/payments", "/keys", "/refunds"):
        told = await desk.ask("GET", f"{path}?after={cursor}")
        assert told.status == 400, (path, told)
        assert told.json["errors"][0]["parameter"] == "after"


async def test_a_cursor_of_another_list_is_refused(desk: Desk) -> None:
    cursor = (await desk.done("GET", "/events"))["next"]
    assert (await desk.ask("GET", f"/payments?after={cursor}")).status == 400


async def test_the_pages_are_complete_while_orders_are_written(desk: Desk) -> None:
    sold = await desk.shop.sells()

    async def buy() -> None:
        for _ in range(8):
            number = await place(desk.shop, COMMERCE, [sold.times(1)])
            await move(desk.shop, number, Word.PROCESSING)

    async def follow() -> list[str]:
        seen: list[str] = []
        after: str | None = None
        while len(seen) < 48:
            await desk.sequenced()
            query = "limit=3" + (f"&after={after}" if after else "")
            page = await desk.done("GET", f"/events?{query}")
            seen += [event["id"] for event in page["events"]]
            after = page["next"]
        return seen

    async with asyncio.timeout(60):
        _, _, _, seen = await asyncio.gather(buy(), buy(), buy(), follow())
    assert len(set(seen)) == len(seen) == 48
    assert seen == await everything(desk, 500)


async def test_a_stream_tells_what_happens_as_it_happens(desk: Desk) -> None:
    await desk.paid()
    await desk.sequenced()
    async with listening(desk, "contract=partner") as listener:
        assert listener.status == 200
        assert listener.headers["content-type"] == "text/event-stream"
        assert listener.headers["cache-control"] == "no-store"
        await listener.until("retry: ")
        await desk.order()
        await desk.sequenced()
        [heard] = await listener.events(1)
        assert (heard.event, heard.data["type"]) == ("order.created", "order.created")
        assert heard.data["contract"] == "partner"
        page = await desk.done("GET", "/events?contract=partner")
        assert heard.data == page["events"][-1]
        assert heard.id == page["next"]


async def test_a_stream_goes_on_after_the_last_event_that_was_seen(desk: Desk) -> None:
    start = (await desk.done("GET", "/events"))["next"]
    await desk.paid(shipped=True)
    await desk.sequenced()
    async with listening(desk, f"after={start}") as listener:
        whole = await listener.events(3)
    assert [heard.event for heard in whole] == ["order.created", "order.paid", "order.shipped"]
    resumed: list[Heard] = []
    for heard in whole[:2]:
        async with listening(desk, headers={"Last-Event-ID": heard.id}) as listener:
            resumed += await listener.events(1)
    assert resumed == whole[1:]
    async with listening(desk, headers={"Last-Event-ID": whole[-1].id}) as listener:
        await desk.order()
        await desk.sequenced()
        [heard] = await listener.events(1)
    assert heard.event == "order.created"


async def test_a_stream_that_misses_nothing_begins_before_its_answer(desk: Desk) -> None:
    for _ in range(3):
        async with listening(desk, "types=order.created") as listener:
            await desk.order()
            await desk.sequenced()
            [heard] = await listener.events(1)
            assert heard.event == "order.created"


async def test_a_stream_that_cannot_begin_is_a_problem(desk: Desk) -> None:
    for headers, query, named in (
        ({"Last-Event-ID": "evt_1"}, "", {"header": "Last-Event-ID"}),
        ({}, "after=1", {"parameter": "after"}),
        ({}, "types=x", {"parameter": "types"}),
    ):
        async with listening(desk, query, headers=headers) as listener:
            assert listener.status == 400
            assert listener.headers["content-type"] == "application/problem+json"
            [(name, value)] = named.items()
            assert f'"{name}":"{value}"' in await listener.until("}")


async def test_a_key_that_is_revoked_hears_no_more(desk: Desk) -> None:
    made = await desk.done("POST", "/keys", {"role": "service"})
    bearer = {"Authorization": f"Bearer {made['key']}"}
    async with listening(desk, headers=bearer) as listener:
        await desk.order()
        await desk.sequenced()
        await listener.events(1)
        await desk.done("DELETE", f"/keys/{made['id']}")
        async with asyncio.timeout(60):
            while (await desk.ask("GET", "/events", key=made["key"])).status != 401:
                await asyncio.sleep(0.01)
        await desk.order()
        await desk.sequenced()
        await listener.ending()
        assert len(listener.heard()) == 1


async def test_who_hangs_up_is_forgotten_at_once(desk: Desk) -> None:
    news = desk.shop.served.services.news
    before = news.followers
    async with listening(desk) as listener:
        await listener.until("retry: ")
        assert news.followers == before + 1
    assert news.followers == before


async def test_nobody_listens_to_a_head(desk: Desk) -> None:
    before = desk.shop.served.services.news.followers
    async with listening(desk, method="HEAD") as listener:
        await listener.ending()
        assert listener.status == 200
    assert desk.shop.served.services.news.followers == before


async def test_too_many_who_listen_are_told_to_come_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_events, "FOLLOWERS_MAX", 0)
    async with listening(desk) as listener:
        assert listener.status == 503
        assert listener.headers["retry-after"] == "5"
