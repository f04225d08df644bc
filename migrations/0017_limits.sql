-- How much may run at once, over all workers, and how urgent what waits is. Limits stand in the
-- database, not with a worker, so that they hold whoever claims.

create table opsroom.settings (
  one boolean primary key default true check (one),
  tenant_limit int check (tenant_limit > 0),
  wake boolean not null default true,
  notifications_kept interval not null default '30 days' check (notifications_kept >= interval '1 day')
);
insert into opsroom.settings default values;
comment on column opsroom.settings.tenant_limit is 'Runs of one tenant executed at the same time; NULL: no limit. tenants.running_limit goes before it.';
comment on column opsroom.settings.wake is 'Whether starting a run notifies idle workers. Without it they find it at their next poll.';
comment on column opsroom.settings.notifications_kept is 'How long notifications stay.';

alter table opsroom.tenants add running_limit int check (running_limit > 0);
comment on column opsroom.tenants.running_limit is 'Runs of this tenant executed at the same time; NULL: settings.tenant_limit.';
alter table opsroom.operation_types add tenant_limit int check (tenant_limit > 0), add total_limit int check (total_limit > 0);
comment on column opsroom.operation_types.tenant_limit is 'Runs of this type and one tenant executed at the same time; NULL: no limit.';
comment on column opsroom.operation_types.total_limit is 'Runs of this type executed at the same time, over all tenants; NULL: no limit.';
comment on column opsroom.operation_runs.priority is 'Lower goes first among what is due of one tenant; never before another tenant''s turn.';

alter table opsroom.settings enable row level security;
create policy everyone on opsroom.settings for select to opsroom_worker, opsroom_starter using (true);
grant select on opsroom.settings to opsroom_worker;
grant select (wake) on opsroom.settings to opsroom_starter;

-- Types and settings are administered like access is: who changed what stands in the audit trail.
create function opsroom.audit_settings() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  r jsonb := to_jsonb(case when tg_op = 'DELETE' then old else new end);
begin
  insert into opsroom.audit (user_id, action, subject)
  select (select l.user_id from opsroom.logins l where l.login_role = session_user),
         tg_table_name || '.' || lower(tg_op),
         pg_catalog.left(coalesce((select string_agg(f.key || '=' || f.value, ' ') from pg_catalog.jsonb_each_text(r) f
                                    where f.key <> 'one' and f.value is not null), ''), 300);
  return null;
end
$$;
revoke all on function opsroom.audit_settings() from public;
create trigger audit after insert or update or delete on opsroom.settings
  for each row execute function opsroom.audit_settings();
create trigger audit after insert or update or delete on opsroom.operation_types
  for each row execute function opsroom.audit_settings();

drop function opsroom.register_operation_type(text, text, text, int, text[], boolean);
-- As before, with limits. What a program does not limit, it leaves without.
create function opsroom.register_operation_type(
  p_type text, p_label text, p_capability text, p_max_attempts int, p_search_keys text[], p_readonly boolean default true,
  p_tenant_limit int default null, p_total_limit int default null
) returns void language plpgsql security definer set search_path = '' as $$
begin
  if p_capability is not null
     and not exists (select from opsroom.operation_types where capability = p_capability) then
    insert into opsroom.role_capabilities (role, capability)
    select r.role, p_capability from opsroom.roles r where p_readonly or r.role <> 'readonly'
    on conflict do nothing;
  end if;
  insert into opsroom.operation_types as t (type, label, capability, max_attempts, search_keys, tenant_limit, total_limit)
  values (p_type, p_label, p_capability, p_max_attempts, p_search_keys, p_tenant_limit, p_total_limit)
  on conflict (type) do update
     set label = excluded.label, capability = excluded.capability,
         max_attempts = excluded.max_attempts, search_keys = excluded.search_keys,
         tenant_limit = excluded.tenant_limit, total_limit = excluded.total_limit
   where (t.label, t.capability, t.max_attempts, t.search_keys, t.tenant_limit, t.total_limit)
         is distinct from (excluded.label, excluded.capability, excluded.max_attempts, excluded.search_keys,
                           excluded.tenant_limit, excluded.total_limit);
end
$$;
revoke all on function opsroom.register_operation_type(text, text, text, int, text[], boolean, int, int) from public;
grant execute on function opsroom.register_operation_type(text, text, text, int, text[], boolean, int, int) to opsroom_worker;

drop function opsroom.claim(uuid, int, text[], bigint, int, int, int);
drop function opsroom.lanes_end(bigint, int);

