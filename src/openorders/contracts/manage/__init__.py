"""The management API: money, webhooks, the event feed and keys, for whoever runs the store.

Ours alone: no document prescribes it, and it is none of the contracts that orders are placed
through.
"""

from typing import Final

from openorders.contracts import kit
from openorders.contracts.manage import (
    customer_routes,
    errors,
    event_routes,
    key_routes,
    order_routes,
    payment_routes,
    webhook_routes,
)
from openorders.contracts.manage.schemas import Problem

CONTRACT: Final = kit.Contract(
    name="manage",
    title="Management",
    description=(
        "Money, webhooks, the event feed and keys, for whoever runs a store.\n\n"
        "Strict: a field or a query parameter that is not known is refused by its name. Failures"
        " are problems (RFC 9457, `application/problem+json`); their types are explained at"
        " `/problems`. Lists come in pages: `next` is the cursor of the page after, and the header"
        " `Link` has its address. A credential may make so many requests per minute; `RateLimit`"
        " and `RateLimit-Policy` tell how many are left. Every change takes an"
        " `Idempotency-Key`.\n\n"
        "Everything is for keys of the role `admin`; `service` may read events, payments and"
        " refunds."
    ),
    routes=(
        order_routes.get_order,
        order_routes.get_order_payments,
        order_routes.create_payment,
        order_routes.get_order_refunds,
        order_routes.create_refund,
        payment_routes.get_payments,
        payment_routes.get_payment,
        payment_routes.capture,
        payment_routes.void,
        payment_routes.get_refunds,
        payment_routes.get_refund,
        customer_routes.get_payment_methods,
        customer_routes.create_payment_method,
        customer_routes.get_payment_method,
        customer_routes.delete_payment_method,
        customer_routes.put_language,
        event_routes.get_events,
        event_routes.stream_events,
        event_routes.get_event,
        webhook_routes.get_endpoints,
        webhook_routes.post_endpoint,
        webhook_routes.get_endpoint,
        webhook_routes.patch_endpoint,
        webhook_routes.delete_endpoint,
        webhook_routes.rotate,
        webhook_routes.get_deliveries,
        webhook_routes.get_delivery,
        webhook_routes.replay_delivery,
        webhook_routes.replay,
        key_routes.list_keys,
        key_routes.create_key,
        key_routes.get_key,
        key_routes.revoke_key,
    ),
    render=errors.render,
    render_unreadable=errors.render_unreadable,
    render_unknown=errors.render_unknown,
    render_status=errors.render_status,
    error_type=Problem,
    credential=kit.Credential.BEARER,
    strict=True,
    limited=True,
    sign=errors.sign,
    failure_media=errors.MEDIA_TYPE,
)
