"""`partner`: orders that partners place for their customers, identified by `x-api-key`."""

from openorders.contracts import kit
from openorders.contracts.partner import errors, routes, schemas, translate

CONTRACT = kit.Contract(
    name="partner",
    title="Partner orders",
    description=(
        "Partners place orders from the catalogue and read them back.\n\n"
        "Every request carries an API key in `x-api-key`. A key can be tied to one partner: it"
        " then sees and places only that partner's orders. Failures are `{detail}` with a text."
    ),
    routes=routes.ROUTES,
    render=errors.render,
    render_unreadable=errors.render_unreadable,
    render_unknown=errors.render_unknown,
    render_status=errors.render_status,
    error_type=schemas.ErrorOut,
    order_out=lambda _, order: translate.order_out(order),
    credential=kit.Credential.API_KEY,
)
