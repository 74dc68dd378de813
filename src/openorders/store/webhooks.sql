-- name: fan_out
-- Queues events that were just given their positions for every endpoint that is to be told. Each
-- store with endpoints is one look at the primary key of event_positions: a limit keeps that from
-- being planned as a join, which would read the positions of all events there ever were. The rows
-- of lanes are taken in the order of their keys, as everywhere. Who delivers is woken at commit.
with told as (
    insert into webhook_deliveries (store_id, endpoint_id, position, event_id, order_id)
    select e.store_id, e.id, p.position, p.event_id, p.order_id
    from (select distinct w.store_id from webhook_endpoints w where w.state = 'active') as s
    cross join lateral (
        select p.position, p.event_id, p.order_id, p.type
        from event_positions p
        where p.store_id = s.store_id
            and p.position between :first_position::bigint and :last_position::bigint
        order by p.position
        limit :last_position::bigint - :first_position::bigint + 1
    ) as p
    join webhook_endpoints e on e.store_id = s.store_id and e.state = 'active'
        and (e.types is null or p.type = any(e.types))
    on conflict do nothing
    returning store_id, endpoint_id, order_id
), lanes as (
    insert into webhook_lanes as l (store_id, endpoint_id, order_id, queued, due_at)
    select t.store_id, t.endpoint_id, t.order_id, count(*), now()
    from told t
    group by t.store_id, t.endpoint_id, t.order_id
    order by t.store_id, t.endpoint_id, t.order_id
    on conflict (store_id, endpoint_id, order_id) do update
    set queued = l.queued + excluded.queued
    returning 1
), counted as (
    select count(*) as lanes from lanes
)
select c.lanes, case when c.lanes > 0 then pg_notify('openorders_deliveries', '') end
from counted c;

-- name: replay
-- Queues events of the feed again for one endpoint, in the order of their positions: those that
-- were told, given up, or never meant for it. At most `limit` positions are looked at. What
-- waits already goes on waiting. `missed_only` leaves out what was told.
with looked_at as materialized (
    select p.position, p.event_id, p.order_id, p.type
    from event_positions p
    where p.store_id = :store_id and p.position > :after and p.position <= :until
    order by p.position
    limit :limit
),
chosen as (
    select a.position, a.event_id, a.order_id
    from looked_at a
    join webhook_endpoints e on e.store_id = :store_id and e.id = :endpoint_id
    where :any_type::boolean or e.types is null or a.type = any(e.types)
),
again as (
    update webhook_deliveries d
    set state = 'waiting', ended_at = null
    from chosen c
    where d.store_id = :store_id and d.endpoint_id = :endpoint_id and d.position = c.position
        and d.state <> 'waiting' and (d.state = 'failed' or not :missed_only::boolean)
    returning d.order_id
),
anew as (
    insert into webhook_deliveries (store_id, endpoint_id, position, event_id, order_id)
    select :store_id, :endpoint_id, c.position, c.event_id, c.order_id
    from chosen c
    order by c.position
    on conflict do nothing
    returning order_id
),
lanes as (
    insert into webhook_lanes as l (store_id, endpoint_id, order_id, queued, due_at)
    select :store_id, :endpoint_id, q.order_id, count(*), now()
    from (select order_id from again union all select order_id from anew) q
    group by q.order_id
    order by q.order_id
    on conflict (store_id, endpoint_id, order_id) do update
    set queued = l.queued + excluded.queued,
        tries = case when l.claim is null then 0 else l.tries end,
        due_at = case when l.claim is null then least(l.due_at, now()) else l.due_at end
    returning l.order_id
)
select (select count(*) from again) + (select count(*) from anew) as queued,
    (select count(*) from looked_at) as looked,
    (select max(a.position) from looked_at a) as last,
    (select count(*) from lanes) as lanes;

-- name: list_deliveries
-- What an endpoint was to be told, the newest first, from a position and below another (primary
-- key; for those given up webhook_deliveries_failed; one of the two halves is never run).
with chosen as materialized (
    (
        select d.*
        from webhook_deliveries d
        where :state::text is distinct from 'failed'
            and d.store_id = :store_id and d.endpoint_id = :endpoint_id
            and d.position >= :first::bigint and d.position < :below::bigint
            and (:state::text is null or d.state = :state::text)
        order by d.position desc
        limit :limit
    )
    union all
    (
        select d.*
        from webhook_deliveries d
        where :state::text = 'failed' and d.state = 'failed'
            and d.store_id = :store_id and d.endpoint_id = :endpoint_id
            and d.position >= :first::bigint and d.position < :below::bigint
        order by d.position desc
        limit :limit
    )
)
select d.event_id, d.order_id, d.position, d.state, d.tries, d.ended_at, o.type, o.at,
    case when d.state = 'waiting' and d.position = (
        select min(f.position)
        from webhook_deliveries f
        where f.store_id = d.store_id and f.endpoint_id = d.endpoint_id
            and f.order_id = d.order_id and f.state = 'waiting'
    ) then l.due_at end as next_try_at
from chosen d
join outbox o on o.store_id = d.store_id and o.id = d.event_id
left join webhook_lanes l on l.store_id = d.store_id and l.endpoint_id = d.endpoint_id
    and l.order_id = d.order_id
order by d.position desc;

-- name: position_of
-- An event's place in the feed and its order, while it is kept.
select p.position, p.order_id
from event_positions p
where p.store_id = :store_id and p.event_id = :event_id;

-- name: list_attempts
-- The last tries to tell an endpoint of one event.
select a.at, a.status, a.took_ms, a.answer, a.failure
from webhook_attempts a
where a.store_id = :store_id and a.endpoint_id = :endpoint_id and a.position = :position
order by a.id desc
limit :limit;

