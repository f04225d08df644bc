-- What is done often, in one statement each: starting, ending and showing progress of many runs, and
-- forgetting old notifications.

-- What runs for every run that is written, is PL/pgSQL without queries where that can be: an SQL
-- function with settings of its own is planned anew in every transaction.

create or replace function opsroom.is_starter() returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return pg_catalog.pg_has_role(session_user, 'opsroom_starter', 'usage')
     and not pg_catalog.pg_has_role(session_user, 'opsroom_worker', 'usage');
end
$$;

create or replace function opsroom.duration_bucket(p_started timestamptz, p_completed timestamptz) returns smallint
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return case when p_started is null or p_completed is null then null else
    least(floor(ln(greatest(extract(epoch from p_completed - p_started)::float8 * 1000, 1)) / ln(2)), 60)::smallint end;
end
$$;

create or replace function opsroom.refuse_future(variadic p_times timestamptz[]) returns void
language plpgsql set search_path = '' as $$
declare
  latest constant timestamptz := pg_catalog.clock_timestamp() + interval '1 hour';
begin
  if latest < any (p_times) then
    raise exception using errcode = 'OP006', message = 'a run cannot be from the future';
  end if;
end
$$;

-- As in 0004.
create or replace function opsroom.admit_run() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if pg_catalog.pg_has_role(session_user, 'opsroom_starter', 'usage')
     and not pg_catalog.pg_has_role(session_user, 'opsroom_worker', 'usage') then
    select l.user_id, u.name into new.user_id, new.initiator_name
      from opsroom.logins l join opsroom.users u on u.id = l.user_id where l.login_role = session_user;
    if new.initiator_name is null then
      raise exception using errcode = '42501', message = 'this login belongs to no user';
    end if;
    new.available_at := coalesce(new.available_at, pg_catalog.clock_timestamp());
  end if;
  if new.available_at is not null then
    new.max_attempts := coalesce((select t.max_attempts from opsroom.operation_types t where t.type = new.type),
                                 new.max_attempts);
  end if;
  if new.status = 'running' and new.started_at is null then
    new.started_at := pg_catalog.clock_timestamp();
  end if;
  if new.status = 'completed' and new.completed_at is null then
    new.completed_at := pg_catalog.clock_timestamp();
  end if;
  if greatest(new.created_at, new.started_at, new.completed_at) > pg_catalog.clock_timestamp() + interval '1 hour' then
    perform opsroom.refuse_future(new.created_at, new.started_at, new.completed_at);
  end if;
  new.duration_bucket := case when new.completed_at is not null then opsroom.duration_bucket(new.started_at, new.completed_at) end;
  new.changed_xid := pg_catalog.pg_current_xact_id();
  return new;
end
$$;

-- A start's audit entry and its initiator's notification in one function: each call has its price.
create function opsroom.note_start() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into opsroom.audit (user_id, tenant_id, action, subject, run_id)
  values (new.user_id, new.tenant_id, 'run.start', new.type, new.id);
  if new.user_id is not null and new.status = 'queued' then
    insert into opsroom.notifications (tenant_id, user_id, run_id, kind, run_type, code)
    values (new.tenant_id, new.user_id, new.id, 'queued', new.type, new.failure_summary -> 0 ->> 'code')
    on conflict do nothing;
  end if;
  return null;
end
$$;
revoke all on function opsroom.note_start() from public;
drop trigger notify_queued on opsroom.operation_runs;
drop trigger audit_start on opsroom.operation_runs;
drop function opsroom.audit_start();
create trigger note_start after insert on opsroom.operation_runs
  for each row when (new.status <> 'completed') execute function opsroom.note_start();

-- Creates the run, or finds the active one of the same identity, in one round trip. `answer` is created,
-- reused, taken (by a run of another type, `detail`), contended, isolation (`detail`: the one found) or
-- refused (`detail`: SQLSTATE, `constraint_name`). A refusal leaves the caller's transaction usable.
-- Waits at most a second for a competitor to commit. A starter's run is its own, of the usual priority.
-- p_workers: workers here execute it; otherwise the caller's own transport does.
create function opsroom.ensure_run(
  p_tenant bigint, p_type text, p_hash text, p_context jsonb, p_user bigint, p_name text, p_priority smallint,
  p_workers boolean, p_wake boolean
) returns table (answer text, run bigint, detail text, constraint_name text)
language plpgsql volatile set search_path = '' set lock_timeout = '1s' as $$
declare
  begun constant timestamptz := pg_catalog.clock_timestamp();
