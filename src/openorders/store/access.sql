-- name: find_key
-- The key with this hash and the store it belongs to, by the unique index over all stores.
select k.id, k.hash, k.role, k.partner_name, k.customer_id,
    s.store_id, s.name, s.currency, s.time_zone, s.number_prefix, s.policy
from api_keys k
join stores s on s.store_id = k.store_id
where k.hash = :hash::bytea and k.revoked_at is null;

-- name: create_key
-- Keeps the hash of a new key.
insert into api_keys
    (store_id, hash, role, partner_name, customer_id, label, created_at)
values (
    :store_id, :hash::bytea, :role, :partner_name::text, :customer_id::bigint, :label::text,
    :now
)
returning id;

-- name: list_keys
-- Keys, the oldest first; of one store, or of all of them without one.
select k.id, s.name as store, k.role, k.partner_name, k.customer_id, k.label, k.created_at,
    k.revoked_at
from api_keys k
join stores s on s.store_id = k.store_id
where :store_id::bigint is null or k.store_id = :store_id::bigint
order by k.id
limit :limit::int;

-- name: keys_after
-- A store's keys beyond one of them, in the order in which they were made.
select k.id, s.name as store, k.role, k.partner_name, k.customer_id, k.label, k.created_at,
    k.revoked_at
from api_keys k
join stores s on s.store_id = k.store_id
where k.store_id = :store_id and k.id > :after
order by k.id
limit :limit::int;

-- name: key
-- One key of a store, also one that was ended.
select k.id, s.name as store, k.role, k.partner_name, k.customer_id, k.label, k.created_at,
    k.revoked_at
from api_keys k
join stores s on s.store_id = k.store_id
where k.store_id = :store_id and k.id = :id;

-- name: revoke_key_of
-- Ends a key of a store for good; one that was ended before keeps its time.
update api_keys
set revoked_at = coalesce(revoked_at, :now::timestamptz)
where store_id = :store_id and id = :id;

-- name: revoke_key
-- Ends a key for good; one that was ended before keeps its time.
update api_keys
set revoked_at = coalesce(revoked_at, :now::timestamptz)
where id = :id::bigint or hash = :hash::bytea
returning store_id, id, revoked_at = :now::timestamptz as ended_now;

-- name: find_identity
-- The customer that was registered under this issuer and subject, by primary key.
select i.customer_id
from customer_identities i
where i.store_id = :store_id and i.issuer = :issuer and i.subject = :subject;

-- name: introduce_customer
-- What a token says of a customer that it names by number, where the store knows nothing yet. A
-- store that wants its customers registered is told of no new one.
insert into customers (store_id, id, name, email, created_at)
select :store_id, :id, :name::text, :email::text, :now::timestamptz
where :may_register or exists (
    select from customers where store_id = :store_id and id = :id
)
on conflict (store_id, id) do update
set name = coalesce(customers.name, excluded.name),
    email = coalesce(customers.email, excluded.email)
where (customers.name is null and excluded.name is not null)
    or (customers.email is null and excluded.email is not null);
