-- name: prepare_orders
-- All that placing orders of one store needs to know, in one round trip: fresh ids, the offers as
-- they are now, the customer, and whether the idempotency key was used before. A row per order,
-- in the order given; `owners` says to which of them (from 1) each wanted line belongs. Primary
-- keys only.
with wanted as (
    select * from unnest(:owners::int[], :product_ids::bigint[], :variant_ids::bigint[])
        with ordinality as w (owner, product_id, variant_id, place)
),
offered as (
    select w.owner, array_agg(nextval('line_ids')) as line_ids,
        json_agg(json_build_object(
            'product_id', v.product_id, 'variant_id', v.id, 'product_name', p.name,
            'variant_name', v.name, 'sku', v.sku, 'image', v.image, 'price', v.price,
            'available', v.available, 'product_is_known', n.id is not null
        ) order by w.place) as offers
    from wanted w
    left join products n on n.store_id = :store_id and n.id = w.product_id
    left join variants v on v.store_id = :store_id
        and v.id = coalesce(w.variant_id, n.default_variant_id)
        and v.product_id = coalesce(w.product_id, v.product_id)
    left join products p on p.store_id = :store_id and p.id = v.product_id
    group by w.owner
)
select nextval('order_ids') as order_id,
    nextval(format('order_numbers_%s', :store_id::bigint)) as number,
    offered.line_ids, offered.offers,
    case when c.id is not null
        then json_build_object('id', c.id, 'name', c.name, 'email', c.email) end as customer,
    k.fingerprint, k.status, k.headers, k.body
from unnest(
    :customer_ids::bigint[], :issuers::text[], :subjects::text[], :digests::bytea[]
) with ordinality as o (customer_id, issuer, subject, digest, owner)
join offered on offered.owner = o.owner
left join customer_identities i on i.store_id = :store_id and i.issuer = o.issuer
    and i.subject = o.subject
left join customers c on c.store_id = :store_id and c.id = coalesce(o.customer_id, i.customer_id)
left join idempotency_keys k on k.store_id = :store_id and k.digest = o.digest
order by o.owner;

