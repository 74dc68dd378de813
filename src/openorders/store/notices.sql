-- name: remember_notice
-- Writes that a notice has its effect in this transaction. No row: it had it before. A twin waits
-- here until the first is committed.
insert into gateway_notices (store_id, gateway, notice_id, at)
values (:store_id, :gateway, :notice_id, :now)
on conflict (store_id, gateway, notice_id) do nothing
returning true;

-- name: forget_notices
-- Deletes notices that came before this time, of any store, a batch at a time
-- (gateway_notices_by_age). They are found again by their place, since a plan made without the limit
-- would read the whole table instead.
with gone as (
    delete from gateway_notices n
    where n.ctid = any(array(
        select old.ctid
        from gateway_notices old
        where old.at < :before
        order by old.at
        limit :limit
        for update skip locked
    ))
    returning n.store_id
)
select count(*) from gone;
