"""A shop as `storefront` knows one: taxes, shipping, codes, a customer, and its staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from joserfc import jwt
from joserfc.jwk import OctKey

from openorders.domain.access import Role
from tests.contracts.asking import Request, Told
from tests.contracts.shop import Shop, Sold

JANE = 123456
SECRET = "the identity provider and the shop know this"
POLICY = {
    "number_prefix": "MNKY-",
    "taxes": [
        {"name": "State Tax", "rate": Decimal("0.06")},
        {"name": "City Tax", "rate": Decimal("0.04")},
    ],
    "shipping_methods": [
        {"code": "standard", "cost": Decimal("5.99"), "days": 5},
        {"code": "express", "cost": Decimal("9.99"), "days": 2},
    ],
    "discount_codes": [
        {"code": "WELCOME10", "amount": Decimal("10.00")},
        {"code": "SPRING20", "percent": 20},
    ],
}
ADDRESS = {
    "name": "John Doe",
    "line1": "456 Oak Street",
    "line2": "",
    "city": "San Francisco",
    "state": "CA",
    "postalCode": "94102",
    "country": "US",
    "phone": "+1 (555) 555-5678",
}


@dataclass
class Storefront:
    """The shop, with Jane's key."""

    shop: Shop
    jane: str
    candle: Sold
    soap: Sold

    async def ask(
        self, method: str, path: str, body: object = None, *, key: str | None = None, **headers: str
    ) -> Told:
        """Send a request as Jane, unless another key is named; `_` in header names is `-`."""
        request = Request(method=method, path=path, body=body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        key = self.jane if key is None else key
        return await self.shop.ask("storefront", request, key=key, headers=named)

    async def place(self, *, key: str | None = None, **changed: Any) -> Any:
        """A new order of two candles and a soap, unpaid unless said otherwise."""
        items = [self.item(self.candle, 2), self.item(self.soap)]
        told = await self.ask("POST", "/api/orders", {"items": items} | changed, key=key)
        assert told.status == 201, told
        return told.json

    async def pay(self, token: str = "tok_visa", **changed: Any) -> Any:
        """A new order that is paid at once."""
        return await self.place(paymentDetails={"method": "credit_card", "token": token}, **changed)

    async def move(self, order_id: str, status: str, **more: object) -> Told:
        """Change an order's status, as staff."""
        path = f"/api/admin/orders/{order_id}/status"
        return await self.ask("PATCH", path, {"status": status, **more}, key=self.shop.admin)

    def item(self, sold: Sold, quantity: int = 1) -> dict[str, object]:
        product, variant = f"prod_{sold.product}", f"var_{sold.variant}"
        return {"productId": product, "variantId": variant, "quantity": quantity}


async def open_storefront(shop: Shop) -> Storefront:
    """Furnish a store: a candle at 34.99 and a soap at 14.99."""
    settings = {"issuer": f"https://id.{shop.store.name}", "audience": "shop", "secret": SECRET}
    await shop.decides(**POLICY, jwt=settings)
    jane = await shop.key(Role.CUSTOMER, customer=JANE)
    return Storefront(shop, jane, await shop.sells("34.99"), await shop.sells("14.99"))


def token_for(shop: Shop, subject: str, **claims: object) -> str:
    """A token of the shop's identity provider, good for a minute."""
    said = {
        "iss": f"https://id.{shop.store.name}",
        "aud": "shop",
        "sub": subject,
        "exp": int((datetime.now(UTC) + timedelta(minutes=1)).timestamp()),
    }
    return jwt.encode({"alg": "HS256"}, said | claims, OctKey.import_key(SECRET))
