-- name: read_orders_with_lines
-- Orders as a list shows them, all in one document: what becomes an order is put together here,
-- once, and not column by column. What `Order` does not name is ignored. One alone costs what it
-- would cost by `=`. Primary keys.
select json_agg(it) as found
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
        ) as lines
    from orders o
    join customers c on c.store_id = o.store_id and c.id = o.customer_id
    where o.store_id = :store_id and o.id = any(:ids::bigint[])
) it;

-- name: read_orders_with_payments
-- The same with their payments and their history: what a buyer is shown, and often, so that it has
-- only the columns that `Order` names. Primary keys, payments_by_order and the operations' index by
-- payment.
select json_agg(it) as found
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
            select l from (
                select id, product_id, variant_id, product_name, variant_name, sku, image,
                    unit_price, quantity, discount_share, tax_shares, state
                from order_lines
                where store_id = o.store_id and order_id = o.id order by position
            ) l
        ) as lines,
        array(
            select p from (
                select p.id, p.gateway, p.method, p.amount, p.state, p.captured, p.refunded,
                    p.reference, p.card_brand, p.card_last_four, p.decline_code, p.action_url,
                    p.created_at, p.settled_at, x.refunding, x.ending
                from payments p
                cross join lateral (
                    select coalesce(sum(x.amount) filter (where x.kind = 'refund'), 0) as refunding,
                        coalesce(bool_or(x.kind in ('capture', 'void')), false) as ending
                    from payment_operations x
                    where x.store_id = p.store_id and x.payment_id = p.id and x.state = 'started'
                ) as x
                where p.store_id = o.store_id and p.order_id = o.id order by p.id
            ) p
        ) as payments,
        array(
            select h from (
                select word, at, actor, contract, reason from order_history
                where store_id = o.store_id and order_id = o.id order by position
            ) h
        ) as history
    from orders o
    join customers c on c.store_id = o.store_id and c.id = o.customer_id
    where o.store_id = :store_id and o.id = any(:ids::bigint[])
) it;

-- name: read_orders
-- The same with their refunds: everything. Primary keys,
-- payments_by_order, refunds_by_order and the operations' indexes by payment and by refund.
select to_json(it) as it,
    (
        select json_agg(json_build_object(
            'id', r.id, 'amount', r.amount, 'shipping', r.shipping, 'goodwill', r.goodwill,
            'reason', r.reason, 'restock', r.restock, 'firm', r.firm, 'at', r.created_at,
            'started', x.started, 'failed', x.failed, 'lines', l.lines
        ) order by r.id)
        from refunds r
        cross join lateral (
            select coalesce(sum(x.amount) filter (where x.state = 'started'), 0) as started,
                coalesce(sum(x.amount) filter (where x.state = 'failed'), 0) as failed
            from payment_operations x
            where x.store_id = r.store_id and x.refund_id = r.id
        ) as x
        cross join lateral (
            select coalesce(json_agg(json_build_object(
                'line_id', l.line_id, 'quantity', l.quantity, 'amount', l.amount,
                'returned', l.returned, 'restocked', l.restocked
            ) order by l.line_id), '[]') as lines
            from refund_lines l where l.store_id = r.store_id and l.refund_id = r.id
        ) as l
        where r.store_id = :store_id and r.order_id = it.id
    ) as refunds
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
        array(
            select p from (
                select p.*, x.refunding, x.ending
                from payments p
                cross join lateral (
                    select coalesce(sum(x.amount) filter (where x.kind = 'refund'), 0) as refunding,
                        coalesce(bool_or(x.kind in ('capture', 'void')), false) as ending
                    from payment_operations x
                    where x.store_id = p.store_id and x.payment_id = p.id and x.state = 'started'
                ) as x
                where p.store_id = o.store_id and p.order_id = o.id order by p.id
            ) p
        ) as payments,
        array(
            select h from order_history h
            where h.store_id = o.store_id and h.order_id = o.id order by h.position
        ) as history
    from orders o
    join customers c on c.store_id = o.store_id and c.id = o.customer_id
    where o.store_id = :store_id and o.id = any(:ids::bigint[])
) it;

-- name: lock_orders
-- Locks orders to change them, always in the order of their ids so that two callers cannot
-- deadlock. What is read afterwards is what the last writer left.
select o.id
from orders o
where o.store_id = :store_id and o.id = any(:ids::bigint[])
order by o.id
for no key update;
