"""What a store has decided: its currency, taxes, shipping, discounts and gateways."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from openorders.domain.ids import StoreId
from openorders.domain.mails import MailPolicy
from openorders.domain.money import minor_digits


class TaxBase(StrEnum):
    """What taxes are computed on."""

    BEFORE_DISCOUNT = "before_discount"
    AFTER_DISCOUNT = "after_discount"


class TaxRate(Struct, frozen=True, kw_only=True):
    """One tax of the store. `rate` is a fraction: 0.06 is six per cent."""

    name: str
    rate: Decimal


class ShippingMethod(Struct, frozen=True, kw_only=True):
    """`cost` in minor units; `days` from placing to the estimated delivery."""

    code: str
    cost: int
    days: int


class DiscountCode(Struct, frozen=True, kw_only=True):
    """Either `percent` (20 is a fifth) of the subtotal, or `amount` minor units, never both."""

    code: str
    percent: Decimal | None = None
    amount: int | None = None


class Capture(StrEnum):
    """When a gateway takes the money: with the payment, or when staff capture it."""

    AT_ONCE = "at_once"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """A payment gateway under the name clients call it by; the first one is the default.

    `secret_key` opens the account at the provider, `webhook_secret` proves its notices.
    """

    name: str
    kind: str = "sandbox"
    capture: Capture = Capture.AT_ONCE
    secret_key: str | None = field(default=None, repr=False)
    webhook_secret: str | None = field(default=None, repr=False)

    @property
    def is_by_hand(self) -> bool:
        """Whether nobody is asked, and staff vouch for the money."""
        return self.kind == "manual"


class JwtSettings(Struct, frozen=True, kw_only=True):
    """Whose tokens the store's customers bring: a shared HS256 `secret`, or a `jwks_url`."""

    issuer: str
    audience: str
    secret: str | None = None
    jwks_url: str | None = None


class StorePolicy(Struct, frozen=True, kw_only=True):
    """Everything of a store that `openorders store apply` can change."""

    taxes: tuple[TaxRate, ...] = ()
    tax_base: TaxBase = TaxBase.BEFORE_DISCOUNT
    shipping_methods: tuple[ShippingMethod, ...] = ()
    discount_codes: tuple[DiscountCode, ...] = ()
    gateways: tuple[GatewaySettings, ...] = (GatewaySettings(name="sandbox"),)
    jwt: JwtSettings | None = None
    unpaid_expiry_minutes: int | None = None
    require_registered_customers: bool = False
    mails: MailPolicy = MailPolicy()


class Store(Struct, frozen=True, kw_only=True):
    """A tenant. Everything else belongs to exactly one."""

    id: StoreId
    name: str
    currency: str
    time_zone: str = "UTC"
    number_prefix: str = ""
    policy: StorePolicy = StorePolicy()

    @property
    def minor_digits(self) -> int:
        """Digits of the store's currency after the point."""
        return minor_digits(self.currency)

    def shipping_method(self, code: str) -> ShippingMethod | None:
        """The shipping method of that code."""
        return next((m for m in self.policy.shipping_methods if m.code == code), None)

    def discount_code(self, code: str) -> DiscountCode | None:
        """The discount of that code; codes are compared exactly."""
        return next((d for d in self.policy.discount_codes if d.code == code), None)

    def gateway(self, name: str | None) -> GatewaySettings | None:
        """The gateway of that name; None asks for the store's default."""
        gateways = self.policy.gateways
        if name is None:
            return gateways[0] if gateways else None
        return next((g for g in gateways if g.name == name), None)
