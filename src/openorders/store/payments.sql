-- name: insert_attempt
-- Records an attempt to take money and the call that is about to be made for it. No row: the
-- order has an open attempt already (one_open_attempt_per_order).
with attempt as (
    insert into payments (
        store_id, order_id, gateway, method, token, amount, currency, state, return_url,
        customer, page, created_at
    )
    values (
        :store_id, :order_id, :gateway, :method, :token, :amount, :currency, 'started',
        :return_url, :customer, :page, :now::timestamptz
    )
    on conflict (store_id, order_id) where state in ('started', 'pending') do nothing
    returning id
)
insert into payment_operations (
    store_id, payment_id, order_id, kind, amount, state, actor, contract, key_digest, due_at,
    created_at
)
select :store_id, attempt.id, :order_id, :kind, :amount, 'started', :actor, :contract,
    :key_digest::bytea, :due_at, :now::timestamptz
from attempt
returning payment_id, id as operation_id;

-- name: attempt_of_key
-- The attempt that was begun under an idempotency key (payment_operations_by_key).
select p.id as payment_id, x.id as operation_id, p.order_id, p.state, p.decline_code,
    p.decline_message
from payment_operations x
join payments p on p.store_id = x.store_id and p.id = x.payment_id
where x.store_id = :store_id and x.key_digest = :digest::bytea
    and x.kind in ('charge', 'authorise')
order by x.id desc
limit 1;

-- name: operations_of_key
-- The refunds, captures and voids that were decided under an idempotency key, in the order in
-- which they were recorded (payment_operations_by_key).
select x.id
from payment_operations x
where x.store_id = :store_id and x.key_digest = :digest::bytea
    and x.kind in ('refund', 'capture', 'void')
order by x.id;

-- name: insert_operations
-- Records what gateways are going to be asked for, in the order given.
insert into payment_operations (
    store_id, payment_id, order_id, kind, amount, state, reason, refund_id, actor, contract,
    due_at, created_at
)
select :store_id, r.payment_id, :order_id, r.kind, r.amount, 'started', r.reason,
    case r.kind when 'refund' then :refund_id::bigint end, :actor, :contract, :due_at, :now
from unnest(:payment_ids::bigint[], :kinds::text[], :amounts::bigint[], :reasons::text[])
    with ordinality as r (payment_id, kind, amount, reason, place)
order by r.place
returning id;

-- name: insert_taken_elsewhere
-- Records a payment that was taken elsewhere, complete from the start.
with attempt as (
    insert into payments (
        store_id, order_id, gateway, method, amount, currency, state, captured, reference,
        created_at, settled_at
    )
    values (
        :store_id, :order_id, :gateway, :method, :amount, :currency, 'captured', :amount,
        :reference, :now::timestamptz, :now::timestamptz
    )
    returning id
)
insert into payment_operations (
    store_id, payment_id, order_id, kind, amount, state, reason, reference, actor, contract,
    due_at, created_at, settled_at
)
select :store_id, attempt.id, :order_id, 'charge', :amount, 'succeeded', :reason, :reference,
    :actor, :contract, :now::timestamptz, :now::timestamptz, :now::timestamptz
from attempt
returning payment_id;

-- name: payments_of_order
-- All attempts to take money for an order, oldest first (payments_by_order).
select p.id, p.gateway, p.method, p.amount, p.state, p.captured, p.refunded, x.refunding,
    x.ending, p.reference, p.card_brand, p.card_last_four, p.decline_code, p.action_url, p.created_at,
    p.settled_at
from payments p
cross join lateral (
    select coalesce(sum(x.amount) filter (where x.kind = 'refund'), 0)::bigint as refunding,
        coalesce(bool_or(x.kind in ('capture', 'void')), false) as ending
    from payment_operations x
    where x.store_id = p.store_id and x.payment_id = p.id and x.state = 'started'
) as x
where p.store_id = :store_id and p.order_id = :order_id
order by p.id;

