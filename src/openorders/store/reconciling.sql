-- name: next_run
-- A number for one comparison of a store's books with a gateway's; :store_id only says whose.
select nextval('comparison_runs') as run, :store_id::bigint as store_id;

-- name: add_entries
-- Keeps entries of a gateway's books until they are compared. One that is listed twice counts once.
insert into compared_entries (
    store_id, run, reference, operation_id, operation_second, currency, authorised, captured,
    refunded, at, read_at
)
select :store_id, :run, r.reference, r.operation_id, r.operation_second, r.currency, r.authorised,
    r.captured, r.refunded, r.at, :now
from unnest(
    :references::text[], :operation_ids::bigint[], :operation_seconds::bigint[],
    :currencies::text[], :authorised::bigint[], :captured::bigint[], :refunded::bigint[],
    :times::timestamptz[]
) as r (
    reference, operation_id, operation_second, currency, authorised, captured, refunded, at
)
on conflict (store_id, run, reference) do nothing;

-- name: tell_the_planner
-- The entries have only just come, and how they are joined decides between seconds and hours.
analyze compared_entries, payments, payment_operations;

-- name: plan_for_the_values
-- Plans the statements of this transaction for what is there now, not for what once was.
select set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: unlike_there
-- Payments of ours from `since` until `until`, with the gateway's entry where it says something
-- else or is not there, oldest first. What is under way, or was when the reading began, is left
-- out. An entry is found by its reference, else by the key of the call that opened the payment.
with ours as (
    select p.id, p.order_id, p.reference, p.currency, p.captured, p.refunded,
        case when p.state in ('authorised', 'captured') then p.amount else 0 end as authorised,
        x.id as operation_id, extract(epoch from date_trunc('second', x.created_at))::bigint
            as operation_second
    from payments p
    join lateral (
        select x.id, x.created_at
        from payment_operations x
        where x.store_id = p.store_id and x.payment_id = p.id
            and x.kind in ('charge', 'authorise')
        order by x.id
        limit 1
    ) x on true
    where p.store_id = :store_id and p.gateway = :gateway
        and p.created_at >= :since and p.created_at < :until
        and not exists (
            select from payment_operations w
            where w.store_id = p.store_id and w.payment_id = p.id
                and (w.state = 'started' or w.settled_at >= :began)
        )
)
select o.id, o.order_id, coalesce(e.reference, o.reference) as reference,
    e.reference is not null as is_there,
    o.currency, o.authorised, o.captured, o.refunded,
    coalesce(e.currency, '') as their_currency, coalesce(e.authorised, 0) as their_authorised,
    coalesce(e.captured, 0) as their_captured, coalesce(e.refunded, 0) as their_refunded
from ours o
left join lateral (
    select e.*
    from compared_entries e
    where e.store_id = :store_id and e.run = :run and (
        e.reference = o.reference
        or (e.operation_id = o.operation_id and e.operation_second = o.operation_second)
    )
    order by e.reference = o.reference desc nulls last, e.captured desc, e.reference
    limit 1
) e on true
where case
    when e.reference is null then o.authorised > 0 or o.captured > 0
    else e.currency <> o.currency or e.authorised <> o.authorised
        or e.captured <> o.captured or e.refunded <> o.refunded
end
order by o.id;

-- name: unknown_here
-- Entries of the gateway from `since` until `until` with money in them that no payment of ours
-- knows of. A payment whose name we never learnt knows its entry by the key of its call, and so
-- does one that is under way.
select e.reference, e.currency, e.authorised, e.captured, e.refunded
from compared_entries e
where e.store_id = :store_id and e.run = :run and e.at >= :since and e.at < :until
    and (e.authorised > 0 or e.captured > 0)
    and not exists (
        select from payments p
        where p.store_id = :store_id and p.gateway = :gateway and p.reference = e.reference
    )
    and not exists (
        select from payment_operations x
        join payments p on p.store_id = x.store_id and p.id = x.payment_id
        where x.store_id = :store_id and x.id = e.operation_id and p.gateway = :gateway
            and extract(epoch from date_trunc('second', x.created_at))::bigint
                = e.operation_second
            and (p.reference is null or exists (
                select from payment_operations w
                where w.store_id = p.store_id and w.payment_id = p.id
                    and (w.state = 'started' or w.settled_at >= :began)
            ))
    )
order by e.at, e.reference;

-- name: drop_entries
-- Deletes a batch of a run's entries. How many there were.
with gone as (
    delete from compared_entries e
    where e.store_id = :store_id and e.run = :run and e.reference in (
        select f.reference from compared_entries f
        where f.store_id = :store_id and f.run = :run
        limit :limit
    )
    returning 1
)
select count(*) from gone;

-- name: drop_old_entries
-- Deletes entries that a run left behind which did not come to its end (compared_entries_by_age).
delete from compared_entries e where e.store_id = :store_id and e.read_at < :before;