-- Where to go on when the p_lanes lanes from p_cursor on held nothing to claim; NULL: these were all.
create function opsroom.lanes_end(p_cursor bigint, p_lanes int default 128) returns bigint
language sql stable set search_path = '' set enable_seqscan = off set enable_bitmapscan = off as $$
  with recursive ahead (tenant_id, type, priority, n) as (
    (select r.tenant_id, r.type, r.priority, 1 from opsroom.operation_runs r
      where r.worker_id is null and r.available_at is not null and r.status <> 'completed' and r.tenant_id > p_cursor
      order by r.tenant_id, r.type, r.priority limit 1)
    union all
    select x.tenant_id, x.type, x.priority, l.n + 1 from ahead l cross join lateral (
      select r.tenant_id, r.type, r.priority from opsroom.operation_runs r
       where r.worker_id is null and r.available_at is not null and r.status <> 'completed'
         and (r.tenant_id, r.type, r.priority) > (l.tenant_id, l.type, l.priority)
       order by r.tenant_id, r.type, r.priority limit 1) x
     where l.n < p_lanes
  )
  -- The last tenant may have lanes that were cut off: it is looked at again, unless it is the only one.
  select case when count(*) < p_lanes then case when p_cursor > 0 then 0 end
              when min(tenant_id) < max(tenant_id) then max(tenant_id) - 1
              else max(tenant_id) end
    from ahead
$$;
revoke all on function opsroom.lanes_end(bigint, int) from public;

-- Claims up to p_slots runs for a live worker, fairly: lanes (tenant, type, priority) from a rotating
-- cursor, the heads of each lane, round-robin over tenants, within a tenant by priority. What is over
-- the limit of its lane, its tenant or its type stays. Nothing for a worker that is declared dead.
-- Where nothing was found and lanes were left out: one row without a run, `tenant` the cursor to go on
-- from. The planner settings are deliberate: its statistics believe the partial queue index to be empty.
create function opsroom.claim(p_worker uuid, p_slots int, p_types text[], p_cursor bigint, p_lanes int default 128)
returns table (run_id bigint, tenant bigint, run_type text, claim int, attempt_no int, attempts int,
               run_context jsonb, counts jsonb, queued_at timestamptz)
