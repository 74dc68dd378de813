-- name: stream_at_once
-- Settings of this transaction for a table that is sent while it is read: no sort and no hash
-- table that would have to be complete before the first row, times written in UTC, and a limit
-- that lets a slow reader finish.
select set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('enable_sort', 'off', true),
    set_config('enable_hashjoin', 'off', true),
    set_config('max_parallel_workers_per_gather', '0', true),
    set_config('jit', 'off', true),
    set_config('TimeZone', 'UTC', true),
    set_config('DateStyle', 'ISO', true),
    set_config('statement_timeout', :most_ms::text, true);

-- name: stream_in_parallel
-- Let the server's spare processes read and render rows, as many as there are, down to none. Rows
-- are nearly all that is done here, so that passing them on must not seem dear to the planner. In
-- no order, customers may be hashed before the first row: nothing else is joined then.
select set_config('max_parallel_workers_per_gather', '2', true),
    set_config('parallel_tuple_cost', '0', true),
    set_config('parallel_setup_cost', '0', true),
    set_config('enable_hashjoin', :hashed::text, true);

-- name: has_more_orders
-- Whether the store has more orders than so many; it counts no further.
select count(*) > :most::bigint
from (
    select 1 from orders o where o.store_id = :store_id limit :most::bigint + 1
) found;

-- name: rows_per_order
-- A table with a row for each order, the oldest first, by `orders_by_time` or the index of what is
-- asked for. `store.exports` puts the cells and the condition where the remarks are, and leaves
-- out the order where there is to be none; a join that no cell needs the planner leaves out.
select /* cells */ o.id
from orders o
left join customers c on c.store_id = o.store_id and c.id = o.customer_id
where o.store_id = :store_id /* condition */
/* order */ order by o.created_at, o.id;

-- name: rows_per_line
-- The same with a row for each line of the orders.
select /* cells */ l.id
from orders o
left join customers c on c.store_id = o.store_id and c.id = o.customer_id
join order_lines l on l.store_id = o.store_id and l.order_id = o.id
where o.store_id = :store_id /* condition */
/* order */ order by o.created_at, o.id, l.position;

-- name: count_orders
-- How many rows the first of these tables has.
select count(*)
from orders o
where o.store_id = :store_id /* condition */;

-- name: count_lines
-- How many rows the second one has.
select count(*)
from orders o
join order_lines l on l.store_id = o.store_id and l.order_id = o.id
where o.store_id = :store_id /* condition */;
