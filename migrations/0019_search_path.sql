-- An empty search_path is not enough: unless it is named, the caller's temporary schema is searched
-- before everything else for types, so that a temporary domain called "timestamptz" would be executed
-- by whoever the function runs as. Named last, it hides nothing. This holds for every function, since
-- definers call triggers and helpers. tests/engine/boundary.rs asks it of functions that come later.
do $$
declare
  f regprocedure;
begin
  for f in select p.oid from pg_catalog.pg_proc p where p.pronamespace = 'opsroom'::pg_catalog.regnamespace and p.prokind <> 'a' loop
    execute pg_catalog.format('alter function %s set search_path = pg_catalog, pg_temp', f);
  end loop;
end
$$;

-- Tenant 0 stands for all tenants in the rollups.
alter table opsroom.tenants add constraint tenants_are_numbered_from_one check (id > 0);

-- How many runs a tenant may have at once is not for those who read and start.
revoke select on opsroom.tenants from opsroom_reader, opsroom_starter;
grant select (id, workspace_id, name, created_at) on opsroom.tenants to opsroom_reader, opsroom_starter;

alter table opsroom.schedules add constraint schedules_type_is_a_type
  check (type ~ '^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$' and length(type) <= 100);