begin
  answer := 'isolation';
  detail := pg_catalog.current_setting('transaction_isolation');
  if detail <> 'read committed' then
    return next;
    return;
  end if;
  detail := null;
  loop
    begin
      if opsroom.is_starter() then
        insert into opsroom.operation_runs (tenant_id, type, run_identity_hash, context, available_at)
        values (p_tenant, p_type, p_hash, p_context, pg_catalog.clock_timestamp())
        on conflict (tenant_id, run_identity_hash) where status in ('queued', 'running') do nothing returning id into run;
      elsif not p_workers then
        insert into opsroom.operation_runs (tenant_id, type, run_identity_hash, context, user_id, initiator_name)
        values (p_tenant, p_type, p_hash, p_context, p_user, p_name)
        on conflict (tenant_id, run_identity_hash) where status in ('queued', 'running') do nothing returning id into run;
      else
        insert into opsroom.operation_runs
          (tenant_id, type, run_identity_hash, context, available_at, user_id, initiator_name, priority)
        values (p_tenant, p_type, p_hash, p_context, pg_catalog.clock_timestamp(), p_user, p_name, p_priority)
        on conflict (tenant_id, run_identity_hash) where status in ('queued', 'running') do nothing returning id into run;
      end if;
    exception when others then
      get stacked diagnostics detail = returned_sqlstate, constraint_name = constraint_name;
      answer := 'refused';
      return next;
      return;
    end;
    if run is not null then
      if p_wake and p_workers then
        perform pg_catalog.pg_notify('opsroom_runs', '') from opsroom.settings s where s.wake;
      end if;
      answer := 'created';
      exit;
    end if;
    -- A snapshot of its own: it sees what the competitor committed.
    select r.id, r.type into run, detail from opsroom.operation_runs r
     where r.tenant_id = p_tenant and r.run_identity_hash = p_hash and r.status in ('queued', 'running');
    if found then
      answer := case when detail = p_type then 'reused' else 'taken' end;
      exit;
    end if;
    -- It ended in between; a round takes less than a millisecond.
    if pg_catalog.clock_timestamp() - begun > interval '1 second' then
      answer := 'contended';
      exit;
    end if;
  end loop;
  return next;
end
$$;
revoke all on function opsroom.ensure_run(bigint, text, text, jsonb, bigint, text, smallint, boolean, boolean) from public;
grant execute on function opsroom.ensure_run(bigint, text, text, jsonb, bigint, text, smallint, boolean, boolean)
  to opsroom_worker, opsroom_starter, opsroom_app;
-- An application finds its own runs by it: those that nobody here executes.
grant execute on function opsroom.is_starter() to opsroom_app;
grant select (available_at) on opsroom.operation_runs to opsroom_app;

