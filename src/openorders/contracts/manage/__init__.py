"""The management API: money, webhooks, the event feed and keys, for whoever runs the store.

Ours alone: no document prescribes it, and it is none of the contracts that orders are placed
through.
"""

from typing import Final

from openorders.contracts import kit
from openorders.contracts.manage import errors, key_routes
from openorders.contracts.manage.schemas import Problem

CONTRACT: Final = kit.Contract(
    name="manage",
    title="Management",
    description="",
    routes=(
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
