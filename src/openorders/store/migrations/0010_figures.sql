-- How many orders a store has, and what they come to, by day and word: exact at once, and without a
-- row that two orders would wait for. Whoever writes an order adds a row to `figure_changes`, a step
-- beside the requests folds those rows into the tables of figures, and who reads adds both up.

-- What happened to orders and is not folded yet; rows are only added, and deleted by who folds them.
-- `at` is when the order was placed, to the second: in which day that is depends on the time zone of
-- the store, which whoever writes an order need not know.
create table figure_changes (
    store_id bigint not null,
    id bigint not null generated always as identity,
    at timestamptz not null,
    word text not null,
    orders bigint not null,
    total numeric not null,
    primary key (store_id, id)
) with (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 1000000
);

create table order_figures (
    store_id bigint not null,
    day date not null,
    word text not null,
    orders bigint not null,
    total numeric not null,
    primary key (store_id, day, word)
) with (fillfactor = 70);

create table order_counts (
    store_id bigint not null,
    word text not null,
    orders bigint not null,
    primary key (store_id, word)
) with (fillfactor = 20);

-- The time zone whose days the figures of a store are of; null while there are none. Changes below
-- `mark` are folded, all of them, so that nobody looks below it: what was deleted there costs
-- nothing. `next_mark` is where the mark goes when every transaction is over that had a number
-- when transaction `next_seen` began. The row is also the lock of who folds.
create table figure_stores (
    store_id bigint primary key references stores on delete cascade,
    zone text,
    mark bigint not null default 0,
    next_mark bigint,
    next_seen xid8,
    check ((next_mark is null) = (next_seen is null))
) with (fillfactor = 20);

-- What is read before it is folded is read by functions that use no other way than the primary
-- key: a plan that was made when next to nothing was in `figure_changes` would read all that was
-- deleted in it since. Each sees what the statement sees that calls it.

-- How many changes from an id on there are, counted no further than `most`.
create function changes_waiting(store bigint, since bigint, most bigint) returns bigint
language plpgsql stable set enable_seqscan = off as $$
begin
    return (
        select count(*)
        from (
            select from figure_changes c where c.store_id = store and c.id >= since limit most
        ) c
    );
end $$;

-- What has to be added to a store's figures to be those of now: the changes since; all orders
-- while there are no figures.
create function figures_since(store bigint)
returns table (day date, word text, orders bigint, total numeric)
language plpgsql stable set enable_seqscan = off as $$
declare
    folded record;
begin
    select f.zone, f.mark into folded from figure_stores f where f.store_id = store;
    if folded.zone is not null then
        return query
        select (c.at at time zone folded.zone)::date, c.word, c.orders, c.total
        from figure_changes c
        where c.store_id = store and c.id >= folded.mark;
    else
        return query
        select (o.created_at at time zone s.time_zone)::date as day, o.word, count(*), sum(o.total)
        from stores s
        join orders o on o.store_id = s.store_id
        where s.store_id = store
        group by (o.created_at at time zone s.time_zone)::date, o.word;
    end if;
end $$;

-- How many orders a store has, those with these words or (null) all.
create function count_orders(store bigint, words text[]) returns bigint
language plpgsql stable set enable_seqscan = off as $$
declare
    folded record;
begin
    select f.zone, f.mark into folded from figure_stores f where f.store_id = store;
    if folded.zone is null then
        return (
            select count(*) from orders o
            where o.store_id = store and (words is null or o.word = any(words))
        );
    end if;
    return coalesce((
        select sum(c.orders) from order_counts c
        where c.store_id = store and (words is null or c.word = any(words))
    ), 0) + coalesce((
        select sum(c.orders) from figure_changes c
        where c.store_id = store and c.id >= folded.mark
            and (words is null or c.word = any(words))
    ), 0);
end $$;

create function note_new_orders() returns trigger language plpgsql as $$
begin
    insert into figure_changes (store_id, at, word, orders, total)
    select n.store_id, date_trunc('second', n.created_at), n.word, count(*), sum(n.total)
    from noted n
    group by n.store_id, date_trunc('second', n.created_at), n.word;
    return null;
end $$;

create function note_deleted_orders() returns trigger language plpgsql as $$
begin
    insert into figure_changes (store_id, at, word, orders, total)
    select n.store_id, date_trunc('second', n.created_at), n.word, -count(*), -sum(n.total)
    from noted n
    group by n.store_id, date_trunc('second', n.created_at), n.word;
    return null;
end $$;

create function note_changed_order() returns trigger language plpgsql as $$
begin
    insert into figure_changes (store_id, at, word, orders, total)
    values
        (old.store_id, date_trunc('second', old.created_at), old.word, -1, -old.total),
        (new.store_id, date_trunc('second', new.created_at), new.word, 1, new.total);
    return null;
end $$;

-- Computes the figures of a store from its orders. Changes that the same snapshot sees are in those
-- orders; what others write meanwhile is in neither, and folded later. Raises an error when the
-- database does not know the store's time zone.
create function rebuild_order_figures(store bigint) returns void language plpgsql as $$
declare
    days_of text;
begin
    insert into figure_stores (store_id) values (store) on conflict do nothing;
    perform from figure_stores f where f.store_id = store for no key update;
    select s.time_zone into strict days_of from stores s where s.store_id = store;
    delete from order_figures f where f.store_id = store;
    delete from order_counts c where c.store_id = store;
    with gone as (
        delete from figure_changes c where c.store_id = store
    ),
    figures as (
        insert into order_figures (store_id, day, word, orders, total)
        select store, (o.created_at at time zone days_of)::date, o.word, count(*), sum(o.total)
        from orders o
        where o.store_id = store
        group by (o.created_at at time zone days_of)::date, o.word
        returning word, orders
    )
    insert into order_counts (store_id, word, orders)
    select store, f.word, sum(f.orders) from figures f group by f.word;
    update figure_stores f
    set zone = days_of, mark = 0, next_mark = null, next_seen = null
    where f.store_id = store;
end $$;

create function open_order_figures() returns trigger language plpgsql as $$
begin
    insert into figure_stores (store_id, zone) values (new.store_id, new.time_zone);
    return null;
end $$;

-- In another time zone every day begins at another time: nothing is built any more.
create function void_order_figures() returns trigger language plpgsql as $$
begin
    update figure_stores f set zone = null where f.store_id = new.store_id;
    delete from order_figures f where f.store_id = new.store_id;
    delete from order_counts c where c.store_id = new.store_id;
    return null;
end $$;

create trigger stores_open_figures after insert on stores
    for each row execute function open_order_figures();
create trigger stores_void_figures after update of time_zone on stores
    for each row when (old.time_zone is distinct from new.time_zone)
    execute function void_order_figures();

create trigger orders_note_new after insert on orders
    referencing new table as noted
    for each statement execute function note_new_orders();
create trigger orders_note_changed after update on orders
    for each row when (
        old.word <> new.word or old.total <> new.total or old.created_at <> new.created_at
        or old.store_id <> new.store_id
    )
    execute function note_changed_order();
create trigger orders_note_deleted after delete on orders
    referencing old table as noted
    for each statement execute function note_deleted_orders();

-- Stores that are there already: whoever folds first builds their figures, beside who places orders.
insert into figure_stores (store_id) select s.store_id from stores s;
