-- name: ids_of_store
-- The next payments of a store, oldest first (primary key).
select p.id
from payments p
where p.store_id = :store_id and p.id > :after
order by p.id
limit :limit;

-- name: ids_in_state
-- The next payments of a store that are in a state, oldest first (payments_by_state).
select p.id
from payments p
where p.store_id = :store_id and p.state = :state and p.id > :after
order by p.id
limit :limit;

-- name: ids_of_order
-- The next payments of an order, oldest first (payments_by_order).
select p.id
from payments p
where p.store_id = :store_id and p.order_id = :order_id and p.id > :after
    and p.state = coalesce(:state::text, p.state)
order by p.id
limit :limit;

-- name: payments_by_id
-- Payments with what is under way for them, oldest first (primary keys,
-- payment_operations_by_payment).
select p.order_id, p.currency, p.id, p.gateway, p.method, p.amount, p.state, p.captured,
    p.refunded, x.refunding, x.ending, p.reference, p.card_brand, p.card_last_four,
    p.decline_code, p.action_url, p.created_at, p.settled_at
from payments p
cross join lateral (
    select coalesce(sum(x.amount) filter (where x.kind = 'refund'), 0)::bigint as refunding,
        coalesce(bool_or(x.kind in ('capture', 'void')), false) as ending
    from payment_operations x
    where x.store_id = p.store_id and x.payment_id = p.id and x.state = 'started'
) as x
where p.store_id = :store_id and p.id = any(:ids::bigint[])
order by p.id;

-- name: operations_of_payments
-- The latest operations of each payment, at most `limit` of one, oldest first
-- (payment_operations_by_payment).
select x.id, x.payment_id, x.kind, x.amount, x.state, x.reason, x.reference, x.failure,
    x.refund_id, x.created_at, x.settled_at
from unnest(:ids::bigint[]) as p (id)
cross join lateral (
    select x.*
    from payment_operations x
    where x.store_id = :store_id and x.payment_id = p.id
    order by x.id desc
    limit :limit
) as x
order by x.id;
