-- name: insert_refund
-- Writes down what was decided to be given back, and of which lines.
with refund as (
    insert into refunds (
        store_id, order_id, amount, shipping, goodwill, reason, restock, actor, contract,
        created_at
    )
    values (
        :store_id, :order_id, :amount, :shipping, :goodwill, :reason, :restock, :actor,
        :contract, :now
    )
    returning store_id, id, order_id
), lines as (
    insert into refund_lines
        (store_id, refund_id, order_id, line_id, quantity, amount, returned, restocked)
    select refund.store_id, refund.id, refund.order_id, l.line_id, l.quantity, l.amount,
        l.returned, l.restocked
    from refund, jsonb_to_recordset(:lines::jsonb) as l (
        line_id bigint, quantity int, amount bigint, returned int, restocked int
    )
)
select id from refund;

-- name: make_firm
-- Lets refunds hold whatever becomes of their calls (primary key).
update refunds
set firm = true
where store_id = :store_id and id = any(:ids::bigint[]);

-- name: refund_of_operations
-- The refund that operations carry out, if they do (primary key).
select x.refund_id
from payment_operations x
where x.store_id = :store_id and x.id = any(:ids::bigint[]) and x.refund_id is not null
limit 1;

-- name: ids_of_store
-- The next refunds of a store, oldest first (primary key).
select r.id
from refunds r
where r.store_id = :store_id and r.id > :after
order by r.id
limit :limit;

-- name: ids_of_order
-- The next refunds of an order, oldest first (refunds_by_order).
select r.id
from refunds r
where r.store_id = :store_id and r.order_id = :order_id and r.id > :after
order by r.id
limit :limit;

-- name: refunds_by_id
-- Refunds with what became of their operations, oldest first (primary keys,
-- payment_operations_by_refund). `read_order` tells the same of one order.
select r.order_id, r.id, r.amount, r.shipping, r.goodwill, r.reason, r.restock, r.firm,
    r.created_at as at, done.started, done.failed, done.currency,
    (
        select coalesce(json_agg(json_build_object(
            'line_id', l.line_id, 'quantity', l.quantity, 'amount', l.amount,
            'returned', l.returned, 'restocked', l.restocked
        ) order by l.line_id), '[]')
        from refund_lines l where l.store_id = r.store_id and l.refund_id = r.id
    ) as lines
from refunds r
cross join lateral (
    select coalesce(sum(x.amount) filter (where x.state = 'started'), 0)::bigint as started,
        coalesce(sum(x.amount) filter (where x.state = 'failed'), 0)::bigint as failed,
        min(p.currency) as currency
    from payment_operations x
    join payments p on p.store_id = x.store_id and p.id = x.payment_id
    where x.store_id = r.store_id and x.refund_id = r.id
) as done
where r.store_id = :store_id and r.id = any(:ids::bigint[])
order by r.id;
