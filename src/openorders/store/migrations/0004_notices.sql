-- When somebody last asked the gateway about a payment that waits for its buyer.
alter table payments add column looked_at timestamptz;

-- What gateways told by themselves: each notice has its effect once, so its name is written in the
-- transaction of that effect. Old ones are forgotten, long after a gateway has given up sending.
create table gateway_notices (
    store_id bigint not null references stores,
    gateway text not null,
    notice_id text not null,
    at timestamptz not null,
    primary key (store_id, gateway, notice_id)
);
create index gateway_notices_by_age on gateway_notices (at);

-- What a gateway calls a customer of ours.
create table gateway_customers (
    store_id bigint not null references stores,
    customer_id bigint not null,
    gateway text not null,
    reference text not null,
    primary key (store_id, customer_id, gateway)
);

create sequence method_ids;

-- Cards that customers left at a gateway to pay with later. Recorded before the gateway is asked
-- (no reference yet), and marked before it is asked to let go of one.
create table saved_methods (
    store_id bigint not null references stores,
    id bigint not null default nextval('method_ids') check (id > 0),
    customer_id bigint not null,
    gateway text not null,
    key_digest bytea,
    customer text,
    reference text,
    card_brand text,
    card_last_four text,
    expires text,
    created_at timestamptz not null,
    forgotten_at timestamptz,
    tries integer not null default 0,
    primary key (store_id, id)
);
create index saved_methods_by_customer on saved_methods (store_id, customer_id, id);
create index saved_methods_by_key on saved_methods (store_id, key_digest)
    where key_digest is not null;
create index saved_methods_to_clear on saved_methods (created_at)
    where reference is null or forgotten_at is not null;

-- A gateway's own entries while they are compared with our books; one run's rows live as long as
-- the run. The operation and the second of its record are what the entry's key says.
create sequence comparison_runs;
create table compared_entries (
    store_id bigint not null references stores,
    run bigint not null,
    reference text not null,
    operation_id bigint,
    operation_second bigint,
    currency text not null,
    authorised bigint not null,
    captured bigint not null,
    refunded bigint not null,
    at timestamptz not null,
    read_at timestamptz not null,
    primary key (store_id, run, reference)
);
create index compared_entries_by_operation on compared_entries (store_id, run, operation_id);
create index compared_entries_by_age on compared_entries (read_at);
