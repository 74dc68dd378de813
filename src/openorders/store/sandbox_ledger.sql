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
    store_id, gateway, idempotency_key, order_id, amount, currency, captured, card_brand,
    card_last_four, at
)
values (
    :store_id, :gateway, :key, :order_id, :amount, :currency, :captured, :card_brand,
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

-- name: name_card
-- Enters which card a payment was made with.
update sandbox_charges
set card_brand = :brand, card_last_four = :last_four
where store_id = :store_id and gateway = :gateway and id = :id;

-- name: opened_charges
-- Payments of the account that were opened in a time, by their numbers.
select c.id, c.order_id, c.amount, c.currency, c.captured, c.refunded, c.voided, c.card_brand,
    c.card_last_four, c.idempotency_key as key, c.at,
    not c.voided and coalesce(p.state, 'accepted') = 'accepted' as held
from sandbox_charges c
left join sandbox_pages p on p.store_id = c.store_id and p.charge_id = c.id
where c.store_id = :store_id and c.gateway = :gateway
    and c.at >= :since and c.at < :until and c.id > :after
order by c.id
limit :limit;

-- name: open_page
-- Lets a buyer decide about a payment.
insert into sandbox_pages (store_id, gateway, token, charge_id, kind, captures, return_url, at)
values (:store_id, :gateway, :token, :charge_id, :kind, :captures, :return_url, :now);

-- name: find_page
-- The page with a token.
select p.token, p.charge_id, c.order_id, c.amount, c.currency, p.kind, p.captures, p.state,
    p.return_url
from sandbox_pages p
join sandbox_charges c on c.store_id = p.store_id and c.id = p.charge_id
where p.store_id = :store_id and p.gateway = :gateway and p.token = :token;

-- name: page_of_charge
-- The page of a payment.
select p.token, p.charge_id, c.order_id, c.amount, c.currency, p.kind, p.captures, p.state,
    p.return_url
from sandbox_pages p
join sandbox_charges c on c.store_id = p.store_id and c.id = p.charge_id
where p.store_id = :store_id and p.gateway = :gateway and p.charge_id = :charge_id;

-- name: close_page
-- Enters what became of a page; its payment is held by who asks.
update sandbox_pages
set state = :state
where store_id = :store_id and gateway = :gateway and token = :token;

-- name: keep_method
-- Keeps a card of a buyer. No row: the key kept one before.
insert into sandbox_methods (store_id, gateway, idempotency_key, customer, token, at)
values (:store_id, :gateway, :key, :customer, :token, :now)
on conflict (store_id, gateway, idempotency_key) do nothing
returning id, customer, token;

-- name: method_of_key
-- The card that a key kept before.
select m.id, m.customer, m.token
from sandbox_methods m
where m.store_id = :store_id and m.gateway = :gateway and m.idempotency_key = :key;

-- name: find_method
-- A card that was kept.
select m.id, m.customer, m.token
from sandbox_methods m
where m.store_id = :store_id and m.gateway = :gateway and m.id = :id;

-- name: forget_method
-- Lets go of a card.
delete from sandbox_methods
where store_id = :store_id and gateway = :gateway and id = :id;
