"""The limit beside a case: pgbench sending the very SQL that the server sends.

Parameters that the server computes (ids, digests, the answer's bytes) come from pgbench's own
variables or from a real order placed just before, so that rows are as large as ours.
"""

import re
import subprocess
import tempfile
from pathlib import Path

import asyncpg

from openorders.store import queries
from openorders.store.database_connect import SESSION_SETTINGS
from openorders.store.queries import Statement

# The session settings that decide plans are ours too.
_SESSION = " ".join(
    f"-c {name}={SESSION_SETTINGS[name]}" for name in ("plan_cache_mode", "jit", "random_page_cost")
)

_SAMPLE = """
select o.*, k.headers, k.body, x.payload, l.product_names, l.skus
from orders o
join outbox x on x.store_id = o.store_id and x.order_id = o.id
join lateral (
    select array_agg(l.product_name) as product_names, array_agg(l.sku) as skus
    from order_lines l where l.store_id = o.store_id and l.order_id = o.id
) l on true
cross join lateral (
    select headers, body from idempotency_keys where store_id = o.store_id limit 1
) k
order by o.id desc
limit 1
"""

# What a real order has in these columns.
_ONE_EACH = {
    "partner_names": "partner_name",
    "customer_references": "customer_reference",
    "taxes": "taxes",
    "discount_codes": "discount_code",
    "progresses": "progress",
    "payments": "payment",
    "fulfilments": "fulfilment",
    "shipping_methods": "shipping_method",
    "deliveries": "estimated_delivery",
    "shipping_addresses": "shipping_address",
    "billing_addresses": "billing_address",
    "payment_methods": "payment_method",
    "payment_gateways": "payment_gateway",
    "notes": "notes",
}

# Computed from pgbench's own dice: a volatile expression could not be looked up in an index.
_DIGEST = "decode(md5(:dice::text) || md5(:dice::text), 'hex')"


async def write_script(database_url: str, products: int) -> Path:
    """A pgbench script that places an order of three lines with our two statements."""
    connection = await asyncpg.connect(database_url)
    try:
        sample = await connection.fetchrow(_SAMPLE)
    finally:
        await connection.close()
    assert sample is not None, "an order was placed before"
    store_id: int = sample["store_id"]
    statements = queries.load("placing")
    lines = [
        *(f"\\set p{n} random(1, {products})" for n in (1, 2, 3)),
        *(f"\\set q{n} random(1, 3)" for n in (1, 2, 3)),
        "\\set buyer random(1, 5000)",
        "\\set dice random(1, 9000000000000000000)",
        _with(statements.prepare_orders, _prepare_values(store_id)) + " \\gset",
        _with(statements.place_orders, _place_values(store_id, sample)) + ";",
    ]
    script = Path(tempfile.mkdtemp(prefix="openorders-bench-")) / "place.sql"
    script.write_text("\n".join(lines))
    return script


def run(pgbench: Path, database_url: str, script: Path, *, clients: int, seconds: int) -> float:
    """Orders a second that pgbench places."""
    done = subprocess.run(
        [
            str(pgbench), "--no-vacuum", "--protocol=prepared", f"--client={clients}",
            "--jobs=2", f"--time={seconds}", f"--file={script}", database_url,
        ],
        check=False,
        capture_output=True,
        text=True,
        env={"PGOPTIONS": _SESSION},
    )  # fmt: skip
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    assert found is not None, done.stdout + done.stderr
    return float(found.group(1))


def _with(statement: Statement, values: dict[str, str]) -> str:
    def value(number: re.Match[str]) -> str:
        return values[statement.parameters[int(number.group(1)) - 1]]

    # One line each, where a comment would swallow what follows it.
    without_comments = re.sub(r"--[^\n]*", "", statement.sql)
    return re.sub(r"\s+", " ", re.sub(r"\$(\d+)", value, without_comments)).strip()


def _prepare_values(store_id: int) -> dict[str, str]:
    return {
        "store_id": str(store_id),
        "orders": "1",
        "product_ids": "array[:p1::bigint, :p2::bigint, :p3::bigint]",
        "variant_ids": "array[null, null, null]",
        "customer_ids": "array[:buyer]",
        "named": "array[]",
        "issuers": "array[]",
        "subjects": "array[]",
        "digests": f"array[{_DIGEST}]",
    }


def _place_values(store_id: int, sample: asyncpg.Record) -> dict[str, str]:
    total = "array[(:q1::bigint + :q2::bigint + :q3::bigint) * 1000]"
    values = {
        "store_id": str(store_id),
        "reserve": "true",
        "currency": _text(sample["currency"]),
        "minor_digits": str(sample["minor_digits"]),
        "ids": ":order_ids",
        "numbers": ":numbers",
        "customer_ids": "array[:buyer]",
        "new_customers": "array[case when :customers = '' then :buyer end]",
        "subtotals": total,
        "totals": total,
        "digests": f"array[{_DIGEST}]",
        "fingerprints": f"array[{_DIGEST}]",
        "statuses": "array[201]",
        "versions": "array[1]",
        "payment_tokens": "array[md5(random()::text)]",
        "payments_asked": "array[false]",
        "actors": "array['key:1']",
        "contracts": "array['commerce']",
        "order_ids": "array_fill((:order_ids::bigint[])[1], array[3])",
        "positions": "array[1, 2, 3]",
        "line_ids": ":line_ids",
        "product_ids": "array[:p1::bigint, :p2::bigint, :p3::bigint]",
        "variant_ids": "array[:p1::bigint, :p2::bigint, :p3::bigint]",
        "quantities": "array[:q1::int, :q2::int, :q3::int]",
        "unit_prices": "array[1000, 1000, 1000]",
        "discount_shares": "array[0, 0, 0]",
        "tax_shares": "array['[]', '[]', '[]']",
        "variant_names": "array[null, null, null]",
        "images": "array[null, null, null]",
        "line_times": "array[now(), now(), now()]",
        "word_order_ids": ":order_ids",
        "word_positions": "array[1]",
        "words": "array['created']",
        "event_order_ids": ":order_ids",
        "event_versions": "array[1]",
        "event_types": "array['order.created']",
    }
    for name in ("times", "word_times", "event_times"):
        values[name] = "array[now()]"
    for name in ("discounts", "shippings", "tax_sums"):
        values[name] = "array[0]"
    for name, column in _ONE_EACH.items():
        values[name] = f"array[{_text(sample[column])}]"
    for name, column in (("headers", "headers"), ("bodies", "body"), ("payloads", "payload")):
        values[name] = f"array['\\x{sample[column].hex()}']"
    for name in ("product_names", "skus"):
        values[name] = "array[" + ", ".join(_text(text) for text in sample[name]) + "]"
    return values


def _text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    # A colon would begin a variable of pgbench's.
    quoted = "'" + str(value).replace("'", "''").replace(":", "' || chr(58) || '") + "'"
    return f"({quoted})"
