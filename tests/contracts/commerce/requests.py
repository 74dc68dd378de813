"""What clients of `commerce` send."""

from typing import Any

from tests.contracts.asking import Request
from tests.contracts.shop import Shop, Sold

ADDRESS = {
    "street": "123 Main St",
    "city": "Anytown",
    "state": "CA",
    "zipCode": "90210",
    "country": "USA",
}


def product_id(sold: Sold) -> str:
    return f"PROD{sold.product:03}"


def an_order(*lines: Any, customer: Any = "CUST98765", **more: Any) -> Request:
    """Lines are products (one of each) or (product, quantity)."""
    pairs = [(line, 1) if isinstance(line, Sold) else line for line in lines]
    items = [{"productId": product_id(sold), "quantity": quantity} for sold, quantity in pairs]
    return a_post({"customerId": customer, "items": items, **more})


def a_post(body: Any) -> Request:
    return Request(method="POST", path="/v1/orders", body=body)


def a_get(order: str = "", query: str = "") -> Request:
    path = f"/v1/orders/{order}" if order else "/v1/orders"
    return Request(method="GET", path=f"{path}?{query}" if query else path)


def a_put(order: str, **changes: Any) -> Request:
    return Request(method="PUT", path=f"/v1/orders/{order}", body=changes)


def a_delete(order: str) -> Request:
    return Request(method="DELETE", path=f"/v1/orders/{order}")


async def place(shop: Shop, *lines: Any, key: str | None = None, **more: Any) -> str:
    told = await shop.ask("commerce", an_order(*lines, **more), key=key)
    assert told.status == 201, told
    return told.json["orderId"]


async def listed(shop: Shop, query: str = "", key: str | None = None) -> list[str]:
    told = await shop.ask("commerce", a_get(query=query), key=key)
    assert told.status == 200, told
    return [order["orderId"] for order in told.json["data"]]


async def refused(shop: Shop, request: Request, key: str | None = None) -> tuple[int, str, str]:
    """Status, code and message of a request that is refused and changes nothing."""
    before = await shop.everything()
    told = await shop.ask("commerce", request, key=key)
    assert list(told.json) == ["error"], told
    assert list(told.json["error"]) == ["code", "message"]
    assert await shop.everything() == before
    return told.status, told.json["error"]["code"], told.json["error"]["message"]
