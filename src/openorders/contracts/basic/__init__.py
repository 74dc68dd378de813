"""The contract `basic`: integer ids, bare lists, one sentence for an error."""

from typing import Final

from openorders.contracts import kit
from openorders.contracts.basic import errors, routes, translate
from openorders.contracts.basic.schemas import ErrorOut

CONTRACT: Final = kit.Contract(
    name="basic",
    title="Basic",
    description=(
        "Orders with integer IDs, in five operations.\n\n"
        "The status of an order is `pending`, `processing`, `shipped`, `delivered` or"
        " `cancelled`. A list is a bare array; `X-Total-Count` and `Link` say where a page"
        " stands. Every refusal is one sentence below `error`.\n\n"
        "A server may be open to callers without a credential. One that is sent always counts,"
        " and it decides which orders are seen: all of the store's, a partner's, or a"
        " customer's own."
    ),
    routes=(
        routes.get_orders,
        routes.create_order,
        routes.get_order,
        routes.update_order,
        routes.cancel,
    ),
    render=errors.render,
    render_unreadable=errors.render_unreadable,
    render_unknown=errors.render_unknown,
    render_status=errors.render_status,
    error_type=ErrorOut,
    order_out=lambda _, order: translate.order_out(order),
    credential=kit.Credential.OPTIONAL,
)
