-- Who may do what. Row-level security on every table; readers get columns, not tables; the rest of a
-- run comes from three functions that know the difference between "does not exist" and "forbidden".

create function opsroom.schema_version() returns bigint
language sql stable security definer set search_path = '' as $$
  select max(version) from opsroom.schema_migrations where success
$$;

-- May the session's login start this type for this tenant?
create function opsroom.may_start(p_tenant bigint, p_type text) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from opsroom.reach m join opsroom.operation_types t on t.type = p_type
     where m.login_role = session_user and m.tenant_id = p_tenant and m.role <> 'readonly'
       and (t.capability is null
            or exists (select from opsroom.role_capabilities c where c.role = m.role and c.capability = t.capability)))
$$;

create view opsroom.my_capabilities with (security_barrier) as
  select m.tenant_id, c.capability
    from opsroom.reach m join opsroom.role_capabilities c on c.role = m.role
   where m.login_role = session_user;

create type opsroom.run_answer as (answer text, capability text, run jsonb);

-- 'not_found' to whoever is no member of the run's tenant, exactly as for an id never used: the
-- predecessor row is looked up either way, and the time is padded to the next half millisecond.
create function opsroom.run_detail(p_id bigint) returns opsroom.run_answer
language plpgsql volatile security definer set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  begun constant timestamptz := clock_timestamp();
  due timestamptz;
  found_id bigint;
  found_type text;
  my_role text;
  reply opsroom.run_answer;
begin
  select x.id, x.type, m.role into found_id, found_type, my_role
    from (select y.id, y.tenant_id, y.type from opsroom.operation_runs y where y.id <= p_id order by y.id desc limit 1) x
    left join opsroom.reach m on m.tenant_id = x.tenant_id and m.login_role = session_user;
  if found_id is distinct from p_id or my_role is null then
    reply.answer := 'not_found';
    due := begun + interval '0.5 ms' * ceil(extract(epoch from clock_timestamp() - begun) / 0.0005 + 0.1)
                 + random() * interval '0.2 ms';
    while clock_timestamp() < due loop
      null;
    end loop;
    return reply;
  end if;
  select t.capability into reply.capability from opsroom.operation_types t
   where t.type = found_type and t.capability is not null
     and not exists (select from opsroom.role_capabilities c where c.role = my_role and c.capability = t.capability);
  if reply.capability is not null then
    reply.answer := 'forbidden';
    return reply;
  end if;
  select to_jsonb(o) || jsonb_build_object('tenant_name', t.name, 'worker_name', w.name) into reply.run
    from opsroom.operation_runs o
    join opsroom.tenants t on t.id = o.tenant_id
    left join opsroom.workers w on w.id = o.worker_id
   where o.id = p_id;
  reply.answer := 'ok';
  return reply;
end
$$;

create function opsroom.may_view_detail(p_id bigint) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from opsroom.operation_runs o
      join opsroom.reach m on m.tenant_id = o.tenant_id and m.login_role = session_user
      left join opsroom.operation_types t on t.type = o.type
     where o.id = p_id
       and (t.capability is null
            or exists (select from opsroom.role_capabilities c where c.role = m.role and c.capability = t.capability)))
$$;

-- Nothing without membership and capability; ask run_detail() why.
create function opsroom.run_items(p_id bigint, p_after text, p_limit int)
returns table (item_key text, label text, status text, code text, message text, updated_at timestamptz)
language plpgsql stable security definer set search_path = '' as $$
begin
  if opsroom.may_view_detail(p_id) then
    return query
    select i.item_key, i.label, i.status, i.code, i.message, i.updated_at from opsroom.operation_run_items i
     where i.run_id = p_id and i.item_key > coalesce(p_after, '')
     order by i.item_key limit least(greatest(p_limit, 0), 1000);
  end if;
end
$$;

create function opsroom.run_attempts_of(p_id bigint)
returns table (attempt int, claim_no int, worker_id uuid, worker_name text, started_at timestamptz, ended_at timestamptz,
               ended text, failure_summary jsonb)
