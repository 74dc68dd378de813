-- name: has_news
-- Whether a step of the sequencer would do anything: new rows, rows that came into a gap, or gaps
-- that can be given up or will be one step on (outbox_by_id, which `exists` would not be planned
-- with: a third of the table seems to be above any number). Takes no lock and writes nothing.
select (select o.id from outbox o where o.id > c.high order by o.id limit 1) is not null
    or exists (
        select from unnest(c.young + c.old) as gap (ids)
        cross join lateral (
            select from outbox o
            where o.id >= lower(gap.ids) and o.id < upper(gap.ids)
            order by o.id
            limit 1
        ) come
    )
    or (isempty(c.old) and not isempty(c.young))
    or (not isempty(c.old) and pg_snapshot_xmin(pg_current_snapshot()) >= c.old_seen)
from event_cursor c;

-- name: take_cursor
-- Makes the caller the one sequencer until its transaction ends. No row: another one is, or
-- somebody was just awaiting one. A statement of its own, so that the next one sees all that the
-- last sequencer committed.
select true from event_cursor for no key update skip locked;

-- name: await_step
-- Waits for the step of the sequencer that is under way: whatever comes later sees what is
-- committed now. In no transaction with anything else: sequencers skip their turns while it lasts.
select true from event_cursor for share;

-- name: give_positions
-- Gives positions to visible rows in the order of their ids, first to those that came into gaps,
-- and says which. What is not visible below the highest id read is a new gap. Gaps are given up
-- when all transactions that were running when they were closed have ended, and none of their
-- rows were left for the next step. Decision 0023 says why nothing is skipped. At commit every
-- process is told which stores have new events; of more than have room there, that any may.
with cursor as (
    select c.high, c.last_position, c.young, c.old, c.old_seen,
        pg_snapshot_xmin(pg_current_snapshot())
            >= least(c.old_seen, pg_current_xact_id()) as old_are_over
    from event_cursor c
),
seen as materialized (
    select s.id, s.store_id, s.order_id, s.type
    from (
        select come.*
        from cursor
        cross join unnest(cursor.young + cursor.old) as gap (ids)
        cross join lateral (
            select o.id, o.store_id, o.order_id, o.type
            from outbox o
            where o.id >= lower(gap.ids) and o.id < upper(gap.ids)
            order by o.id
            limit :limit
        ) come
        union all
        (
            select o.id, o.store_id, o.order_id, o.type
            from outbox o
            where o.id > (select high from cursor)
            order by o.id
            limit :limit
        )
    ) s
    order by s.id
    limit :limit
),
given as (
    insert into event_positions (store_id, position, event_id, order_id, type)
    select seen.store_id, cursor.last_position + row_number() over (order by seen.id), seen.id,
        seen.order_id, seen.type
    from seen, cursor
),
read as (
    select count(*) as events, coalesce(max(seen.id), 0) as highest,
        coalesce(range_agg(int8range(seen.id, seen.id, '[]')), '{}') as ids,
        case when count(distinct seen.store_id) <= :named
            then string_agg(distinct seen.store_id::text, ' ') else '' end as stores
    from seen
),
rest as (
    select read.events, read.stores, cursor.last_position as before,
        greatest(cursor.high, read.highest) as high,
        int8multirange(int8range(cursor.high, greatest(cursor.high, read.highest), '(]'))
            - read.ids as fresh,
        cursor.young - read.ids as young,
        case when cursor.old_are_over and read.events < :limit then '{}'
            else cursor.old - read.ids end as old
    from cursor, read
)
update event_cursor c
set high = rest.high,
    last_position = rest.before + rest.events,
    young = case when isempty(rest.old) then rest.fresh else rest.young + rest.fresh end,
    old = case when isempty(rest.old) then rest.young else rest.old end,
    old_seen = case when isempty(rest.old) then pg_current_xact_id() else c.old_seen end
from rest
returning rest.events, rest.before + 1 as first, c.last_position as last,
    case when rest.events > 0 then pg_notify('openorders_sequenced', rest.stores) end;

