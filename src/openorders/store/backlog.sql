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
-- Orders whose time to be paid is over (orders_by_word, store by store).
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

-- name: refused_refunds
-- Refunds that a gateway refused for good since a time (refunds_refused).
select count(*) as waiting
from (
    select x.id
    from payment_operations x
    where x.state = 'failed' and x.kind = 'refund' and x.settled_at >= :since::timestamptz
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

-- name: given_up_mails
-- Mails that were given up since a time (mails_given_up).
select count(*) as waiting
from (
    select m.id
    from mails m
    where m.given_up_at >= :since::timestamptz
    limit :most
) as o;

-- name: unsequenced_events
-- Events that are told of but have no place in the feed yet (outbox_by_id).
select count(*) as waiting, min(o.at) as oldest
from (
    select o.at
    from outbox o
    where o.id > (select c.high from event_cursor c)
    order by o.id
    limit :most
) as o;

-- name: waiting_deliveries
-- What active endpoints are still to be told: events, orders whose last try failed, when the
-- first was due that nothing but a worker holds up (who fails or asked us to wait is sent little,
-- and who is being told something takes as long as it takes), and the oldest event as far as the
-- lanes that are due first tell (webhook_lanes_due, endpoint by endpoint;
-- webhook_deliveries_waiting).
with lanes as materialized (
    select l.store_id, l.endpoint_id, l.order_id, l.queued, l.tries, l.due_at
    from webhook_endpoints e
    cross join lateral (
        select l.store_id, l.endpoint_id, l.order_id, l.queued, l.tries, l.due_at
        from webhook_lanes l
        where l.store_id = e.store_id and l.endpoint_id = e.id
        order by l.due_at
        limit :most
    ) as l
    where e.state = 'active'
    limit :most
),
-- Of each endpoint for itself: one with a million lanes hides no other.
first as (
    select (
        select l.due_at from webhook_lanes l
        where l.store_id = e.store_id and l.endpoint_id = e.id
        order by l.due_at
        limit 1
    ) as due_at
    from webhook_endpoints e
    where e.state = 'active' and e.failures = 0
        and (e.paused_until is null or e.paused_until <= now())
        and not exists (
            select from (
                select l.claim from webhook_lanes l
                where l.store_id = e.store_id and l.endpoint_id = e.id and l.due_at > now()
                order by l.due_at
                limit :looked_at
            ) as l
            where l.claim is not null
        )
    limit :most
),
heads as (
    select (
        select o.at
        from webhook_deliveries d
        join outbox o on o.store_id = d.store_id and o.id = d.event_id
        where d.store_id = f.store_id and d.endpoint_id = f.endpoint_id
            and d.order_id = f.order_id and d.state = 'waiting'
        order by d.position
        limit 1
    ) as at
    from (select l.* from lanes l order by l.due_at limit :looked_at) as f
)
select coalesce(sum(l.queued), 0)::bigint as waiting, count(*) filter (where l.tries > 0) as retried,
    (select min(f.due_at) from first f) as due, (select min(h.at) from heads h) as oldest
from lanes l;

-- name: troubled_endpoints
-- Endpoints that were switched off because they failed, those that fail now, and since when the
-- one does that has been failing the longest. The table has a row per subscriber.
select count(*) filter (where e.off_reason in ('failing', 'gone')) as off,
    count(*) filter (where e.state = 'active' and e.failures > 0) as failing,
    min(e.failing_since) filter (where e.state = 'active') as failing_since
from (select e.state, e.off_reason, e.failures, e.failing_since
    from webhook_endpoints e limit :most) as e;

-- name: unfolded_changes
-- How many changes are to be folded, in all stores together, and how many stores have no figures
-- yet (primary key, store by store).
select least(coalesce(sum(changes_waiting(f.store_id, f.mark, :most)), 0), :most) as changes,
    count(*) filter (where f.zone is null) as unbuilt
from figure_stores f;
