"""A million orders for queries to be planned on: thinner than real ones, and as many.

Written by PostgreSQL itself, without indexes, which are built afterwards. Order n has number n,
payment n, operation n and so on, as far as there are any; order `BUSY` has some of everything.
The ledgers do not add up: no test here asks them.
"""

from typing import Final

from bench.orders_tables import bare
from openorders.store.database import Connection, connected

ORDERS: Final = 1_000_000
LATELY: Final = 900_000
"""Orders above have payments, events, mails and all the rest, too."""

BUSY: Final = 999_000
CUSTOMERS: Final = 100_000

FILLING: Final = {
    "stores": """
        insert into stores (name, currency, minor_digits, policy, created_at)
        select 'store ' || n, 'USD', 2, '{}', now() - interval '3 years'
        from generate_series(1, 3) n
    """,
    "api_keys": """
        insert into api_keys (store_id, hash, role, created_at)
        select 1, sha256(n::text::bytea), 'service', now() from generate_series(1, 200) n
    """,
    "customers": f"""
        insert into customers (store_id, id, name, email, created_at)
        select 1, n, 'Customer ' || n, 'customer' || n || '@example.com', now() - interval '3 years'
        from generate_series(1, {CUSTOMERS}) n
    """,
    "customer_identities": """
        insert into customer_identities (store_id, issuer, subject, customer_id)
        select 1, 'https://id.example.com', 'user-' || n, n from generate_series(1, 20000) n
    """,
    "products": """
        insert into products (store_id, id, name, default_variant_id, created_at)
        select 1, n, 'Product ' || n, n, now() from generate_series(1, 20000) n
    """,
    "variants": """
        insert into variants (store_id, id, product_id, sku, price, updated_at)
        select 1, n, n, 'SKU-' || n, 1000 + n, now() from generate_series(1, 20000) n
    """,
    "stock": """
        insert into stock (store_id, variant_id, on_hand, reserved)
        select 1, n, 1000000, 1000 from generate_series(1, 20000) n
    """,
    "orders": f"""
        insert into orders (
            store_id, id, number, customer_id, partner_name, currency, minor_digits, subtotal,
            discount, shipping, tax, total, progress, payment, fulfilment, payment_asked,
            payment_method, payment_gateway, payment_token, created_at, updated_at
        )
        select 1, n, n, floor({CUSTOMERS} * u.a * u.a * u.a)::int + 1,
            case when n % 12 = 0 then 'Partner ' || n % 7 end, 'USD', 2, t.total, 0, 0, 0, t.total,
            case when n % 10 = 3 then 'cancelled' when n > 990000 then 'placed'
                when n % 8 = 5 or n > 985000 then 'processing' else 'completed' end,
            case when n % 10 = 3 then 'pending' when n > 999000 then 'none'
                when n > 998000 then 'pending' when n % 33 = 1 then 'refunded' else 'paid' end,
            case when n % 10 = 3 or n > 988000 then 'none' when n > 985000 then 'shipped'
                else 'delivered' end,
            n > 998000 or n % 10 = 3, 'credit_card', 'sandbox', 'token-' || n, at.t,
            least(now(), at.t + u.b * interval '20 days')
        from generate_series(1, {ORDERS}) n
        cross join lateral (
            select (hashint8(n) & 1048575) / 1048576.0::float8 as a,
                (hashint8(n + 7777777) & 1048575) / 1048576.0::float8 as b
        ) u
        cross join lateral (select (500 + 40000 * u.b * u.b)::bigint as total) t
        cross join lateral (
            select now() - interval '3 years' + n * interval '94.6 seconds' as t
        ) at
    """,
    "order_lines": f"""
        insert into order_lines (
            store_id, order_id, id, position, product_id, variant_id, product_name, unit_price,
            quantity, state
        )
        select 1, n, n * 3 + m, m, v.v, v.v, 'Product', 1000, 1 + n % 3,
            case when n > 990000 then 'pending' else 'fulfilled' end
        from generate_series(1, {ORDERS}) n
        cross join lateral generate_series(1, 1 + n % 3) m
        cross join lateral (
            select 1 + abs(hashint8(n * 3 + m)::bigint) % 20000 * (m + n % 4) / 6 % 20000 as v
        ) v
    """,
    "order_history": f"""
        insert into order_history (store_id, order_id, position, word, actor, contract, at)
        select 1, n, p, 'created', 'key:1', 'commerce', now()
        from generate_series({LATELY}, {ORDERS}) n cross join generate_series(1, 2) p
    """,
    "stock_movements": f"""
        insert into stock_movements (store_id, kind, order_id, variant_ids, quantities, at)
        select 1, k, n, array[1 + n % 20000], array[1], now()
        from generate_series({LATELY}, {ORDERS}) n cross join unnest('{{reserve,ship}}'::text[]) k
    """,
    "payments": f"""
        insert into payments (
            store_id, id, order_id, gateway, method, amount, currency, state, captured, refunded,
            reference, created_at, settled_at
        )
        select 1, n, n, 'sandbox', 'credit_card', 1000, 'USD',
            case when n > 999900 then 'pending' when n > 999800 then 'started' else 'captured' end,
            case when n > 999800 then 0 else 1000 end, 0, 'ch_' || n,
            now() - ({ORDERS} - n) * interval '94.6 seconds', now()
        from generate_series({LATELY}, {ORDERS}) n
    """,
    "refunds": f"""
        insert into refunds (store_id, id, order_id, amount, actor, contract, created_at)
        select 1, n, n, 100, 'key:1', 'commerce', now()
        from generate_series({LATELY}, {ORDERS}, 3) n
    """,
    "refund_lines": f"""
        insert into refund_lines (store_id, refund_id, order_id, line_id, quantity, amount)
        select 1, n, n, n * 3 + 1, 1, 100 from generate_series({LATELY}, {ORDERS}, 3) n
    """,
    "payment_operations": f"""
        insert into payment_operations (
            store_id, id, payment_id, order_id, kind, amount, state, reference, refund_id, actor,
            contract, key_digest, due_at, created_at, settled_at
        )
        select 1, n + k.k * {ORDERS}, n, n, case k.k when 0 then 'charge' else 'refund' end, 100,
            case when n > 999900 then 'started' when n % 500 = 0 then 'failed' else 'succeeded' end,
            'ch_' || n, case when k.k = 1 then n end, 'key:1', 'commerce', sha256(n::text::bytea),
            now() - ({ORDERS} - n) * interval '94.6 seconds', now(),
            now() - ({ORDERS} - n) * interval '94.6 seconds'
        from generate_series({LATELY}, {ORDERS}, 3) n cross join generate_series(0, 1) k (k)
    """,
    "outbox": f"""
        insert into outbox (store_id, order_id, version, type, payload, at)
        select 1, n, 1, 'order.created', '{{}}'::bytea,
            now() - ({ORDERS} - n) * interval '30 seconds'
        from generate_series({LATELY}, {ORDERS}) n
    """,
    "event_positions": """
        insert into event_positions (store_id, position, event_id, order_id, type)
        select store_id, id, id, order_id, type from outbox
    """,
    "event_cursor": """
        update event_cursor set high = (select max(id) from outbox),
            last_position = (select max(position) from event_positions)
    """,
    "pending_orders": f"""
        insert into pending_orders (store_id, order_id, draft, created_at)
        select 1, {ORDERS} + n, '{{"lines": []}}', now() from generate_series(1, 20000) n
    """,
    "idempotency_keys": """
        insert into idempotency_keys (store_id, digest, fingerprint, status, headers, body,
            claimed_at)
        select 1, sha256(n::text::bytea), 'x', 201, '[]', '{}', now() - n * interval '2 seconds'
        from generate_series(1, 100000) n
    """,
    "mails": f"""
        insert into mails (store_id, order_id, template, cause, recipient, subject, body_text,
            body_html, due_at, created_at, sent_at, given_up_at)
        select 1, n, 'created', 'v1', 'a@example.com', 'Subject', 'Text', 'Text', now(),
            now() - ({ORDERS} - n) * interval '94.6 seconds',
            case when n < 999900 then now() end, case when n % 1000 = 0 then now() end
        from generate_series({LATELY}, {ORDERS}) n
    """,
    "mail_cursors": "insert into mail_cursors (store_id, position, past) values (1, 90000, 0)",
    "mail_promises": f"""
        insert into mail_promises (store_id, operation_id)
        select 1, n from generate_series({LATELY}, {ORDERS}, 3) n
    """,
    "gateway_notices": """
        insert into gateway_notices (store_id, gateway, notice_id, at)
        select 1, 'sandbox', 'evt_' || n, now() - n * interval '1 minute'
        from generate_series(1, 50000) n
    """,
    "gateway_customers": """
        insert into gateway_customers (store_id, customer_id, gateway, reference)
        select 1, n, 'sandbox', 'cus_' || n from generate_series(1, 50000) n
    """,
    "saved_methods": """
        insert into saved_methods (store_id, id, customer_id, gateway, key_digest, reference,
            created_at, forgotten_at)
        select 1, n, n, 'sandbox', sha256(n::text::bytea), 'pm_' || n, now(),
            case when n % 1000 = 0 then now() end
        from generate_series(1, 50000) n
    """,
    "compared_entries": f"""
        insert into compared_entries (store_id, run, reference, operation_id, operation_second,
            currency, authorised, captured, refunded, at, read_at)
        select 1, n % 50, 'ch_' || n, n, 0, 'USD', 100, 100, 0, now(), now()
        from generate_series({LATELY}, {ORDERS}) n
    """,
    "webhook_endpoints": """
        insert into webhook_endpoints (store_id, url, contract, created_at, updated_at)
        select 1, 'https://example.com/' || n, 'commerce', now(), now()
        from generate_series(1, 50) n
    """,
    "webhook_secrets": """
        insert into webhook_secrets (store_id, endpoint_id, secret, created_at)
        select 1, id, sha256(id::text::bytea), now() from webhook_endpoints
    """,
    "webhook_deliveries": """
        insert into webhook_deliveries (store_id, endpoint_id, position, event_id, order_id, state,
            ended_at)
        select 1, e, p.position, p.event_id, p.order_id,
            case when p.position > 99000 then 'waiting' when p.position % 500 = 0 then 'failed'
                else 'delivered' end,
            case when p.position <= 99000 then now() end
        from event_positions p cross join generate_series(1, 2) e
    """,
    "webhook_lanes": """
        insert into webhook_lanes (store_id, endpoint_id, order_id, queued, due_at)
        select store_id, endpoint_id, order_id, 1, now() - interval '1 minute'
        from webhook_deliveries where state = 'waiting'
    """,
    "webhook_attempts": """
        insert into webhook_attempts (store_id, endpoint_id, position, at, status, took_ms)
        select store_id, endpoint_id, position, ended_at, 200, 20
        from webhook_deliveries where state <> 'waiting'
    """,
    "sandbox_calls": """
        insert into sandbox_calls (store_id, gateway, idempotency_key, kind, request, outcome, at)
        select 1, 'sandbox', 'op-' || n, 'charge', '{}', '{}', now()
        from generate_series(1, 50000) n
    """,
    "sandbox_charges": f"""
        insert into sandbox_charges (store_id, id, gateway, order_id, amount, currency, captured,
            at, idempotency_key)
        overriding system value
        select 1, n, 'sandbox', n, 100, 'USD', 100,
            now() - ({ORDERS} - n) * interval '94.6 seconds', 'op-' || n
        from generate_series({LATELY}, {ORDERS}) n
    """,
    "sandbox_pages": f"""
        insert into sandbox_pages (store_id, gateway, token, charge_id, kind, captures, return_url,
            at)
        select 1, 'sandbox', 'page-' || n, n, 'hosted', true, 'https://example.com', now()
        from generate_series({LATELY}, {ORDERS}, 3) n
    """,
    "sandbox_methods": """
        insert into sandbox_methods (store_id, gateway, idempotency_key, customer, token, at)
        select 1, 'sandbox', 'method-' || n, 'cus_' || n, 'tok', now()
        from generate_series(1, 50000) n
    """,
}
"""By table, in an order in which what is named is there."""


