"""Who an order is for, and the ways a customer can be named by the outside."""

from msgspec import Struct

from openorders.domain.ids import CustomerId


class Customer(Struct, frozen=True, kw_only=True):
    """A record of the store; registered by the first order that names it."""

    id: CustomerId
    name: str | None = None
    email: str | None = None


class Identity(Struct, frozen=True, kw_only=True):
    """A name somebody else gave to a customer: an identity provider's `sub`, a partner's
    reference. It is registered once, under (`issuer`, `subject`), with an id of ours.
    """

    issuer: str
    subject: str
    name: str | None = None
    email: str | None = None
