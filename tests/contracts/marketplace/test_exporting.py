"""The exports of `marketplace` as files; what is in a cell has tests of its own."""

import csv
import io
from typing import Any

import openpyxl
import pytest

from openorders.contracts.marketplace.columns import COLUMNS, DEFAULT
from openorders.domain.access import Role
from tests.contracts.asking import Request
from tests.contracts.marketplace.requests import (
    an_export,
    bring,
    offer_id,
    place,
    read,
    refused,
)
from tests.contracts.marketplace.test_metrics import at
from tests.contracts.shop import Shop, open_shop

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def rows(shop: Shop, key: str | None = None, **body: Any) -> list[list[str]]:
    told = await shop.ask("marketplace", an_export(**body), key=key)
    assert told.status == 200, told
    return list(csv.reader(io.StringIO(told.body.decode(), newline="")))


async def test_csv_is_a_file_with_the_columns_as_asked(shop: Shop) -> None:
    lamp = await shop.sells("99.99")
    order = await place(shop, (lamp, 2), customer="cust_7", paymentMethod="=card")
    request = an_export(columns=["paymentMethod", "totalAmount", "status", "id", "customerId"])
    told = await shop.ask("marketplace", request)
    assert told.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert told.headers["content-disposition"] == 'attachment; filename="orders.csv"'
    assert told.body.decode() == (
        "paymentMethod,totalAmount,status,id,customerId\r\n"
        f"'=card,199.98,pending_payment,{order},cust_7\r\n"
    )


async def test_without_columns_there_are_the_usual_ones(shop: Shop) -> None:
    order = await place(shop, await shop.sells("99.99"))
    bodies: list[dict[str, Any]] = [{}, {"columns": None, "filters": None}, {"filters": {}}]
    for body in bodies:
        header, row = await rows(shop, **body)
        assert header == list(DEFAULT)
        told = dict(zip(header, row, strict=True))
        assert (told["id"], told["totalAmount"]) == (order, "99.99")
        assert told["createdAt"] == (await read(shop, order))["createdAt"]


async def test_every_column_can_be_had_at_once_in_either_format(shop: Shop) -> None:
    lamp, bulb = await shop.sells("20.00"), await shop.sells("1.50")
    order = await read(shop, await place(shop, lamp, (bulb, 3)))
    header, *body = await rows(shop, columns=list(COLUMNS))
    assert header == list(COLUMNS)
    items = [dict(zip(header, row, strict=True)) for row in body]
    assert [(row["id"], row["items.id"], row["items.offerId"]) for row in items] == [
        (order["id"], item["id"], item["offerId"]) for item in order["items"]
    ]
    assert [row["items.subtotal"] for row in items] == ["20.00", "4.50"]
    told = await shop.ask("marketplace", an_export("excel", columns=list(COLUMNS)))
    assert told.headers["content-type"] == EXCEL
    assert told.headers["content-disposition"] == 'attachment; filename="orders.xlsx"'
    assert told.headers["content-length"] == str(len(told.body))
    sheet = openpyxl.load_workbook(io.BytesIO(told.body)).active
    assert sheet is not None
    first, *_ = values = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert first == list(COLUMNS)
    assert len(values) == 3
    cells = dict(zip(first, values[2], strict=True))
    assert (cells["id"], cells["items.offerId"]) == (order["id"], offer_id(bulb))
    assert (cells["totalAmount"], cells["items.quantity"]) == (24.5, 3)


