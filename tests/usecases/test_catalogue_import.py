"""A catalogue file is written whole or not at all, as often as one likes."""

import asyncio
import io
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from openorders.store import stores
from openorders.store.catalogue import Written
from openorders.store.database import Database
from openorders.usecases import catalogue_file
from openorders.usecases.catalogue_file import CatalogueFileError, FileRow
from openorders.usecases.keep_catalogue import CatalogueRefusedError, import_catalogue
from openorders.usecases.keep_stores import StoreUnknownError
from openorders.usecases.verify_ledgers import verify
from tests.world import World, a_world, waits_for_a_lock, wanted

HEADER = "product_id,product_name,variant_id,variant_name,sku,price,currency,stock,available,image"
TEA = (
    HEADER
    + """
1,Green tea,11,Tin,TEA-1,12.50,USD,40,true,https://example.com/tea.jpg
1,Green tea,12,Bag,TEA-2,4.00,USD,,yes,
2,LARGE,,,,39.90,,5,no,
""".replace("LARGE", '"Teapot, ""large"""')
)
NOTHING = Written(
    products_added=0, products_changed=0, variants_added=0, variants_changed=0, stock_changed=0
)


async def imported(world: World, text: str, *, as_json: bool = False) -> Written:
    stream = io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8-sig", newline="")
    rows = catalogue_file.rows(stream, as_json=as_json)
    return (await import_catalogue(world.services, world.store.name, rows)).written


async def problems(world: World, text: str, *, as_json: bool = False) -> list[tuple[int, str]]:
    before = await contents(world)
    with pytest.raises(CatalogueRefusedError) as refused:
        await imported(world, text, as_json=as_json)
    assert await contents(world) == before
    return [(problem.line, problem.what) for problem in refused.value.problems]


async def contents(world: World) -> list[tuple[object, ...]]:
    found = await world.rows(
        """
        select p.id, p.name, p.default_variant_id, v.id, v.name, v.sku, v.price, v.available,
            v.image, s.on_hand
        from products p join variants v on v.store_id = p.store_id and v.product_id = p.id
        left join stock s on s.store_id = v.store_id and s.variant_id = v.id
        where p.store_id = $1 order by p.id, v.id
        """
    )
    return [tuple(row.values()) for row in found]


async def is_sound(world: World) -> bool:
    return [found async for found in verify(world.services)] == []


async def test_a_csv_file_becomes_products_variants_and_stock(world: World):
    written = await imported(world, TEA)
    assert written == Written(
        products_added=2,
        products_changed=0,
        variants_added=3,
        variants_changed=0,
        stock_changed=2,
    )
    image = "https://example.com/tea.jpg"
    assert await contents(world) == [
        (1, "Green tea", 11, 11, "Tin", "TEA-1", 1250, True, image, 40),
        (1, "Green tea", 11, 12, "Bag", "TEA-2", 400, True, None, None),
        (2, 'Teapot, "large"', 2, 2, None, None, 3990, False, None, 5),
    ]
    assert await is_sound(world)


async def test_the_same_file_again_changes_nothing(world: World):
    await imported(world, TEA)
    before = await world.rows("select xmin::text, id from variants where store_id = $1")
    assert await imported(world, TEA) == NOTHING
    assert await world.rows("select xmin::text, id from variants where store_id = $1") == before
    assert len(await world.rows("select id from stock_movements where store_id = $1")) == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
async def test_what_spreadsheets_write_is_read(world: World, newline: str, mark: str):
    text = mark + TEA.replace('"Teapot, ""large"""', "Teapot").replace(",", ";")
    assert (await imported(world, text.replace("\n", newline))).variants_added == 3


async def test_a_json_file_says_the_same(world: World):
    await imported(world, TEA)
    rows = [
        {"product_id": 1, "product_name": "Green tea", "variant_id": 11, "variant_name": "Tin",
         "sku": "TEA-1", "price": 12.50, "currency": "USD", "stock": 40, "available": True,
         "image": "https://example.com/tea.jpg"},
        {"product_id": "1", "product_name": "Green tea", "variant_id": "12",
         "variant_name": "Bag", "sku": "TEA-2", "price": "4.00", "stock": None},
        {"product_id": 2, "product_name": 'Teapot, "large"', "price": 39.9, "stock": 5,
         "available": False},
    ]  # fmt: skip
    assert await imported(world, json.dumps(rows, indent=1), as_json=True) == NOTHING
    assert await imported(world, " [ ] ", as_json=True) == NOTHING


async def test_a_change_is_written_and_stock_corrected_in_the_ledger(world: World):
    await imported(world, TEA)
    changed = TEA.replace("12.50", "13.00").replace(",40,", ",38,").replace("Green", "Fresh green")
    assert await imported(world, changed) == Written(
        products_added=0,
        products_changed=1,
        variants_added=0,
        variants_changed=1,
        stock_changed=1,
    )
    moves = await world.rows(
        "select kind, variant_ids, quantities from stock_movements where store_id = $1 order by id"
    )
    assert [tuple(move.values()) for move in moves] == [
        ("receive", [2, 11], [5, 40]),
        ("correct", [11], [-2]),
    ]
    assert await is_sound(world)


