-- The feed of events. An id of the outbox is taken while a transaction runs, so ids become visible
-- out of order, and a reader that remembers the last id it saw would skip the slower ones. Hence
-- a position: given once to each committed row by the sequencer, without holes, never taken back.

create index outbox_by_id on outbox (id);

create table event_positions (
    store_id bigint not null,
    position bigint not null check (position > 0),
    event_id bigint not null,
    order_id bigint not null,
    type text not null,
    primary key (store_id, position),
    -- Whatever the sequencer does, no event can get two positions.
    unique (store_id, event_id)
);
create index event_positions_by_order on event_positions (store_id, order_id, position);

-- How far the sequencer is, in one row. Every id up to `high` has its position, or never existed,
-- or is in a gap: its transaction had not committed when ids above it were read. `young` gaps are
-- still being collected; the transactions of `old` ones all began before `old_seen`, so that
-- what is not visible once those have ended never will be.
create table event_cursor (
    one boolean primary key default true check (one),
    high bigint not null default 0,
    last_position bigint not null default 0,
    young int8multirange not null default '{}',
    old int8multirange not null default '{}',
    old_seen xid8 not null default '0'
) with (fillfactor = 20);
insert into event_cursor default values;

-- Up to which position a store's events are no longer kept; no row while all of them are.
create table event_horizons (
    store_id bigint primary key references stores,
    forgotten bigint not null
);
