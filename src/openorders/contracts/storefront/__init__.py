"""`storefront`: a shop's customers and its staff, with taxes, shipping, discounts and history."""

from openorders.contracts import kit
from openorders.contracts.storefront import errors, presenting, routes, schemas

CONTRACT = kit.Contract(
    name="storefront",
    title="Storefront orders",
    description=(
        "A shop's customers place, read and cancel their own orders; its staff see everybody's and"
        " bring them on their way.\n\n"
        "A customer usually comes with a JSON web token of the shop's identity provider, staff"
        " with an API key, both as `Authorization: Bearer`. Failures are"
        " `{error: {code, message, details}}`, where `code` is the HTTP status and `details` names"
        " the fields that could not be read.\n\n"
        "`totalAmount` is `subtotal - discountAmount + shippingDetails.cost + taxAmount`."
    ),
    routes=routes.ROUTES,
    render=errors.render,
    render_unreadable=errors.render_unreadable,
    render_unknown=errors.render_unknown,
    render_status=errors.render_status,
    error_type=schemas.ErrorOut,
    order_out=presenting.order_out,
    credential=kit.Credential.BEARER,
)
