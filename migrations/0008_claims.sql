-- Taking, losing and giving back runs. All times are the database's.

-- Claims up to p_slots runs for a live worker, fairly: lanes (tenant, type) from a rotating cursor,
-- the heads of each lane up to its room, round-robin over tenants. Returns nothing for a worker that
-- is declared dead. The planner settings are deliberate: its statistics believe the partial queue
-- index to be empty.
create function opsroom.claim(
  p_worker uuid, p_slots int, p_types text[], p_cursor bigint,
  p_lanes int default 128, p_tenant_limit int default 1000, p_lane_limit int default 1000
) returns table (run_id bigint, tenant bigint, run_type text, claim int, attempt_no int, attempts int,
                 run_context jsonb, counts jsonb, queued_at timestamptz)
language plpgsql volatile set search_path = '' set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off as $$
begin
  -- A worker declared dead claims no more; the share lock makes the declaration wait for this claim.
  perform from opsroom.workers w where w.id = p_worker and w.dead_at is null for key share;
  if not found then
    return;
  end if;
  perform from opsroom.claim_gate g for no key update;
  return query
  with recursive ahead (tenant_id, type, n) as (
    (select r.tenant_id, r.type, 1 from opsroom.operation_runs r
      where r.worker_id is null and r.available_at is not null and r.status <> 'completed' and r.tenant_id > p_cursor
      order by r.tenant_id, r.type limit 1)
    union all
    select x.tenant_id, x.type, l.n + 1 from ahead l cross join lateral (
      select r.tenant_id, r.type from opsroom.operation_runs r
       where r.worker_id is null and r.available_at is not null and r.status <> 'completed'
         and (r.tenant_id, r.type) > (l.tenant_id, l.type)
       order by r.tenant_id, r.type limit 1) x
     where l.n < p_lanes
  ), behind (tenant_id, type, n) as (
    (select r.tenant_id, r.type, p_lanes + 1 from opsroom.operation_runs r
      where r.worker_id is null and r.available_at is not null and r.status <> 'completed' and r.tenant_id <= p_cursor
        and (select count(*) from ahead) < p_lanes
      order by r.tenant_id, r.type limit 1)
    union all
    select x.tenant_id, x.type, l.n + 1 from behind l cross join lateral (
      select r.tenant_id, r.type from opsroom.operation_runs r
       where r.worker_id is null and r.available_at is not null and r.status <> 'completed'
         and r.tenant_id <= p_cursor and (r.tenant_id, r.type) > (l.tenant_id, l.type)
       order by r.tenant_id, r.type limit 1) x
     where l.n < 2 * p_lanes - (select count(*) from ahead)
  ), lane as materialized (
    select a.tenant_id, a.type, a.n from ahead a union all select b.tenant_id, b.type, b.n from behind b
  ), heads as materialized (
    select l.tenant_id, l.type, l.n, h.id, h.priority, h.available_at
      from lane l cross join lateral (
        select r.id, r.priority, r.available_at from opsroom.operation_runs r
         where r.worker_id is null and r.available_at is not null and r.status <> 'completed'
           and r.tenant_id = l.tenant_id and r.type = l.type and r.available_at <= pg_catalog.clock_timestamp()
         order by r.priority, r.available_at, r.id
         limit greatest(0, least(p_slots, p_lane_limit - (
           select count(*) from (
             select 1 from opsroom.operation_runs q
              where q.worker_id is not null and q.status = 'running' and q.tenant_id = l.tenant_id and q.type = l.type
              limit p_lane_limit) held)))) h
     where l.type = any (p_types)
  ), room as materialized (
    select t.tenant_id, p_tenant_limit - (
             select count(*) from (
               select 1 from opsroom.operation_runs q
                where q.worker_id is not null and q.status = 'running' and q.tenant_id = t.tenant_id
                limit p_tenant_limit) held) as free
      from (select distinct h.tenant_id from heads h) t
  ), ranked as (
    select h.tenant_id, h.id,
           row_number() over (partition by h.tenant_id order by h.priority, h.available_at, h.id) as place,
           min(h.n) over (partition by h.tenant_id) as turn
      from heads h
  ), pick as materialized (
    select k.id from ranked k join room using (tenant_id) where k.place <= room.free order by k.place, k.turn limit p_slots
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
end
$$;

-- Where the lanes end that claim() looks at from p_cursor: go on from there when it found nothing, or
-- work behind many lanes of other types and of waiting runs is never seen. NULL: it looked at all of
-- them up to the last tenant; begin at 0.
create function opsroom.lanes_end(p_cursor bigint, p_lanes int default 128) returns bigint
language sql stable set search_path = '' set enable_seqscan = off set enable_bitmapscan = off as $$
  with recursive ahead (tenant_id, type, n) as (
    (select r.tenant_id, r.type, 1 from opsroom.operation_runs r
      where r.worker_id is null and r.available_at is not null and r.status <> 'completed' and r.tenant_id > p_cursor
      order by r.tenant_id, r.type limit 1)
    union all
    select x.tenant_id, x.type, l.n + 1 from ahead l cross join lateral (
      select r.tenant_id, r.type from opsroom.operation_runs r
       where r.worker_id is null and r.available_at is not null and r.status <> 'completed'
         and (r.tenant_id, r.type) > (l.tenant_id, l.type)
       order by r.tenant_id, r.type limit 1) x
     where l.n < p_lanes
  )
  -- The last tenant may have lanes that were cut off: it is looked at again, unless it is the only one.
  select case when max(n) < p_lanes then null
              when min(tenant_id) < max(tenant_id) then max(tenant_id) - 1
              else max(tenant_id) end
    from ahead
$$;

-- One heartbeat. False: declared dead; the caller must stop writing and come back under a new id.
create function opsroom.beat(p_worker uuid) returns boolean
language sql volatile set search_path = '' as $$
  with beaten as (
    update opsroom.workers set beat_at = pg_catalog.clock_timestamp()
     where id = p_worker and dead_at is null returning 1
  ) select exists (select from beaten)
$$;

-- Step one of reaping, a transaction of its own: workers whose lease has run out are dead, for ever.
-- The row lock makes a beat or a claim of theirs wait and then find dead_at set.
create function opsroom.declare_dead() returns setof uuid
language sql volatile set search_path = '' as $$
  update opsroom.workers set dead_at = pg_catalog.clock_timestamp()
   where id in (select w.id from opsroom.workers w
                 where w.dead_at is null and w.beat_at + w.lease < pg_catalog.clock_timestamp()
                   for update skip locked)
     and dead_at is null
  returning id
$$;

-- Step two, in pages: what dead workers held is claimable again, or failed where no attempt is left.
-- Idempotent; returns the page.
create function opsroom.release_dead(p_limit int, p_lost_message text) returns table (run_id bigint, tenant bigint, ended boolean)
language plpgsql volatile set search_path = '' as $$
declare
  lost jsonb := pg_catalog.jsonb_build_array(
    pg_catalog.jsonb_build_object('code', 'worker.lost', 'message', p_lost_message, 'count', 1));
begin
  return query
  with held as materialized (
    select r.id, r.tenant_id, r.claim_no, r.attempt, r.claimed_at, w.id as worker_id, w.name
      from opsroom.operation_runs r join opsroom.workers w on w.id = r.worker_id
     where r.status = 'running' and r.worker_id is not null and r.available_at is not null and w.dead_at is not null
     limit p_limit
       for no key update of r skip locked
  ), noted as (
    insert into opsroom.run_attempts (tenant_id, run_id, claim_no, attempt, worker_id, worker_name, started_at, ended, failure_summary)
    select h.tenant_id, h.id, h.claim_no, h.attempt, h.worker_id, h.name, h.claimed_at, 'lost', lost from held h
    on conflict do nothing
  )
  update opsroom.operation_runs o
     set status = case when o.attempt < o.max_attempts then 'running' else 'completed' end,
         outcome = case when o.attempt < o.max_attempts then 'pending' else 'failed' end,
         worker_id = case when o.attempt < o.max_attempts then null else o.worker_id end,
         available_at = case when o.attempt < o.max_attempts then pg_catalog.clock_timestamp() else o.available_at end,
         failure_summary = case when o.attempt < o.max_attempts then o.failure_summary else lost end
    from held h
   where o.id = h.id and o.claim_no = h.claim_no and o.worker_id = h.worker_id and o.status = 'running'
  returning o.id, o.tenant_id, o.status = 'completed';
end
$$;

-- Forgets workers that have been dead for long and hold nothing. Returns how many.
create function opsroom.prune_workers(p_after interval) returns bigint
language sql volatile security definer set search_path = '' as $$
  with gone as (
    delete from opsroom.workers w
     where w.dead_at < pg_catalog.clock_timestamp() - greatest(p_after, interval '1 day')
       and not exists (select from opsroom.operation_runs r where r.status = 'running' and r.worker_id = w.id)
    returning 1)
  select count(*) from gone
$$;
