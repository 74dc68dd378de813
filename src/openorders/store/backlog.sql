-- name: open_operations
-- Calls to gateways whose outcome is not known (payment_operations_open).
select count(*) as waiting, min(o.created_at) as oldest, min(o.due_at) as due
from (
    select x.created_at, x.due_at
    from payment_operations x
    where x.state = 'started'
    order by x.due_at
    limit :most
) as o;

-- name: pending_orders
-- Orders whose charge is running; the table holds nothing else.
select count(*) as waiting, min(o.created_at) as oldest
from (select p.created_at from pending_orders p limit :most) as o;

-- name: overdue_orders
-- Orders whose time to be paid is over (orders_awaiting_payment, store by store).
select count(*) as waiting
from (
    select o.id
    from stores s
    cross join lateral (
        select o.id
        from orders o
        where o.store_id = s.store_id and o.word = 'payment_pending'
            and o.created_at < :now::timestamptz
                - make_interval(mins => (s.policy ->> 'unpaid_expiry_minutes')::int)
        limit :most
    ) as o
    where (s.policy ->> 'unpaid_expiry_minutes') is not null
    limit :most
) as o;

-- name: open_mails
-- Mails that are to be sent (mails_open).
select count(*) as waiting, min(o.due_at) as due
from (
    select m.due_at
    from mails m
    where m.sent_at is null and m.given_up_at is null
    order by m.due_at
    limit :most
) as o;
