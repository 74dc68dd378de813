-- name: insert_method
-- Records that a gateway is about to be asked to keep a card, and what it calls the customer, so
-- that a retry asks for the very same.
insert into saved_methods (store_id, customer_id, gateway, key_digest, created_at, customer)
values (
    :store_id, :customer_id, :gateway, :key_digest::bytea, :now,
    (
        select c.reference
        from gateway_customers c
        where c.store_id = :store_id and c.customer_id = :customer_id and c.gateway = :gateway
    )
)
returning id, customer_id, gateway, customer, reference, card_brand, card_last_four, expires,
    created_at;

-- name: method_of_key
-- The method that was begun under an idempotency key (saved_methods_by_key).
select m.id, m.customer_id, m.gateway, m.customer, m.reference, m.card_brand, m.card_last_four,
    m.expires, m.created_at
from saved_methods m
where m.store_id = :store_id and m.key_digest = :digest::bytea
order by m.id desc
limit 1;

-- name: complete_method
-- Writes under what name the gateway keeps the card.
update saved_methods
set customer = :customer, reference = :reference, card_brand = :card_brand,
    card_last_four = :card_last_four, expires = :expires
where store_id = :store_id and id = :id and forgotten_at is null
returning id, customer_id, gateway, customer, reference, card_brand, card_last_four, expires,
    created_at;

-- name: read_method
-- One method that can be paid with. Primary key.
select m.id, m.customer_id, m.gateway, m.customer, m.reference, m.card_brand, m.card_last_four,
    m.expires, m.created_at
from saved_methods m
where m.store_id = :store_id and m.id = :id and m.reference is not null
    and m.forgotten_at is null;

-- name: methods_of_customer
-- What a customer can pay with, oldest first (saved_methods_by_customer).
select m.id, m.customer_id, m.gateway, m.customer, m.reference, m.card_brand, m.card_last_four,
    m.expires, m.created_at
from saved_methods m
where m.store_id = :store_id and m.customer_id = :customer_id and m.reference is not null
    and m.forgotten_at is null
order by m.id
limit :limit;

-- name: take_turn
-- Lets one at a time add a method to a customer's, until its transaction ends. A statement of its
-- own, so that the next one counts all that the last one committed.
select pg_advisory_xact_lock(
    hashtextextended(
        format('openorders.methods %s %s', :store_id::bigint, :customer_id::bigint), 0
    )
);

-- name: count_methods
-- How many methods a customer has, also those that are only begun (saved_methods_by_customer).
select count(*)
from saved_methods m
where m.store_id = :store_id and m.customer_id = :customer_id and m.forgotten_at is null;

-- name: mark_forgotten
-- The method can no longer be paid with; the gateway is still to be told.
update saved_methods
set forgotten_at = :now
where store_id = :store_id and id = :id and forgotten_at is null and reference is not null
returning gateway, reference;

-- name: remove_method
-- Nobody keeps the card any more.
delete from saved_methods
where store_id = :store_id and id = :id and (forgotten_at is not null or reference is null);

-- name: remember_customer
-- Remembers what a gateway calls a customer; the first name stays.
insert into gateway_customers (store_id, customer_id, gateway, reference)
values (:store_id, :customer_id, :gateway, :reference)
on conflict (store_id, customer_id, gateway) do nothing;

-- name: claim_to_clear
-- Takes methods of any store that are to be let go of, or that were begun and never kept; they are
-- this caller's until `created_at` is past again (saved_methods_to_clear).
with due as (
    select m.store_id, m.id
    from saved_methods m
    where (m.reference is null or m.forgotten_at is not null)
        and coalesce(m.forgotten_at + interval '1 minute', m.created_at + interval '1 day')
            + make_interval(mins => least(m.tries * m.tries, 1440)) < :now
    order by m.created_at
    limit :limit
    for update skip locked
)
update saved_methods m
set tries = m.tries + 1
from due
where m.store_id = due.store_id and m.id = due.id
returning m.store_id, m.id, m.gateway, m.reference;
