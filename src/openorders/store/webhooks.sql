-- name: fan_out
-- Queues events that were just given their positions for every endpoint that is to be told
-- (primary key of event_positions by store; endpoints are few). The rows of lanes are taken in
-- the order of their keys, as everywhere. Who delivers is woken at commit.
with told as (
    insert into webhook_deliveries (store_id, endpoint_id, position, event_id, order_id)
    select e.store_id, e.id, p.position, p.event_id, p.order_id
    from webhook_endpoints e
    join event_positions p on p.store_id = e.store_id
    where p.position between :first_position and :last_position
        and e.state = 'active' and (e.types is null or p.type = any(e.types))
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
