"""How `partner` says what every contract can say. It places and reads; it changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from openorders.domain.order import Word
from tests.contracts.asking import Request
from tests.contracts.driver import Shown, Wanting


class PartnerDriver:
    """Orders by their `OR` numbers."""

    contract = "partner"
    words: Final = {word: word.value for word in Word}

    def place(self, lines: Sequence[Wanting], customer: int) -> Request:
        items = [
            {"product_id": f"PR{line.product:05}", "quantity": line.quantity} for line in lines
        ]
        named = {"partner_name": "RayTech Corp.", "customer_reference": f"CUST-{customer}"}
        return Request(method="POST", path="/orders", body={**named, "items": items})

    def read(self, order: int) -> Request:
        return Request(method="GET", path=f"/orders/OR{order:05}")

    def listing(self) -> Request:
        return Request(method="GET", path="/orders")

    def move(self, order: int, to: Word) -> Request | None:  # noqa: ARG002 - no such call
        return None

    def cancel(self, order: int) -> Request | None:  # noqa: ARG002 - no such call
        return None

    def placed(self, told: Any) -> int:
        return int(told["order_id"].removeprefix("OR"))

    def shown(self, told: Any) -> Shown:
        return Shown(
            order=self.placed(told),
            status=told["status"],
            total=str(told["total_amount"]),
            quantities=tuple(item["quantity"] for item in told["items"]),
        )

    def listed(self, told: Any) -> tuple[int, ...]:
        assert told["count"] == len(told["items"])
        return tuple(self.placed(order) for order in told["items"])

    def sentence(self, told: Any) -> str:
        assert list(told) == ["detail"]
        return told["detail"]


DRIVER = PartnerDriver()