-- Ends claims of one worker, each under its fence, and notes the attempts. `p_ended` is an outcome (the
-- run is over), `retry` (p_waits: seconds), `deferred` (the same, the attempt not counted) or `released`
-- (claimable after p_waits, the attempt not counted). Returns the runs it ended; the others' claims are
-- lost, their ending is written already, or somebody else holds their row.
create function opsroom.end_claims(
  p_worker uuid, p_name text, p_runs bigint[], p_claims int[], p_attempts int[], p_ended text[], p_waits float8[],
  p_counts jsonb[], p_failures jsonb[]
) returns setof bigint
language plpgsql volatile set search_path = '' set plan_cache_mode = force_generic_plan
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off as $$
begin
  return query
  with given as materialized (
    select g.*, g.ended in ('retry', 'deferred', 'released') as again
      from unnest(p_runs, p_claims, p_attempts, p_ended, p_waits, p_counts, p_failures)
           g (run, claim, attempt, ended, wait, counts, failures)
  ), held as materialized (
    -- A row that somebody holds is passed over: it must not make the others wait.
    select g.* from given g cross join lateral (
      select 1 from opsroom.operation_runs o
       -- CASE hides the predicates of partial indexes, which the planner takes for empty.
       where o.id = g.run and case when o.status = 'running' then o.worker_id = p_worker and o.claim_no = g.claim end
         for no key update skip locked) x
  ), ended as (
    update opsroom.operation_runs r
       set status = case when g.again then 'running' else 'completed' end,
           outcome = case when g.again then 'pending' else g.ended end,
           worker_id = case when g.again then null else r.worker_id end,
           attempt = r.attempt - case when g.ended in ('deferred', 'released') then 1 else 0 end,
           available_at = case when g.again then pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => g.wait)
                               else r.available_at end,
           summary_counts = coalesce(g.counts, r.summary_counts),
           failure_summary = case when g.ended = 'released' then r.failure_summary else g.failures end
      from held g
     where r.id = g.run
    returning r.tenant_id, r.id, g.claim, g.attempt, r.claimed_at, g.ended, g.failures
  ), noted as (
    insert into opsroom.run_attempts
      (tenant_id, run_id, claim_no, attempt, worker_id, worker_name, started_at, ended, failure_summary)
    select e.tenant_id, e.id, e.claim, e.attempt, p_worker, p_name, e.claimed_at,
           case e.ended when 'deferred' then 'retry' else e.ended end, case when e.ended <> 'released' then e.failures end
      from ended e
    on conflict do nothing
  )
  select e.id from ended e;
end
$$;
revoke all on function opsroom.end_claims(uuid, text, bigint[], int[], int[], text[], float8[], jsonb[], jsonb[]) from public;

-- Shows what runs of one worker counted so far. A row somebody holds is passed over: its holder writes
-- newer counts. Returns the runs whose claim is lost.
create function opsroom.show_progress(p_worker uuid, p_runs bigint[], p_claims int[], p_counts jsonb[]) returns setof bigint
language plpgsql volatile set search_path = '' set plan_cache_mode = force_generic_plan
set jit = off set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off as $$
begin
  return query
  with given as materialized (
    select g.* from unnest(p_runs, p_claims, p_counts) g (run, claim, counts)
  ), held as materialized (
    select x.id, g.counts from given g cross join lateral (
      select r.id from opsroom.operation_runs r
       where r.id = g.run and case when r.status = 'running' then r.worker_id = p_worker and r.claim_no = g.claim end
         for no key update skip locked) x
  ), shown as (
    update opsroom.operation_runs r set summary_counts = h.counts from held h where r.id = h.id
  )
  select g.run from given g
   where not exists (select from opsroom.operation_runs r
                      where r.id = g.run and case when r.status = 'running' then r.worker_id = p_worker and r.claim_no = g.claim end);
end
$$;
revoke all on function opsroom.show_progress(uuid, bigint[], int[], jsonb[]) from public;

-- Forgets up to p_limit notifications that are older than settings say. Returns how many.
create function opsroom.prune_notifications(p_limit int) returns bigint
language plpgsql volatile security definer set search_path = '' as $$
declare
  gone bigint;
begin
  -- Ids rise with time: the oldest are found without an index of their own.
  delete from opsroom.notifications n
   where n.id in (select o.id from (select x.id, x.created_at from opsroom.notifications x order by x.id limit p_limit) o
                   where o.created_at < pg_catalog.clock_timestamp() - (select s.notifications_kept from opsroom.settings s));
  get diagnostics gone = row_count;
  if gone > 0 then
    insert into opsroom.audit (user_id, action, subject)
    values ((select l.user_id from opsroom.logins l where l.login_role = session_user), 'notifications.prune', gone || ' rows');
  end if;
  return gone;
end
$$;
revoke all on function opsroom.prune_notifications(int) from public;

grant execute on function opsroom.end_claims(uuid, text, bigint[], int[], int[], text[], float8[], jsonb[], jsonb[]),
                          opsroom.show_progress(uuid, bigint[], int[], jsonb[]), opsroom.prune_notifications(int)
  to opsroom_worker;
