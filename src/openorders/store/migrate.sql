-- name: try_lock
-- Held by the one process that migrates; the others ask again and then find nothing to do. A
-- statement that waited for it would hold a snapshot, which building an index waits for.
select pg_try_advisory_lock(7302658141);

-- name: has_record
select to_regclass('schema_migrations') is not null;

-- name: create_record
create table if not exists schema_migrations (
  number      integer     primary key check (number > 0),
  name        text        not null,
  checksum    text        not null,
  applied_at  timestamptz not null default now()
);

-- name: applied
select number, name, checksum
  from schema_migrations
 order by number;

-- name: record
insert into schema_migrations (number, name, checksum)
values (:number, :name, :checksum);

-- name: limit_waits
-- How long the statements after this one wait for another's lock, and run, for this connection.
select set_config('lock_timeout', :lock_timeout, false),
       set_config('statement_timeout', :statement_timeout, false);

-- name: are_empty
-- Whether tables, and those of indexes to be dropped, have not a single page, and no index to be
-- built is there in any shape.
select coalesce(bool_and(pg_relation_size(t.oid) = 0), true)
    and not exists (
        select from unnest(:built::text[]) as g (name) where to_regclass(g.name) is not null
    )
from (
    select g.name::regclass as oid from unnest(:tables::text[]) as g (name)
    union
    select i.indrelid::regclass
    from pg_index i
    where i.indexrelid = any(
        select to_regclass(g.name) from unnest(:dropped::text[]) as g (name)
    )
) as t;

-- name: find_index
-- Whether an index of this name can be used, and what drops it without stopping anybody.
select i.indisvalid as is_valid,
    format('drop index concurrently %s', i.indexrelid::regclass) as drop
from pg_index i
where i.indexrelid = to_regclass(:name);

-- name: oldest_transaction
-- The transaction that others wait for the longest, apart from this one.
select a.pid, a.xact_start as began, a.application_name as who
from pg_stat_activity a
where a.xact_start is not null and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
order by a.xact_start
limit 1;
