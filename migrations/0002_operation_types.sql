-- Which operations there are, what they ask of a person, and which role holds which capability.

create table opsroom.role_capabilities (
  role text not null references opsroom.roles,
  capability text not null check (capability ~ '^[a-z0-9_.]{1,100}$'),
  primary key (role, capability)
);

create table opsroom.operation_types (
  type text primary key check (type ~ '^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$' and length(type) <= 100),
  label text not null check (label ~ '^[^[:cntrl:]]{1,100}$'),
  capability text,
  max_attempts int not null default 1 check (max_attempts between 1 and 100),
  search_keys text[] not null default '{}'
);
comment on column opsroom.operation_types.capability is
  'Asked for to view a run''s detail and to start one. NULL: open to every member.';
comment on column opsroom.operation_types.search_keys is
  'Top-level keys of context that filters may use; they are copied to run_keys.';

-- A capability that no type asked for yet gets the default map: every role holds it, except that
-- readonly is left out where `p_readonly` says so. What an administrator changed later stays, also
-- where nobody is left who holds it.
create function opsroom.register_operation_type(
  p_type text, p_label text, p_capability text, p_max_attempts int, p_search_keys text[], p_readonly boolean default true
) returns void language plpgsql security definer set search_path = '' as $$
begin
  if p_capability is not null
     and not exists (select from opsroom.operation_types where capability = p_capability) then
    insert into opsroom.role_capabilities (role, capability)
    select r.role, p_capability from opsroom.roles r where p_readonly or r.role <> 'readonly'
    on conflict do nothing;
  end if;
  insert into opsroom.operation_types as t (type, label, capability, max_attempts, search_keys)
  values (p_type, p_label, p_capability, p_max_attempts, p_search_keys)
  on conflict (type) do update
     set label = excluded.label, capability = excluded.capability,
         max_attempts = excluded.max_attempts, search_keys = excluded.search_keys
   where (t.label, t.capability, t.max_attempts, t.search_keys)
         is distinct from (excluded.label, excluded.capability, excluded.max_attempts, excluded.search_keys);
end
$$;

select opsroom.register_operation_type(type, label, capability, attempts, keys, readonly)
  from (values
    ('inventory.sync', 'Inventory sync', 'inventory.sync', 3, '{}'::text[], true),
    ('directory_groups.sync', 'Directory groups sync', 'directory_groups.sync', 3, '{}', true),
    ('directory_role_definitions.sync', 'Role definitions sync', 'directory_role_definitions.sync', 3, '{}', true),
    ('drift.generate', 'Drift report', 'drift.generate', 3, '{}', true),
    ('backup_set.add_policies', 'Add policies to backup set', 'backup_set.add_policies', 3, '{backup_set_id}', true),
    ('backup_schedule.run_now', 'Backup, run now', 'backup_schedule.run_now', 3, '{schedule_id}', true),
    ('backup_schedule.retry', 'Backup, retry', 'backup_schedule.retry', 3, '{schedule_id}', true),
    ('backup_schedule.scheduled', 'Backup, scheduled', 'backup_schedule.scheduled', 3, '{schedule_id}', true),
    ('restore.execute', 'Restore', 'restore.execute', 1, '{restore_run_id}', false)
  ) t (type, label, capability, attempts, keys, readonly);
