"""What clients of `marketplace` send."""

from typing import Any
from urllib.parse import urlencode

from tests.contracts.asking import Request, Told
from tests.contracts.shop import Shop, Sold

CARD = {"method": "credit_card", "token": "tok_visa"}
NO_CARD = {"method": "credit_card", "token": "tok_chargeDeclined"}


def offer_id(sold: Sold) -> str:
    return f"offer_{sold.variant}"


def item(sold: Sold, quantity: Any = 1, **more: Any) -> dict[str, Any]:
    return {"offerId": offer_id(sold), "quantity": quantity, **more}


def an_order(*lines: Any, customer: Any = "cust_123", **more: Any) -> Request:
    """Lines are offers (one of each), (offer, quantity), or items as they are sent."""
    items = [
        item(line) if isinstance(line, Sold) else item(*line) if isinstance(line, tuple) else line
        for line in lines
    ]
    return a_post("initiate-payment", customerId=customer, items=items, **more)


def a_post(operation: str, **body: Any) -> Request:
    return Request(method="POST", path=f"/api/orders/{operation}", body=body)


def a_get(order: str) -> Request:
    return Request(method="GET", path=f"/api/orders/{order}")


def a_list(**options: Any) -> Request:
    named = {f"${name}": value for name, value in options.items()}
    return Request(method="GET", path=f"/api/orders/odata?{urlencode(named)}")


def metrics(**query: Any) -> Request:
    return Request(method="GET", path=f"/api/orders/aggregated?{urlencode(query)}")


def a_status(order: str, status: Any, **more: Any) -> Request:
    body = {"status": status, **more}
    return Request(method="PUT", path=f"/api/orders/{order}/status", body=body)


def a_bulk_cancel(*orders: Any, **more: Any) -> Request:
    return a_post("bulk-cancel", orderIds=list(orders), **more)


def actions(order: str, *wanted: tuple[str, str], **more: Any) -> Request:
    """Each is (item, action)."""
    items = [{"itemId": item_id, "action": action, **more} for item_id, action in wanted]
    return a_post("items", orderId=order, items=items)


def a_payment(order: str, action: str = "process", **details: Any) -> Request:
    body: dict[str, Any] = {"orderId": order, "action": action}
    if details:
        body["paymentDetails"] = details
    return a_post("process-payment", **body)


def an_export(kind: str = "csv", **body: Any) -> Request:
    return a_post("export", format=kind, **body)


async def done(shop: Shop, request: Request, *, status: int = 200, **more: Any) -> Any:
    """The body of an answer that is no refusal."""
    told = await shop.ask("marketplace", request, **more)
    assert told.status == status, told
    return told.json


async def place(shop: Shop, *lines: Any, key: str | None = None, **more: Any) -> str:
    told = await done(shop, an_order(*lines, **more), status=201, key=key)
    return told["orderId"]


async def read(shop: Shop, order: str) -> Any:
    return await done(shop, a_get(order))


async def bring(shop: Shop, order: str, *statuses: str) -> None:
    for status in statuses:
        await done(shop, a_status(order, status))


async def listed(shop: Shop, key: str | None = None, **options: Any) -> list[str]:
    told = await done(shop, a_list(**options), key=key)
    return [order["id"] for order in told["value"]]


def fault(told: Told) -> tuple[int, str, str]:
    """Status, code and message of a refusal."""
    assert list(told.json) == ["error"], told
    assert list(told.json["error"]) == ["code", "message"]
    return told.status, told.json["error"]["code"], told.json["error"]["message"]


async def refused(shop: Shop, request: Request, key: str | None = None) -> tuple[int, str, str]:
    """Status, code and message of a request that is refused and changes nothing."""
    before = await shop.everything()
    told = await shop.ask("marketplace", request, key=key)
    assert await shop.everything() == before
    return fault(told)
