-- name: begin_call
-- Takes a key for a call. A twin waits here until the first is complete. No row: it is taken.
insert into sandbox_calls (store_id, gateway, idempotency_key, kind, request, outcome, at)
values (:store_id, :gateway, :key, :kind, :request, '', :now)
on conflict (store_id, gateway, idempotency_key) do nothing
returning true;

-- name: find_call
-- The call that once arrived with a key.
select c.kind, c.request, c.outcome
from sandbox_calls c
where c.store_id = :store_id and c.gateway = :gateway and c.idempotency_key = :key;

-- name: answer_call
-- Remembers what is answered to a call.
update sandbox_calls
set outcome = :outcome
where store_id = :store_id and gateway = :gateway and idempotency_key = :key;

-- name: open_charge
-- Enters a new payment into the sandbox's books.
insert into sandbox_charges (
    store_id, gateway, order_id, amount, currency, captured, card_brand, card_last_four, at
)
values (
    :store_id, :gateway, :order_id, :amount, :currency, :captured, :card_brand,
    :card_last_four, :now
)
returning id;

-- name: hold_charge
-- A payment of the account, held until the entry is complete.
select c.id, c.order_id, c.amount, c.currency, c.captured, c.refunded, c.voided, c.card_brand,
    c.card_last_four
from sandbox_charges c
where c.store_id = :store_id and c.gateway = :gateway and c.id = :id
for no key update;

-- name: change_charge
-- Enters what a payment has become.
update sandbox_charges
set captured = :captured, refunded = :refunded, voided = :voided
where store_id = :store_id and gateway = :gateway and id = :id;

-- name: charges_of_order
-- What the sandbox says was charged for an order; the order book itself never asks this.
select c.id, c.order_id, c.amount, c.currency, c.captured, c.refunded, c.voided, c.card_brand,
    c.card_last_four
from sandbox_charges c
where c.store_id = :store_id and c.order_id = :order_id
order by c.id;
