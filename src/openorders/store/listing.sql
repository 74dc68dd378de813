-- name: plan_for_the_values
-- Plans the statements of this transaction for what they ask, each time, and has the server stop
-- one that runs longer.
select set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('statement_timeout', :most_ms::text, true);

-- name: plan_each_chunk
-- Plans the statements of this transaction each time: one that was planned when the tables were
-- small would serve a stream to its end, since a transaction hears of new statistics only after it.
select set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: orders_of_page
-- The orders of a page (id, place), with their lines, in the order in which the page names them.
-- `store.criteria` puts the page in front, so that lines are read for these orders only. `offset 0`
-- keeps to this one way, by the primary keys, whatever is believed of the tables' sizes.
select to_json(it) as it
from (
    select o.id, o.number,
        json_build_object('id', c.id, 'name', c.name, 'email', c.email) as customer,
        o.partner_name, o.customer_reference, o.currency, o.minor_digits,
        json_build_object(
            'subtotal', o.subtotal, 'discount', o.discount, 'shipping', o.shipping,
            'taxes', o.taxes
        ) as totals,
        o.discount_code, o.progress, o.payment, o.fulfilment, o.payment_asked,
        o.shipping_method, o.estimated_delivery, o.shipping_address, o.billing_address,
        o.payment_method, o.payment_gateway, o.payment_token, o.notes, o.shipment, o.cancellation,
        o.created_at, o.updated_at, o.completed_at, o.version,
        array(
            select l from order_lines l
            where l.store_id = o.store_id and l.order_id = o.id order by l.position
        ) as lines,
        page.place
    from page
    cross join lateral (
        select * from orders where store_id = :store_id and id = page.id offset 0
    ) o
    cross join lateral (
        select id, name, email from customers
        where store_id = o.store_id and id = o.customer_id offset 0
    ) c
) it
order by it.place;
