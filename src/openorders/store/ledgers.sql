-- name: stock_differences
-- What the movement ledger adds up to, where the stock says something else.
with moved as (
    select u.variant_id,
        sum(case
            when m.kind in ('receive', 'correct', 'return') then u.quantity
            when m.kind = 'ship' then -u.quantity
            else 0
        end) as on_hand,
        sum(case
            when m.kind = 'reserve' then u.quantity
            when m.kind in ('release', 'ship') then -u.quantity
            else 0
        end) as reserved
    from stock_movements m, unnest(m.variant_ids, m.quantities) as u (variant_id, quantity)
    where m.store_id = :store_id
    group by u.variant_id
),
counted as (
    select s.variant_id, s.on_hand, s.reserved from stock s where s.store_id = :store_id
)
select variant_id as id, d.what, d.expected::bigint::text as expected, d.found::text as found
from counted
full join moved using (variant_id)
cross join lateral (values
    ('on hand', coalesce(moved.on_hand, 0), coalesce(counted.on_hand, 0)),
    ('reserved', coalesce(moved.reserved, 0), coalesce(counted.reserved, 0))
) as d (what, expected, found)
where d.expected <> d.found
order by id, d.what desc;

-- name: reservation_differences
-- What orders hold according to the ledger, where their open lines say something else. Lines of
-- orders whose charge is running count too; variants that are not counted are not reserved.
with held as (
    select m.order_id, u.variant_id,
        sum(case m.kind
            when 'reserve' then u.quantity when 'return' then 0 else -u.quantity
        end) as quantity
    from stock_movements m, unnest(m.variant_ids, m.quantities) as u (variant_id, quantity)
    where m.store_id = :store_id and m.order_id is not null
    group by m.order_id, u.variant_id
),
lines as (
    select l.order_id, l.variant_id, l.quantity
    from order_lines l
    where l.store_id = :store_id and l.state in ('pending', 'verified')
    union all
    select p.order_id, (line ->> 'variant_id')::bigint, (line ->> 'quantity')::bigint
    from pending_orders p,
        jsonb_array_elements(convert_from(p.draft, 'UTF8')::jsonb -> 'lines') as line
    where p.store_id = :store_id
),
wanted as (
    select l.order_id, l.variant_id, sum(l.quantity) as quantity
    from lines l
    join stock s on s.store_id = :store_id and s.variant_id = l.variant_id
    group by l.order_id, l.variant_id
)
select order_id as id, 'reserved of variant ' || variant_id as what,
    coalesce(wanted.quantity, 0)::bigint::text as expected,
    coalesce(held.quantity, 0)::bigint::text as found
from wanted
full join held using (order_id, variant_id)
where coalesce(wanted.quantity, 0) <> coalesce(held.quantity, 0)
order by order_id, variant_id;

-- name: total_differences
-- What the lines of orders add up to, where the order says something else. A cancelled order
-- keeps the total of the lines it was cancelled with. If single lines may have been cancelled
-- before (an entry of the history that is no step), that sum is not known, only that it is no
-- more than that of all lines.
with steps as (
    select h.order_id, h.word = lag(h.word) over (
        partition by h.order_id order by h.position
    ) as is_none
    from orders o
    join order_history h on h.store_id = o.store_id and h.order_id = o.id
    where o.store_id = :store_id and o.progress = 'cancelled'
),
thinned as (
    select distinct steps.order_id from steps where steps.is_none
),
summed as (
    select o.id, thinned.order_id is not null as thinned, o.subtotal, o.discount, o.tax,
        o.taxes, sum(l.unit_price * l.quantity) as lines, sum(l.discount_share) as shares,
        sum((select coalesce(sum(t.share::bigint), 0)
            from jsonb_array_elements_text(l.tax_shares) as t (share))) as tax_shares
    from orders o
    join order_lines l on l.store_id = o.store_id and l.order_id = o.id
    left join thinned on thinned.order_id = o.id
    where o.store_id = :store_id and (o.progress = 'cancelled' or l.state <> 'cancelled')
    group by o.store_id, o.id, thinned.order_id
)
select s.id, d.what, d.expected::bigint::text as expected, d.found::bigint::text as found
from summed s
cross join lateral (values
    ('subtotal', s.lines, s.subtotal::numeric, s.thinned),
    ('discount', s.shares, s.discount::numeric, s.thinned),
    ('tax', s.tax_shares, s.tax::numeric, s.thinned),
    ('tax', (select coalesce(sum((t ->> 'amount')::bigint), 0)
        from jsonb_array_elements(s.taxes) as t), s.tax::numeric, false)
) as d (what, expected, found, at_most)
where d.found > d.expected or (d.found < d.expected and not d.at_most)
union
select o.id, 'lines', 'at least 1', '0'
from orders o
where o.store_id = :store_id and not exists (
    select from order_lines l where l.store_id = o.store_id and l.order_id = o.id
)
order by 1, 2;

