-- name: weak_settings
-- The durability settings that are off in this session; none is what an order book needs.
select name, setting
  from pg_settings
 where name in ('fsync', 'full_page_writes', 'synchronous_commit')
   and setting = 'off'
 order by name;

-- name: ping
-- Whether the database answers.
select 1;