-- name: hold_horizons
-- Makes the caller the only one who forgets events of these stores, or queues old ones, until its
-- transaction ends. It is not endpoints that are held, since one can be made meanwhile. Where no
-- event was forgotten yet a row is made, whose 0 says the same as none.
insert into event_horizons as h (store_id, forgotten)
select s, 0 from unnest(:store_ids::bigint[]) as s order by s
on conflict (store_id) do update set forgotten = h.forgotten;

-- name: share_horizon
-- Keeps a store's events from being forgotten until the transaction ends; any number may do so at
-- once. No row: there is nothing to hold yet.
select h.forgotten from event_horizons h where h.store_id = :store_id for share;

-- name: forget_events
-- Forgets what endpoints were told of events that are no longer kept, in the transaction that
-- forgets the events. What still waits (for an endpoint that is off) is dropped: lanes are locked
-- and counted down as when something was tried.
with chosen as materialized (
    select d.store_id, d.endpoint_id, d.order_id, d.position, d.state
    from unnest(:store_ids::bigint[], :event_ids::bigint[]) as g (store_id, event_id)
    join event_positions p on p.store_id = g.store_id and p.event_id = g.event_id
    join webhook_endpoints e on e.store_id = g.store_id
    -- `offset 0` keeps to the whole of the primary key: without the endpoint all of it is read.
    cross join lateral (
        select d.*
        from webhook_deliveries d
        where d.store_id = e.store_id and d.endpoint_id = e.id and d.position = p.position
        offset 0
    ) d
),
held as materialized (
    select l.store_id, l.endpoint_id, l.order_id, l.queued
    from webhook_lanes l
    where (l.store_id, l.endpoint_id, l.order_id) in (
        select c.store_id, c.endpoint_id, c.order_id from chosen c where c.state = 'waiting'
    )
    order by l.store_id, l.endpoint_id, l.order_id
    for update of l
),
held_first as (
    select count(*) as lanes from held
),
forgotten as (
    -- Also what was told while this waited for its lane; not what was queued again, whose lane is
    -- not held.
    delete from webhook_deliveries d
    using chosen c, held_first f
    where d.store_id = c.store_id and d.endpoint_id = c.endpoint_id
        and d.position = c.position and (d.state <> 'waiting' or c.state = 'waiting')
        and f.lanes >= 0
    returning d.store_id, d.endpoint_id, d.order_id, d.state
),
sums as materialized (
    select h.store_id, h.endpoint_id, h.order_id, h.queued, count(*) as dropped
    from forgotten d
    join held h on h.store_id = d.store_id and h.endpoint_id = d.endpoint_id
        and h.order_id = d.order_id
    where d.state = 'waiting'
    group by h.store_id, h.endpoint_id, h.order_id, h.queued
),
over as (
    delete from webhook_lanes l
    using sums s
    where l.store_id = s.store_id and l.endpoint_id = s.endpoint_id
        and l.order_id = s.order_id and s.queued = s.dropped
),
going_on as (
    -- From what was counted under the lock; `record_tries` says why.
    update webhook_lanes l
    set queued = s.queued - s.dropped
    from sums s
    where l.store_id = s.store_id and l.endpoint_id = s.endpoint_id
        and l.order_id = s.order_id and s.queued > s.dropped
)
select count(*) from forgotten;

-- name: forget_attempts
-- Forgets the tries to tell of events that are no longer kept. After `forget_events`, in a
-- statement of its own that sees what was recorded while that one waited for lanes.
with told as materialized (
    select e.store_id, e.id as endpoint_id, p.position
    from unnest(:store_ids::bigint[], :event_ids::bigint[]) as g (store_id, event_id)
    join event_positions p on p.store_id = g.store_id and p.event_id = g.event_id
    join webhook_endpoints e on e.store_id = g.store_id
)
delete from webhook_attempts a
using told t
where a.store_id = t.store_id and a.endpoint_id = t.endpoint_id and a.position = t.position;

-- name: forget_removed
-- Deletes, some at a time, what is left of endpoints that were removed so long ago that nothing
-- of theirs can be under way; answers how much it was. Rows are found again by their place, since
-- a plan made without the limits would read the whole tables instead.
with removed as materialized (
    select e.store_id, e.id
    from webhook_endpoints e
    where e.state = 'removed' and e.updated_at < :before
    limit 10
),
tries as (
    delete from webhook_attempts a
    where a.ctid = any(array(
        select t.place
        from removed r
        cross join lateral (
            select t.ctid as place
            from webhook_attempts t
            where t.store_id = r.store_id and t.endpoint_id = r.id
            limit :limit
        ) t
    ))
    returning 1
),
lanes as (
    delete from webhook_lanes l
    where l.ctid = any(array(
        select n.place
        from removed r
        cross join lateral (
            select n.ctid as place
            from webhook_lanes n
            where n.store_id = r.store_id and n.endpoint_id = r.id
            limit :limit
        ) n
    ))
    returning 1
),
deliveries as (
    delete from webhook_deliveries d
    where d.ctid = any(array(
        select w.place
        from removed r
        cross join lateral (
            select w.ctid as place
            from webhook_deliveries w
            where w.store_id = r.store_id and w.endpoint_id = r.id
            limit :limit
        ) w
    ))
    returning 1
)
select (select count(*) from tries) + (select count(*) from lanes)
    + (select count(*) from deliveries);

-- name: forget_endpoints
-- Deletes endpoints that were removed and have nothing left.
delete from webhook_endpoints e
where e.state = 'removed' and e.updated_at < :before
    and not exists (
        select from webhook_deliveries d where d.store_id = e.store_id and d.endpoint_id = e.id
    )
    and not exists (
        select from webhook_attempts a where a.store_id = e.store_id and a.endpoint_id = e.id
    );
