"""How `commerce` says the shared verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openorders.domain.order import Word
from tests.contracts.asking import Request
from tests.contracts.driver import Shown, Wanting


def order_id(order: int) -> str:
    return f"ORD{order:09}"


WORDS = {
    Word.CREATED: "pending",
    Word.PAYMENT_PENDING: "pending",
    Word.PAID: "pending",
    Word.PROCESSING: "processing",
    Word.SHIPPED: "shipped",
    Word.DELIVERED: "delivered",
    Word.COMPLETED: "delivered",
    Word.CANCELLED: "cancelled",
    Word.REFUNDED: "cancelled",
}


class Commerce:
    contract = "commerce"
    words: Mapping[Word, str] = WORDS

    def place(self, lines: Sequence[Wanting], customer: int) -> Request:
        items = [
            {"productId": f"PROD{line.product:03}", "quantity": line.quantity} for line in lines
        ]
        body = {"customerId": f"CUST{customer:05}", "items": items}
        return Request(method="POST", path="/v1/orders", body=body)

    def read(self, order: int) -> Request:
        return Request(method="GET", path=f"/v1/orders/{order_id(order)}")

    def listing(self) -> Request:
        return Request(method="GET", path="/v1/orders?limit=100")

    def move(self, order: int, to: Word) -> Request | None:
        own = {Word.PROCESSING, Word.SHIPPED, Word.DELIVERED, Word.CANCELLED}
        if to not in own:
            return None
        path = f"/v1/orders/{order_id(order)}"
        return Request(method="PUT", path=path, body={"status": to.value})

    def cancel(self, order: int) -> Request | None:
        return Request(method="DELETE", path=f"/v1/orders/{order_id(order)}")

    def placed(self, told: Any) -> int:
        return int(told["orderId"].removeprefix("ORD"))

    def shown(self, told: Any) -> Shown:
        quantities = tuple(item["quantity"] for item in told["items"])
        return Shown(self.placed(told), told["status"], str(told["totalAmount"]), quantities)

    def listed(self, told: Any) -> tuple[int, ...]:
        return tuple(self.placed(order) for order in told["data"])

    def sentence(self, told: Any) -> str:
        assert list(told) == ["error"]
        assert list(told["error"]) == ["code", "message"]
        return told["error"]["message"]


DRIVER = Commerce()
