-- name: take_turn
-- Lets one file at a time into a store's catalogue. Orders are placed meanwhile.
select s.store_id from stores s where s.store_id = :store_id for no key update;

-- name: name_variants
-- A row without a variant means its product's default one; that of a new product gets the
-- product's own number.
update catalogue_rows r
set variant_id = coalesce(
    (select p.default_variant_id from products p where p.store_id = r.store_id and p.id = r.product_id),
    r.product_id
)
where r.store_id = :store_id and r.variant_id is null;

-- name: index_rows
-- Tells the planner how many rows there are.
analyze catalogue_rows;

-- name: row_problems
-- What is wrong with rows, seen together and beside the catalogue as it is.
with twice as (
    select r.line, r.variant_id, first_value(r.line) over w as first_line,
        row_number() over w > 1 as is_again
    from catalogue_rows r
    where r.store_id = :store_id
    window w as (partition by r.variant_id order by r.number)
),
named as (
    select r.line, r.product_id, r.product_name,
        first_value(r.product_name) over w as first_name, first_value(r.line) over w as first_line
    from catalogue_rows r
    where r.store_id = :store_id
    window w as (partition by r.product_id order by r.number)
)
select line, format('names variant %s a second time, after line %s', variant_id, first_line)
    as what
from twice
where is_again
union all
select line, format('calls product %s %s, which line %s calls %s', product_id,
    quote_literal(product_name), first_line, quote_literal(first_name))
from named
where product_name <> first_name
union all
select r.line, format('variant_id: %s is a variant of product %s', v.id, v.product_id)
from catalogue_rows r
join variants v on v.store_id = r.store_id and v.id = r.variant_id
where r.store_id = :store_id and v.product_id <> r.product_id
order by line
limit :limit::int;

-- name: counts_open_lines
-- Whether the file begins to count a variant that was sold uncounted before.
select exists (
    select from catalogue_rows r
    join variants v on v.store_id = r.store_id and v.id = r.variant_id
    left join stock s on s.store_id = r.store_id and s.variant_id = r.variant_id
    where r.store_id = :store_id::bigint and r.on_hand is not null and s.variant_id is null
);

-- name: hold_stock_still
-- No order is placed or shipped until the transaction ends, so that what is promised of a variant
-- that begins to be counted can be added up. Waits for those that are under way.
lock table stock in exclusive mode;

-- name: lock_stock
-- Locks the stock of the file's variants, in the order of their ids.
select s.variant_id
from stock s
where s.store_id = :store_id and s.variant_id in (
    select r.variant_id from catalogue_rows r where r.store_id = :store_id
)
order by s.variant_id
for no key update;

-- name: promised
-- What open lines promise of variants that begin to be counted, also lines of orders whose charge
-- is running.
with fresh as (
    select r.variant_id
    from catalogue_rows r
    left join stock s on s.store_id = r.store_id and s.variant_id = r.variant_id
    where r.store_id = :store_id and r.on_hand is not null and s.variant_id is null
)
select l.order_id, l.variant_id, sum(l.quantity)::bigint as quantity
from (
    select l.order_id, l.variant_id, l.quantity
    from order_lines l
    join fresh on fresh.variant_id = l.variant_id
    where l.store_id = :store_id and l.state in ('pending', 'verified')
    union all
    select p.order_id, (line ->> 'variant_id')::bigint, (line ->> 'quantity')::bigint
    from pending_orders p,
        jsonb_array_elements(convert_from(p.draft, 'UTF8')::jsonb -> 'lines') as line
    where p.store_id = :store_id
        and (line ->> 'variant_id')::bigint in (select variant_id from fresh)
) as l
group by l.order_id, l.variant_id
order by l.order_id, l.variant_id;

-- name: stock_problems
-- Rows that say there is less on hand than orders hold. `promised` is of variants that begin to
-- be counted.
with promised as (
    select p.variant_id, sum(p.quantity) as quantity
    from unnest(:variant_ids::bigint[], :quantities::bigint[]) as p (variant_id, quantity)
    group by p.variant_id
)
select r.line, d.held::bigint as held, r.on_hand
from catalogue_rows r
left join stock s on s.store_id = r.store_id and s.variant_id = r.variant_id
left join promised p on p.variant_id = r.variant_id
cross join lateral (select coalesce(s.reserved, p.quantity, 0) as held) as d
where r.store_id = :store_id and r.given & :stock_bit::int > 0
    and d.held > coalesce(r.on_hand, 0)
order by r.line
limit :limit::int;

