-- The order book. Every table starts with store_id and every key contains it: that is tenancy,
-- and the way to more machines later. Money is bigint minor units, states are text with a check
-- (so that a value can be retired), times are timestamptz.

create sequence order_ids;
create sequence line_ids;
create sequence product_ids;
create sequence variant_ids;
create sequence payment_ids;
create sequence operation_ids;
create sequence key_ids;
create sequence store_ids;
-- Ids that we give to customers start above every id that a client may name.
create sequence customer_ids start 1000000000000 minvalue 1000000000000;

create table stores (
    store_id bigint primary key default nextval('store_ids'),
    name text not null unique,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    minor_digits smallint not null check (minor_digits between 0 and 4),
    time_zone text not null default 'UTC',
    number_prefix text not null default '',
    policy jsonb not null default '{}',
    created_at timestamptz not null
);
-- A token names its store by issuer and audience, so no two stores may share both.
create unique index stores_by_token on stores
    ((policy #>> '{jwt,issuer}'), (policy #>> '{jwt,audience}'))
    where policy #>> '{jwt,issuer}' is not null;

-- Order numbers run per store, each in a sequence of its own.
create function open_order_numbers(store bigint) returns void language plpgsql as $$
begin
    execute format('create sequence order_numbers_%s', store);
end $$;

create table api_keys (
    store_id bigint not null references stores,
    id bigint not null default nextval('key_ids'),
    -- SHA-256 of the key; the key itself is shown once and never stored. It decides the store,
    -- so it is unique over all of them.
    hash bytea not null unique check (length(hash) = 32),
    role text not null check (role in ('admin', 'service', 'partner', 'customer')),
    partner_name text,
    customer_id bigint,
    label text,
    created_at timestamptz not null,
    revoked_at timestamptz,
    primary key (store_id, id),
    check ((role = 'partner') = (partner_name is not null)),
    check ((role = 'customer') = (customer_id is not null))
);

create table customers (
    store_id bigint not null references stores,
    id bigint not null default nextval('customer_ids') check (id > 0),
    name text,
    email text,
    created_at timestamptz not null,
    primary key (store_id, id)
);

-- What others call a customer: (issuer, sub) of an identity provider, or a partner's reference.
create table customer_identities (
    store_id bigint not null,
    issuer text not null,
    subject text not null,
    customer_id bigint not null,
    primary key (store_id, issuer, subject),
    foreign key (store_id, customer_id) references customers
);

create table products (
    store_id bigint not null references stores,
    id bigint not null default nextval('product_ids') check (id > 0),
    name text not null,
    default_variant_id bigint not null,
    created_at timestamptz not null,
    primary key (store_id, id)
);

create table variants (
    store_id bigint not null,
    id bigint not null default nextval('variant_ids') check (id > 0),
    product_id bigint not null,
    name text,
    sku text,
    image text,
    price bigint not null check (price between 0 and 1000000000000000),
    available boolean not null default true,
    updated_at timestamptz not null,
    primary key (store_id, id),
    foreign key (store_id, product_id) references products
);
create index variants_by_product on variants (store_id, product_id, id);
alter table products add foreign key (store_id, default_variant_id) references variants
    deferrable initially deferred;

-- Rows of a catalogue file on their way into the tables above, for as long as their transaction
-- lasts; nobody else ever sees them. `given` has a bit per optional column of the file.
create unlogged table catalogue_rows (
    store_id bigint not null,
    line integer not null,
    product_id bigint not null,
    product_name text not null,
    variant_id bigint,
    variant_name text,
    sku text,
    price bigint not null,
    on_hand bigint,
    available boolean not null,
    image text,
    given smallint not null,
    primary key (store_id, line)
);

-- A variant without a row here is not counted. What can be sold is on_hand - reserved.
create table stock (
    store_id bigint not null,
    variant_id bigint not null,
    on_hand bigint not null check (on_hand >= 0),
    reserved bigint not null default 0 check (reserved >= 0),
    primary key (store_id, variant_id),
    foreign key (store_id, variant_id) references variants,
    constraint never_oversold check (reserved <= on_hand)
) with (fillfactor = 50);

-- The ledger: every unit that ever moved, one row for all that one cause moved. On hand is
-- receive + correct - ship, reserved is reserve - release - ship; `openorders verify` checks.
create table stock_movements (
    store_id bigint not null,
    id bigint generated always as identity,
    kind text not null check (kind in ('receive', 'correct', 'reserve', 'release', 'ship')),
    order_id bigint,
    variant_ids bigint[] not null,
    quantities bigint[] not null,
    at timestamptz not null,
    primary key (store_id, id),
    check (cardinality(variant_ids) = cardinality(quantities)),
    check ((order_id is null) = (kind in ('receive', 'correct')))
);
create index stock_movements_by_order on stock_movements (store_id, order_id)
    where order_id is not null;

create table orders (
    store_id bigint not null references stores,
    id bigint not null check (id > 0),
    number bigint not null,
    customer_id bigint not null,
    partner_name text,
    customer_reference text,
    currency text not null,
    minor_digits smallint not null,
    subtotal bigint not null check (subtotal >= 0),
    discount bigint not null check (discount between 0 and subtotal),
    shipping bigint not null check (shipping >= 0),
    tax bigint not null check (tax >= 0),
    total bigint not null check (total >= 0),
    taxes jsonb not null default '[]',
    discount_code text,
    progress text not null
        check (progress in ('placed', 'processing', 'completed', 'cancelled')),
    payment text not null check (payment in
        ('none', 'pending', 'authorised', 'paid', 'part_refunded', 'refunded', 'failed')),
    fulfilment text not null
        check (fulfilment in ('none', 'part_shipped', 'shipped', 'delivered')),
    payment_asked boolean not null default false,
    -- The word the three axes add up to; the same table of rows as `domain.order.word_of`.
    word text not null generated always as (
        case
            when progress = 'cancelled' then 'cancelled'
            when payment = 'refunded' then 'refunded'
            when progress = 'completed' then 'completed'
            when fulfilment = 'delivered' then 'delivered'
            when fulfilment = 'shipped' then 'shipped'
            when progress = 'processing' then 'processing'
            when payment in ('paid', 'authorised', 'part_refunded') then 'paid'
            when payment_asked then 'payment_pending'
            else 'created'
        end
    ) stored,
    shipping_method text,
    estimated_delivery date,
    shipping_address jsonb,
    billing_address jsonb,
    payment_method text,
    payment_gateway text,
    -- What makes the address of the pay page unguessable.
    payment_token text,
    notes text,
    shipment jsonb,
    cancellation jsonb,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    completed_at timestamptz,
    version integer not null default 1,
    primary key (store_id, id),
    foreign key (store_id, customer_id) references customers,
    constraint totals_add_up check (total = subtotal - discount + shipping + tax)
) with (fillfactor = 80);
create unique index orders_by_number on orders (store_id, number);
create index orders_by_time on orders (store_id, created_at, id);
create index orders_by_update on orders (store_id, updated_at, id);
create index orders_by_total on orders (store_id, total, id);
create index orders_by_word on orders (store_id, word, created_at, id);
create index orders_by_customer on orders (store_id, customer_id, created_at, id);
create index orders_by_partner on orders (store_id, partner_name, created_at, id)
    where partner_name is not null;
create index orders_awaiting_payment on orders (store_id, created_at)
    where word = 'payment_pending';

create table order_lines (
    store_id bigint not null,
    order_id bigint not null,
    id bigint not null,
    position smallint not null,
    product_id bigint not null,
    variant_id bigint not null,
    product_name text not null,
    variant_name text,
    sku text,
    image text,
    unit_price bigint not null check (unit_price >= 0),
    quantity integer not null check (quantity between 1 and 1000000),
    discount_share bigint not null default 0,
    tax_shares jsonb not null default '[]',
    state text not null default 'pending'
        check (state in ('pending', 'verified', 'fulfilled', 'cancelled')),
    primary key (store_id, order_id, id),
    foreign key (store_id, order_id) references orders
) with (fillfactor = 90);
create index order_lines_by_variant on order_lines (store_id, variant_id, order_id);

-- Append-only: a trigger refuses to change or delete what was once said.
create table order_history (
    store_id bigint not null,
    order_id bigint not null,
    position integer not null,
    word text not null,
    actor text not null,
    contract text not null,
    reason text,
    at timestamptz not null,
    primary key (store_id, order_id, position),
    foreign key (store_id, order_id) references orders
);
create function refuse_rewriting_history() returns trigger language plpgsql as $$
begin
    raise exception 'the history of an order is only ever added to';
end $$;
create trigger order_history_is_append_only before update or delete on order_history
    for each row execute function refuse_rewriting_history();

-- An order whose charge is running. It becomes an order when the charge succeeds and vanishes
-- when it is declined, so that no list, count or export can ever show it.
create table pending_orders (
    store_id bigint not null references stores,
    order_id bigint not null,
    draft bytea not null,
    created_at timestamptz not null,
    primary key (store_id, order_id)
);

-- One attempt to take money. order_id names a pending order until the charge succeeds.
create table payments (
    store_id bigint not null references stores,
    id bigint not null default nextval('payment_ids'),
    order_id bigint not null,
    gateway text not null,
    method text not null,
    token text,
    amount bigint not null check (amount >= 0),
    currency text not null,
    state text not null
        check (state in ('started', 'authorised', 'captured', 'declined', 'voided')),
    captured bigint not null default 0,
    refunded bigint not null default 0,
    reference text,
    card_brand text,
    card_last_four text,
    decline_code text,
    decline_message text,
    created_at timestamptz not null,
    settled_at timestamptz,
    primary key (store_id, id),
    constraint never_refunded_beyond_captured
        check (0 <= refunded and refunded <= captured and captured <= amount)
);
create index payments_by_order on payments (store_id, order_id, id);
create unique index one_open_attempt_per_order on payments (store_id, order_id)
    where state = 'started';

-- Everything a gateway was ever asked to do, recorded before the call and settled after it.
-- The id is the idempotency key of the call.
create table payment_operations (
    store_id bigint not null,
    id bigint not null default nextval('operation_ids'),
    payment_id bigint not null,
    order_id bigint not null,
    kind text not null check (kind in ('charge', 'authorise', 'capture', 'refund', 'void')),
    amount bigint not null check (amount >= 0),
    state text not null check (state in ('started', 'succeeded', 'failed')),
    reason text,
    reference text,
    failure text,
    actor text not null,
    contract text not null,
    -- The idempotency key it was asked for under, so that a retry after a crash finds it again.
    key_digest bytea,
    tries integer not null default 0,
    due_at timestamptz not null,
    created_at timestamptz not null,
    settled_at timestamptz,
    primary key (store_id, id),
    foreign key (store_id, payment_id) references payments
);
create index payment_operations_by_payment on payment_operations (store_id, payment_id, id);
create index payment_operations_open on payment_operations (due_at) where state = 'started';
create index payment_operations_by_key on payment_operations (store_id, key_digest)
    where key_digest is not null;

-- What is told to the outside, written in the transaction of what happened. `payload` is the
-- whole order as it was right then; `txid` lets a reader stop where a slower writer may still
-- come in before.
create table outbox (
    store_id bigint not null,
    id bigint generated always as identity,
    order_id bigint not null,
    version integer not null,
    type text not null,
    payload bytea not null,
    at timestamptz not null,
    txid xid8 not null default pg_current_xact_id(),
    primary key (store_id, id)
);

create table mails (
    store_id bigint not null references stores,
    id bigint generated always as identity,
    order_id bigint not null,
    template text not null,
    -- What made us write; one mail per cause, however often the change is retried.
    cause text not null,
    recipient text not null,
    subject text not null,
    body_text text not null,
    body_html text not null,
    tries integer not null default 0,
    due_at timestamptz not null,
    created_at timestamptz not null,
    sent_at timestamptz,
    given_up_at timestamptz,
    failure text,
    primary key (store_id, id),
    unique (store_id, order_id, template, cause)
);
create index mails_open on mails (due_at) where sent_at is null and given_up_at is null;

-- A client's name for a request, and the answer it got. status is null while it is in flight.
create table idempotency_keys (
    store_id bigint not null,
    digest bytea not null check (length(digest) = 32),
    fingerprint bytea not null,
    status smallint,
    headers bytea,
    body bytea,
    claimed_at timestamptz not null,
    primary key (store_id, digest)
);
create index idempotency_keys_by_time on idempotency_keys (claimed_at);

-- The sandbox gateway's own books, kept apart from ours as a real provider's would be: the order
-- book never reads them.
create table sandbox_calls (
    store_id bigint not null,
    gateway text not null,
    idempotency_key text not null,
    kind text not null,
    request bytea not null,
    outcome bytea not null,
    at timestamptz not null,
    primary key (store_id, gateway, idempotency_key)
);
create table sandbox_charges (
    store_id bigint not null,
    id bigint generated always as identity,
    gateway text not null,
    order_id bigint not null,
    amount bigint not null,
    currency text not null,
    captured bigint not null default 0,
    refunded bigint not null default 0,
    voided boolean not null default false,
    card_brand text,
    card_last_four text,
    at timestamptz not null,
    primary key (store_id, id),
    check (0 <= refunded and refunded <= captured and captured <= amount)
);
