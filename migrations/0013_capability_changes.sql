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