-- name: ring
-- Wakes the sequencers. Waking is no news worth waiting for the disk.
select set_config('synchronous_commit', 'off', true), pg_notify('openorders_events', '');

-- name: read_events
-- A store's next events after a position, or those of one order (primary key, or
-- event_positions_by_order; one of the two halves is never run). At most `scan` positions are
-- looked at, of which those of the wanted types are given back; the last row, without an id, says
-- how many were looked at, up to where, and up to where the store's events are no longer kept.
with looked_at as materialized (
    (
        select p.position, p.event_id, p.type
        from event_positions p
        where :order_id::bigint is null and p.store_id = :store_id and p.position > :after::bigint
        order by p.position
        limit :scan
    )
    union all
    (
        select p.position, p.event_id, p.type
        from event_positions p
        where p.store_id = :store_id and p.order_id = :order_id::bigint
            and p.position > :after::bigint
        order by p.position
        limit :scan
    )
),
chosen as materialized (
    select l.position, l.event_id
    from looked_at l
    where :types::text[] is null or l.type = any(:types::text[])
    order by l.position
    limit :limit
)
select c.position, o.id, o.type, o.at, o.order_id, o.version, o.payload,
    null::bigint as looked, null::bigint as forgotten
from chosen c
join outbox o on o.store_id = :store_id and o.id = c.event_id
union all
select coalesce(max(l.position), :after::bigint), null, null, null, null, null, null, count(l.*),
    (select h.forgotten from event_horizons h where h.store_id = :store_id)
from looked_at l
order by looked nulls first, position;

-- name: read_event
-- One event by its id, if the sequencer has met it.
select p.position, o.id, o.type, o.at, o.order_id, o.version, o.payload
from event_positions p
join outbox o on o.store_id = p.store_id and o.id = p.event_id
where p.store_id = :store_id and p.event_id = :event_id;

-- name: ends
-- Up to which position a store's events are no longer kept, and its last position.
select
    coalesce((select h.forgotten from event_horizons h where h.store_id = :store_id), 0) as first,
    coalesce((
        select max(p.position) from event_positions p where p.store_id = :store_id
    ), 0) as last;

-- name: find_aged
-- The oldest events of each store whose first one is old, as far as none of them is young (primary
-- key, from where the last ones were forgotten: what is left of those in the index costs nothing).
-- One event at a time, since a plan made without the limits would read the whole outbox instead.
select aged.store_id, aged.position, aged.event_id
from (
    select oldest.store_id, oldest.position, oldest.event_id,
        bool_and(o.at < :before::timestamptz)
            over (partition by oldest.store_id order by oldest.position) as all_aged
    from stores s
    left join event_horizons e on e.store_id = s.store_id
    cross join lateral (
        select p.event_id
        from event_positions p
        where p.store_id = s.store_id and p.position > coalesce(e.forgotten, 0)
        order by p.position
        limit 1
    ) head
    join outbox h on h.store_id = s.store_id and h.id = head.event_id
        and h.at < :before::timestamptz
    cross join lateral (
        select p.store_id, p.position, p.event_id
        from event_positions p
        where p.store_id = s.store_id and p.position > coalesce(e.forgotten, 0)
        order by p.position
        limit :limit
    ) oldest
    cross join lateral (
        select o.at
        from outbox o
        where o.store_id = oldest.store_id and o.id = oldest.event_id
        limit 1
    ) o
) aged
where aged.all_aged
order by aged.position
limit :limit;

-- name: forget
-- Deletes events and remembers, per store, that nothing up to there is kept any more.
with aged as (
    select a.store_id, a.position, a.event_id
    from unnest(:store_ids::bigint[], :positions::bigint[], :event_ids::bigint[])
        as a (store_id, position, event_id)
),
remembered as (
    insert into event_horizons as h (store_id, forgotten)
    select a.store_id, max(a.position) from aged a group by a.store_id order by a.store_id
    on conflict (store_id) do update set forgotten = greatest(h.forgotten, excluded.forgotten)
),
unlisted as (
    delete from event_positions p
    using aged a
    where p.store_id = a.store_id and p.position = a.position
)
delete from outbox o
using aged a
where o.store_id = a.store_id and o.id = a.event_id;
