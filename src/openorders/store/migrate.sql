-- name: lock
-- Held by the one process that migrates; the others wait for it and then find nothing to do.
select pg_advisory_lock(7302658141);

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
