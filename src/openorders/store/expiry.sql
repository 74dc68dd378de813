-- name: find_unpaid
-- The oldest order that waited for its payment longer than its store allows, of any store; none
-- whose payment is under way (orders_by_word).
select o.store_id, o.id
from stores s
join orders o on o.store_id = s.store_id
where (s.policy ->> 'unpaid_expiry_minutes') is not null
    and o.word = 'payment_pending'
    and o.created_at
        < :now::timestamptz - make_interval(mins => (s.policy ->> 'unpaid_expiry_minutes')::int)
    and o.id <> all(:passed_over::bigint[])
    and not exists (
        select from payments p
        where p.store_id = o.store_id and p.order_id = o.id and p.state = 'started'
    )
order by o.created_at
limit 1;

-- name: forget_keys
-- Deletes idempotency keys that were first used before `before` and not before `since`, a batch at
-- a time (idempotency_keys_by_time); answers up to when. Takes them off the operations that were asked for under them
-- (payment_operations_by_key), so that a key that is used anew means a new request. Waits for no
-- lock: who settles an operation has its row first and its key's after. Rows are found again by
-- their place, since a plan made without the limit would read the whole table instead.
with old as materialized (
    select k.store_id, k.digest, k.claimed_at, k.ctid as place
    from idempotency_keys k
    where k.claimed_at < :before and k.claimed_at >= :since
    order by k.claimed_at
    limit :limit
    for update skip locked
),
named as materialized (
    select o.place, x.place as operation
    from old o
    cross join lateral (
        select x.ctid as place
        from payment_operations x
        where x.store_id = o.store_id and x.key_digest = o.digest
        offset 0
    ) x
),
held as materialized (
    select x.ctid as operation
    from payment_operations x
    where x.ctid = any(array(select n.operation from named n))
    for update skip locked
),
busy as materialized (
    select n.place from named n where n.operation not in (select h.operation from held h)
),
unlinked as (
    update payment_operations x
    set key_digest = null
    where x.ctid = any(array(
        select n.operation from named n where n.place not in (select b.place from busy b)
    ))
),
gone as (
    delete from idempotency_keys k
    where k.ctid = any(array(
        select o.place from old o where o.place not in (select b.place from busy b)
    ))
    returning 1
)
select (select count(*) from gone) as forgotten, (select max(o.claimed_at) from old o) as until;
