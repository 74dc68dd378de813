-- name: plan_for_the_values
-- Plans the statements of this transaction for the period they are given: a day goes through an
-- index, a decade reads everything.
select set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: figures_by_word
-- How many orders have each word, and what they come to. `orders_by_time` serves a short period,
-- `orders_by_customer_and_time` and `orders_by_partner` a caller who sees only some orders.
select o.word, count(*) as orders, sum(o.total) as total
from orders o
where o.store_id = :store_id
    and o.created_at >= :start and o.created_at < :end
    and (:partner_name::text is null or o.partner_name = :partner_name)
    and (:customer_id::bigint is null or o.customer_id = :customer_id)
group by o.word;

-- name: first_and_last
-- When the first and the last order were placed: both ends of an index.
select min(o.created_at) as first, max(o.created_at) as last
from orders o
where o.store_id = :store_id
    and o.created_at >= :start and o.created_at < :end
    and (:partner_name::text is null or o.partner_name = :partner_name)
    and (:customer_id::bigint is null or o.customer_id = :customer_id);

-- name: figures_by_stretch
-- Figures for each stretch of time: `place` counts, from 1, the beginnings that are not later than
-- the order. Where a stretch begins is decided by the caller, who knows the store's time zone.
select width_bucket(o.created_at, :beginnings::timestamptz[]) as place,
    count(*) as orders,
    count(*) filter (where o.word <> all(:without_revenue::text[])) as earning,
    coalesce(sum(o.total) filter (where o.word <> all(:without_revenue::text[])), 0) as revenue
from orders o
where o.store_id = :store_id
    and o.created_at >= :start and o.created_at < :end
    and (:partner_name::text is null or o.partner_name = :partner_name)
    and (:customer_id::bigint is null or o.customer_id = :customer_id)
group by place
order by place;

-- name: figures_by_customer
-- The customers who bring in most, ties to the lower id, and how many customers there are.
select o.customer_id as key,
    count(*) as orders,
    count(*) filter (where o.word <> all(:without_revenue::text[])) as earning,
    coalesce(sum(o.total) filter (where o.word <> all(:without_revenue::text[])), 0) as revenue,
    count(*) over () as groups_total
from orders o
where o.store_id = :store_id
    and o.created_at >= :start and o.created_at < :end
    and (:partner_name::text is null or o.partner_name = :partner_name)
    and (:customer_id::bigint is null or o.customer_id = :customer_id)
group by o.customer_id
order by revenue desc, key
limit :most;

-- name: figures_by_variant
-- The variants that bring in most, ties to the lower id, and how many variants were ordered. An
-- order counts once for each of its variants. What a variant brings in is price times quantity,
-- less the lines' shares of the discount: taxes and shipping are nobody's revenue by variant.
with sold as (
    select l.variant_id, l.order_id,
        bool_or(l.state <> 'cancelled' and o.word <> all(:without_revenue::text[])) as earns,
        sum(l.unit_price * l.quantity - l.discount_share) filter (
            where l.state <> 'cancelled' and o.word <> all(:without_revenue::text[])
        ) as revenue
    from orders o
    join order_lines l on l.store_id = o.store_id and l.order_id = o.id
    where o.store_id = :store_id
        and o.created_at >= :start and o.created_at < :end
        and (:partner_name::text is null or o.partner_name = :partner_name)
        and (:customer_id::bigint is null or o.customer_id = :customer_id)
    group by l.order_id, l.variant_id
)
select sold.variant_id as key,
    count(*) as orders,
    count(*) filter (where sold.earns) as earning,
    coalesce(sum(sold.revenue), 0) as revenue,
    count(*) over () as groups_total
from sold
group by sold.variant_id
order by revenue desc, key
limit :most;
