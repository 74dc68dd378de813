-- name: find_unpaid
-- The oldest order that waited for its payment longer than its store allows, of any store; none
-- whose payment is under way (orders_awaiting_payment).
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
-- Deletes idempotency keys that were first used before `before`, a batch at a time, and what
-- refers to them, so that a key that is used anew means a new request.
with old as (
    select k.store_id, k.digest
    from idempotency_keys k
    where k.claimed_at < :before
    order by k.claimed_at
    limit :limit
    for update skip locked
),
gone as (
    delete from idempotency_keys k
    using old
    where k.store_id = old.store_id and k.digest = old.digest
    returning k.store_id, k.digest
),
unlinked as (
    update payment_operations x
    set key_digest = null
    from gone
    where x.store_id = gone.store_id and x.key_digest = gone.digest
)
select count(*) from gone;
