-- name: prepare_orders
-- All that placing orders of one store needs to know, in one round trip and one row: fresh ids,
-- the offers as they are now (one per wanted line, in order), the customers that exist and the
-- idempotency keys that were used before, each with the place (from 1) of its order. Primary keys
-- only: `offset 0` keeps to them, where a plan that was made while a table was empty would go on
-- to read all of its store.
select
    (select array_agg(nextval('order_ids')) from generate_series(1, :orders::int)) as order_ids,
    (
        select array_agg(nextval((select format('order_numbers_%s', :store_id::bigint)::regclass)))
        from generate_series(1, :orders::int)
    ) as numbers,
    (
        select array_agg(nextval('line_ids'))
        from generate_series(1, cardinality(:product_ids::bigint[]))
    ) as line_ids,
    (
        select json_agg(json_build_array(
            v.product_id, v.id, p.name, v.name, v.sku, v.image, v.price, v.available,
            n.id is not null
        ) order by w.place)
        from unnest(:product_ids::bigint[], :variant_ids::bigint[])
            with ordinality as w (product_id, variant_id, place)
        left join products n on n.store_id = :store_id and n.id = w.product_id
        left join variants v on v.store_id = :store_id
            and v.id = coalesce(w.variant_id, n.default_variant_id)
            and v.product_id = coalesce(w.product_id, v.product_id)
        left join products p on p.store_id = :store_id and p.id = v.product_id
    ) as offers,
    (
        select json_agg(json_build_array(o.place, c.id, c.name, c.email))
        from unnest(:customer_ids::bigint[]) with ordinality as o (id, place)
        cross join lateral (
            select * from customers where store_id = :store_id and id = o.id offset 0
        ) c
    ) as customers,
    (
        select json_agg(json_build_array(o.place, c.id, c.name, c.email))
        from unnest(:named::int[], :issuers::text[], :subjects::text[])
            as o (place, issuer, subject)
        cross join lateral (
            select * from customer_identities
            where store_id = :store_id and issuer = o.issuer and subject = o.subject
            offset 0
        ) i
        cross join lateral (
            select * from customers where store_id = :store_id and id = i.customer_id offset 0
        ) c
    ) as identities,
    (
        select json_agg(json_build_array(
            o.place, encode(k.fingerprint, 'hex'), k.status, encode(k.headers, 'hex'),
            encode(k.body, 'hex')
        ))
        from unnest(:digests::bytea[]) with ordinality as o (digest, place)
        cross join lateral (
            select * from idempotency_keys
            where store_id = :store_id and digest = o.digest
            offset 0
        ) k
    ) as known;

