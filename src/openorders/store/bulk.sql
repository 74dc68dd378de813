-- name: take_turn
-- Lets one process at a time fill a database, until its transaction ends.
select pg_advisory_xact_lock(hashtext('openorders.filling'));

-- name: reserve_ids
-- Fresh numbers for that many payments: ours, of their operations, of a refund, and of the
-- sandbox's books.
select
    nextval('payment_ids') as payment_id, nextval('operation_ids') as charge_id,
    nextval('operation_ids') as giving_back_id, nextval('refund_ids') as refund_id,
    nextval(pg_get_serial_sequence('sandbox_charges', 'id')) as sandbox_id
from generate_series(1, :count::int);

-- name: begin_ids_after
-- Lets what is new be numbered above what was filled in; never goes back.
select setval(s.name::regclass, greatest(s.last, nextval(s.name::regclass)))
from unnest(:names::text[], :lasts::bigint[]) as s (name, last);

-- name: begin_order_numbers_after
-- The same for the running number of a store.
select setval(format('order_numbers_%s', :store_id::bigint)::regclass, :last::bigint);

-- name: add_customers
-- Customers with numbers of their own.
insert into customers (store_id, id, name, email, created_at)
select :store_id, r.id, r.name, r.email, :now
from jsonb_to_recordset(:rows::jsonb) as r (id bigint, name text, email text);

-- name: add_products
-- Products; their default variants come right after, in the same transaction.
insert into products (store_id, id, name, default_variant_id, created_at)
select :store_id, r.id, r.name, r.default_variant_id, :now
from jsonb_to_recordset(:rows::jsonb) as r (id bigint, name text, default_variant_id bigint);

-- name: add_variants
-- Variants of products that are there.
insert into variants
    (store_id, id, product_id, name, sku, image, price, available, updated_at)
select :store_id, r.id, r.product_id, r.name, r.sku, r.image, r.price, r.available, :now
from jsonb_to_recordset(:rows::jsonb) as r (
    id bigint, product_id bigint, name text, sku text, image text, price bigint,
    available boolean
);

-- name: add_stock
-- What is on hand and promised of variants that are counted.
insert into stock (store_id, variant_id, on_hand, reserved)
select :store_id, r.variant_id, r.on_hand, r.reserved
from jsonb_to_recordset(:rows::jsonb) as r (variant_id bigint, on_hand bigint, reserved bigint);

-- name: add_movements
-- How the stock came to be so.
insert into stock_movements (store_id, kind, order_id, variant_ids, quantities, at)
select :store_id, r.kind, r.order_id, r.variant_ids, r.quantities, r.at
from rows from (jsonb_to_recordset(:rows::jsonb) as (
    kind text, order_id bigint, variant_ids bigint[], quantities bigint[], at timestamptz
)) with ordinality as r (kind, order_id, variant_ids, quantities, at, place)
order by r.place;

-- name: add_orders
-- Orders as they are now.
insert into orders (
    store_id, id, number, customer_id, partner_name, customer_reference, currency,
    minor_digits, subtotal, discount, shipping, tax, total, taxes, discount_code, progress,
    payment, fulfilment, payment_asked, shipping_method, estimated_delivery,
    shipping_address, billing_address, payment_method, payment_gateway, payment_token, notes,
    shipment, cancellation, created_at, updated_at, completed_at, version
)
select
    :store_id, r.id, r.number, r.customer_id, r.partner_name, r.customer_reference, r.currency,
    r.minor_digits, r.subtotal, r.discount, r.shipping, r.tax, r.total, r.taxes,
    r.discount_code, r.progress, r.payment, r.fulfilment, r.payment_asked, r.shipping_method,
    r.estimated_delivery, r.shipping_address, r.billing_address, r.payment_method,
    r.payment_gateway, r.payment_token, r.notes, r.shipment, r.cancellation, r.created_at,
    r.updated_at, r.completed_at, r.version
from jsonb_to_recordset(:rows::jsonb) as r (
    id bigint, number bigint, customer_id bigint, partner_name text, customer_reference text,
    currency text, minor_digits smallint, subtotal bigint, discount bigint, shipping bigint,
    tax bigint, total bigint, taxes jsonb, discount_code text, progress text, payment text,
    fulfilment text, payment_asked boolean, shipping_method text, estimated_delivery date,
    shipping_address jsonb, billing_address jsonb, payment_method text, payment_gateway text,
    payment_token text, notes text, shipment jsonb, cancellation jsonb, created_at timestamptz,
    updated_at timestamptz, completed_at timestamptz, version int
);

