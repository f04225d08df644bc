-- What hangs off a run: failures by code, searchable keys, attempts, items. The first two are copies
-- kept by triggers, because under row-level security only plain equality may use an index.
--
-- Row triggers with WHEN, not statement triggers: a progress write then queues nothing at all.

create table opsroom.run_failures (
  tenant_id bigint not null,
  run_id bigint not null references opsroom.operation_runs on delete cascade,
  ord int not null,
  code text not null,
  n bigint not null,
  created_at timestamptz not null,
  primary key (tenant_id, run_id, ord)
);
create index run_failures_run on opsroom.run_failures (run_id, ord) include (code);
create index run_failures_code on opsroom.run_failures (code, created_at, run_id) include (tenant_id);
create index run_failures_tenant_code on opsroom.run_failures (tenant_id, code, created_at, run_id);
comment on column opsroom.run_failures.created_at is 'The run''s.';

create function opsroom.copy_failures() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' then
    delete from opsroom.run_failures where tenant_id = new.tenant_id and run_id = new.id;
  end if;
  insert into opsroom.run_failures (tenant_id, run_id, ord, code, n, created_at)
  select new.tenant_id, new.id, e.ord, e.value ->> 'code',
         coalesce(pg_catalog.trunc((e.value ->> 'count')::numeric), 1)::bigint, new.created_at
    from pg_catalog.jsonb_array_elements(new.failure_summary) with ordinality e (value, ord);
  return null;
end
$$;
create trigger failures_on_insert after insert on opsroom.operation_runs
  for each row when (new.failure_summary is not null) execute function opsroom.copy_failures();
create trigger failures_on_update after update on opsroom.operation_runs
  for each row when (new.failure_summary is distinct from old.failure_summary) execute function opsroom.copy_failures();

create table opsroom.run_keys (
  tenant_id bigint not null,
  run_id bigint not null references opsroom.operation_runs on delete cascade,
  key text not null,
  value text not null,
  capability text,
  created_at timestamptz not null,
  primary key (tenant_id, run_id, key)
);
create index run_keys_run on opsroom.run_keys (run_id);
create index run_keys_value on opsroom.run_keys (tenant_id, key, value, created_at, run_id);
comment on column opsroom.run_keys.capability is 'The run type''s, so that a policy can ask for it.';

create function opsroom.copy_keys() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' then
    delete from opsroom.run_keys where tenant_id = new.tenant_id and run_id = new.id;
  end if;
  insert into opsroom.run_keys (tenant_id, run_id, key, value, capability, created_at)
  select new.tenant_id, new.id, k.key, pg_catalog.left(new.context ->> k.key, 200), t.capability, new.created_at
    from opsroom.operation_types t cross join lateral pg_catalog.unnest(t.search_keys) k (key)
   where t.type = new.type
     and pg_catalog.jsonb_typeof(new.context -> k.key) in ('string', 'number', 'boolean');
  return null;
end
$$;
create trigger keys_on_insert after insert on opsroom.operation_runs
  for each row when (new.context is not null) execute function opsroom.copy_keys();
create trigger keys_on_update after update on opsroom.operation_runs
  for each row when (new.context is distinct from old.context) execute function opsroom.copy_keys();

-- What each attempt ended with. One row an attempt that ended; the claim number tells attempts apart
-- that did not count against the budget.
create table opsroom.run_attempts (
  tenant_id bigint not null,
  run_id bigint not null references opsroom.operation_runs on delete cascade,
  claim_no int not null,
  attempt int not null,
  worker_id uuid,
  worker_name text,
  started_at timestamptz,
  ended_at timestamptz not null default clock_timestamp(),
  ended text not null check (ended in ('succeeded', 'partially_succeeded', 'failed', 'retry', 'lost', 'released')),
  failure_summary jsonb,
  primary key (tenant_id, run_id, claim_no)
);
create index run_attempts_run on opsroom.run_attempts (run_id, claim_no);

create table opsroom.operation_run_items (
  tenant_id bigint not null,
  run_id bigint not null references opsroom.operation_runs on delete cascade,
  item_key text not null check (length(item_key) between 1 and 300),
  label text not null check (length(label) <= 300),
  status text not null check (status in ('succeeded', 'failed', 'skipped')),
  code text check (code ~ '^[a-z0-9_.]{1,64}$'),
  message text check (message ~ '^[^[:cntrl:]]{0,200}$'),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, run_id, item_key)
);
create index operation_run_items_run on opsroom.operation_run_items (run_id, item_key);
