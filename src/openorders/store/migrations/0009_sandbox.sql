-- The sandbox gateway's own books once more: pages on which a buyer decides, cards that buyers
-- left for later, and the key of the call that opened a payment. The order book never reads them.

alter table sandbox_charges add column idempotency_key text;

create table sandbox_pages (
    store_id bigint not null,
    gateway text not null,
    token text not null,
    charge_id bigint not null,
    kind text not null check (kind in ('hosted', '3ds')),
    captures boolean not null,
    state text not null default 'open' check (state in ('open', 'accepted', 'refused', 'voided')),
    return_url text not null,
    at timestamptz not null,
    primary key (store_id, gateway, token),
    unique (store_id, charge_id)
);

create table sandbox_methods (
    store_id bigint not null,
    id bigint generated always as identity,
    gateway text not null,
    idempotency_key text not null,
    customer text not null,
    token text not null,
    at timestamptz not null,
    primary key (store_id, id),
    unique (store_id, gateway, idempotency_key)
);
