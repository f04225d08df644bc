-- What must stand before the first migration: the group roles, which belong to the whole cluster,
-- and the schema, owned by opsroom_owner. Run in one transaction by the migrating login, which needs
-- CREATEROLE (only where roles are missing) and CREATE on the database. Running it again changes nothing.
do $$
declare
  wanted text;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('opsroom.bootstrap', 0));
  foreach wanted in array array['opsroom_owner', 'opsroom_worker', 'opsroom_starter', 'opsroom_reader', 'opsroom_app'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
      -- The lock is this database's, the roles are the server's: another one may be set up right now.
      begin
        execute pg_catalog.format('create role %I nologin', wanted);
      exception when duplicate_object or unique_violation then
        null;
      end;
    end if;
  end loop;
  if not pg_catalog.pg_has_role(current_user, 'opsroom_owner', 'usage') then
    execute pg_catalog.format('grant opsroom_owner to %I', current_user);
  end if;
  if not exists (select from pg_catalog.pg_namespace where nspname = 'opsroom') then
    create schema opsroom authorization opsroom_owner;
  end if;
end
$$;

-- Temporary tables and schema public are for nobody here. Only the database's owner can say so.
do $$
begin
  if (select pg_catalog.pg_has_role(current_user, d.datdba, 'usage')
        from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()) then
    execute pg_catalog.format('revoke temporary on database %I from public', pg_catalog.current_database());
    if exists (select from pg_catalog.pg_namespace n
                where n.nspname = 'public' and pg_catalog.pg_has_role(current_user, n.nspowner, 'usage')) then
      revoke create on schema public from public;
    end if;
  end if;
end
$$;
