-- How long completed runs are kept. Days are whole UTC days by the run's creation. What stays: active
-- runs however old, runs that ended lately, runs the rollups have not counted, schedule_fires, rollups.

create table opsroom.retention (
  type text primary key check (type = '*' or (type ~ '^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$' and length(type) <= 100)),
  days int not null check (days between 1 and 3650)
);
comment on column opsroom.retention.type is '*: every type that has no row of its own. That row is also the gate pruning passes one by one.';
insert into opsroom.retention values ('*', 90);

create function opsroom.guard_retention() returns trigger
language plpgsql set search_path = '' as $$
begin
  if old.type = '*' then
    raise exception using errcode = '23514', message = 'the default retention can be changed, not removed';
  end if;
  return old;
end
$$;
create trigger guard before delete on opsroom.retention
  for each row execute function opsroom.guard_retention();

create function opsroom.audit_retention() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into opsroom.audit (user_id, action, subject)
  values ((select l.user_id from opsroom.logins l where l.login_role = session_user),
          case tg_op when 'DELETE' then 'retention.reset' else 'retention.set' end,
          case tg_op when 'DELETE' then old.type else pg_catalog.concat(new.type, ' ', new.days, ' days') end);
  return null;
end
$$;
create trigger audit after insert or update or delete on opsroom.retention
  for each row execute function opsroom.audit_retention();

-- Each type there are runs of, how long its runs are kept, and the moment before which they may go.
-- p_default stands in for the stored default.
create function opsroom.retention_of_types(p_default int default null)
returns table (run_type text, days int, before timestamptz)
language sql stable security definer set search_path = '' as $$
  with recursive types (type) as (
    (select r.type from opsroom.operation_runs r order by r.type limit 1)
    union all
    select (select r.type from opsroom.operation_runs r where r.type > t.type order by r.type limit 1)
      from types t where t.type is not null
  )
  select t.type, k.days, date_trunc('day', pg_catalog.clock_timestamp() - pg_catalog.make_interval(days => k.days), 'UTC')
    from types t
   cross join lateral (
     select coalesce((select o.days from opsroom.retention o where o.type = t.type),
                     case when p_default is not null then greatest(p_default, 1) end,
                     (select o.days from opsroom.retention o where o.type = '*')) as days) k
   where t.type is not null order by t.type
$$;

-- How many runs a prune would remove now.
create function opsroom.prunable(p_default int default null)
returns table (run_type text, days int, before timestamptz, runs bigint)
language sql stable security definer set search_path = '' as $$
  select k.run_type, k.days, k.before, (
           select count(*) from opsroom.operation_runs r
            where r.type = k.run_type and r.created_at < k.before and r.status = 'completed' and r.completed_at < k.before)
    from opsroom.retention_of_types(p_default) k
$$;

create type opsroom.prune_answer as (state text, run_type text, runs bigint, before timestamptz);

-- Removes up to p_limit runs of one type, with what hangs off them, and says so in the audit trail, all
-- in one transaction: interrupted, it left nothing half done. State: 'busy' (somebody else prunes),
-- 'pruned', 'done' (nothing is old enough). p_default is the owner's to give; see prune_runs().
create function opsroom.prune_runs_after(p_limit int, p_default int) returns opsroom.prune_answer
language plpgsql volatile security definer set search_path = '' set plan_cache_mode = force_custom_plan
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  kept record;
  chosen bigint[];
  reply opsroom.prune_answer;
begin
  perform from opsroom.retention k where k.type = '*' for update skip locked;
  if not found then
    reply.state := 'busy';
    return reply;
  end if;
  -- Before the runs, as whoever redacts does.
  perform from opsroom.rollup_state for share;
  for kept in select * from opsroom.retention_of_types(p_default) loop
    chosen := array(
      select r.id from opsroom.operation_runs r
       where r.type = kept.run_type and r.created_at < kept.before and r.status = 'completed' and r.completed_at < kept.before
         and pg_catalog.pg_visible_in_snapshot(r.changed_xid, (select s.snap from opsroom.rollup_state s where s.valid))
         and not exists (select from opsroom.rollup_pending p where p.day <= (r.created_at at time zone 'UTC')::date)
       order by r.created_at limit greatest(p_limit, 1));
    if chosen <> '{}' then
      delete from opsroom.notifications n using opsroom.operation_runs r
       where r.id = any (chosen) and n.tenant_id = r.tenant_id and n.run_id = r.id;
      delete from opsroom.operation_runs r where r.id = any (chosen);
      get diagnostics reply.runs = row_count;
      insert into opsroom.audit (user_id, action, subject)
      values ((select l.user_id from opsroom.logins l where l.login_role = session_user), 'runs.prune',
              pg_catalog.format('%s runs of %s, created before %s', reply.runs, kept.run_type,
                                pg_catalog.to_char(kept.before at time zone 'UTC', 'YYYY-MM-DD')));
      reply.state := 'pruned';
      reply.run_type := kept.run_type;
      reply.before := kept.before;
      return reply;
    end if;
  end loop;
  reply.state := 'done';
  return reply;
end
$$;

-- The same by the stored retention alone: what a worker may do.
create function opsroom.prune_runs(p_limit int) returns opsroom.prune_answer
language sql volatile security definer set search_path = '' as $$
  select opsroom.prune_runs_after(p_limit, null)
$$;

alter table opsroom.retention enable row level security;
create policy everyone on opsroom.retention for select to opsroom_worker, opsroom_reader using (true);
grant select on opsroom.retention to opsroom_worker, opsroom_reader;
revoke all on all routines in schema opsroom from public;
revoke usage on type opsroom.prune_answer from public;
grant execute on function opsroom.prune_runs(int), opsroom.prunable(int), opsroom.retention_of_types(int) to opsroom_worker;