-- name: place_orders
-- Places orders of one store in one statement: locks the stock in the order of ids, and if there
-- is enough for all, claims the idempotency keys and writes orders, lines, history, movements and
-- events. Answers with the ids of what was placed; one is missing when its key was taken
-- meanwhile. Where stock is short for all of them together it answers what is short and what is
-- left of it, and nothing is written.
with wanted as (
    select w.variant_id, sum(w.quantity) as quantity
    from unnest(:variant_ids::bigint[], :quantities::int[]) as w (variant_id, quantity)
    where :reserve::boolean
    group by w.variant_id
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
    select :store_id, (:digests::bytea[])[n], (:fingerprints::bytea[])[n],
        (:statuses::smallint[])[n], (:headers::bytea[])[n], (:bodies::bytea[])[n],
        (:times::timestamptz[])[n]
    from generate_subscripts(:digests::bytea[], 1) as n
    where (:digests::bytea[])[n] is not null and not exists (select from short)
    order by (:digests::bytea[])[n]
    on conflict (store_id, digest) do nothing
    returning digest
),
go as (
    select array_agg(o.id) as ids
    from unnest(:ids::bigint[], :digests::bytea[]) as o (id, digest)
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
        from unnest(:order_ids::bigint[], :variant_ids::bigint[], :quantities::int[])
            as l (order_id, variant_id, quantity)
        where l.order_id = any((select ids from go)::bigint[])
        group by l.variant_id
    ) r
    join held on held.variant_id = r.variant_id
    where s.store_id = :store_id and s.variant_id = r.variant_id
),
moved as (
    insert into stock_movements (store_id, kind, order_id, variant_ids, quantities, at)
    select :store_id, 'reserve', m.order_id, array_agg(m.variant_id), array_agg(m.quantity), m.at
    from (
        select l.order_id, l.variant_id, l.at, sum(l.quantity) as quantity
        from unnest(
            :order_ids::bigint[], :variant_ids::bigint[], :quantities::int[],
            :line_times::timestamptz[]
        ) as l (order_id, variant_id, quantity, at)
        join held on held.variant_id = l.variant_id
        where l.order_id = any((select ids from go)::bigint[])
        group by l.order_id, l.at, l.variant_id
    ) m
    group by m.order_id, m.at
),
customer as (
    insert into customers (store_id, id, created_at)
    select distinct on (id) :store_id, id, (:times::timestamptz[])[n]
    from unnest(:new_customers::bigint[]) with ordinality as c (id, place), int4(place) as n
    where id is not null and (:ids::bigint[])[n] = any((select ids from go)::bigint[])
    order by id
    on conflict (store_id, id) do nothing
),
described as (
    -- One document instead of sixty arrays: the driver pays for each array more than reading the
    -- document costs here (decision 0029).
    select *
    from rows from (json_to_recordset(:orders::json) as (
        id bigint, number bigint, customer json, partner_name text, customer_reference text,
        currency text, minor_digits smallint, totals json, discount_code text, progress text,
        payment text, fulfilment text, payment_asked boolean, shipping_method text,
        estimated_delivery date, shipping_address jsonb, billing_address jsonb,
        payment_method text, payment_gateway text, payment_token text, notes text,
        created_at timestamptz, version int, lines json, history json
    )) with ordinality as d (
        id, number, customer, partner_name, customer_reference, currency, minor_digits, totals,
        discount_code, progress, payment, fulfilment, payment_asked, shipping_method,
        estimated_delivery, shipping_address, billing_address, payment_method, payment_gateway,
        payment_token, notes, created_at, version, lines, history, place
    )
    where d.id = any((select ids from go)::bigint[])
),
placed as (
    insert into orders (
        store_id, id, number, customer_id, partner_name, customer_reference, currency,
        minor_digits, subtotal, discount, shipping, tax, total, taxes, discount_code, progress,
        payment, fulfilment, payment_asked, shipping_method, estimated_delivery,
        shipping_address, billing_address, payment_method, payment_gateway, payment_token,
        notes, created_at, updated_at, version
    )
    select
        :store_id, d.id, d.number, (d.customer ->> 'id')::bigint, d.partner_name,
        d.customer_reference, d.currency, d.minor_digits, (d.totals ->> 'subtotal')::bigint,
        (d.totals ->> 'discount')::bigint, (d.totals ->> 'shipping')::bigint,
        (:tax_sums::bigint[])[d.place], (:totals::bigint[])[d.place],
        (d.totals -> 'taxes')::jsonb, d.discount_code, d.progress, d.payment, d.fulfilment,
        d.payment_asked, d.shipping_method, d.estimated_delivery, d.shipping_address,
        d.billing_address, d.payment_method, d.payment_gateway, d.payment_token, d.notes,
        d.created_at, d.created_at, d.version
    from described d
    returning id
),
written as (
    select array_agg(id) as ids from placed
),
lines as (
    insert into order_lines (
        store_id, order_id, id, position, product_id, variant_id, product_name, variant_name,
        sku, image, unit_price, quantity, discount_share, tax_shares
    )
    select
        :store_id, d.id, l.id, l.position, l.product_id, l.variant_id, l.product_name,
        l.variant_name, l.sku, l.image, l.unit_price, l.quantity, l.discount_share, l.tax_shares
    from described d cross join lateral rows from (json_to_recordset(d.lines) as (
        id bigint, product_id bigint, variant_id bigint, product_name text, variant_name text,
        sku text, image text, unit_price bigint, quantity int, discount_share bigint,
        tax_shares jsonb
    )) with ordinality as l (
        id, product_id, variant_id, product_name, variant_name, sku, image, unit_price, quantity,
        discount_share, tax_shares, position
    )
),
remembered as (
    insert into order_history
        (store_id, order_id, position, word, actor, contract, reason, at)
    select :store_id, d.id, h.position, h.word, h.actor, h.contract, null, h.at
    from described d cross join lateral rows from (json_to_recordset(d.history) as (
        word text, actor text, contract text, at timestamptz
    )) with ordinality as h (word, actor, contract, at, position)
),
told as (
    insert into outbox (store_id, order_id, version, type, payload, at)
    select :store_id, d.id, d.version, e.type, (:payloads::bytea[])[e.order_place], d.created_at
    from unnest(:event_places::int[], :event_types::text[])
        with ordinality as e (order_place, type, place)
    join described d on d.place = e.order_place
    -- Of what is written, not of `go`: an id of the outbox is taken only by who has written
    -- something before, and so is in the sight of the sequencer (decision 0023).
    where d.id = any((select ids from written)::bigint[])
    order by e.place
)
select
    (select ids from written) as placed,
    (select array_agg(variant_id order by variant_id) from short) as short_variant_ids,
    (select array_agg(available order by variant_id) from short) as short_available;

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