async def test_columns_that_a_file_does_not_have_stay_as_they_were(world: World):
    await imported(world, TEA)
    before = await contents(world)
    await imported(world, "product_id,product_name,variant_id,price\n1,Green tea,11,12.50\n")
    assert await contents(world) == before


async def test_every_bad_row_is_named_with_its_line(world: World):
    bad = f"""{HEADER}
1,Tea,11,,,12.505,USD,1,true,
0,Tea,x,,,"1,50",EUR,-1,maybe,

7,,71,,,,USD,1.5,true,
8,"two
lines",81,,,1,USD,1,true,
9,Cup,91,,,1,USD
9,Cup,92,,,1e3,USD,99999999999999,,
"""
    assert await problems(world, bad) == [
        (2, "price must have at most 2 digits after the point"),
        (3, "currency must be USD, the store's, not 'EUR'"),
        (3, "variant_id must be a whole number from 1 to 9223372036854775807, not 'x'"),
        (3, "product_id must be a whole number from 1 to 9223372036854775807, not '0'"),
        (3, "price must be an amount like 12.50, not '1,50'"),
        (3, "stock must be a whole number from 0 to 1000000000000, not '-1'"),
        (3, "available must be true or false, not 'maybe'"),
        (5, "product_name is required"),
        (5, "price is required"),
        (5, "stock must be a whole number from 0 to 1000000000000, not '1.5'"),
        (6, "product_name must not have control characters"),
        (8, "has 7 cells where the first line has 10"),
        (9, "price must be an amount like 12.50, not '1e3'"),
        (9, "stock must be a whole number from 0 to 1000000000000, not '99999999999999'"),
    ]


async def test_rows_that_contradict_each_other_are_named(world: World):
    await imported(world, TEA)
    bad = f"""{HEADER}
1,Green tea,11,,,1,,,,
1,Black tea,13,,,1,,,,
3,Cup,11,,,1,,,,
3,Cup,12,,,1,,,,
4,Bowl,,,,1,,,,
4,Bowl,,,,2,,,,
11,Jug,,,,2,,,,
"""
    assert await problems(world, bad) == [
        (3, "calls product 1 'Black tea', which line 2 calls 'Green tea'"),
        (4, "names variant 11 a second time, after line 2"),
        (4, "variant_id: 11 is a variant of product 1"),
        (5, "variant_id: 12 is a variant of product 1"),
        (7, "names variant 4 a second time, after line 6"),
        (8, "names variant 11 a second time, after line 2"),
        (8, "variant_id: 11 is a variant of product 1"),
    ]


async def test_less_on_hand_than_orders_hold_is_refused(world: World):
    await imported(world, TEA)
    await world.placed(wanted(1, 7))
    assert await problems(world, TEA.replace(",40,", ",6,")) == [
        (2, "stock: 7 are reserved by orders, and only 6 would be there")
    ]
    assert await problems(world, TEA.replace(",40,", ",,")) == [
        (2, "stock: 7 are reserved by orders, so it has to be counted")
    ]
    await imported(world, TEA.replace(",40,", ",7,"))
    assert await world.stock(11) == (7, 7)
    assert await is_sound(world)


async def test_a_variant_that_is_no_longer_counted_leaves_the_stock(world: World):
    await imported(world, TEA)
    assert (await imported(world, TEA.replace(",40,", ",,"))).stock_changed == 1
    assert await is_sound(world)
    assert (await imported(world, TEA)).stock_changed == 1
    assert await world.stock(11) == (40, 0)
    assert await is_sound(world)


async def test_what_was_sold_uncounted_is_reserved_once_it_is_counted(world: World):
    uncounted = TEA.replace(",40,", ",,")
    await imported(world, uncounted)
    order = await world.placed(wanted(1, 7))
    assert await problems(world, TEA.replace(",40,", ",6,")) == [
        (2, "stock: 7 are reserved by orders, and only 6 would be there")
    ]
    await imported(world, TEA)
    assert await world.stock(11) == (40, 7)
    assert await is_sound(world)
    assert (await world.order(order.id)).version == 1


NO_CATALOGUES = [
    ("", False, "line 1: must name the columns"),
    ("product_id,price\n", False, "line 1: lacks the column product_name"),
    ("product_id,product_name,price,colour\n", False, "'colour' is no column"),
    ("product_id,product_name,price,price\n", False, "names the column price twice"),
    ('product_id,product_name,price\n1,"Tea,1\n', False, "line 2: not readable as CSV"),
    ("{}", True, "line 1: must be a list of objects"),
    ('[\n{"product_id": 1,\n "price": }]', True, "line 3: not valid JSON"),
    ('[{"price": 1, "price": 2}]', True, "names a field twice"),
    ('[{"price": NaN}]', True, "NaN is no number"),
    ("[{}\n{}]", True, "line 2: expected a comma"),
    ("[{}", True, "expected a comma or the end"),
    ("[] x", True, "there is more"),
    ("[" * 100_000, True, "not valid JSON"),
]


