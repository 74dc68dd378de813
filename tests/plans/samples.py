"""What statements are tried with: SQL expressions, by a parameter's name or else by its type.

They fit the shop of `million`: order `BUSY` has some of everything.
"""

from collections.abc import Mapping
from typing import Final

from openorders.store.queries import Statement
from tests.plans.million import BUSY

NEW: Final = 200_000_000
"""A number that nothing has yet."""

BY_TYPE: Final = {
    "bool": "true", "bool[]": "array[true]", "bytea": "'x'", "bytea[]": "array['x'::bytea]",
    "date": "current_date", "date[]": "array[current_date]", "float8": "60",
    "float8[]": "array[60.0]", "int2": "2", "int2[]": "array[200]", "int4": "1",
    "int4[]": "array[1]", "int8": str(BUSY), "int8[]": f"array[{BUSY}]", "jsonb": "'[]'",
    "jsonb[]": "array['[]'::jsonb]", "text": "'a'", "text[]": "array['a']",
    "timestamptz": "now()", "timestamptz[]": "array[now()]",
}  # fmt: skip

BY_NAME: Final = {
    "store_id": "1",
    "store_ids": "array[1]",
    "limit": "10",
    "most": "10",
    "scan": "10",
    "gateway": "'sandbox'",
    "currency": "'USD'",
    "currencies": "array['USD']",
    "customer_id": "500",
    "variant_ids": "array[500]",
    "product_ids": "array[500]",
    "digest": "sha256('500')",
    "key_digest": f"sha256('{BUSY}')",
    "hash": "sha256('50')",
    "endpoint_id": "1",
    "endpoint_ids": "array[1]",
    "event_id": "50000",
    "event_ids": "array[50000]",
    "after": "50000",
}

A_NEW_ORDER: Final = f"""{{
    "id": {NEW}, "number": {NEW}, "customer": {{"id": {BUSY}}},
    "currency": "USD", "minor_digits": 2,
    "totals": {{"subtotal": {BUSY}, "discount": 0, "shipping": 0, "taxes": []}},
    "progress": "placed", "payment": "none", "fulfilment": "none", "payment_asked": false,
    "created_at": "2026-11-21T12:00:00Z", "version": 1,
    "lines": [{{"id": {NEW}, "product_id": 500, "variant_id": 500, "product_name": "a",
        "unit_price": {BUSY}, "quantity": 1, "discount_share": 0, "tax_shares": []}}],
    "history": [{{"word": "created", "actor": "a", "contract": "a", "at": "2026-11-21T12:00:00Z"}}]
}}"""
"""As `place_orders` takes several of them."""

BY_STATEMENT: Final[Mapping[str, Mapping[str, str]]] = {
    "access.create_key": {"role": "'partner'", "customer_id": "null", "hash": "sha256('new')"},
    "bulk.begin_ids_after": {"names": "array['order_ids']"},
    "exports.stream_at_once": {"most_ms": "'2000'"},
    "exports.stream_in_parallel": {"hashed": "'on'"},
    "figures.day_in_zone": {"zone": "'UTC'"},
    "listing.plan_for_the_values": {"most_ms": "'2000'"},
    "mails.learn_language": {"language": "'de'"},
    "mails.set_language": {"language": "'de'"},
    "payment_pages.ids_in_state": {"state": "'captured'"},
    "payments.insert_attempt": {"kind": "'charge'", "order_id": f"{BUSY - 50_000}"},
    "payments.insert_operations": {"kinds": "array['refund']"},
    "payments.settle_operation": {"state": "'succeeded'"},
    "payments.settle_payment": {"state": "'captured'", "captured": "1000", "refunded": "0"},
    "placing.place_orders": {
        "ids": f"array[{NEW}]", "order_ids": f"array[{NEW}]", "orders": f"'[{A_NEW_ORDER}]'",
        "digests": "array[sha256('new')]", "tax_sums": "array[0]",
    },
    "placing_one.place_order": {
        "id": f"{NEW}", "number": f"{NEW}", "discount": "0", "shipping": "0", "tax": "0",
        "digest": "sha256('new')", "progress": "'placed'", "payment": "'none'",
        "fulfilment": "'none'",
    },
    "sandbox_ledger.change_charge": {"captured": "100", "refunded": "0"},
    "sandbox_ledger.open_page": {"kind": "'hosted'", "charge_id": f"{NEW}"},
    "stock.move_stock": {"kind": "'ship'", "quantities": "array[1]"},
    "stores.create_store": {"currency": "'USD'"},
    "stores.open_order_numbers": {"store_id": f"{NEW}"},
    "webhooks.list_deliveries": {
        "first": "0", "below": "200000", "state": "'failed'"
    },
}  # fmt: skip
"""Where a statement takes only values of its own."""


BLOCKS: Final[Mapping[str, int]] = {}
"""Statements that may touch another number of blocks than the usual one."""


def arguments(name: str, statement: Statement, types: list[str]) -> list[str]:
    """An expression per parameter, in the statement's order."""
    own = BY_STATEMENT.get(name, {})
    return [
        own.get(parameter) or BY_NAME.get(parameter) or BY_TYPE[of_type]
        for parameter, of_type in zip(statement.parameters, types, strict=True)
    ]
