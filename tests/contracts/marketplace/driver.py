"""How `marketplace` says the shared verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openorders.domain.order import Word
from tests.contracts.asking import Request
from tests.contracts.driver import Shown, Wanting

WORDS = {
    Word.CREATED: "pending",
    Word.PAYMENT_PENDING: "pending_payment",
    Word.PAID: "pending",
    Word.PROCESSING: "processing",
    Word.SHIPPED: "shipped",
    Word.DELIVERED: "delivered",
    Word.COMPLETED: "completed",
    Word.CANCELLED: "cancelled",
    Word.REFUNDED: "refunded",
}


class Marketplace:
    contract = "marketplace"
    words: Mapping[Word, str] = WORDS

    def place(self, lines: Sequence[Wanting], customer: int) -> Request:
        items = [{"offerId": f"offer_{line.variant}", "quantity": line.quantity} for line in lines]
        body = {"customerId": f"cust_{customer}", "items": items}
        return Request(method="POST", path="/api/orders", body=body)

    def read(self, order: int) -> Request:
        return Request(method="GET", path=f"/api/orders/ord_{order}")

    def listing(self) -> Request:
        return Request(method="GET", path="/api/orders?$top=1000")

    def move(self, order: int, to: Word) -> Request | None:
        if to in (Word.CREATED, Word.PAID):
            return None
        path = f"/api/orders/ord_{order}/status"
        return Request(method="PUT", path=path, body={"status": self.words[to]})

    def cancel(self, order: int) -> Request | None:
        return self.move(order, Word.CANCELLED)

    def placed(self, told: Any) -> int:
        return int(told["orderId"].removeprefix("ord_"))

    def shown(self, told: Any) -> Shown:
        return Shown(
            order=int(told["id"].removeprefix("ord_")),
            status=told["status"],
            total=str(told["totalAmount"]),
            quantities=tuple(item["quantity"] for item in told["items"]),
        )

    def listed(self, told: Any) -> tuple[int, ...]:
        assert told["count"] == len(told["value"])
        return tuple(int(order["id"].removeprefix("ord_")) for order in told["value"])

    def sentence(self, told: Any) -> str:
        assert list(told) == ["error"]
        assert list(told["error"]) == ["code", "message"]
        return told["error"]["message"]


DRIVER = Marketplace()
