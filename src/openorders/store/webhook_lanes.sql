-- name: claim_lanes
-- Takes lanes of all stores whose time has come, each for one worker alone until `lease_s` have
-- passed. Endpoints are found by hopping over webhook_lanes_due, so that one with a million
-- lanes costs as much as one with a single lane; of each, no more are taken than it has places in
-- this process. Those with the least under way come first, and one that fails has one place. The
-- commit is not waited for: a crash that undoes a claim leaves the lane due, as it was.
with recursive busy as (
    (
        select l.store_id, l.endpoint_id
        from webhook_lanes l
        order by l.store_id, l.endpoint_id
        limit 1
    )
    union all
    select n.store_id, n.endpoint_id
    from busy b
    cross join lateral (
        select l.store_id, l.endpoint_id
        from webhook_lanes l
        where (l.store_id, l.endpoint_id) > (b.store_id, b.endpoint_id)
        order by l.store_id, l.endpoint_id
        limit 1
    ) n
),
ready as (
    select e.store_id, e.id, coalesce(k.under_way, 0) as under_way,
        case when e.failures >= :failing then 1 else coalesce(k.places, :places) end
            - coalesce(k.under_way, 0) as places
    from busy b
    join webhook_endpoints e on e.store_id = b.store_id and e.id = b.endpoint_id
    left join unnest(
        :store_ids::bigint[], :endpoint_ids::bigint[], :known_places::int[], :under_way::int[]
    ) as k (store_id, endpoint_id, places, under_way)
        on k.store_id = e.store_id and k.endpoint_id = e.id
    where e.state = 'active' and (e.paused_until is null or e.paused_until <= now())
),
due as (
    select l.store_id, l.endpoint_id, l.order_id
    from ready r
    cross join lateral (
        select l.store_id, l.endpoint_id, l.order_id
        from webhook_lanes l
        where l.store_id = r.store_id and l.endpoint_id = r.id and l.due_at <= now()
        order by l.due_at
        limit greatest(r.places, 0)
        for update skip locked
    ) l
    order by r.under_way
    limit :limit
)
update webhook_lanes l
set due_at = now() + make_interval(secs => :lease_s), claim = nextval('webhook_claims')
from due d
where l.store_id = d.store_id and l.endpoint_id = d.endpoint_id and l.order_id = d.order_id
returning l.store_id, l.endpoint_id, l.order_id, l.claim, l.tries,
    set_config('synchronous_commit', 'off', true);

-- name: read_heads
-- The first waiting event of each lane (webhook_deliveries_waiting), with the order as it was
-- then. Asked after the claim, in a statement of its own, so that nothing is seen as it was
-- before the lane was ours.
select l.store_id, l.endpoint_id, l.order_id, h.position, h.event_id, o.type, o.version, o.at,
    o.payload
from unnest(:store_ids::bigint[], :endpoint_ids::bigint[], :order_ids::bigint[])
    as l (store_id, endpoint_id, order_id)
cross join lateral (
    select d.position, d.event_id
    from webhook_deliveries d
    where d.store_id = l.store_id and d.endpoint_id = l.endpoint_id
        and d.order_id = l.order_id and d.state = 'waiting'
    order by d.position
    limit 1
) h
join outbox o on o.store_id = l.store_id and o.id = h.event_id;

-- name: read_targets
-- Where to send to and what to sign with, the newest secret first; and how the endpoint stands.
-- No row for one that was switched off or removed since its lanes were claimed.
select e.store_id, e.id, e.url, e.contract, e.version, e.failures,
    coalesce(now() - e.failing_since, interval '0') as failing_for,
    array(
        select s.secret
        from webhook_secrets s
        where s.store_id = e.store_id and s.endpoint_id = e.id
            and (s.until is null or s.until > now())
        order by s.id desc
        limit :secrets_max
    ) as secrets
from unnest(:store_ids::bigint[], :endpoint_ids::bigint[]) as k (store_id, endpoint_id)
join webhook_endpoints e on e.store_id = k.store_id and e.id = k.endpoint_id
where e.state = 'active';