-- name: put_products
-- Writes the file's products; says how many are new and how many have a new name.
with first as (
    select distinct on (r.product_id) r.product_id, r.product_name, r.variant_id
    from catalogue_rows r
    where r.store_id = :store_id
    order by r.product_id, r.number
),
put as (
    insert into products as p (store_id, id, name, default_variant_id, created_at)
    select :store_id, first.product_id, first.product_name, first.variant_id, :now::timestamptz
    from first
    order by first.product_id
    on conflict (store_id, id) do update set name = excluded.name
    where p.name <> excluded.name
    returning xmax = 0 as is_new
)
select count(*) filter (where is_new) as added, count(*) filter (where not is_new) as changed
from put;

-- name: put_variants
-- Writes the file's variants; a column that the file does not have stays as it was.
with put as (
    insert into variants as v
        (store_id, id, product_id, name, sku, image, price, available, updated_at)
    select :store_id, r.variant_id, r.product_id,
        case when r.given & :name_bit::int > 0 then r.variant_name else o.name end,
        case when r.given & :sku_bit::int > 0 then r.sku else o.sku end,
        case when r.given & :image_bit::int > 0 then r.image else o.image end,
        r.price,
        case when r.given & :available_bit::int > 0 then r.available
            else coalesce(o.available, true) end,
        :now::timestamptz
    from catalogue_rows r
    left join variants o on o.store_id = r.store_id and o.id = r.variant_id
    where r.store_id = :store_id
    order by r.variant_id
    on conflict (store_id, id) do update
    set name = excluded.name, sku = excluded.sku, image = excluded.image,
        price = excluded.price, available = excluded.available, updated_at = excluded.updated_at
    where (v.name, v.sku, v.image, v.price, v.available) is distinct from
        (excluded.name, excluded.sku, excluded.image, excluded.price, excluded.available)
    returning xmax = 0 as is_new
)
select count(*) filter (where is_new) as added, count(*) filter (where not is_new) as changed
from put;

-- name: put_stock
-- Makes what is on hand what the file says, and writes the difference into the ledger: goods that
-- came in for a variant that was not counted, a correction for one that was. A variant that is no
-- longer counted leaves the stock. Says of how many variants it changed.
with counted as (
    select r.variant_id, r.on_hand, s.on_hand as before, s.variant_id is null as is_new
    from catalogue_rows r
    left join stock s on s.store_id = r.store_id and s.variant_id = r.variant_id
    where r.store_id = :store_id and r.given & :stock_bit::int > 0
        and r.on_hand is distinct from s.on_hand
),
begun as (
    insert into stock (store_id, variant_id, on_hand, reserved)
    select :store_id, c.variant_id, c.on_hand, coalesce(p.quantity, 0)
    from counted c
    left join (
        select p.variant_id, sum(p.quantity)::bigint as quantity
        from unnest(:variant_ids::bigint[], :quantities::bigint[]) as p (variant_id, quantity)
        group by p.variant_id
    ) as p on p.variant_id = c.variant_id
    where c.is_new and c.on_hand is not null
),
corrected as (
    update stock s
    set on_hand = c.on_hand
    from counted c
    where s.store_id = :store_id and s.variant_id = c.variant_id and c.on_hand is not null
),
ended as (
    delete from stock s
    using counted c
    where s.store_id = :store_id and s.variant_id = c.variant_id and c.on_hand is null
),
moves as (
    select case when c.is_new then 'receive' else 'correct' end as kind, c.variant_id,
        coalesce(c.on_hand, 0) - coalesce(c.before, 0) as quantity,
        (row_number() over (partition by c.is_new order by c.variant_id)) / 1000 as part
    from counted c
    where coalesce(c.on_hand, 0) <> coalesce(c.before, 0)
),
ledger as (
    insert into stock_movements (store_id, kind, variant_ids, quantities, at)
    select :store_id, m.kind, array_agg(m.variant_id order by m.variant_id),
        array_agg(m.quantity order by m.variant_id), :now::timestamptz
    from moves m
    group by m.kind, m.part
)
select count(*) from counted;

-- name: reserve_promised
-- Writes into the ledger what open lines hold of variants that have begun to be counted.
insert into stock_movements (store_id, kind, order_id, variant_ids, quantities, at)
select :store_id, 'reserve', p.order_id, array_agg(p.variant_id order by p.variant_id),
    array_agg(p.quantity order by p.variant_id), :now::timestamptz
from unnest(:order_ids::bigint[], :variant_ids::bigint[], :quantities::bigint[])
    as p (order_id, variant_id, quantity)
group by p.order_id;

-- name: clear_rows
-- The rows have done their work.
delete from catalogue_rows where store_id = :store_id;

-- name: tell_the_planner
-- How much there is to sell decides how placing looks it up; statistics come by themselves only
-- a minute later.
analyze products, variants, stock;
