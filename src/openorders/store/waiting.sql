-- name: await_buyer
-- A payment waits for its buyer, or for a bank. The token has done its work and is forgotten.
update payments
set state = 'pending', token = null, action_url = :action_url,
    reference = coalesce(:reference::text, reference)
where store_id = :store_id and id = :id and state in ('started', 'pending')
returning id;

-- name: close_opening
-- The call that opened a payment ends without money, since the payment was given up.
update payment_operations
set state = 'failed', failure = :failure, settled_at = :now
where store_id = :store_id and payment_id = :payment_id and kind in ('charge', 'authorise')
    and state = 'started'
returning id;

-- name: opening_of
-- The call that opened a payment (payment_operations_by_payment).
select x.id
from payment_operations x
where x.store_id = :store_id and x.payment_id = :payment_id
    and x.kind in ('charge', 'authorise')
order by x.id
limit 1;

-- name: take_look
-- Lets one caller at a time ask what became of a payment that waits, not more often than this.
update payments
set looked_at = :now
where store_id = :store_id and id = :id and state = 'pending'
    and (looked_at is null or looked_at < :before)
returning id;

-- name: open_void
-- The call by which a payment is being given up, when there is one (payment_operations_by_payment).
select x.id
from payment_operations x
where x.store_id = :store_id and x.payment_id = :payment_id and x.kind = 'void'
    and x.state = 'started'
order by x.id
limit 1;

-- name: undo_refund
-- A refund that a gateway had made has failed after all.
update payment_operations
set state = 'failed', failure = :failure, settled_at = :now
where store_id = :store_id and id = :id and kind = 'refund' and state = 'succeeded'
returning id;

-- name: record_lapse
-- A gateway let go of a reservation by itself: the same as a void that it was asked for.
insert into payment_operations (
    store_id, payment_id, order_id, kind, amount, state, reason, reference, actor, contract,
    due_at, created_at, settled_at
)
values (
    :store_id, :payment_id, :order_id, 'void', :amount, 'succeeded', :reason, :reference,
    'gateway', 'system', :now, :now, :now
);

-- name: learn_card
-- Which card a payment was made with, where the first news of it did not say.
update payments
set card_brand = :card_brand, card_last_four = :card_last_four
where store_id = :store_id and id = :id and card_brand is null;
