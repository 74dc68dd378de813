-- name: save_orders
-- Writes what changed of orders that are locked. The version in the condition is a second
-- guard: a row that is missing from the answer was changed behind our back.
update orders o
set progress = r.progress, payment = r.payment, fulfilment = r.fulfilment,
    payment_asked = r.payment_asked, subtotal = r.subtotal, discount = r.discount,
    shipping = r.shipping, tax = r.tax, total = r.total, taxes = r.taxes,
    shipping_address = r.shipping_address, shipment = r.shipment,
    cancellation = r.cancellation, payment_method = r.payment_method,
    payment_gateway = r.payment_gateway, updated_at = r.updated_at,
    completed_at = r.completed_at, version = r.version
from jsonb_to_recordset(:rows::jsonb) as r (
    id bigint, known_version int, progress text, payment text, fulfilment text,
    payment_asked boolean, subtotal bigint, discount bigint, shipping bigint, tax bigint,
    total bigint, taxes jsonb, shipping_address jsonb, shipment jsonb, cancellation jsonb,
    payment_method text, payment_gateway text, updated_at timestamptz,
    completed_at timestamptz, version int
)
where o.store_id = :store_id and o.id = r.id and o.version = r.known_version
returning o.id;

-- name: save_lines
-- Writes the states of lines that changed.
update order_lines l
set state = r.state
from unnest(:order_ids::bigint[], :ids::bigint[], :states::text[]) as r (order_id, id, state)
where l.store_id = :store_id and l.order_id = r.order_id and l.id = r.id;

-- name: add_history
-- Adds to the history of orders.
insert into order_history (store_id, order_id, position, word, actor, contract, reason, at)
select :store_id, r.order_id, r.position, r.word, r.actor, r.contract, r.reason, r.at
from jsonb_to_recordset(:rows::jsonb) as r (
    order_id bigint, position int, word text, actor text, contract text, reason text,
    at timestamptz
);

-- name: add_events
-- Writes what is to be told to the outside, in the order in which it happened.
insert into outbox (store_id, order_id, version, type, payload, at)
select :store_id, r.order_id, r.version, r.type, r.payload, r.at
from unnest(
    :order_ids::bigint[], :versions::int[], :types::text[], :payloads::bytea[],
    :times::timestamptz[]
) with ordinality as r (order_id, version, type, payload, at, place)
order by r.place;