-- name: record_tries
-- Writes what came of tries, at most one per lane. Lanes are locked first, in the order of their
-- keys, and `queued` is counted down under that lock: a lane ends only when nothing waits in it,
-- whatever is queued at the same time. Who has lost the claim still records what was delivered,
-- and leaves the lane to who has it now. Answers how many lanes have more to tell at once. The
-- commit is not waited for: a crash that undoes it has the same events told again.
with given as materialized (
    select g.*
    from unnest(
        :store_ids::bigint[], :endpoint_ids::bigint[], :order_ids::bigint[],
        :positions::bigint[], :claims::bigint[], :outcomes::text[], :waits_s::float8[],
        :times::timestamptz[], :statuses::smallint[], :took_ms::int[], :answers::text[],
        :failures::text[]
    ) as g (store_id, endpoint_id, order_id, position, claim, outcome, wait_s, at, status,
        took_ms, answer, failure)
),
held as materialized (
    select l.store_id, l.endpoint_id, l.order_id, l.queued, l.claim
    from webhook_lanes l
    join given g on g.store_id = l.store_id and g.endpoint_id = l.endpoint_id
        and g.order_id = l.order_id
    order by l.store_id, l.endpoint_id, l.order_id
    for update of l
),
kept as materialized (
    -- Looked at once the lanes are held, and locked, which shows them as they are then: nobody would
    -- ever find the tries of an event that was forgotten meanwhile.
    select g.*
    from given g
    join webhook_deliveries d on d.store_id = g.store_id and d.endpoint_id = g.endpoint_id
        and d.position = g.position
    where (select count(*) from held) >= 0
    for key share of d
),
logged as (
    insert into webhook_attempts
        (store_id, endpoint_id, position, at, status, took_ms, answer, failure)
    select k.store_id, k.endpoint_id, k.position, k.at, k.status, k.took_ms, k.answer, k.failure
    from kept k
),
tried as (
    update webhook_deliveries d
    set tries = d.tries + 1,
        state = case when g.outcome = 'again' then d.state else g.outcome end,
        ended_at = case when g.outcome = 'again' then d.ended_at else now() end
    from kept g  -- so that each is locked before it is changed; afterwards it could not be
    join held h on h.store_id = g.store_id and h.endpoint_id = g.endpoint_id
        and h.order_id = g.order_id
    where d.store_id = g.store_id and d.endpoint_id = g.endpoint_id
        and d.position = g.position and d.state = 'waiting'
    returning d.store_id, d.endpoint_id, d.order_id, (d.state <> 'waiting') as ended
),
decided as materialized (
    select g.store_id, g.endpoint_id, g.order_id, g.outcome, g.wait_s, h.queued,
        h.claim is not distinct from g.claim as ours,
        coalesce(t.ended, false) as ended,
        coalesce(t.ended, false) and h.queued = 1 as last
    from given g
    join held h on h.store_id = g.store_id and h.endpoint_id = g.endpoint_id
        and h.order_id = g.order_id
    left join tried t on t.store_id = g.store_id and t.endpoint_id = g.endpoint_id
        and t.order_id = g.order_id
),
over as (
    delete from webhook_lanes l
    using decided x
    where l.store_id = x.store_id and l.endpoint_id = x.endpoint_id
        and l.order_id = x.order_id and x.last
),
going_on as (
    -- From what was counted under the lock: the row as the statement first saw it may have had one
    -- event only, and none left is refused by the table before the row is looked at again.
    update webhook_lanes l
    set queued = x.queued - x.ended::int,
        claim = case when x.ours then null else l.claim end,
        tries = case when not x.ours then l.tries when x.outcome = 'again' then l.tries + 1
            else 0 end,
        due_at = case when not x.ours then l.due_at
            when x.outcome = 'again' then now() + make_interval(secs => x.wait_s)
            else now() end
    from decided x
    where l.store_id = x.store_id and l.endpoint_id = x.endpoint_id
        and l.order_id = x.order_id and not x.last and (x.ours or x.ended)
    returning x.ours and x.outcome <> 'again' as at_once
)
select count(*), set_config('synchronous_commit', 'off', true) from going_on where at_once;

-- name: give_back_lanes
-- Gives claimed lanes back untried: whoever comes next takes them at once.
with held as materialized (
    select l.store_id, l.endpoint_id, l.order_id, l.claim
    from webhook_lanes l
    join unnest(
        :store_ids::bigint[], :endpoint_ids::bigint[], :order_ids::bigint[], :claims::bigint[]
    ) as g (store_id, endpoint_id, order_id, claim)
        on g.store_id = l.store_id and g.endpoint_id = l.endpoint_id
        and g.order_id = l.order_id and g.claim = l.claim
    order by l.store_id, l.endpoint_id, l.order_id
    for update of l
)
update webhook_lanes l
set due_at = now(), claim = null
from held h
where l.store_id = h.store_id and l.endpoint_id = h.endpoint_id and l.order_id = h.order_id
    and l.claim = h.claim;

-- name: note_success
-- An endpoint that had failed took something: its failures are over.
update webhook_endpoints e
set failures = 0, failing_since = null, paused_until = null
where e.store_id = :store_id and e.id = :id and e.version = :version and e.failures > 0;

-- name: note_failures
-- Counts tries in a row that failed, and holds up everything for the endpoint when it asked so.
update webhook_endpoints e
set failures = least(e.failures + :failures::int, 1000000),
    failing_since = coalesce(e.failing_since, now()),
    paused_until = case when :pause_s::float8 is null then e.paused_until
        else greatest(e.paused_until, now() + make_interval(secs => :pause_s::float8)) end
where e.store_id = :store_id and e.id = :id and e.version = :version and e.state = 'active';

-- name: switch_off
-- Switches an endpoint off, unless somebody changed it since. Events that are given their
-- positions from now on are not queued for it.
update webhook_endpoints e
set state = 'off', off_reason = :reason, off_at = now(), version = e.version + 1,
    updated_at = now(), paused_until = null,
    off_position = (
        select coalesce(max(p.position), 0) from event_positions p where p.store_id = e.store_id
    )
where e.store_id = :store_id and e.id = :id and e.version = :version and e.state = 'active'
returning e.id;
