-- name: remember_notice
-- Writes that a notice has its effect in this transaction. No row: it had it before. A twin waits
-- here until the first is committed.
insert into gateway_notices (store_id, gateway, notice_id, at)
values (:store_id, :gateway, :notice_id, :now)
on conflict (store_id, gateway, notice_id) do nothing
returning true;

-- name: forget_notices
-- Deletes notices that came before this time, of any store, a batch at a time
-- (gateway_notices_by_age).
with old as (
    select n.store_id, n.gateway, n.notice_id
    from gateway_notices n
    where n.at < :before
    order by n.at
    limit :limit
    for update skip locked
),
gone as (
    delete from gateway_notices n
    using old
    where n.store_id = old.store_id and n.gateway = old.gateway and n.notice_id = old.notice_id
    returning 1
)
select count(*) from gone;
