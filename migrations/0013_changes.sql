-- Searchable keys carry a copy of their type's capability, because a policy asks for it row by row: it
-- follows where the type's changes. That takes as long as the type has runs with keys.

create function opsroom.copy_capability() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- Whoever wrote keys under the former capability has ended then; whoever comes later waits, and
  -- finds the new one.
  lock table opsroom.run_keys in share row exclusive mode;
  update opsroom.run_keys k set capability = new.capability
    from opsroom.operation_runs r
   where r.type = new.type and k.tenant_id = r.tenant_id and k.run_id = r.id
     and k.capability is distinct from new.capability;
  return null;
end
$$;
revoke all on function opsroom.copy_capability() from public;
create trigger capability_changed after update of capability on opsroom.operation_types
  for each row when (new.capability is distinct from old.capability) execute function opsroom.copy_capability();

-- What became stale before.
update opsroom.run_keys k set capability = t.capability
  from opsroom.operation_runs r join opsroom.operation_types t on t.type = r.type
 where k.tenant_id = r.tenant_id and k.run_id = r.id and k.capability is distinct from t.capability;

-- Did anything change for the session's login since a snapshot, as `snapshot` of an earlier answer told
-- it? Also true where one of the runs it names was written since (progress moves no transaction number)
-- or is none of its runs any more, where nothing earlier is known, or where that is too long ago to look. For whoever polls: planned once a
-- connection, it costs a fraction of asking for the rows. Under the caller's own rights.
create function opsroom.changed_since(
  p_snapshot text, p_ids bigint[], p_stamps timestamptz[],
  out server bigint, out standby boolean, out snapshot text, out as_of timestamptz, out changed boolean
) language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  former constant pg_catalog.pg_snapshot := p_snapshot;
  current constant pg_catalog.pg_snapshot := pg_catalog.pg_current_snapshot();
begin
  server := (extract(epoch from pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint;
  standby := pg_catalog.pg_is_in_recovery();
  snapshot := current::text;
  as_of := pg_catalog.now();
  changed := former is null
    or pg_catalog.pg_snapshot_xmax(current)::text::bigint - pg_catalog.pg_snapshot_xmin(former)::text::bigint > 20000;
  if not changed then
    -- The order keeps a plan made for any snapshot on the index. A standby's snapshot lists nothing
    -- under way, so there all that came after the oldest counts.
    select exists (
      select from (
        select 1 from opsroom.operation_runs r
         where r.changed_xid >= pg_catalog.pg_snapshot_xmin(former)
           and (standby or not pg_catalog.pg_visible_in_snapshot(r.changed_xid, former))
         order by r.changed_xid desc limit 1) newest)
      into changed;
  end if;
  if not changed and pg_catalog.cardinality(p_ids) > 0 then
    select exists (
      select from unnest(p_ids, p_stamps) h (id, stamp) left join opsroom.operation_runs r on r.id = h.id
       where r.updated_at is distinct from h.stamp)
      into changed;
  end if;
end
$$;
revoke all on function opsroom.changed_since(text, bigint[], timestamptz[]) from public;
grant execute on function opsroom.changed_since(text, bigint[], timestamptz[]) to opsroom_reader;