-- name: last_decline
-- Why the latest attempt for an order failed, in words for its buyer (payments_by_order).
select p.decline_message
from payments p
where p.store_id = :store_id and p.order_id = :order_id
order by p.id desc
limit 1;

-- name: read_operation
-- One operation with the payment it belongs to. Primary keys.
select x.id, x.payment_id, x.order_id, x.kind, x.amount, x.state, x.reason, x.failure, x.tries,
    x.actor, x.contract, x.created_at, x.settled_at, x.refund_id,
    p.gateway, p.token, p.currency, p.reference, p.amount as payment_amount,
    p.state as payment_state, p.captured, p.refunded, p.decline_code, p.decline_message,
    p.action_url, p.return_url, p.customer, p.page
from payment_operations x
join payments p on p.store_id = x.store_id and p.id = x.payment_id
where x.store_id = :store_id and x.id = :id;

-- name: lock_operation
-- The same, held until the transaction ends. The order's row is locked before.
select x.id, x.payment_id, x.order_id, x.kind, x.amount, x.state, x.reason, x.failure, x.tries,
    x.actor, x.contract, x.created_at, x.settled_at, x.refund_id,
    p.gateway, p.token, p.currency, p.reference, p.amount as payment_amount,
    p.state as payment_state, p.captured, p.refunded, p.decline_code, p.decline_message,
    p.action_url, p.return_url, p.customer, p.page
from payment_operations x
join payments p on p.store_id = x.store_id and p.id = x.payment_id
where x.store_id = :store_id and x.id = :id
for no key update of p, x;

-- name: lock_pending
-- Holds an order that is not visible yet, so that only one caller settles its charge.
select true
from pending_orders o
where o.store_id = :store_id and o.order_id = :order_id
for update;

-- name: settle_operation
-- Writes what became of a call. A failure of ours may still turn out to have succeeded.
update payment_operations
set state = :state, reference = :reference, failure = :failure, settled_at = :now
where store_id = :store_id and id = :id and state <> 'succeeded'
returning id;

-- name: settle_payment
-- Writes what became of a payment. The buyer's token has done its work and is forgotten.
update payments
set state = :state, captured = :captured, refunded = :refunded, token = null,
    reference = coalesce(:reference::text, reference),
    card_brand = coalesce(:card_brand::text, card_brand),
    card_last_four = coalesce(:card_last_four::text, card_last_four),
    decline_code = :decline_code, decline_message = :decline_message,
    settled_at = coalesce(settled_at, :now)
where store_id = :store_id and id = :id
returning id;

-- name: claim_due
-- Takes open operations of all stores whose time has come, the longest due first; whoever takes
-- them has them until `again` (payment_operations_open).
with due as (
    select x.store_id, x.id
    from payment_operations x
    where x.state = 'started' and x.due_at <= :now
    order by x.due_at
    limit :limit
    for update skip locked
)
update payment_operations x
set due_at = :again
from due
where x.store_id = due.store_id and x.id = due.id
returning x.store_id, x.id;

-- name: postpone_operation
-- The gateway did not answer: ask again later.
update payment_operations
set due_at = :due_at, tries = tries + 1
where store_id = :store_id and id = :id and state = 'started';

-- name: sum_of_operations
-- How much these operations move, those apart that failed.
select coalesce(sum(x.amount), 0)::bigint
from payment_operations x
where x.store_id = :store_id and x.id = any(:ids::bigint[]) and x.state <> 'failed';

-- name: stamp_key
-- Remembers under which idempotency key operations were decided.
update payment_operations
set key_digest = :digest::bytea
where store_id = :store_id and id = any(:ids::bigint[]);

-- name: await_payment
-- The order shows that a payment is under way.
update orders
set payment = 'pending', version = version + 1, updated_at = greatest(updated_at, :now)
where store_id = :store_id and id = :id and payment in ('none', 'failed');
