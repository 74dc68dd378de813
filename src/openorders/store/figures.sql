-- name: count_orders
-- How many orders a store has, those with these words or all (null): the counts and the changes
-- since, by their primary keys.
select count_orders(:store_id::bigint, :words::text[]);

-- name: figures_by_word
-- How many orders have each word, and what they come to: those placed on these days of the store
-- (order_figures by its primary key, and the changes since). Sums are text, which is read quicker.
select f.word, sum(f.orders)::bigint as orders, sum(f.total)::text as total
from (
    select o.word, o.orders, o.total
    from order_figures o
    where o.store_id = :store_id and o.day between :first::date and :last::date
    union all
    select s.word, s.orders, s.total
    from figures_since(:store_id) s
    where s.day between :first::date and :last::date
) f
group by f.word
having sum(f.orders) <> 0;

-- name: figures_by_word_and_day
-- The same, and what each day comes to: rows have either a word or a day.
select f.word, f.day, sum(f.orders)::bigint as orders,
    coalesce(sum(f.orders) filter (where f.word <> all(:without_revenue::text[])), 0)::bigint
        as earning,
    coalesce(sum(f.total) filter (where f.word <> all(:without_revenue::text[])), 0)::text
        as revenue
from (
    select o.day, o.word, o.orders, o.total
    from order_figures o
    where o.store_id = :store_id and o.day between :first::date and :last::date
    union all
    select s.day, s.word, s.orders, s.total
    from figures_since(:store_id) s
    where s.day between :first::date and :last::date
) f
group by grouping sets ((f.word), (f.day))
having sum(f.orders) <> 0
order by f.day;

-- name: find_work
-- Stores with something to fold, or without figures, and the last id that a change has taken. Not
-- in the transaction that folds: the id has to be older than that transaction's number.
select f.store_id, f.zone is not null as built,
    coalesce(pg_sequence_last_value('figure_changes_id_seq'), 0) as high
from figure_stores f
where f.zone is null or changes_waiting(f.store_id, f.mark, 1) > 0
order by f.store_id
limit :limit;

-- name: take_turn
-- Makes the caller the one who folds the changes of a store, until its transaction ends, and says
-- whether there are figures to fold them into. No row: another one does. A statement of its own, so
-- that the next one sees all that the last one committed.
select f.zone is not null as built
from figure_stores f
where f.store_id = :store_id
for no key update skip locked;

-- name: fold
-- Adds the changes that are visible to the figures and deletes them, the first ones if there are
-- too many; says how many there were. The mark follows two steps behind: ids up to `high` were
-- taken by transactions with lower numbers than this one's, so when those are over and all visible
-- changes are gone, there is nothing below and never will be. Decision 0030 says why nothing is
-- lost.
with turn as (
    select f.zone, f.mark, f.next_mark,
        f.next_mark is not null and pg_snapshot_xmin(pg_current_snapshot())
            >= least(f.next_seen, pg_current_xact_id()) as over
    from figure_stores f
    where f.store_id = :store_id
),
last as materialized (
    select max(first.id) as id
    from (
        select v.id from figure_changes v
        where v.store_id = :store_id and v.id >= (select t.mark from turn t)
        order by v.id
        limit :limit
    ) first
),
gone as (
    -- Not joined to `last`: it would be looked for again for each row that is deleted.
    delete from figure_changes c
    where c.store_id = :store_id and c.id >= (select t.mark from turn t)
        and c.id <= (select l.id from last l)
    returning c.id, c.at, c.word, c.orders, c.total
),
figures as (
    insert into order_figures as f (store_id, day, word, orders, total)
    select :store_id, (g.at at time zone t.zone)::date, g.word, sum(g.orders), sum(g.total)
    from gone g, turn t
    group by (g.at at time zone t.zone)::date, g.word
    having sum(g.orders) <> 0 or sum(g.total) <> 0
    on conflict (store_id, day, word) do update
    set orders = f.orders + excluded.orders, total = f.total + excluded.total
),
counts as (
    insert into order_counts as c (store_id, word, orders)
    select :store_id, g.word, sum(g.orders) from gone g group by g.word having sum(g.orders) <> 0
    on conflict (store_id, word) do update set orders = c.orders + excluded.orders
),
done as (
    select count(g.id) as changes,
        t.over and (count(g.id) < :limit or max(g.id) >= t.next_mark - 1) as passed
    from turn t left join gone g on true
    group by t.over, t.next_mark
),
moved as (
    update figure_stores f
    set mark = n.mark,
        next_mark = case when :high::bigint >= n.mark then :high::bigint + 1 end,
        next_seen = case when :high::bigint >= n.mark then pg_current_xact_id() end
    from (
        select case when d.passed then t.next_mark else t.mark end as mark
        from done d, turn t
        where d.passed or t.next_mark is null
    ) n
    where f.store_id = :store_id
)
select d.changes from done d;

-- name: allow_time
-- The statements of this transaction may take as long as they take, and read whole tables.
select set_config('statement_timeout', '0', true), set_config('enable_seqscan', 'on', true);

-- name: rebuild
-- Computes the figures of a store from its orders: reads them all.
select rebuild_order_figures(:store_id::bigint);

-- name: day_in_zone
-- The day that it is in a time zone; an error for one that the database does not know.
select (now() at time zone :zone::text)::date;

-- name: figure_differences
-- What the orders of a store add up to, by day and word and by word alone, where the figures say
-- something else.
with read as (
    select (o.created_at at time zone s.time_zone)::date as day, o.word, count(*) as orders,
        sum(o.total) as total
    from stores s
    join orders o on o.store_id = s.store_id
    where s.store_id = :store_id
    group by (o.created_at at time zone s.time_zone)::date, o.word
),
kept as (
    select f.day, f.word, sum(f.orders) as orders, sum(f.total) as total
    from (
        select o.day, o.word, o.orders, o.total
        from order_figures o
        where o.store_id = :store_id
        union all
        select n.day, n.word, n.orders, n.total
        from figures_since(:store_id) n
    ) f
    group by f.day, f.word
),
words as (
    select w.word, count_orders(:store_id, array[w.word]) as orders
    from (
        select c.word from order_counts c where c.store_id = :store_id
        union
        select r.word from read r
    ) w
)
select :store_id::bigint as id, d.what || ' ' || word || ' of ' || day::text as what,
    d.expected::text as expected, d.found::text as found
from read
full join kept using (day, word)
cross join lateral (values
    ('orders', coalesce(read.orders, 0)::numeric, coalesce(kept.orders, 0)),
    ('total', coalesce(read.total, 0), coalesce(kept.total, 0))
) as d (what, expected, found)
where d.expected <> d.found
union all
select :store_id::bigint, 'orders ' || words.word, coalesce(r.orders, 0)::text, words.orders::text
from words
left join (
    select read.word, sum(read.orders)::bigint as orders from read group by read.word
) r on r.word = words.word
where coalesce(r.orders, 0) <> words.orders
order by what;
