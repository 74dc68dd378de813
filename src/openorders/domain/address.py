"""A postal address, as wide as the widest contract; each contract shows the part it knows."""

from msgspec import Struct


class Address(Struct, frozen=True, kw_only=True):
    """Every part is free text and may be missing: no two countries agree on what is needed."""

    name: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None
