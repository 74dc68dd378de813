"""API keys as the management API reads and writes them. The key itself is in one answer only."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from openorders.contracts.manage.ids import CUSTOMER, KEY
from openorders.contracts.manage.schemas import Next, Sent, Shown

RoleWord = Literal["admin", "service", "partner", "customer"]

_Role = Annotated[
    RoleWord,
    Meta(
        description="What the key may do: `admin` and `service` see all of the store's orders, "
        "`partner` those of one partner, `customer` those of one customer."
    ),
]


class KeyIn(Sent):
    """A key to be made."""

    role: _Role
    partner_name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=200)] | None,
        Meta(description="The partner, for that role and only for it."),
    ] = None
    customer_id: Annotated[
        Annotated[str, Meta(pattern=CUSTOMER.pattern)] | None,
        Meta(description="The customer, for that role and only for it."),
    ] = None
    label: Annotated[
        Annotated[str, Meta(min_length=1, max_length=200)] | None,
        Meta(description="A note for people."),
    ] = None


class KeyOut(Shown):
    """What can be told of a key."""

    id: Annotated[str, Meta(pattern=KEY.pattern, description="Names the key; not the key.")]
    role: _Role
    partner_name: Annotated[str | None, Meta(description="The partner whose orders it opens.")]
    customer_id: Annotated[str | None, Meta(description="The customer whose orders it opens.")]
    label: Annotated[str | None, Meta(description="The note that it was made with.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    revoked_at: Annotated[
        datetime | None, Meta(description="When it was revoked; null while it counts.")
    ]


class NewKeyOut(KeyOut):
    """A key that was just made."""

    key: Annotated[
        str | None,
        Meta(
            description="The key itself, shown this once; null in the answer to a repeated "
            "request, as only its hash is kept."
        ),
    ]


class KeysOut(Shown):
    """Keys, in the order in which they were made."""

    keys: Annotated[list[KeyOut], Meta(description="The keys of this page.")]
    next: Next
