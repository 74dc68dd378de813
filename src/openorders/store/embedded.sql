-- name: remember_password
-- A role's password cannot be a parameter of the statement that makes it, a setting's value can.
select set_config('openorders.password', :password, false);

-- name: create_role
-- The role that the server works as: it owns its database and nothing else.
do $$
begin
  execute format(
    'create role openorders login password %L', current_setting('openorders.password'));
exception when duplicate_object then
  execute format(
    'alter role openorders login password %L', current_setting('openorders.password'));
end
$$;

-- name: create_database
create database openorders owner openorders;
