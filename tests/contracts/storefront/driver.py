"""How `storefront` says what every contract can say, with the credential of staff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from openorders.domain.order import Word
from tests.contracts.asking import Request
from tests.contracts.driver import Shown, Wanting


class StorefrontDriver:
    """Products with their variants, for the customer that is named."""

    contract = "storefront"
    words: Final = {word: word.value for word in Word}

    def place(self, lines: Sequence[Wanting], customer: int) -> Request:
        items = [
            {
                "productId": f"prod_{line.product}",
                "variantId": f"var_{line.variant}",
                "quantity": line.quantity,
            }
            for line in lines
        ]
        body = {"customerId": f"user_{customer}", "items": items}
        return Request(method="POST", path="/api/orders", body=body)

    def read(self, order: int) -> Request:
        return Request(method="GET", path=f"/api/orders/order_{order}")

    def listing(self) -> Request:
        return Request(method="GET", path="/api/orders?limit=50")

    def move(self, order: int, to: Word) -> Request | None:
        path = f"/api/admin/orders/order_{order}/status"
        return Request(method="PATCH", path=path, body={"status": self.words[to]})

    def cancel(self, order: int) -> Request | None:
        return Request(method="POST", path=f"/api/orders/order_{order}/cancel", body={})

    def placed(self, told: Any) -> int:
        return int(told["id"].removeprefix("order_"))

    def shown(self, told: Any) -> Shown:
        return Shown(
            order=self.placed(told),
            status=told["status"],
            total=str(told["totalAmount"]),
            quantities=tuple(item["quantity"] for item in told["items"]),
        )

    def listed(self, told: Any) -> tuple[int, ...]:
        assert told["pagination"]["pages"] <= 1
        return tuple(self.placed(order) for order in told["orders"])

    def sentence(self, told: Any) -> str:
        error = told["error"]
        assert list(error) in (["code", "message"], ["code", "message", "details"])
        return error["message"]


DRIVER = StorefrontDriver()
