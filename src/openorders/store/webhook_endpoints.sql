-- name: take_turn
-- Lets one at a time make an endpoint for the store, until its transaction ends. A statement of its
-- own, so that the next one counts all that the last one committed.
select pg_advisory_xact_lock(
    hashtextextended(format('openorders.endpoints %s', :store_id::bigint), 0)
);

-- name: create_endpoint
-- Makes an endpoint. No row: the store has as many as it may have.
insert into webhook_endpoints (store_id, url, contract, types, label, created_at, updated_at)
select :store_id, :url, :contract, :types::text[], :label, :now, :now
where (
    select count(*) from webhook_endpoints e
    where e.store_id = :store_id and e.state <> 'removed'
) < :most
returning *;

-- name: add_secret
-- A new secret to sign with, the newest.
insert into webhook_secrets (store_id, endpoint_id, secret, created_at)
values (:store_id, :endpoint_id, :secret, :now);

-- name: retire_secrets
-- Ends the use of secrets at a time, unless it ends sooner anyway; those that are over, and all
-- but the newest few, are forgotten.
with kept as (
    select s.id
    from webhook_secrets s
    where s.store_id = :store_id and s.endpoint_id = :endpoint_id
        and (s.until is null or s.until > now())
    order by s.id desc
    limit :most
), forgotten as (
    delete from webhook_secrets s
    where s.store_id = :store_id and s.endpoint_id = :endpoint_id
        and s.id not in (select id from kept)
)
update webhook_secrets s
set until = least(s.until, now() + make_interval(secs => :keep_s::float8))
where s.store_id = :store_id and s.endpoint_id = :endpoint_id and s.id in (select id from kept);

-- name: forget_secrets
-- An endpoint that was removed signs nothing any more.
delete from webhook_secrets s
where s.store_id = :store_id and s.endpoint_id = :endpoint_id;

-- name: read_endpoint
-- One endpoint, by its primary key.
select e.*
from webhook_endpoints e
where e.store_id = :store_id and e.id = :id and e.state <> 'removed';

-- name: lock_endpoint
-- One endpoint to be changed: nobody else changes it until the transaction ends.
select e.*
from webhook_endpoints e
where e.store_id = :store_id and e.id = :id and e.state <> 'removed'
for no key update;

-- name: list_endpoints
-- The store's endpoints after one, oldest first.
select e.*
from webhook_endpoints e
where e.store_id = :store_id and e.id > :after and e.state <> 'removed'
order by e.id
limit :limit;

-- name: change_endpoint
-- Writes what an operator decided about a locked endpoint, which then starts afresh: its failures
-- are of the past, and results of tries under way are not held against it.
update webhook_endpoints e
set url = :url, contract = :contract, types = :types::text[], label = :label,
    state = :state, off_reason = :off_reason, version = e.version + 1, updated_at = :now,
    off_at = case when :state = 'active' then null else coalesce(e.off_at, :now) end,
    off_position = case
        when e.state = 'active' and :state <> 'active' then (
            select coalesce(max(p.position), 0)
            from event_positions p
            where p.store_id = e.store_id
        )
        else e.off_position
    end,
    failures = 0, failing_since = null, paused_until = null
where e.store_id = :store_id and e.id = :id
returning *;

-- name: hurry_lanes
-- What waits for an endpoint is tried at once instead of when its time would have come, as far
-- as it is not under way; the most urgent first.
with waiting as (
    select l.store_id, l.endpoint_id, l.order_id
    from webhook_lanes l
    where l.store_id = :store_id and l.endpoint_id = :endpoint_id and l.due_at > now()
        and l.claim is null and (:order_id::bigint is null or l.order_id = :order_id::bigint)
    order by l.due_at
    limit :limit
), held as (
    select l.store_id, l.endpoint_id, l.order_id
    from webhook_lanes l
    join waiting w on w.store_id = l.store_id and w.endpoint_id = l.endpoint_id
        and w.order_id = l.order_id
    order by l.store_id, l.endpoint_id, l.order_id
    for update of l
)
update webhook_lanes l
set due_at = now(), tries = 0
from held h
where l.store_id = h.store_id and l.endpoint_id = h.endpoint_id and l.order_id = h.order_id
    and l.claim is null;

-- name: wake
-- Wakes whoever delivers, at commit.
select pg_notify('openorders_deliveries', '');
