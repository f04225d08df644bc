-- Indexes for every pair of what a list can be filtered by, in the order of the list. Under row-level
-- security only plain equality may use an index, so a person's name is resolved first and asked for
-- as it is written. What belongs to one failure code is found in run_failures alone: it carries what
-- a code can be combined with. Those of everybody's runs have the tenant: whose a run is, which every policy
-- asks, is then told without fetching it.

-- Most runs are the system's. An index that leaves them out serves every person at half the size, also
-- those of other applications, whose people need not be users here.
drop index opsroom.runs_initiator;
create index runs_initiator on opsroom.operation_runs (initiator_name, created_at, id) include (tenant_id)
  where initiator_name <> 'System';
create index runs_initiator_type on opsroom.operation_runs (initiator_name, type, created_at, id) include (tenant_id)
  where initiator_name <> 'System';
create index runs_initiator_outcome on opsroom.operation_runs (initiator_name, outcome, created_at, id) include (tenant_id)
  where initiator_name <> 'System' and outcome <> 'succeeded';
create index runs_tenant_initiator on opsroom.operation_runs (tenant_id, initiator_name, created_at, id)
  where initiator_name <> 'System';
-- With the id, so that it has the order of the list: the newest of several types are merged without sorting.
drop index opsroom.runs_tenant_type_created;
create index runs_tenant_type_created on opsroom.operation_runs (tenant_id, type, created_at, id);
create index runs_type_outcome on opsroom.operation_runs (type, outcome, created_at, id) include (tenant_id)
  where outcome <> 'succeeded';

-- The one triple: what went wrong with this kind of operation for this customer.
create index runs_tenant_type_outcome on opsroom.operation_runs (tenant_id, type, outcome, created_at, id)
  where outcome <> 'succeeded';

alter table opsroom.run_failures add column type text, add column initiator_name text, add column outcome text;
update opsroom.run_failures f set type = r.type, initiator_name = r.initiator_name, outcome = r.outcome
  from opsroom.operation_runs r where r.id = f.run_id;
alter table opsroom.run_failures alter column type set not null, alter column initiator_name set not null,
  alter column outcome set not null;
comment on column opsroom.run_failures.type is 'The run''s, like initiator_name and outcome: what a code is combined with.';
-- With the code, for whoever asks a run of a pattern of codes: without it the planner prefers to read all the
-- failures of the tenant in run_failures_tenant_code.
alter table opsroom.run_failures drop constraint run_failures_pkey, add primary key (tenant_id, run_id, ord) include (code);
create index run_failures_code_type on opsroom.run_failures (code, type, created_at, run_id) include (tenant_id);
create index run_failures_code_initiator on opsroom.run_failures (code, initiator_name, created_at, run_id) include (tenant_id);
create index run_failures_code_outcome on opsroom.run_failures (code, outcome, created_at, run_id) include (tenant_id);

create or replace function opsroom.copy_failures() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' then
    delete from opsroom.run_failures where tenant_id = new.tenant_id and run_id = new.id;
  end if;
  insert into opsroom.run_failures (tenant_id, run_id, ord, code, n, created_at, type, initiator_name, outcome)
  select new.tenant_id, new.id, e.ord, e.value ->> 'code',
         least(coalesce(pg_catalog.trunc((e.value ->> 'count')::numeric), 1), 1000000000)::bigint, new.created_at,
         new.type, new.initiator_name, new.outcome
    from pg_catalog.jsonb_array_elements(new.failure_summary) with ordinality e (value, ord);
  return null;
end
$$;
drop trigger failures_on_update on opsroom.operation_runs;
create trigger failures_on_update after update on opsroom.operation_runs
  for each row when (new.failure_summary is distinct from old.failure_summary
                     or (new.failure_summary is not null and new.outcome <> old.outcome))
  execute function opsroom.copy_failures();