language plpgsql stable security definer set search_path = '' as $$
begin
  if opsroom.may_view_detail(p_id) then
    return query
    select a.attempt, a.claim_no, a.worker_id, a.worker_name, a.started_at, a.ended_at, a.ended, a.failure_summary
      from opsroom.run_attempts a where a.run_id = p_id order by a.claim_no limit 1000;
  end if;
end
$$;

-- The last runs of the same identity, newest first: what the history strip draws.
create function opsroom.run_history(p_id bigint, p_limit int default 20)
returns table (id bigint, status text, outcome text, created_at timestamptz, started_at timestamptz, completed_at timestamptz)
language plpgsql stable security definer set search_path = '' as $$
begin
  if opsroom.may_view_detail(p_id) then
    return query
    select o.id, o.status, o.outcome, o.created_at, o.started_at, o.completed_at
      from opsroom.operation_runs me
      join opsroom.operation_runs o on o.tenant_id = me.tenant_id and o.run_identity_hash = me.run_identity_hash
     where me.id = p_id
     order by o.created_at desc limit least(greatest(p_limit, 0), 100);
  end if;
end
$$;

do $$
declare
  t text;
begin
  for t in select tablename from pg_catalog.pg_tables where schemaname = 'opsroom' loop
    execute format('alter table opsroom.%I enable row level security', t);
    -- Workers serve every tenant; what they may do to a table is in the grants.
    if t <> 'schema_migrations' then
      execute format('create policy worker on opsroom.%I to opsroom_worker using (true) with check (true)', t);
    end if;
  end loop;
  -- By membership, for whoever reads: the all-tenants flag first, because it is one lookup a statement.
  foreach t in array array['operation_runs', 'run_failures', 'schedules', 'schedule_fires'] loop
    execute format('create policy member on opsroom.%I for select to opsroom_reader
      using ((select opsroom.sees_all()) or tenant_id in (select r.tenant_id from opsroom.my_reach r))', t);
  end loop;
end
$$;

create policy member on opsroom.tenants for select to opsroom_reader, opsroom_starter
  using ((select opsroom.sees_all()) or id in (select r.tenant_id from opsroom.my_reach r));
create policy member on opsroom.workspaces for select to opsroom_reader, opsroom_starter
  using (id in (select t.workspace_id from opsroom.tenants t));
create policy everyone on opsroom.operation_types for select to opsroom_reader, opsroom_starter, opsroom_app using (true);
create policy everyone on opsroom.workers for select to opsroom_reader using (true);
create policy capable on opsroom.run_keys for select to opsroom_reader
  using (tenant_id in (select r.tenant_id from opsroom.my_reach r)
         and (capability is null or (tenant_id, capability) in (select c.tenant_id, c.capability from opsroom.my_capabilities c)));
create policy own on opsroom.notifications for select to opsroom_reader
  using (user_id in (select m.user_id from opsroom.my_user m)
         and tenant_id in (select r.tenant_id from opsroom.my_reach r));

create policy starter_inserts on opsroom.operation_runs for insert to opsroom_starter
  with check (opsroom.may_start(tenant_id, type) and status = 'queued' and outcome = 'pending' and user_id is not null);
create policy starter_finds on opsroom.operation_runs for select to opsroom_starter
  using (tenant_id in (select r.tenant_id from opsroom.my_reach r));

-- Another application: its own kind of run (nobody here executes it), in the tenants it is registered for.
create policy app_inserts on opsroom.operation_runs for insert to opsroom_app
  with check (tenant_id in (select a.tenant_id from opsroom.my_app_tenants a) and available_at is null);
create policy app_reads on opsroom.operation_runs for select to opsroom_app
  using (tenant_id in (select a.tenant_id from opsroom.my_app_tenants a));
create policy app_updates on opsroom.operation_runs for update to opsroom_app
  using (tenant_id in (select a.tenant_id from opsroom.my_app_tenants a) and available_at is null)
  with check (tenant_id in (select a.tenant_id from opsroom.my_app_tenants a) and available_at is null);

revoke all on all functions in schema opsroom from public;
-- A per-schema default cannot take away what the global default gives.
alter default privileges for role opsroom_owner revoke execute on functions from public;
grant usage on schema opsroom to opsroom_worker, opsroom_starter, opsroom_reader, opsroom_app;
grant execute on function opsroom.schema_version() to opsroom_worker, opsroom_starter, opsroom_reader, opsroom_app;

-- Readers.
grant select (id, tenant_id, user_id, initiator_name, type, status, outcome, run_identity_hash, summary_counts,
              started_at, completed_at, created_at, updated_at, changed_xid, attempt, max_attempts, available_at,
              claimed_at, worker_id, duration_bucket)
  on opsroom.operation_runs to opsroom_reader;
grant select on opsroom.run_failures, opsroom.run_keys, opsroom.tenants, opsroom.workspaces, opsroom.operation_types,
                opsroom.schedule_fires, opsroom.notifications,
                opsroom.my_reach, opsroom.my_capabilities, opsroom.my_user
  to opsroom_reader;
grant select (id, tenant_id, type, name, cron, time_zone, missed, paused_at, created_at) on opsroom.schedules to opsroom_reader;
grant select (id, name, version, types, slots, lease, started_at, beat_at, stopping_at, dead_at) on opsroom.workers to opsroom_reader;
grant execute on function opsroom.sees_all(), opsroom.run_detail(bigint), opsroom.run_items(bigint, text, int),
                          opsroom.run_attempts_of(bigint), opsroom.run_history(bigint, int)
  to opsroom_reader;

-- Starters.
grant select on opsroom.tenants, opsroom.workspaces, opsroom.operation_types, opsroom.my_reach, opsroom.my_user to opsroom_starter;
grant select (id, tenant_id, user_id, type, status, outcome, run_identity_hash) on opsroom.operation_runs to opsroom_starter;
grant insert (tenant_id, type, run_identity_hash, context, available_at) on opsroom.operation_runs to opsroom_starter;
grant execute on function opsroom.sees_all(), opsroom.may_start(bigint, text), opsroom.is_starter() to opsroom_starter;

-- Applications.
grant select (id, tenant_id, user_id, initiator_name, type, status, outcome, run_identity_hash, summary_counts,
              failure_summary, context, started_at, completed_at, created_at, updated_at),
      insert (tenant_id, user_id, initiator_name, type, status, outcome, run_identity_hash, summary_counts,
              failure_summary, context, started_at, completed_at, created_at, updated_at),
      update (status, outcome, summary_counts, failure_summary, context, started_at, completed_at, updated_at)
  on opsroom.operation_runs to opsroom_app;
grant select on opsroom.operation_types, opsroom.my_app_tenants to opsroom_app;
grant execute on function opsroom.duration_bucket(timestamptz, timestamptz), opsroom.refuse_future(timestamptz[]) to opsroom_app;

-- Workers: they execute, they do not administer; no DELETE on runs.
grant select on all tables in schema opsroom to opsroom_worker;
revoke select on opsroom.audit, opsroom.reach_derived from opsroom_worker;
grant insert (tenant_id, user_id, initiator_name, type, run_identity_hash, context, available_at, priority, status, outcome,
              failure_summary, completed_at),
      update (status, outcome, summary_counts, failure_summary, context, available_at, claim_no, attempt, worker_id, claimed_at, priority)
  on opsroom.operation_runs to opsroom_worker;
grant insert, update, delete on opsroom.operation_run_items, opsroom.inventory_items to opsroom_worker;
grant insert on opsroom.run_attempts, opsroom.schedule_fires to opsroom_worker;
grant insert (id, name, pid, version, types, slots, lease), update (beat_at, stopping_at, dead_at) on opsroom.workers to opsroom_worker;
grant update on opsroom.claim_gate to opsroom_worker;
grant execute on function opsroom.claim(uuid, int, text[], bigint, int, int, int),
                          opsroom.lanes_end(bigint, int), opsroom.beat(uuid), opsroom.declare_dead(),
                          opsroom.release_dead(int, text), opsroom.prune_workers(interval),
                          opsroom.duration_bucket(timestamptz, timestamptz), opsroom.refuse_future(timestamptz[]),
                          opsroom.register_operation_type(text, text, text, int, text[], boolean), opsroom.is_starter()
  to opsroom_worker;