async def test_filters_choose_the_orders(shop: Shop) -> None:
    berlin = await open_shop(shop.served, time_zone="Europe/Berlin")
    lamp = await berlin.sells()
    orders = [await place(berlin, lamp, customer=f"cust_{n % 2 + 1}") for n in range(4)]
    await bring(berlin, orders[3], "completed")
    moments = ["2025-12-31T22:30:00Z", "2025-12-31T23:00:00Z", "2026-06-02T21:59:59Z"]
    for order, moment in zip(orders, moments, strict=False):
        await at(berlin, order, moment)
    await at(berlin, orders[3], "2026-06-02T22:00:00Z")
    for filters, expected in (
        ({"status": "completed"}, orders[3:]),
        ({"status": "pending"}, []),
        ({"customerId": "cust_1"}, [orders[0], orders[2]]),
        ({"customerId": "cust_999"}, []),
        ({"startDate": "2026-01-01"}, orders[1:]),
        ({"endDate": "2026-06-02"}, orders[:3]),
        ({"startDate": "2026-01-01", "endDate": "2026-06-02"}, orders[1:3]),
        ({"status": None, "customerId": None, "startDate": None}, orders),
        (
            {"status": "pending_payment", "customerId": "cust_2", "endDate": "2026-01-01"},
            [orders[1]],
        ),
    ):
        told = await rows(berlin, filters=filters, columns=["id"])
        assert told == [["id"], *([order] for order in expected)], filters


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"format": "pdf"}, "VALIDATION_ERROR", "format"),
        ({"format": None}, "VALIDATION_ERROR", "format"),
        ({"columns": []}, "VALIDATION_ERROR", "columns"),
        ({"columns": "id"}, "VALIDATION_ERROR", "columns"),
        ({"columns": ["id", "colour"]}, "VALIDATION_ERROR", "columns[1] names no column: there is"),
        ({"columns": ["id", "status", "id"]}, "VALIDATION_ERROR", "columns[2] must not name id"),
        ({"columns": [5]}, "VALIDATION_ERROR", "columns[0]"),
        ({"columns": ["ID"]}, "VALIDATION_ERROR", "columns[0]"),
        ({"columns": ["id; drop table orders"]}, "VALIDATION_ERROR", "columns[0]"),
        ({"filters": []}, "VALIDATION_ERROR", "filters"),
        ({"filters": {"status": "sent"}}, "INVALID_STATUS", "filters.status"),
        ({"filters": {"status": ["completed"]}}, "VALIDATION_ERROR", "filters.status"),
        ({"filters": {"customerId": "123"}}, "VALIDATION_ERROR", "filters.customerId"),
        ({"filters": {"startDate": "June"}}, "VALIDATION_ERROR", "filters.startDate"),
        (
            {"filters": {"startDate": "2026-06-02", "endDate": "2026-06-01"}},
            "VALIDATION_ERROR",
            "filters.endDate",
        ),
    ],
    ids=str,
)
async def test_a_wrong_field_is_named(
    shop: Shop, body: dict[str, Any], code: str, field: str
) -> None:
    request = Request(method="POST", path="/api/orders/export", body={"format": "csv", **body})
    told = await refused(shop, request)
    assert told[:2] == (400, code)
    assert told[2].startswith(field)


async def test_nobody_exports_what_they_may_not_see(shop: Shop) -> None:
    lamp = await shop.sells()
    elsewhere = await open_shop(shop.served)
    await place(elsewhere, await elsewhere.sells(), customer="cust_7")
    mine, other = [await place(shop, lamp, customer=f"cust_{n}") for n in (7, 8)]
    customer = await shop.key(Role.CUSTOMER, customer=7)
    partner = await shop.key(Role.PARTNER, partner="Barrel & Sons")
    only: dict[str, Any] = {"columns": ["id"]}
    assert await rows(shop, **only) == [["id"], [mine], [other]]
    assert await rows(shop, customer, **only) == [["id"], [mine]]
    assert await rows(shop, customer, **only, filters={"customerId": "cust_8"}) == [["id"]]
    assert await rows(shop, partner, **only) == [["id"]]


async def test_an_export_changes_nothing_and_takes_no_key(shop: Shop) -> None:
    await place(shop, await shop.sells())
    before = await shop.everything()
    for kind in ("csv", "excel"):
        for _ in range(2):
            headers = {"Idempotency-Key": "export"}
            told = await shop.ask("marketplace", an_export(kind), headers=headers)
            assert told.status == 200
            assert "idempotency-replayed" not in told.headers
    assert await shop.everything() == before
