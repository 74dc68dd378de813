"""What clients of `basic` send."""

from typing import Any

from tests.contracts.asking import Request, Told
from tests.contracts.shop import Shop, Sold


def an_order(*lines: Any, user: Any = 5) -> Request:
    """Lines are products (one of each) or (product, quantity)."""
    pairs = [(line, 1) if isinstance(line, Sold) else line for line in lines]
    items = [{"productId": sold.product, "quantity": quantity} for sold, quantity in pairs]
    return a_post({"userId": user, "items": items})


def a_post(body: Any) -> Request:
    return Request(method="POST", path="/orders", body=body)


def a_get(path: str) -> Request:
    return Request(method="GET", path=path)


def a_put(order: int, body: Any) -> Request:
    return Request(method="PUT", path=f"/orders/{order}", body=body)


async def place(shop: Shop, *lines: Any, user: int = 5, key: str | None = None) -> int:
    told = await shop.ask("basic", an_order(*lines, user=user), key=key)
    assert told.status == 201, told
    return told.json["id"]


async def refused(shop: Shop, request: Request, key: str | None = None) -> tuple[int, str]:
    """The status and sentence of a request that is refused and changes nothing."""
    before = await shop.everything()
    told: Told = await shop.ask("basic", request, key=key)
    assert list(told.json) == ["error"], told
    assert await shop.everything() == before
    return told.status, told.json["error"]
