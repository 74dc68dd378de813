"""What `partner` makes of bodies that say something wrong, field by field."""

import pytest

from tests.contracts.asking import Request

GOOD = {"partner_name": "RayTech Corp.", "customer_reference": "CUST-1001"}

BAD_FIELDS = [
    ("partner_name", [None, 1, True, [], {}, "", "x" * 201, "a\0b", "\ud800"]),
    ("customer_reference", [1, False, [], {}, "x" * 201, "a\0b"]),
    ("items", [None, 1, "PR00001", {}]),
]
BAD_ITEMS = [
    ("items[0]", [None, 1, "PR00001", []]),
    ("items[0].product_id", [None, 1, "", "PR1", "pr00001", "1", "PR00001 ", "x" * 41, "PR\0"]),
    ("items[0].quantity", [None, "2", 1.5, 1.0, True, 0, -1, 1_000_001, 10**30, [], {}]),
]


def posting(body) -> Request:
    return Request(method="POST", path="/orders", body=body)


def cases(table):
    return [
        pytest.param(field, value, id=f"{field}={value!r:.20}")
        for field, values in table
        for value in values
    ]


@pytest.mark.parametrize(("field", "value"), cases(BAD_FIELDS))
async def test_a_bad_field_is_422_by_name_and_changes_nothing(shop, field, value):
    sold = await shop.sells()
    items = [{"product_id": f"PR{sold.product:05}", "quantity": 1}]
    before = await shop.everything()
    told = await shop.ask("partner", posting({**GOOD, "items": items, field: value}))
    assert told.status == 422
    assert list(told.json) == ["detail"]
    assert told.json["detail"].startswith(f"{field} ")
    assert await shop.everything() == before


@pytest.mark.parametrize(("field", "value"), cases(BAD_ITEMS))
async def test_a_bad_item_is_422_by_name_and_changes_nothing(shop, field, value):
    sold = await shop.sells()
    item: object = {"product_id": f"PR{sold.product:05}", "quantity": 1}
    name = field.partition(".")[2]
    item = {**item, name: value} if name else value
    before = await shop.everything()
    told = await shop.ask("partner", posting({**GOOD, "items": [item]}))
    assert told.status == 422
    assert told.json["detail"].startswith(f"{field} ")
    assert await shop.everything() == before


@pytest.mark.parametrize("field", ["partner_name", "items"])
async def test_a_missing_field_is_422_by_name(shop, field):
    body = {**GOOD, "items": [{"product_id": "PR00001", "quantity": 1}]}
    del body[field]
    told = await shop.ask("partner", posting(body))
    assert (told.status, told.json) == (422, {"detail": f"{field} is required"})


@pytest.mark.parametrize("field", ["product_id", "quantity"])
async def test_a_missing_part_of_an_item_is_422_by_name(shop, field):
    item = {"product_id": "PR00001", "quantity": 1}
    del item[field]
    told = await shop.ask("partner", posting({**GOOD, "items": [item]}))
    assert (told.status, told.json) == (422, {"detail": f"items[0].{field} is required"})


async def test_the_item_at_fault_is_named_by_its_place(shop):
    items = [{"product_id": "PR00001", "quantity": 1}, {"product_id": "PR00001", "quantity": 0}]
    told = await shop.ask("partner", posting({**GOOD, "items": items}))
    assert told.json == {"detail": "items[1].quantity must be at least 1"}


async def test_five_hundred_items_are_an_order_and_one_more_is_not(shop):
    sold = await shop.sells()
    item = {"product_id": f"PR{sold.product:05}", "quantity": 1}
    assert (await shop.ask("partner", posting({**GOOD, "items": [item] * 500}))).status == 201
    told = await shop.ask("partner", posting({**GOOD, "items": [item] * 501}))
    assert (told.status, told.json) == (422, {"detail": "items must have at most 500 entries"})


@pytest.mark.parametrize("character", ["ä", "𝄞", "\x01", '"', "\n"])
async def test_texts_at_their_limit_are_kept(shop, character):
    sold = await shop.sells()
    item = {"product_id": f"PR{sold.product:05}", "quantity": 1_000}
    names = {"partner_name": character * 200, "customer_reference": character * 200}
    told = await shop.ask("partner", posting({**names, "items": [item]}))
    assert told.status == 201
    assert {name: told.json[name] for name in names} == names


async def test_an_order_beyond_all_measure_is_422(shop):
    dear = await shop.sells("9999999999.99", stock=2_000_000)
    before = await shop.everything()
    item = {"product_id": f"PR{dear.product:05}", "quantity": 1_000_000}
    told = await shop.ask("partner", posting({**GOOD, "items": [item]}))
    assert (told.status, told.json) == (422, {"detail": "The order's total amount is too large."})
    assert await shop.everything() == before
