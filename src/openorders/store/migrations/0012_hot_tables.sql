-- Tables that grow or change all the time: how soon they are vacuumed, whatever their size.
-- PostgreSQL's own thresholds are shares of a table: with a million orders, two hundred thousand
-- new ones are looked up in the table although an index knows all that was asked. Takes no lock
-- that a reader or a writer waits for. `docs/operating.md` says what to look at.

-- Inserted into, then read by index alone: after so many new rows their pages are marked as seen by
-- everybody. A change of an order is a new version in every index (none is HOT: its word and the
-- time of its change are indexed), so what is dead is cleared away before it is a twentieth. And a
-- search is planned for the orders there are.
alter table orders set (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 10000,
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0.05
);
-- About two and a half to an order; a change of their state stays on their page (HOT).
alter table order_lines set (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 25000,
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 10000,
    autovacuum_analyze_scale_factor = 0.05
);

-- Only ever added to: a page is frozen by the vacuum that sees it first, so that the one against
-- wraparound finds nothing left to do, when there are billions.
alter table order_history set (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_freeze_min_age = 0
);
alter table stock_movements set (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 25000,
    autovacuum_freeze_min_age = 0
);

-- Added to, changed a few times soon after, then never again.
alter table payments set (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 25000,
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000
);
alter table payment_operations set (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 25000,
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000
);

-- Added to at one end and forgotten at the other. The room is to be free again before much more is
-- needed: a twentieth of what is kept is what these tables are larger than they need be. New events
-- are read by index alone, so they are marked as seen soon, too.
alter table outbox set (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 10000
);
alter table event_positions set (
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 10000
);
alter table webhook_deliveries set (
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 10000
);
alter table webhook_attempts set (
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 10000
);
-- Changes claim a key first and add the answer afterwards, for which there is room on the page.
alter table idempotency_keys set (
    fillfactor = 90,
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 10000
);
-- Emptied where they stand; their long texts are in a table beside.
alter table mails set (
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000,
    toast.autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_threshold = 5000
);

-- A few rows that change with every order or every event, on their pages (HOT). They are few, so
-- they are vacuumed at full speed.
alter table stock set (
    autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);
alter table event_cursor set (
    autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_threshold = 100000
);
alter table webhook_endpoints set (
    autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0
);
-- A row comes and goes with every order that is paid at once.
alter table pending_orders set (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);

-- A few products are most of what is sold: those that are known by name are planned for exactly.
alter table order_lines alter variant_id set statistics 300;
-- Nobody searches by these, and looking at a sample of them was half of what analysing costs.
alter table orders
    alter taxes set statistics 0, alter shipping_address set statistics 0,
    alter billing_address set statistics 0, alter payment_token set statistics 0,
    alter notes set statistics 0, alter shipment set statistics 0,
    alter cancellation set statistics 0;
alter table order_lines alter image set statistics 0, alter tax_shares set statistics 0;
alter table stock_movements
    alter variant_ids set statistics 0, alter quantities set statistics 0;
alter table outbox alter payload set statistics 0;
alter table idempotency_keys
    alter fingerprint set statistics 0, alter headers set statistics 0,
    alter body set statistics 0;
