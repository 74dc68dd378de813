"""The contract `commerce`: prefixed ids, `data` with `pagination`, a code with each error."""

from typing import Final

from openorders.contracts import kit
from openorders.contracts.commerce import errors, routes, translate
from openorders.contracts.commerce.schemas import ErrorOut

CONTRACT: Final = kit.Contract(
    name="commerce",
    title="Commerce",
    description=(
        "Orders with IDs like `ORD123456789`, in five operations.\n\n"
        "The status of an order is `pending`, `processing`, `shipped`, `delivered` or"
        " `cancelled`. Every refusal has a `code` for programs and a `message` for people below"
        " `error`.\n\n"
        "The credential decides which orders are seen: all of the store's, a partner's, or a"
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
    credential=kit.Credential.BEARER,
)
