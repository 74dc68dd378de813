-- Webhooks: who is to be told what, how far it got, and every try. All times that decide when
-- something may be sent are the database's own: it has the only clock that all workers share.
create sequence webhook_endpoint_ids;
create sequence webhook_claims;

create table webhook_endpoints (
    store_id bigint not null references stores,
    id bigint not null default nextval('webhook_endpoint_ids'),
    url text not null,
    -- The contract whose words the payload speaks.
    contract text not null,
    -- null: every type.
    types text[],
    label text,
    state text not null default 'active' check (state in ('active', 'off', 'removed')),
    off_reason text check (off_reason in ('operator', 'gone', 'failing')),
    off_at timestamptz,
    -- What was told last when it was switched off: a replay of what was missed starts here.
    off_position bigint,
    -- Counts what an operator changed; results of tries that began before do not count.
    version integer not null default 1,
    -- Tries that failed since the last success, and when the first of them did.
    failures integer not null default 0,
    failing_since timestamptz,
    -- Nothing is sent before: the receiver asked us to slow down.
    paused_until timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (store_id, id),
    check ((state = 'active') = (off_reason is null)),
    check ((state = 'active') = (off_at is null)),
    check ((failures = 0) = (failing_since is null))
) with (fillfactor = 50);

-- What payloads are signed with. `until` is set when another secret took its place.
create table webhook_secrets (
    store_id bigint not null,
    endpoint_id bigint not null,
    id bigint generated always as identity,
    secret bytea not null check (length(secret) between 24 and 64),
    until timestamptz,
    created_at timestamptz not null,
    primary key (store_id, endpoint_id, id),
    foreign key (store_id, endpoint_id) references webhook_endpoints
);
create unique index one_lasting_secret on webhook_secrets (store_id, endpoint_id)
    where until is null;

-- An event that an endpoint is to be told. `position` is the event's place in the feed.
create table webhook_deliveries (
    store_id bigint not null,
    endpoint_id bigint not null,
    position bigint not null,
    event_id bigint not null,
    order_id bigint not null,
    state text not null default 'waiting' check (state in ('waiting', 'delivered', 'failed')),
    tries integer not null default 0,
    ended_at timestamptz,
    primary key (store_id, endpoint_id, position),
    foreign key (store_id, endpoint_id) references webhook_endpoints,
    check ((state = 'waiting') = (ended_at is null))
);
create index webhook_deliveries_waiting
    on webhook_deliveries (store_id, endpoint_id, order_id, position) where state = 'waiting';
create index webhook_deliveries_failed
    on webhook_deliveries (store_id, endpoint_id, position) where state = 'failed';

-- One lane per endpoint and order with something to tell: whoever has claimed it tells the first
-- of what waits. `queued` is how many wait, changed only with the lane's row locked, so that a
-- lane never ends while something is added to it. `due_at` in the future: not yet, or claimed.
create table webhook_lanes (
    store_id bigint not null,
    endpoint_id bigint not null,
    order_id bigint not null,
    queued integer not null check (queued > 0),
    tries integer not null default 0,
    due_at timestamptz not null,
    claim bigint,
    primary key (store_id, endpoint_id, order_id)
) with (
    autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0,
    autovacuum_analyze_threshold = 5000, autovacuum_vacuum_cost_delay = 0
);
create index webhook_lanes_due on webhook_lanes (store_id, endpoint_id, due_at);

-- Every try, with the first part of what was answered.
create table webhook_attempts (
    store_id bigint not null,
    endpoint_id bigint not null,
    position bigint not null,
    id bigint generated always as identity,
    at timestamptz not null,
    status smallint,
    took_ms integer not null,
    answer text check (length(answer) <= 1024),
    failure text,
    primary key (store_id, endpoint_id, position, id)
);
