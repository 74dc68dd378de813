-- concurrently: lists and searches of a store with a million orders, each in an index's own order
-- There are as many indexes on orders afterwards as before. What each list reads is told in
-- `docs/decisions/0031-lists-at-a-million.md`.

-- Lists by id of one word, and the one index that has enough columns to count by: whatever a
-- search asks of orders, it need not read them.
create index concurrently orders_by_word_and_id
    on orders (store_id, word, id)
    include (total, customer_id, created_at, updated_at, minor_digits, currency, payment_method);

-- Sorted by total or by change: one word's orders are in order, and all orders are those of nine
-- words side by side.
create index concurrently orders_by_word_and_total on orders (store_id, word, total, id);
create index concurrently orders_by_word_and_update on orders (store_id, word, updated_at, id);
drop index concurrently orders_by_total;
drop index concurrently orders_by_update;

-- One customer's orders, also counted and sorted by word and total.
create index concurrently orders_by_customer_and_time
    on orders (store_id, customer_id, created_at, id) include (word, total);
drop index concurrently orders_by_customer;

-- `orders_by_word` has those that await payment in the same order.
drop index concurrently orders_awaiting_payment;

-- Orders that have a line like this, found from the side of the lines.
create index concurrently order_lines_by_variant_and_order
    on order_lines (store_id, variant_id, order_id) include (quantity, unit_price);
drop index concurrently order_lines_by_variant;