-- name: place_orders
-- Places orders of one store in one statement: locks the stock in the order of ids, and if there
-- is enough for all, claims the idempotency keys and writes orders, lines, history, movements and
-- events. A row for each, in the order given: `placed`, or `twin` when its key was taken
-- meanwhile. Where stock is short for all of them together every row says `short`, with what is
-- left, and nothing is written: they are then to be placed one by one.
with one as (
    select * from unnest(
        :ids::bigint[], :numbers::bigint[], :customer_ids::bigint[], :partner_names::text[],
        :customer_references::text[], :subtotals::bigint[], :discounts::bigint[],
        :shippings::bigint[], :taxes_sums::bigint[], :totals::bigint[], :taxes::jsonb[],
        :discount_codes::text[], :progresses::text[], :payments::text[], :fulfilments::text[],
        :payments_asked::boolean[], :shipping_methods::text[], :deliveries::date[],
        :shipping_addresses::jsonb[], :billing_addresses::jsonb[], :payment_methods::text[],
        :payment_gateways::text[], :payment_tokens::text[], :notes::text[],
        :times::timestamptz[], :versions::int[], :payloads::bytea[], :digests::bytea[],
        :fingerprints::bytea[], :statuses::smallint[], :headers::bytea[], :bodies::bytea[],
        :actors::text[], :contracts::text[]
    ) with ordinality as o (
        id, number, customer_id, partner_name, customer_reference, subtotal, discount,
        shipping, tax, total, taxes, discount_code, progress, payment, fulfilment,
        payment_asked, shipping_method, delivery, shipping_address, billing_address, payment_method,
        payment_gateway, payment_token, notes, at, version, payload, digest, fingerprint,
        status, headers, body, actor, contract, owner
    )
),
line as (
    select * from unnest(
        :owners::int[], :positions::int[], :line_ids::bigint[], :product_ids::bigint[],
        :variant_ids::bigint[], :product_names::text[], :variant_names::text[], :skus::text[],
        :images::text[], :unit_prices::bigint[], :quantities::int[],
        :discount_shares::bigint[], :tax_shares::jsonb[]
    ) as l (
        owner, position, id, product_id, variant_id, product_name, variant_name, sku, image,
        unit_price, quantity, discount_share, tax_shares
    )
),
wanted as (
    select l.variant_id, sum(l.quantity) as quantity
    from line l
    where :reserve::boolean
    group by l.variant_id
),
held as (
    select s.variant_id, s.on_hand, s.reserved, s.on_hand - s.reserved as available
    from stock s
    where s.store_id = :store_id and s.variant_id in (select variant_id from wanted)
    order by s.variant_id
    for no key update
),
short as (
    select held.variant_id, held.available
    from held join wanted using (variant_id)
    where held.available < wanted.quantity
),
claimed as (
    insert into idempotency_keys
        (store_id, digest, fingerprint, status, headers, body, claimed_at)
    select :store_id, o.digest, o.fingerprint, o.status, o.headers, o.body, o.at
    from one o
    where o.digest is not null and not exists (select from short)
    order by o.digest
    on conflict (store_id, digest) do nothing
    returning digest
),
go as (
    select o.* from one o
    where not exists (select from short)
        and (o.digest is null or o.digest in (select digest from claimed))
),
reserved as (
    -- From the rows as they were locked: a check is made first on what this statement's snapshot
    -- would come to, and would refuse units that were given back while we waited for the lock.
    update stock s
    set on_hand = held.on_hand, reserved = held.reserved + r.quantity
    from (
        select l.variant_id, sum(l.quantity) as quantity
        from line l join go on go.owner = l.owner
        group by l.variant_id
    ) r, held
    where s.store_id = :store_id and s.variant_id = r.variant_id
        and held.variant_id = r.variant_id
    returning s.variant_id
),
moved as (
    insert into stock_movements (store_id, kind, order_id, variant_ids, quantities, at)
    select :store_id, 'reserve', go.id, array_agg(m.variant_id), array_agg(m.quantity), go.at
    from go
    join (
        select l.owner, l.variant_id, sum(l.quantity) as quantity
        from line l
        where :reserve::boolean
        group by l.owner, l.variant_id
    ) m on m.owner = go.owner
    join held on held.variant_id = m.variant_id
    group by go.id, go.at
),
customer as (
    insert into customers (store_id, id, created_at)
    select distinct on (go.customer_id) :store_id, go.customer_id, go.at
    from go
    order by go.customer_id
    on conflict (store_id, id) do nothing
),
placed as (
    insert into orders (
        store_id, id, number, customer_id, partner_name, customer_reference, currency,
        minor_digits, subtotal, discount, shipping, tax, total, taxes, discount_code, progress,
        payment, fulfilment, payment_asked, shipping_method, estimated_delivery,
        shipping_address, billing_address, payment_method, payment_gateway, payment_token,
        notes, created_at, updated_at, version
    )
    select :store_id, go.id, go.number, go.customer_id, go.partner_name,
        go.customer_reference, :currency::text, :minor_digits::smallint, go.subtotal,
        go.discount, go.shipping, go.tax, go.total, go.taxes, go.discount_code, go.progress,
        go.payment, go.fulfilment, go.payment_asked, go.shipping_method, go.delivery,
        go.shipping_address, go.billing_address, go.payment_method, go.payment_gateway,
        go.payment_token, go.notes, go.at, go.at, go.version
    from go
    order by go.id
    returning id
),
lines as (
    insert into order_lines (
        store_id, order_id, id, position, product_id, variant_id, product_name, variant_name,
        sku, image, unit_price, quantity, discount_share, tax_shares
    )
    select :store_id, go.id, l.id, l.position, l.product_id, l.variant_id, l.product_name,
        l.variant_name, l.sku, l.image, l.unit_price, l.quantity, l.discount_share,
        l.tax_shares
    from line l join go on go.owner = l.owner
),
remembered as (
    insert into order_history
        (store_id, order_id, position, word, actor, contract, reason, at)
    select :store_id, go.id, h.position, h.word, go.actor, go.contract, null, h.at
    from unnest(
        :word_owners::int[], :word_positions::int[], :words::text[], :word_times::timestamptz[]
    ) as h (owner, position, word, at)
    join go on go.owner = h.owner
),
told as (
    insert into outbox (store_id, order_id, version, type, payload, at)
    select :store_id, go.id, go.version, e.type, go.payload, go.at
    from unnest(:event_owners::int[], :event_types::text[])
        with ordinality as e (owner, type, place)
    join go on go.owner = e.owner
    -- Of what is placed, not of `go` alone: an id of the outbox is taken only by who has written
    -- something before, and so is in the sight of the sequencer (decision 0023).
    join placed on placed.id = go.id
    order by e.place
)
select case
        when exists (select from short) then 'short'
        when go.owner is null then 'twin'
        else 'placed'
    end as outcome,
    (select variant_id from short order by variant_id limit 1) as short_variant_id,
    (select available from short order by variant_id limit 1) as short_available
from one left join go on go.owner = one.owner
order by one.owner;

-- name: register_identity
-- Gives a customer an id of ours, once per issuer and subject. No row: somebody was faster, and
-- the transaction is to be rolled back.
with fresh as (
    insert into customers (store_id, name, email, created_at)
    values (:store_id, :name::text, :email::text, :now::timestamptz)
    returning id
)
insert into customer_identities (store_id, issuer, subject, customer_id)
select :store_id, :issuer::text, :subject::text, fresh.id from fresh
on conflict (store_id, issuer, subject) do nothing
returning customer_id;

-- name: find_identity
-- The customer that somebody else knows under this name.
select c.id, c.name, c.email
from customer_identities i
join customers c on c.store_id = i.store_id and c.id = i.customer_id
where i.store_id = :store_id and i.issuer = :issuer and i.subject = :subject;

-- name: hold_draft
-- Keeps an order that is not one yet, while its charge runs.
insert into pending_orders (store_id, order_id, draft, created_at)
values (:store_id, :order_id, :draft, :now);

-- name: take_draft
-- Takes a pending order out, to place it or to let it go; no row: it was taken before.
delete from pending_orders
where store_id = :store_id and order_id = :order_id
returning draft;

-- name: register_customer
-- Registers a customer that a client names by number.
insert into customers (store_id, id, created_at)
values (:store_id, :id, :now)
on conflict (store_id, id) do nothing;
