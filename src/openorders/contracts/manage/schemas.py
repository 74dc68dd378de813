"""What all bodies of the management API have in common, and how its failures look."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType


class Sent(Struct, rename="camel", forbid_unknown_fields=True):
    """A body, or a part of one: a field that is not known is refused."""


class Shown(Struct, rename="camel"):
    """An answer, or a part of one: every field is there, null when there is nothing."""


Limit = Annotated[int, Meta(ge=1, le=100, description="How many at most on this page.")]
After = Annotated[
    str,
    Meta(
        max_length=100,
        description="Where the page before ended: its `next`. Without it, the first page.",
    ),
]
Next = Annotated[
    str | None, Meta(description="The cursor of the next page; null when this is the last.")
]
Currency = Annotated[str, Meta(description="ISO 4217 code; amounts have exactly its digits.")]


class PageQuery(Sent):
    """Which page of a list."""

    after: After | None = None
    limit: Limit = 50


class Fault(Shown):
    """One thing that is wrong with a request."""

    detail: Annotated[str, Meta(description="What is wrong with it.")]
    pointer: Annotated[
        str | UnsetType, Meta(description="The field of the body, as a JSON pointer.")
    ] = UNSET
    parameter: Annotated[str | UnsetType, Meta(description="The query parameter.")] = UNSET
    header: Annotated[str | UnsetType, Meta(description="The request's header.")] = UNSET


class Problem(Struct, rename={"decline_code": "declineCode", "violated": "violated-policies"}):
    """A failure, as RFC 9457 describes it."""

    type: Annotated[
        str,
        Meta(description="The kind of problem: a URI reference that leads to its explanation."),
    ]
    title: Annotated[str, Meta(description="The kind of problem in a few words.")]
    status: Annotated[int, Meta(description="The answer's status code.")]
    detail: Annotated[str, Meta(description="What happened this time.")]
    instance: Annotated[
        str,
        Meta(description="Names this occurrence: `/requests/` and the request's id in the log."),
    ] = ""
    errors: Annotated[
        list[Fault] | UnsetType, Meta(description="What is wrong with the request.")
    ] = UNSET
    decline_code: Annotated[
        str | UnsetType, Meta(description="Why the gateway said no, as far as a buyer may know.")
    ] = UNSET
    oldest: Annotated[
        str | UnsetType, Meta(description="The cursor before the oldest event that is kept.")
    ] = UNSET
    violated: Annotated[
        list[str] | UnsetType, Meta(description="The rate limit policies that were exceeded.")
    ] = UNSET
