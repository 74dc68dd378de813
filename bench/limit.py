"""The limit beside a case: pgbench placing one order per transaction, with the best SQL for that.

The server sends the same statements for an order that comes alone; those that arrive together it
places with one (decision 0029).
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

_ONE_ORDER = queries.load("placing_one")

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
    lines = [
        *(f"\\set p{n} random(1, {products})" for n in (1, 2, 3)),
        *(f"\\set q{n} random(1, 3)" for n in (1, 2, 3)),
        "\\set buyer random(1, 5000)",
        "\\set dice random(1, 9000000000000000000)",
        _with(_ONE_ORDER.prepare_order, _prepare_values(store_id)) + " \\gset",
        _with(_ONE_ORDER.place_order, _place_values(store_id, sample)) + ";",
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
        "lines": "3",
        "product_ids": "array[:p1::bigint, :p2::bigint, :p3::bigint]",
        "variant_ids": "array[null, null, null]::bigint[]",
        "customer_id": ":buyer",
        "issuer": "null",
        "subject": "null",
        "digest": _DIGEST,
    }


def _place_values(store_id: int, sample: asyncpg.Record) -> dict[str, str]:
    values = {
        "store_id": str(store_id),
        "reserve": "true",
        "id": ":order_id",
        "number": ":number",
        "line_ids": ":line_ids",
        "customer_id": ":buyer",
        "product_ids": "array[:p1::bigint, :p2::bigint, :p3::bigint]",
        "variant_ids": "array[:p1::bigint, :p2::bigint, :p3::bigint]",
        "quantities": "array[:q1::int, :q2::int, :q3::int]",
        "unit_prices": "array[1000, 1000, 1000]",
        "subtotal": "(:q1::bigint + :q2::bigint + :q3::bigint) * 1000",
        "total": "(:q1::bigint + :q2::bigint + :q3::bigint) * 1000",
        "discount": "0",
        "shipping": "0",
        "tax": "0",
        "digest": _DIGEST,
        "fingerprint": _DIGEST,
        "status": "201",
        "created_at": "now()",
        "payment_token": "md5(random()::text)",
        "words": "array['created']",
        "word_times": "array[now()]",
        "event_types": "array['order.created']",
        "actors": "array['key:1']",
        "contracts": "array['commerce']",
        "discount_shares": "array[0, 0, 0]",
        "tax_shares": "array['[]', '[]', '[]']",
        "variant_names": "array[null, null, null]",
        "images": "array[null, null, null]",
    }
    for name in ("headers", "body", "payload"):
        values[name] = "'\\x" + sample[name].hex() + "'"
    for name in ("product_names", "skus"):
        values[name] = "array[" + ", ".join(_text(text) for text in sample[name]) + "]"
    for name in _ONE_ORDER.place_order.parameters:
        values.setdefault(name, _text(sample.get(name)))
    return values


def _text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    # A colon would begin a variable of pgbench's.
    quoted = "'" + str(value).replace("'", "''").replace(":", "' || chr(58) || '") + "'"
    return f"({quoted})"
