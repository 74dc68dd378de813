from tests.contracts.asking import Request
from tests.contracts.shop import Shop


def place(items: object, user: object = 5) -> Request:
    return Request(method="POST", path="/orders", body={"userId": user, "items": items})


async def test_an_order_is_placed_at_the_store_s_prices(shop: Shop) -> None:
    candle, soap = await shop.sells("50.25"), await shop.sells("25.00")
    told = await shop.ask(
        "basic",
        Request(
            method="POST",
            path="/orders",
            body={
                "userId": 5,
                "status": "delivered",
                "totalAmount": 1,
                "items": [
                    {"productId": candle.product, "quantity": 2, "price": 0.01},
                    {"productId": soap.product, "quantity": 1},
                    {"productId": candle.product, "quantity": 1},
                ],
            },
        ),
    )
    assert told.status == 201, told
    print(told, told.headers)
    assert await shop.stock(candle) == (10_000, 3)
