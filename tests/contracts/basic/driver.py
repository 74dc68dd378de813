"""How `basic` says the shared verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openorders.domain.order import Word
from tests.contracts.asking import Request
from tests.contracts.driver import Shown, Wanting

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


class Basic:
    contract = "basic"
    words: Mapping[Word, str] = WORDS

    def place(self, lines: Sequence[Wanting], customer: int) -> Request:
        items = [{"productId": line.product, "quantity": line.quantity} for line in lines]
        return Request(method="POST", path="/orders", body={"userId": customer, "items": items})

    def read(self, order: int) -> Request:
        return Request(method="GET", path=f"/orders/{order}")

    def listing(self) -> Request:
        return Request(method="GET", path="/orders?limit=100")

    def move(self, order: int, to: Word) -> Request | None:
        own = {Word.PROCESSING, Word.SHIPPED, Word.DELIVERED, Word.CANCELLED}
        if to not in own:
            return None
        return Request(method="PUT", path=f"/orders/{order}", body={"status": to.value})

    def cancel(self, order: int) -> Request | None:
        return Request(method="DELETE", path=f"/orders/{order}")

    def placed(self, told: Any) -> int:
        return told["id"]

    def shown(self, told: Any) -> Shown:
        quantities = tuple(item["quantity"] for item in told["items"])
        return Shown(told["id"], told["status"], str(told["totalAmount"]), quantities)

    def listed(self, told: Any) -> tuple[int, ...]:
        return tuple(order["id"] for order in told)

    def sentence(self, told: Any) -> str:
        assert list(told) == ["error"]
        assert isinstance(told["error"], str)
        return told["error"]


DRIVER = Basic()
