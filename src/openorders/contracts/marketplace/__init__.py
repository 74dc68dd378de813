"""The contract `marketplace`: offers, OData lists, metrics, bulk changes, exports, payments."""

from typing import Final

from openorders.contracts import kit
from openorders.contracts.marketplace import errors, routes, translate
from openorders.contracts.marketplace.schemas import ErrorOut

CONTRACT: Final = kit.Contract(
    name="marketplace",
    title="Marketplace",
    description=(
        "Orders of offers, with their payment, for a marketplace.\n\n"
        "The status of an order is `pending_payment`, `pending`, `processing`, `shipped`,"
        " `delivered`, `completed`, `refunded` or `cancelled`; that of an item is `pending`,"
        " `verified`, `fulfilled` or `cancelled`. Lists take OData options, of which an unknown"
        " one is refused. Every refusal has a code and a message below `error`."
    ),
    routes=(
        routes.initiate_payment,
        routes.create_order,
        routes.get_order,
        routes.list_odata,
        routes.list_all,
        routes.get_metrics,
        routes.update_status,
        routes.bulk_cancel,
        routes.settle_items,
        routes.export,
        routes.process_payment,
    ),
    render=errors.render,
    render_unreadable=errors.render_unreadable,
    render_unknown=errors.render_unknown,
    render_status=errors.render_status,
    error_type=ErrorOut,
    order_out=lambda _, order: translate.order_out(order),
    credential=kit.Credential.BEARER,
)