language plpgsql volatile set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off as $$
begin
  -- A worker declared dead claims no more; the share lock makes the declaration wait for this claim.
  perform from opsroom.workers w where w.id = p_worker and w.dead_at is null for key share;
  if not found then
    return;
  end if;
  -- Limits are counts of what is committed: one claim at a time.
  perform from opsroom.claim_gate g for no key update;
  return query
  with recursive ahead (tenant_id, type, priority, n) as (
    (select r.tenant_id, r.type, r.priority, 1 from opsroom.operation_runs r
      where r.worker_id is null and r.available_at is not null and r.status <> 'completed' and r.tenant_id > p_cursor
      order by r.tenant_id, r.type, r.priority limit 1)
    union all
    select x.tenant_id, x.type, x.priority, l.n + 1 from ahead l cross join lateral (
      select r.tenant_id, r.type, r.priority from opsroom.operation_runs r
       where r.worker_id is null and r.available_at is not null and r.status <> 'completed'
         and (r.tenant_id, r.type, r.priority) > (l.tenant_id, l.type, l.priority)
       order by r.tenant_id, r.type, r.priority limit 1) x
     where l.n < p_lanes
  ), behind (tenant_id, type, priority, n) as (
    (select r.tenant_id, r.type, r.priority, p_lanes + 1 from opsroom.operation_runs r
      where r.worker_id is null and r.available_at is not null and r.status <> 'completed' and r.tenant_id <= p_cursor
        and (select count(*) from ahead) < p_lanes
      order by r.tenant_id, r.type, r.priority limit 1)
    union all
    select x.tenant_id, x.type, x.priority, l.n + 1 from behind l cross join lateral (
      select r.tenant_id, r.type, r.priority from opsroom.operation_runs r
       where r.worker_id is null and r.available_at is not null and r.status <> 'completed'
         and r.tenant_id <= p_cursor and (r.tenant_id, r.type, r.priority) > (l.tenant_id, l.type, l.priority)
       order by r.tenant_id, r.type, r.priority limit 1) x
     where l.n < 2 * p_lanes - (select count(*) from ahead)
  ), type_room as materialized (
    select y.type, t.tenant_limit, t.total_limit - (
             select count(*) from (
               select 1 from opsroom.operation_runs q
                where t.total_limit is not null and q.worker_id is not null and q.status = 'running' and q.type = t.type
                limit t.total_limit) held) as free
      from pg_catalog.unnest(p_types) y (type) left join opsroom.operation_types t on t.type = y.type
  ), lane as materialized (
    select a.tenant_id, a.type, a.priority, a.n, y.tenant_limit
      from (select * from ahead union all select * from behind) a join type_room y on y.type = a.type
     where y.free is null or y.free > 0
  ), heads as materialized (
    -- What is found short is made up for by the next call; a thousand heads of each lane are not looked at.
    select l.tenant_id, l.type, l.n, l.tenant_limit, l.priority, h.id, h.available_at
      from lane l cross join lateral (
        select r.id, r.available_at from opsroom.operation_runs r
         where r.worker_id is null and r.available_at is not null and r.status <> 'completed'
           and r.tenant_id = l.tenant_id and r.type = l.type and r.priority = l.priority
           and r.available_at <= pg_catalog.clock_timestamp()
         order by r.available_at, r.id
         limit (select least(p_slots, greatest(8, 2 * p_slots / greatest(count(*), 1))) from lane)) h
  ), lane_room as materialized (
    select d.tenant_id, d.type, d.tenant_limit - (
             select count(*) from (
               select 1 from opsroom.operation_runs q
                where q.worker_id is not null and q.status = 'running' and q.tenant_id = d.tenant_id and q.type = d.type
                limit d.tenant_limit) held) as free
      from (select distinct h.tenant_id, h.type, h.tenant_limit from heads h where h.tenant_limit is not null) d
  ), tenant_room as materialized (
    select d.tenant_id, d.most - (
             select count(*) from (
               select 1 from opsroom.operation_runs q
                where q.worker_id is not null and q.status = 'running' and q.tenant_id = d.tenant_id limit d.most) held) as free
      from (select t.id as tenant_id, coalesce(t.running_limit, s.tenant_limit) as most
              from (select distinct h.tenant_id from heads h) h join opsroom.tenants t on t.id = h.tenant_id
              cross join opsroom.settings s) d
     where d.most is not null
  ), in_lane as (
    select h.*, row_number() over (partition by h.tenant_id, h.type order by h.priority, h.available_at, h.id) as lane_place
      from heads h
  ), in_tenant as (
    select h.tenant_id, h.type, h.id,
           row_number() over (partition by h.tenant_id order by h.priority, h.available_at, h.id) as place,
           min(h.n) over (partition by h.tenant_id) as turn
      from in_lane h left join lane_room r on r.tenant_id = h.tenant_id and r.type = h.type
     where r.free is null or h.lane_place <= r.free
  ), in_type as (
    select h.type, h.id, h.place, h.turn, row_number() over (partition by h.type order by h.place, h.turn) as type_place
      from in_tenant h left join tenant_room r on r.tenant_id = h.tenant_id
     where r.free is null or h.place <= r.free
  ), pick as materialized (
    select h.id, h.place, h.turn from in_type h join type_room y on y.type = h.type
     where y.free is null or h.type_place <= y.free
     order by h.place, h.turn limit p_slots
  ), locked as materialized (
    select x.id from pick p cross join lateral (
      -- CASE hides the predicate of the queue index from the planner, which would pick it over the key.
      select o.id from opsroom.operation_runs o
       where o.id = p.id
         and case when o.worker_id is null and o.status <> 'completed'
                  then o.available_at <= pg_catalog.clock_timestamp() end
         for no key update skip locked) x
  )
  update opsroom.operation_runs o
     set status = 'running', worker_id = p_worker, claim_no = o.claim_no + 1, attempt = o.attempt + 1,
         claimed_at = pg_catalog.clock_timestamp()
    from locked
   where o.id = locked.id
  returning o.id, o.tenant_id, o.type, o.claim_no, o.attempt, o.max_attempts, o.context, o.summary_counts, o.created_at;
  if not found then
    return query
    select null::bigint, e.x, null::text, null::int, null::int, null::int, null::jsonb, null::jsonb, null::timestamptz
      from (select opsroom.lanes_end(p_cursor, p_lanes)) e (x) where e.x is not null;
  end if;
end
$$;
revoke all on function opsroom.claim(uuid, int, text[], bigint, int) from public;
grant execute on function opsroom.claim(uuid, int, text[], bigint, int), opsroom.lanes_end(bigint, int) to opsroom_worker;