-- name: add_lines
-- The lines of these orders.
insert into order_lines (
    store_id, order_id, id, position, product_id, variant_id, product_name, variant_name, sku,
    image, unit_price, quantity, discount_share, tax_shares, state
)
select
    :store_id, r.order_id, r.id, r.position, r.product_id, r.variant_id, r.product_name,
    r.variant_name, r.sku, r.image, r.unit_price, r.quantity, r.discount_share, r.tax_shares,
    r.state
from jsonb_to_recordset(:rows::jsonb) as r (
    order_id bigint, id bigint, position smallint, product_id bigint, variant_id bigint,
    product_name text, variant_name text, sku text, image text, unit_price bigint,
    quantity int, discount_share bigint, tax_shares jsonb, state text
);

-- name: add_history
-- What happened to these orders.
insert into order_history (store_id, order_id, position, word, actor, contract, reason, at)
select :store_id, r.order_id, r.position, r.word, r.actor, r.contract, r.reason, r.at
from jsonb_to_recordset(:rows::jsonb) as r (
    order_id bigint, position int, word text, actor text, contract text, reason text,
    at timestamptz
);

-- name: add_payments
-- The money that was taken for them, every attempt settled.
insert into payments (
    store_id, id, order_id, gateway, method, amount, currency, state, captured, refunded,
    reference, card_brand, card_last_four, created_at, settled_at
)
select
    :store_id, r.id, r.order_id, r.gateway, r.method, r.amount, r.currency, r.state,
    r.captured, r.refunded, r.reference, r.card_brand, r.card_last_four, r.created_at,
    r.settled_at
from jsonb_to_recordset(:rows::jsonb) as r (
    id bigint, order_id bigint, gateway text, method text, amount bigint, currency text,
    state text, captured bigint, refunded bigint, reference text, card_brand text,
    card_last_four text, created_at timestamptz, settled_at timestamptz
);

-- name: add_refunds
-- What was given back of it, and of which lines.
with refund as (
    insert into refunds (
        store_id, id, order_id, amount, shipping, goodwill, reason, restock, actor, contract,
        created_at
    )
    select
        :store_id, r.id, r.order_id, r.amount, r.shipping, r.goodwill, r.reason, r.restock,
        r.actor, r.contract, r.at
    from jsonb_to_recordset(:rows::jsonb) as r (
        id bigint, order_id bigint, amount bigint, shipping bigint, goodwill bigint,
        reason text, restock boolean, actor text, contract text, at timestamptz
    )
)
insert into refund_lines
    (store_id, refund_id, order_id, line_id, quantity, amount, returned, restocked)
select :store_id, r.id, r.order_id, l.line_id, l.quantity, l.amount, l.returned, l.restocked
from jsonb_to_recordset(:rows::jsonb) as r (id bigint, order_id bigint, lines jsonb)
cross join lateral jsonb_to_recordset(r.lines) as l (
    line_id bigint, quantity int, amount bigint, returned int, restocked int
);

-- name: add_operations
-- What the gateway was asked for, and did.
insert into payment_operations (
    store_id, id, payment_id, order_id, kind, amount, state, reason, reference, refund_id,
    actor, contract, due_at, created_at, settled_at
)
select
    :store_id, r.id, r.payment_id, r.order_id, r.kind, r.amount, 'succeeded', r.reason,
    r.reference, r.refund_id, r.actor, r.contract, r.at, r.at, r.at
from jsonb_to_recordset(:rows::jsonb) as r (
    id bigint, payment_id bigint, order_id bigint, kind text, amount bigint, reason text,
    reference text, refund_id bigint, actor text, contract text, at timestamptz
);

-- name: add_sandbox_charges
-- The same money in the books of the sandbox, so that it can be given back there.
insert into sandbox_charges (
    store_id, id, gateway, order_id, amount, currency, captured, refunded, card_brand,
    card_last_four, at
)
overriding system value
select
    :store_id, r.sandbox_id, r.gateway, r.order_id, r.amount, r.currency, r.captured,
    r.refunded, r.card_brand, r.card_last_four, r.created_at
from jsonb_to_recordset(:rows::jsonb) as r (
    sandbox_id bigint, gateway text, order_id bigint, amount bigint, currency text,
    captured bigint, refunded bigint, card_brand text, card_last_four text,
    created_at timestamptz
);

-- name: add_events
-- What was told of these orders, each with the order as it was then.
insert into outbox (store_id, order_id, version, type, payload, at)
select :store_id, r.order_id, r.version, r.type, r.payload, r.at
from unnest(
    :order_ids::bigint[], :versions::int[], :types::text[], :payloads::bytea[],
    :times::timestamptz[]
) with ordinality as r (order_id, version, type, payload, at, place)
order by r.place;
