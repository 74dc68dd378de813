-- name: list_stores
-- Every store, in the order in which they were made. There are few.
select s.store_id, s.name, s.currency, s.time_zone, s.number_prefix, s.policy
from stores s
order by s.store_id;

-- name: read_store
-- The store of that id, by its primary key.
select s.store_id, s.name, s.currency, s.time_zone, s.number_prefix, s.policy
from stores s
where s.store_id = :store_id;

-- name: find_store
-- The store of that name, by its unique index.
select s.store_id, s.name, s.currency, s.time_zone, s.number_prefix, s.policy
from stores s
where s.name = :name::text;

-- name: find_only_stores
-- The first two stores: one row means that there is no doubt which is meant.
select s.store_id, s.name, s.currency, s.time_zone, s.number_prefix, s.policy
from stores s
order by s.store_id
limit 2;

-- name: find_stores_of_token
-- The stores that take tokens of this issuer for one of these audiences (stores_by_token).
select s.store_id, s.name, s.currency, s.time_zone, s.number_prefix, s.policy
from stores s
where s.policy #>> '{jwt,issuer}' = :issuer::text
    and s.policy #>> '{jwt,audience}' = any(:audiences::text[])
order by s.store_id
limit 2;

-- name: lock_store
-- The store of that name, to be changed: nobody else changes it until the transaction ends.
select s.store_id, s.name, s.currency, s.time_zone, s.number_prefix, s.policy
from stores s
where s.name = :name::text
for no key update;

-- name: create_store
-- Makes a store. No row: the name is taken.
insert into stores
    (name, currency, minor_digits, time_zone, number_prefix, policy, created_at)
values
    (:name, :currency, :minor_digits, :time_zone, :number_prefix, :policy::jsonb, :now)
on conflict (name) do nothing
returning store_id;

-- name: open_order_numbers
-- The store's own running number, from 1.
select open_order_numbers(:store_id::bigint);

-- name: change_store
-- Writes a store that was locked.
update stores
set name = :name, currency = :currency, minor_digits = :minor_digits, time_zone = :time_zone,
    number_prefix = :number_prefix, policy = :policy::jsonb
where store_id = :store_id;

-- name: has_amounts
-- Whether there are prices or orders in the store's currency already (primary keys: a plain
-- `exists` would be planned as a scan).
select (
        select v.id from variants v where v.store_id = :store_id::bigint order by v.id limit 1
    ) is not null
    or (
        select o.id from orders o where o.store_id = :store_id::bigint order by o.id limit 1
    ) is not null;

-- name: announce_change
-- Tells every process, at commit, that a store or one of its keys is not what it was.
select pg_notify('access_changed', :store_id::bigint::text);
