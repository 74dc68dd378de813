-- name: move_stock
-- Moves stock for an order and writes it into the ledger, rows locked in the order of their ids.
-- Gives back what is short of a reservation; then nothing is moved. Variants that are not
-- counted are passed over.
with wanted as (
    select w.variant_id, sum(w.quantity)::bigint as quantity
    from unnest(:variant_ids::bigint[], :quantities::bigint[]) as w (variant_id, quantity)
    group by w.variant_id
),
held as (
    select s.variant_id, s.on_hand, s.reserved, s.on_hand - s.reserved as available
    from stock s
    where s.store_id = :store_id and s.variant_id in (select variant_id from wanted)
    order by s.variant_id
    for no key update
),
short as (
    select held.variant_id, held.available
    from held join wanted using (variant_id)
    where :kind::text = 'reserve' and held.available < wanted.quantity
),
moved as (
    -- From the rows as they were locked; `place_orders` says why.
    update stock s
    set on_hand = held.on_hand + case :kind::text
            when 'ship' then -wanted.quantity when 'return' then wanted.quantity else 0 end,
        reserved = held.reserved + case :kind::text
            when 'reserve' then wanted.quantity when 'return' then 0 else -wanted.quantity end
    from wanted join held using (variant_id)
    where s.store_id = :store_id and s.variant_id = wanted.variant_id
        and not exists (select from short)
    returning s.variant_id
),
ledger as (
    insert into stock_movements (store_id, kind, order_id, variant_ids, quantities, at)
    select :store_id, :kind::text, :order_id::bigint, array_agg(wanted.variant_id),
        array_agg(wanted.quantity), :at::timestamptz
    from wanted join held using (variant_id)
    where not exists (select from short)
    having count(*) > 0
)
select variant_id, available from short order by variant_id;

-- name: lock_stock
-- Locks stock rows in the order of their ids, ahead of several moves in one transaction.
select s.variant_id
from stock s
where s.store_id = :store_id and s.variant_id = any(:variant_ids::bigint[])
order by s.variant_id
for no key update;