async def test_a_file_that_is_no_catalogue_is_refused_whole(world: World):
    for text, as_json, message in NO_CATALOGUES:
        with pytest.raises(CatalogueFileError, match=message):
            await imported(world, text, as_json=as_json)
    assert await contents(world) == []


async def test_a_file_that_is_not_utf8_is_refused(world: World):
    raw = io.BytesIO(b"product_id,product_name,price\n1,Caf\xe9,1\n")
    rows = catalogue_file.rows(io.TextIOWrapper(raw, "utf-8-sig", newline=""), as_json=False)
    with pytest.raises(CatalogueFileError, match="not UTF-8"):
        await import_catalogue(world.services, world.store.name, rows)


async def test_json_rows_that_are_no_rows_are_named_with_their_lines(world: World):
    text = '[\n7,\n{"colour": 1},\n{"product_id": [1], "product_name": "x", "price": 1}]'
    assert await problems(world, text, as_json=True) == [
        (2, "must be an object"),
        (3, "'colour' is no column of a catalogue"),
        (4, "product_id must be a text or a number"),
    ]


async def test_json_rows_may_stand_on_one_line_and_are_then_told_apart(world: World):
    rows = [{"product_id": n, "product_name": f"Tea {n}", "price": 1.5} for n in (1, 2, 3)]
    assert (await imported(world, json.dumps(rows), as_json=True)).products_added == 3
    assert await imported(world, json.dumps(rows), as_json=True) == NOTHING
    wrong = [rows[0], {**rows[1], "price": "much"}, 7, {**rows[0], "product_name": "Coffee"}]
    assert await problems(world, json.dumps(wrong), as_json=True) == [
        (1, "entry 2: price must be an amount like 12.50, not 'much'"),
        (1, "entry 3: must be an object"),
        (1, "names variant 1 a second time, after line 1"),
        (1, "calls product 1 'Coffee', which line 1 calls 'Tea 1'"),
    ]
    assert await imported(world, json.dumps(rows), as_json=True) == NOTHING


async def test_only_so_many_problems_are_listed_and_the_rest_counted(world: World):
    rows = "".join(f"x,Tea,{n},,,1,,,,\n" for n in range(1, 2501))
    with pytest.raises(CatalogueRefusedError) as refused:
        await imported(world, f"{HEADER}\n{rows}")
    assert (len(refused.value.problems), refused.value.more) == (1000, 1500)


async def test_a_large_file_is_read_in_pieces(world: World):
    rows = "".join(f"{n},Product {n},,,S{n},{n % 90}.5,,3,,\n" for n in range(1, 20_001))
    written = await imported(world, f"{HEADER}\n{rows}")
    assert (written.products_added, written.stock_changed) == (20_000, 20_000)
    assert await imported(world, f"{HEADER}\n{rows}") == NOTHING
    assert await is_sound(world)
    left = await world.row("select count(*) from catalogue_rows where store_id = $1")
    assert left["count"] == 0


async def test_orders_that_are_placed_meanwhile_are_counted_whole(world: World):
    await imported(world, TEA.replace(",40,", ",,").replace(",,5,no", ",,500,yes"))
    buying = [world.placed(wanted(1, 1), wanted(2, 1)) for _ in range(5)]
    counting = [imported(world, TEA.replace(",40,", ",500,").replace(",,5,no", ",,600,yes"))]
    buying_on = [world.placed(wanted(2, 1), wanted(1, 1)) for _ in range(15)]
    await asyncio.gather(*buying, *counting, *buying_on)
    assert await world.stock(11) == (500, 20)
    assert await world.stock(2) == (600, 20)
    assert await is_sound(world)


async def test_prices_are_in_the_currency_that_the_store_has_when_its_turn_comes(world: World):
    yen = [FileRow(2, {"product_id": "1", "product_name": "Tea", "price": "12"})]
    async with world.database.transaction() as tx:
        store = await stores.lock(tx, world.store.name)
        assert store is not None
        await stores.change(tx, replace(store, currency="JPY"))
        importing = asyncio.create_task(import_catalogue(world.services, store.name, yen))
        await waits_for_a_lock(world, unless=importing)
    assert (await importing).rows == 1
    assert (await contents(world))[0][6] == 12


async def test_another_stores_catalogue_is_another(
    world: World, database: Database, tmp_path: Path
):
    other = await a_world(database, tmp_path, name="other", currency="JPY")
    await imported(world, TEA)
    assert await contents(other) == []
    yen = "product_id,product_name,price,currency\n1,Tea,150,JPY\n"
    await imported(other, yen)
    assert (await contents(other))[0][6] == 150
    assert await problems(other, yen.replace("150", "1.5")) == [
        (2, "price must have at most 0 digits after the point")
    ]
    with pytest.raises(StoreUnknownError):
        await import_catalogue(world.services, "nobody", [])