-- name: payment_differences
-- What the operations on payments add up to, where the payment says something else.
with done as (
    select p.id, p.order_id, p.captured, p.refunded, p.state,
        coalesce(sum(x.amount) filter (
            where x.state = 'succeeded' and x.kind in ('charge', 'capture')), 0) as taken,
        coalesce(sum(x.amount) filter (
            where x.state = 'succeeded' and x.kind = 'refund'), 0) as given_back,
        case
            when bool_or(x.state = 'succeeded' and x.kind in ('charge', 'capture'))
                then 'captured'
            when bool_or(x.state = 'succeeded' and x.kind = 'void') then 'voided'
            when bool_or(x.state = 'succeeded' and x.kind = 'authorise') then 'authorised'
            when bool_or(x.state = 'started' and x.kind in ('charge', 'authorise'))
                then case p.state when 'pending' then p.state else 'started' end
            else 'declined'
        end as derived
    from payments p
    left join payment_operations x on x.store_id = p.store_id and x.payment_id = p.id
    where p.store_id = :store_id
    group by p.store_id, p.id
)
select d.id, v.what, v.expected, v.found
from done d
cross join lateral (values
    ('captured', d.taken::bigint::text, d.captured::text),
    ('refunded', d.given_back::bigint::text, d.refunded::text),
    ('state', d.derived, d.state)
) as v (what, expected, found)
where v.expected <> v.found
order by d.id, v.what;

-- name: money_differences
-- What the payments and refunds of orders add up to, where the order says something else: its
-- payment state (the same table of rows as `domain.balance.payment_state`), and money that is
-- kept beyond what the order costs its buyer (`domain.balance.price_of`). What is on its way back
-- is not kept; what a bank has refused to take back is written down and stays for a person.
with money as (
    select p.order_id, sum(p.captured) as taken, sum(p.refunded) as given_back,
        coalesce(sum(p.amount) filter (where p.state = 'authorised'), 0) as authorised,
        bool_or(p.state in ('started', 'pending')) as waits,
        (array_agg(p.state order by p.id desc))[1] = 'declined' as declined,
        sum(x.going_back) as going_back, sum(x.refused) as refused,
        sum(x.unrecorded) as unrecorded
    from payments p
    cross join lateral (
        select coalesce(sum(x.amount) filter (where x.state = 'started'), 0) as going_back,
            coalesce(sum(x.amount) filter (where x.state = 'failed'), 0) as refused,
            coalesce(sum(x.amount) filter (
                where x.state <> 'failed' and x.refund_id is null), 0) as unrecorded
        from payment_operations x
        where x.store_id = p.store_id and x.payment_id = p.id and x.kind = 'refund'
    ) as x
    where p.store_id = :store_id
    group by p.order_id
),
lowered as (
    select r.order_id, sum(r.shipping + r.goodwill + lines.worth) as amount
    from refunds r
    cross join lateral (
        select coalesce(sum(l.amount), 0) as worth
        from refund_lines l
        join order_lines o
            on o.store_id = l.store_id and o.order_id = l.order_id and o.id = l.line_id
        where l.store_id = r.store_id and l.refund_id = r.id and o.state <> 'cancelled'
    ) as lines
    where r.store_id = :store_id and (r.firm or r.amount > (
        select coalesce(sum(x.amount), 0) from payment_operations x
        where x.store_id = r.store_id and x.refund_id = r.id and x.state = 'failed'
    ))
    group by r.order_id
),
sides as (
    select coalesce(o.id, m.order_id) as id, o.id is null as lost, p.order_id is not null as held,
        o.payment, o.payment_asked, o.progress,
        greatest(0, o.total - coalesce(w.amount, 0)) as price,
        case
            when o.progress = 'cancelled' and m.taken > 0 then 0
            else greatest(0, o.total - coalesce(w.amount, 0) - coalesce(m.unrecorded, 0))
        end as due,
        coalesce(m.taken, 0) as taken, coalesce(m.given_back, 0) as given_back,
        coalesce(m.authorised, 0) as authorised, coalesce(m.waits, false) as waits,
        coalesce(m.declined, false) as declined, coalesce(m.refused, 0) as refused,
        coalesce(m.taken - m.given_back - m.going_back, 0) as kept
    from (
        select o.id, o.payment, o.payment_asked, o.progress, o.total
        from orders o where o.store_id = :store_id
    ) as o
    full join money m on m.order_id = o.id
    left join lowered w on w.order_id = o.id
    left join pending_orders p on p.store_id = :store_id and p.order_id = m.order_id
),
derived as (
    select b.id, 'payment' as what, b.payment as found,
        case
            when b.taken - b.given_back >= b.due then case
                when b.given_back = 0 then 'paid'
                when b.given_back >= b.taken then 'refunded'
                else 'part_refunded'
            end
            when b.taken - b.given_back + b.authorised >= b.due then 'authorised'
            when b.waits then 'pending'
            when b.declined then 'failed'
            when b.payment_asked or b.taken - b.given_back + b.authorised > 0 then 'pending'
            else 'none'
        end as expected
    from sides b
    where not b.lost
),
over as (
    select b.id, b.kept, b.refused,
        case
            when b.lost then 'money kept without an order'
            when b.progress = 'cancelled' then 'money kept of a cancelled order'
            else 'money kept beyond the price'
        end as what,
        case when b.lost or b.progress = 'cancelled' then 0 else b.price end as price
    from sides b
    where not b.held
)
select d.id, d.what, d.expected, d.found
from derived d
where d.expected <> d.found
union all
select o.id, o.what, o.price::bigint::text, o.kept::bigint::text
from over o
where o.kept - o.price > o.refused
order by 1, 2;

