-- Several payments on one order, payments that wait for their buyer, refunds as records, and
-- stock that comes back. Everything is added: the previous release goes on beside it and writes
-- neither pending payments nor refunds. The widened checks are not validated again, since every
-- row there is passed the narrower ones; so no table is read through while it is locked.

alter table payments
    drop constraint payments_state_check,
    add constraint payments_state_check check (state in
        ('started', 'pending', 'authorised', 'captured', 'declined', 'voided')) not valid,
    -- Where the buyer goes to prove who they are, or to pay on the gateway's own page.
    add column action_url text,
    -- Where the gateway sends them back to; without it nobody is there who could act.
    add column return_url text,
    -- The gateway's own name of the buyer, when they pay with a card they left there.
    add column customer text,
    add column page boolean not null default false;

-- An attempt is open while we wait for the gateway and while the gateway waits for the buyer. The
-- previous release names the narrower condition, which finds this index too.
drop index one_open_attempt_per_order;
create unique index one_open_attempt_per_order on payments (store_id, order_id)
    where state in ('started', 'pending');

-- Payments are listed by their state, too.
create index payments_by_state on payments (store_id, state, id);

create sequence refund_ids;

-- What was decided to be given back, once for everything that one decision gives back; the calls
-- that do it are operations. What became of it is what became of them, and is kept nowhere else.
create table refunds (
    store_id bigint not null references stores,
    id bigint not null default nextval('refund_ids'),
    -- Like a payment's: the order may never have become visible.
    order_id bigint not null,
    amount bigint not null check (amount > 0),
    -- By how much the order's price falls for its buyer, apart from the lines below. That is not
    -- always what goes back: little of it was paid, or something went back before.
    shipping bigint not null default 0 check (shipping >= 0),
    goodwill bigint not null default 0 check (goodwill >= 0),
    reason text,
    restock boolean not null default false,
    -- Money went back in another way in its place: it holds whatever becomes of its calls.
    firm boolean not null default false,
    actor text not null,
    contract text not null,
    created_at timestamptz not null,
    primary key (store_id, id)
);
create index refunds_by_order on refunds (store_id, order_id, id);

-- What a refund says of lines: how many units, what they were worth, how many came back. Those
-- that came back for an earlier refund that failed are not put on hand again (`restocked`).
create table refund_lines (
    store_id bigint not null,
    refund_id bigint not null,
    order_id bigint not null,
    line_id bigint not null,
    quantity integer not null check (quantity >= 0),
    amount bigint not null check (amount >= 0),
    returned integer not null default 0,
    restocked integer not null default 0,
    primary key (store_id, refund_id, line_id),
    foreign key (store_id, refund_id) references refunds,
    foreign key (store_id, order_id, line_id) references order_lines,
    constraint never_restocked_beyond_refunded
        check (0 <= restocked and restocked <= returned and returned <= quantity)
);

alter table payment_operations
    add column refund_id bigint,
    add constraint only_refunds_are_of_a_refund
        check (refund_id is null or kind = 'refund') not valid,
    add foreign key (store_id, refund_id) references refunds not valid;
create index payment_operations_by_refund on payment_operations (store_id, refund_id)
    where refund_id is not null;
-- Two captures of one payment cannot be under way together.
create unique index one_open_capture_per_payment on payment_operations (store_id, payment_id)
    where kind = 'capture' and state = 'started';

-- Units that were shipped and came back are on hand again.
alter table stock_movements
    drop constraint stock_movements_kind_check,
    add constraint stock_movements_kind_check check (kind in
        ('receive', 'correct', 'reserve', 'release', 'ship', 'return')) not valid;