async def fill(database_url: str) -> None:
    """Fill a migrated database without any row; its indexes are built, its statistics known."""
    async with connected(database_url, statement_s=600) as connection:
        async with connection.transaction(), bare(connection, list(FILLING), _silent):
            await connection.execute("set local synchronous_commit = off")
            for statement in FILLING.values():
                await connection.execute(statement)
            await _number_on(connection)
        await connection.execute("select rebuild_order_figures(s.store_id) from stores s")
        await _change_some(connection)
        await connection.execute("vacuum (analyze)")


async def _number_on(connection: Connection) -> None:
    """Let new rows be numbered above those that were written with numbers."""
    names = "order_ids line_ids payment_ids operation_ids refund_ids method_ids product_ids"
    for name in (*names.split(), "variant_ids", "sandbox_charges_id_seq"):
        await connection.execute("select setval($1::text::regclass, 100000000)", name)
    for store in (1, 2, 3):
        await connection.execute(f"select open_order_numbers({store})")
        await connection.execute(f"select setval('order_numbers_{store}', 100000000)")


async def _change_some(connection: Connection) -> None:
    """Let there be changes that are not in the figures yet."""
    await connection.execute(
        "update orders set payment = 'paid' where store_id = 1 and id > $1", ORDERS - 50
    )


def _silent(_what: str, _done: int, _of: int) -> None:
    """Nobody waits for a test's progress."""