-- name: refund_differences
-- Refunds that their operations do not add up to, that take more of a line or of the shipping
-- than there was, and units that came back in the stock ledger but not with a refund (variants
-- that are not counted are in no ledger). A refund that failed altogether took nothing.
with done as (
    select r.id, r.order_id, r.amount, r.shipping, sum(coalesce(x.amount, 0)) as operations,
        r.firm or coalesce(sum(x.amount) filter (where x.state = 'failed'), 0) < r.amount
            as holds
    from refunds r
    left join payment_operations x on x.store_id = r.store_id and x.refund_id = r.id
    where r.store_id = :store_id
    group by r.store_id, r.id
),
taken as (
    select l.order_id, l.line_id, max(o.quantity) as quantity, max(o.variant_id) as variant_id,
        max(o.unit_price * o.quantity - o.discount_share + (
            select coalesce(sum(t.share::bigint), 0)
            from jsonb_array_elements_text(o.tax_shares) as t (share)
        )) as share,
        coalesce(sum(l.quantity) filter (where d.holds), 0) as units,
        coalesce(sum(l.amount) filter (where d.holds), 0) as amount,
        sum(l.restocked) as restocked
    from refund_lines l
    join done d on d.id = l.refund_id
    join order_lines o
        on o.store_id = l.store_id and o.order_id = l.order_id and o.id = l.line_id
    where l.store_id = :store_id
    group by l.order_id, l.line_id
),
returned as (
    select t.order_id, t.variant_id, sum(t.restocked) as quantity
    from taken t
    group by t.order_id, t.variant_id
),
moved as (
    select m.order_id, u.variant_id, sum(u.quantity) as quantity
    from stock_movements m, unnest(m.variant_ids, m.quantities) as u (variant_id, quantity)
    where m.store_id = :store_id and m.kind = 'return'
    group by m.order_id, u.variant_id
)
select d.order_id as id, 'refund ' || d.id as what, d.operations::bigint::text as expected,
    d.amount::text as found
from done d
where d.operations <> d.amount
union all
select t.order_id, 'refunded of line ' || t.line_id, 'at most ' || t.share::bigint,
    t.amount::bigint::text
from taken t
where t.amount > t.share
union all
select t.order_id, 'refunded units of line ' || t.line_id, 'at most ' || t.quantity,
    t.units::bigint::text
from taken t
where t.units > t.quantity
union all
select o.id, 'refunded shipping', 'at most ' || o.shipping, sum(d.shipping)::bigint::text
from orders o
join done d on d.order_id = o.id and d.holds
where o.store_id = :store_id
group by o.store_id, o.id
having sum(d.shipping) > o.shipping
union all
select order_id, 'returned of variant ' || variant_id,
    coalesce(r.quantity, 0)::bigint::text, coalesce(m.quantity, 0)::bigint::text
from moved m
left join returned r using (order_id, variant_id)
where m.quantity > coalesce(r.quantity, 0)
order by 1, 2;

-- name: state_differences
-- What lines and history say of orders, where the order's own states say something else.
with lines as (
    select l.order_id,
        count(*) filter (where l.state <> 'cancelled') as live,
        count(*) filter (where l.state = 'fulfilled') as sent
    from order_lines l
    where l.store_id = :store_id
    group by l.order_id
),
past as (
    select h.order_id, count(*) as entries, max(h.position) as last,
        (array_agg(h.word order by h.position desc) filter (where h.word in
            ('processing', 'shipped', 'delivered', 'completed', 'cancelled')))[1] as word
    from order_history h
    where h.store_id = :store_id
    group by h.order_id
)
select o.id, d.what, d.expected, d.found
from orders o
left join lines l on l.order_id = o.id
left join past h on h.order_id = o.id
cross join lateral (values
    (
        'fulfilment',
        case
            when coalesce(l.sent, 0) = 0 then 'none'
            when l.sent < l.live then 'part_shipped'
            else 'shipped'
        end,
        case when o.fulfilment = 'delivered' then 'shipped' else o.fulfilment end
    ),
    (
        'lines that are not cancelled',
        case when o.progress = 'cancelled' then '0' else coalesce(l.live, 0)::text end,
        coalesce(l.live, 0)::text
    ),
    (
        'the last word of the history',
        case
            when o.progress in ('cancelled', 'completed') then o.progress
            when o.fulfilment in ('delivered', 'shipped') then o.fulfilment
            when o.progress = 'processing' then 'processing'
            else 'none'
        end,
        coalesce(h.word, 'none')
    ),
    ('entries of the history', coalesce(h.last, 1)::text, coalesce(h.entries, 0)::text)
) as d (what, expected, found)
where o.store_id = :store_id and d.expected <> d.found
order by o.id, d.what;
