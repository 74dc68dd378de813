"""Who is calling, and how far they can see."""

from enum import StrEnum

from msgspec import Struct

from openorders.domain.ids import CustomerId
from openorders.domain.order import Order
from openorders.domain.refusals import NotPermitted, Refused
from openorders.domain.store_settings import Store


class Role(StrEnum):
    """What a credential may do: `admin` and `service` see all of a store's orders, `partner`
    those of one partner, `customer` those of one customer.
    """

    ADMIN = "admin"
    SERVICE = "service"
    PARTNER = "partner"
    CUSTOMER = "customer"


class Caller(Struct, frozen=True, kw_only=True):
    """A proven caller. `actor` is what the history remembers (`key:7`, `jwt:<sub>`), and
    `credential` what idempotency keys belong to.
    """

    store: Store
    role: Role
    actor: str
    credential: str
    contract: str
    partner_name: str | None = None
    customer_id: CustomerId | None = None

    @property
    def is_staff(self) -> bool:
        """Sees every order of the store."""
        return self.role in (Role.ADMIN, Role.SERVICE)

    def may_see(self, order: Order) -> bool:
        """Whether the order exists at all as far as this caller can tell."""
        match self.role:
            case Role.ADMIN | Role.SERVICE:
                return True
            case Role.PARTNER:
                return order.partner_name == self.partner_name
            case Role.CUSTOMER:
                return order.customer.id == self.customer_id

    def require(self, *roles: Role, to: str) -> None:
        """Refuse unless the caller has one of the roles. `to` completes "may not …"."""
        if self.role not in roles:
            raise Refused(NotPermitted(to))
