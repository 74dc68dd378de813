-- name: prepare_order
-- What `prepare_orders` (placing.sql) tells of several orders, for one by itself: the shape that
-- costs PostgreSQL least when every order is a transaction.
select
    nextval('order_ids') as order_id,
    nextval(format('order_numbers_%s', :store_id::bigint)) as number,
    (select array_agg(nextval('line_ids')) from generate_series(1, :lines::int)) as line_ids,
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
        select json_build_array(1, c.id, c.name, c.email)
        from customers c
        where c.store_id = :store_id and c.id = coalesce(:customer_id::bigint, (
            select i.customer_id from customer_identities i
            where i.store_id = :store_id and i.issuer = :issuer::text
                and i.subject = :subject::text
        ))
    ) as customer,
    k.fingerprint, k.status, k.headers, k.body
from (values (1)) as one (row)
left join idempotency_keys k on k.store_id = :store_id and k.digest = :digest::bytea;

-- name: place_order
-- What `place_orders` (placing.sql) writes of several orders, for one by itself: the same rows, with
-- the same locks in the same order. Says `short` with what is left, or `twin` when the key was taken
-- meanwhile; then nothing is written.
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
    select :store_id, :digest::bytea, :fingerprint::bytea, :status::smallint,
        :headers::bytea, :body::bytea, :created_at::timestamptz
    where :digest::bytea is not null and not exists (select from short)
    on conflict (store_id, digest) do nothing
    returning true
),
go as (
    select 1
    where not exists (select from short)
        and (:digest::bytea is null or exists (select from claimed))
),
reserved as (
    -- From the rows as they were locked: a check is made first on what this statement's snapshot
    -- would come to, and would refuse units that were given back while we waited for the lock.
    update stock s
    set on_hand = held.on_hand, reserved = held.reserved + wanted.quantity
    from wanted, held, go
    where s.store_id = :store_id and s.variant_id = wanted.variant_id
        and held.variant_id = wanted.variant_id
    returning s.variant_id
),
moved as (
    insert into stock_movements (store_id, kind, order_id, variant_ids, quantities, at)
    select :store_id, 'reserve', :id::bigint, array_agg(wanted.variant_id),
        array_agg(wanted.quantity), :created_at::timestamptz
    from wanted join held using (variant_id), go
    having count(*) > 0
),
customer as (
    insert into customers (store_id, id, created_at)
    select :store_id, :customer_id::bigint, :created_at::timestamptz from go
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
    select
        :store_id, :id::bigint, :number::bigint, :customer_id::bigint, :partner_name::text,
        :customer_reference::text, :currency::text, :minor_digits::smallint,
        :subtotal::bigint, :discount::bigint, :shipping::bigint, :tax::bigint, :total::bigint,
        :taxes::jsonb, :discount_code::text, :progress::text, :payment::text,
        :fulfilment::text, :payment_asked::boolean, :shipping_method::text,
        :estimated_delivery::date, :shipping_address::jsonb, :billing_address::jsonb,
        :payment_method::text, :payment_gateway::text, :payment_token::text, :notes::text,
        :created_at::timestamptz, :created_at::timestamptz, :version::int
    from go
    returning id
),
lines as (
    insert into order_lines (
        store_id, order_id, id, position, product_id, variant_id, product_name, variant_name,
        sku, image, unit_price, quantity, discount_share, tax_shares
    )
    select :store_id, :id::bigint, l.id, l.position, l.product_id, l.variant_id,
        l.product_name, l.variant_name, l.sku, l.image, l.unit_price, l.quantity,
        l.discount_share, l.tax_shares
    from unnest(
        :line_ids::bigint[], :product_ids::bigint[], :variant_ids::bigint[],
        :product_names::text[], :variant_names::text[], :skus::text[], :images::text[],
        :unit_prices::bigint[], :quantities::int[], :discount_shares::bigint[],
        :tax_shares::jsonb[]
    ) with ordinality as l (
        id, product_id, variant_id, product_name, variant_name, sku, image, unit_price,
        quantity, discount_share, tax_shares, position
    ), go
),
remembered as (
    insert into order_history
        (store_id, order_id, position, word, actor, contract, reason, at)
    select :store_id, :id::bigint, h.position, h.word, h.actor, h.contract, null, h.at
    from unnest(:words::text[], :actors::text[], :contracts::text[], :word_times::timestamptz[])
        with ordinality as h (word, actor, contract, at, position), go
),
told as (
    insert into outbox (store_id, order_id, version, type, payload, at)
    select :store_id, :id::bigint, :version::int, e.type, :payload::bytea,
        :created_at::timestamptz
    -- Of what is placed, not of `go`: an id of the outbox is taken only by who has written
    -- something before, and so is in the sight of the sequencer (decision 0023).
    from unnest(:event_types::text[]) with ordinality as e (type, place), placed
    order by e.place
)
select
    case
        when exists (select from short) then 'short'
        when exists (select from go) then 'placed'
        else 'twin'
    end as outcome,
    (select variant_id from short order by variant_id limit 1) as short_variant_id,
    (select available from short order by variant_id limit 1) as short_available;
