-- Rollups: completed runs counted by the moment they were created, in UTC days and hours, exact after
-- every tick. A tick folds what became visible since the snapshot the last one saw; a completed run
-- never changes, so each is counted once. Days can be counted anew from the runs, as of the same
-- snapshot, while ticks go on.
--
-- In every table tenant_id 0 stands for all tenants and type '' for all types. Histograms are sparse:
-- one element a bucket that holds anything, bucket * 2^40 + number, sorted; a bucket is a quarter of an
-- octave of milliseconds, floor(4 * log2(ms)), so a percentile read as its middle is off by 9 % at most.

create table opsroom.rollup_state (
  one boolean primary key default true check (one),
  snap pg_snapshot not null,
  system_identifier bigint,
  valid boolean not null default true,
  ticked_at timestamptz not null default clock_timestamp(),
  hours_from timestamptz not null,
  recent_from date
);
comment on column opsroom.rollup_state.snap is 'Runs completed by what this snapshot sees are counted, no others.';
comment on column opsroom.rollup_state.valid is 'False while runs carry transaction numbers of another server: it was restored from a dump.';
comment on column opsroom.rollup_state.hours_from is 'Hours of single tenants are kept from here on; of all tenants always.';
comment on column opsroom.rollup_state.recent_from is 'The first day that rollup_recent covers. NULL: it waits to be counted.';

create table opsroom.rollup_pending (day date primary key);
comment on table opsroom.rollup_pending is 'Days that wait to be counted from their runs; until then their rollups are not to be read.';

create table opsroom.rollup_horizons (
  type text primary key,
  pruned_before date not null
);
comment on table opsroom.rollup_horizons is 'Runs of days before this may be gone: their rollups are never counted anew.';

create table opsroom.rollup_days (
  tenant_id bigint not null,
  type text not null,
  day date not null,
  succeeded int not null,
  partially_succeeded int not null,
  failed int not null,
  cancelled int not null,
  durations bigint[],
  waits bigint[],
  last_success_at timestamptz,
  primary key (tenant_id, type, day)
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
create index rollup_days_day on opsroom.rollup_days (day);

create table opsroom.rollup_hours (
  tenant_id bigint not null,
  type text not null,
  hour timestamptz not null,
  succeeded int not null,
  partially_succeeded int not null,
  failed int not null,
  cancelled int not null,
  primary key (tenant_id, hour, type)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
create index rollup_hours_hour on opsroom.rollup_hours (hour);

-- The sum of rollup_days from recent_from on: what a screen of thousands of tenants can afford to read.
create table opsroom.rollup_recent (
  tenant_id bigint not null,
  type text not null,
  succeeded bigint not null,
  partially_succeeded bigint not null,
  failed bigint not null,
  cancelled bigint not null,
  durations bigint[],
  waits bigint[],
  last_success_at timestamptz,
  badness float8 not null generated always as
    (failed::float8 / (succeeded + partially_succeeded + failed + cancelled + 10)) stored,
  primary key (type, tenant_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
create index rollup_recent_tenant on opsroom.rollup_recent (tenant_id, type);
create index rollup_recent_badness on opsroom.rollup_recent (type, badness desc, tenant_id);
comment on column opsroom.rollup_recent.badness is 'Failed runs of all that ended and ten more, so that one failed of one does not lead.';

create table opsroom.rollup_code_days (
  tenant_id bigint not null,
  type text not null,
  code text not null,
  day date not null,
  runs int not null,
  items bigint not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  primary key (tenant_id, day, type, code)
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
create index rollup_code_days_day on opsroom.rollup_code_days (day);

create table opsroom.rollup_code_hours (
  type text not null,
  code text not null,
  hour timestamptz not null,
  runs int not null,
  items bigint not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  primary key (hour, type, code)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

-- Which tenants a code was last seen at: windows end now, so this counts the tenants of any window.
create table opsroom.rollup_tenant_codes (
  type text not null,
  code text not null,
  tenant_id bigint not null,
  last_at timestamptz not null,
  primary key (tenant_id, type, code)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
create index rollup_tenant_codes_code on opsroom.rollup_tenant_codes (type, code, last_at) include (tenant_id);

-- Adds two histograms; NULL is an empty one.
create function opsroom.merge_histograms(a bigint[], b bigint[]) returns bigint[]
language sql immutable parallel safe set search_path = '' as $$
  select array_agg((s.bucket << 40) + s.n order by s.bucket)
    from (select x >> 40 as bucket, sum(x & 1099511627775)::bigint as n
            from pg_catalog.unnest(a || b) x group by 1) s
$$;
create aggregate opsroom.histogram_sum(bigint[]) (sfunc = opsroom.merge_histograms, stype = bigint[]);

-- Which server this is. NULL where the owner may not ask (hardened by an older opsroom-worker).
create function opsroom.server_identity() returns bigint
language plpgsql stable set search_path = '' as $$
begin
  if pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute') then
    return (select c.system_identifier from pg_catalog.pg_control_system() c);
  end if;
  return null;
end
$$;

-- What completed runs add to the rollups: of one UTC day as far as p_snap sees it, or of all days what
-- was stamped from p_from to below p_below and p_snap does not see; with p_only_kept only of days that
-- are never counted anew. Stable, so that it sees exactly what the calling statement sees.
create function opsroom.rollup_delta(p_snap pg_snapshot, p_from xid8, p_below xid8, p_day date, p_without text[], p_only_kept boolean)
returns table (grain text, tenant_id bigint, type text, code text, at timestamptz,
               succeeded bigint, partially_succeeded bigint, failed bigint, cancelled bigint,
               durations bigint[], waits bigint[], last_success_at timestamptz,
               runs bigint, items bigint, first_at timestamptz, last_at timestamptz)
language plpgsql stable set search_path = '' as $$
begin
  return query execute pg_catalog.format($delta$
  with batch as materialized (
    select r.id, r.tenant_id, r.type, r.created_at, r.completed_at, r.outcome,
           date_trunc('hour', r.created_at, 'UTC') as hour, date_trunc('day', r.created_at, 'UTC') as day,
           -- float8: the same in numeric takes fifty times as long.
           case when r.started_at is not null then
             least(floor(4 / ln(2::float8) * ln(greatest(extract(epoch from r.completed_at - r.started_at)::float8 * 1000, 1))), 255)::bigint
           end as took,
           -- What may not be claimed yet does not wait; a retry moves available_at behind the start.
           case when r.started_at is not null then
             least(floor(4 / ln(2::float8) * ln(greatest(extract(epoch from r.started_at - case
               when r.available_at > r.created_at and r.available_at <= r.started_at then r.available_at
               else r.created_at end)::float8 * 1000, 1))), 255)::bigint
           end as waited
      from opsroom.operation_runs r
     where r.status = 'completed' and %s
  ), fact as (
    select b.tenant_id, b.type, b.day, f.kind, f.value, count(*) as n, max(b.completed_at) as last_at
      from batch b cross join lateral (values
             ('outcome', case b.outcome when 'succeeded' then 0 when 'partially_succeeded' then 1 when 'failed' then 2 else 3 end::bigint),
             ('took', b.took), ('waited', b.waited)) f (kind, value)
     where f.value is not null
     group by grouping sets ((b.tenant_id, b.type, b.day, f.kind, f.value), (b.tenant_id, b.day, f.kind, f.value),
                             (b.type, b.day, f.kind, f.value), (b.day, f.kind, f.value))
  ), coded as materialized (
    select b.tenant_id, b.type, b.created_at, b.hour, b.day, f.code, f.n
      from batch b cross join lateral (
        select x.code, least(sum(x.n), 1e15)::bigint as n from opsroom.run_failures x
         where x.tenant_id = b.tenant_id and x.run_id = b.id group by x.code) f
  )
  select 'day', coalesce(f.tenant_id, 0), coalesce(f.type, ''), null::text, f.day,
         coalesce(sum(f.n) filter (where f.kind = 'outcome' and f.value = 0), 0)::bigint,
         coalesce(sum(f.n) filter (where f.kind = 'outcome' and f.value = 1), 0)::bigint,
         coalesce(sum(f.n) filter (where f.kind = 'outcome' and f.value = 2), 0)::bigint,
         coalesce(sum(f.n) filter (where f.kind = 'outcome' and f.value = 3), 0)::bigint,
         array_agg((f.value << 40) + f.n order by f.value) filter (where f.kind = 'took'),
         array_agg((f.value << 40) + f.n order by f.value) filter (where f.kind = 'waited'),
         max(f.last_at) filter (where f.kind = 'outcome' and f.value = 0),
         null::bigint, null::bigint, null::timestamptz, null::timestamptz
    from fact f group by f.tenant_id, f.type, f.day
  union all
  select 'hour', coalesce(b.tenant_id, 0), b.type, null, b.hour,
         count(*) filter (where b.outcome = 'succeeded'), count(*) filter (where b.outcome = 'partially_succeeded'),
         count(*) filter (where b.outcome = 'failed'), count(*) filter (where b.outcome = 'cancelled'),
         null, null, null, null, null, null, null
    from batch b group by grouping sets ((b.tenant_id, b.type, b.hour), (b.type, b.hour))
  union all
  select case when grouping(c.hour) = 0 then 'code_hour' else 'code_day' end,
         coalesce(c.tenant_id, 0), c.type, c.code, coalesce(c.hour, c.day),
         null, null, null, null, null, null, null,
         count(*), least(sum(c.n), 1e15)::bigint, min(c.created_at), max(c.created_at)
    from coded c group by grouping sets ((c.tenant_id, c.type, c.code, c.day), (c.type, c.code, c.day), (c.type, c.code, c.hour))
  $delta$, case when p_day is null
    then 'r.changed_xid >= $2 and ($3 is null or r.changed_xid < $3) and not pg_visible_in_snapshot(r.changed_xid, $1)
          and (not $6 or exists (select from opsroom.rollup_horizons h
                                  where h.type = r.type and h.pruned_before > (r.created_at at time zone ''UTC'')::date))'
    else 'r.created_at >= ($4::timestamp at time zone ''UTC'') and r.created_at < (($4 + 1)::timestamp at time zone ''UTC'')
          and pg_visible_in_snapshot(r.changed_xid, $1) and r.type <> all ($5)' end)
  using p_snap, p_from, p_below, p_day, p_without, p_only_kept;
end
$$;

-- Adds a delta to every table, in one statement. Says how many runs it was, and what the statement saw.
create function opsroom.rollup_add(
  p_snap pg_snapshot, p_from xid8, p_below xid8, p_day date, p_without text[], p_hours_from timestamptz, p_recent_from date,
  p_only_kept boolean, out added bigint, out seen pg_snapshot
) language plpgsql volatile set search_path = '' as $$
begin
  with delta as materialized (
    select * from opsroom.rollup_delta(p_snap, p_from, p_below, p_day, p_without, p_only_kept)
  ), days as (
    insert into opsroom.rollup_days as t
    select d.tenant_id, d.type, (d.at at time zone 'UTC')::date, d.succeeded, d.partially_succeeded, d.failed, d.cancelled,
           d.durations, d.waits, d.last_success_at
      from delta d where d.grain = 'day' order by 1, 2, 3
    on conflict (tenant_id, type, day) do update set
      succeeded = t.succeeded + excluded.succeeded, partially_succeeded = t.partially_succeeded + excluded.partially_succeeded,
      failed = t.failed + excluded.failed, cancelled = t.cancelled + excluded.cancelled,
      durations = opsroom.merge_histograms(t.durations, excluded.durations),
      waits = opsroom.merge_histograms(t.waits, excluded.waits),
      last_success_at = greatest(t.last_success_at, excluded.last_success_at)
  ), recent as (
    insert into opsroom.rollup_recent as t
    select d.tenant_id, d.type, sum(d.succeeded), sum(d.partially_succeeded), sum(d.failed), sum(d.cancelled),
           opsroom.histogram_sum(d.durations), opsroom.histogram_sum(d.waits), max(d.last_success_at)
      from delta d where d.grain = 'day' and d.at >= (p_recent_from::timestamp at time zone 'UTC')
     group by d.tenant_id, d.type
    on conflict (type, tenant_id) do update set
      succeeded = t.succeeded + excluded.succeeded, partially_succeeded = t.partially_succeeded + excluded.partially_succeeded,
      failed = t.failed + excluded.failed, cancelled = t.cancelled + excluded.cancelled,
      durations = opsroom.merge_histograms(t.durations, excluded.durations),
      waits = opsroom.merge_histograms(t.waits, excluded.waits),
      last_success_at = greatest(t.last_success_at, excluded.last_success_at)
  ), hours as (
    insert into opsroom.rollup_hours as t
    select d.tenant_id, d.type, d.at, d.succeeded, d.partially_succeeded, d.failed, d.cancelled
      from delta d where d.grain = 'hour' and (d.tenant_id = 0 or d.at >= p_hours_from) order by 1, 3, 2
    on conflict (tenant_id, hour, type) do update set
      succeeded = t.succeeded + excluded.succeeded, partially_succeeded = t.partially_succeeded + excluded.partially_succeeded,
      failed = t.failed + excluded.failed, cancelled = t.cancelled + excluded.cancelled
  ), code_days as (
    insert into opsroom.rollup_code_days as t
    select d.tenant_id, d.type, d.code, (d.at at time zone 'UTC')::date, d.runs, d.items, d.first_at, d.last_at
      from delta d where d.grain = 'code_day' order by 1, 4, 2, 3
    on conflict (tenant_id, day, type, code) do update set
      runs = t.runs + excluded.runs, items = least(t.items + excluded.items, 1e15),
      first_at = least(t.first_at, excluded.first_at), last_at = greatest(t.last_at, excluded.last_at)
  ), code_hours as (
    insert into opsroom.rollup_code_hours as t
    select d.type, d.code, d.at, d.runs, d.items, d.first_at, d.last_at
      from delta d where d.grain = 'code_hour' order by 3, 1, 2
    on conflict (hour, type, code) do update set
      runs = t.runs + excluded.runs, items = least(t.items + excluded.items, 1e15),
      first_at = least(t.first_at, excluded.first_at), last_at = greatest(t.last_at, excluded.last_at)
  ), tenant_codes as (
    insert into opsroom.rollup_tenant_codes as t
    select coalesce(d.type, ''), d.code, d.tenant_id, max(d.last_at)
      from delta d where d.grain = 'code_day' and d.tenant_id <> 0
     group by grouping sets ((d.type, d.code, d.tenant_id), (d.code, d.tenant_id))
    on conflict (tenant_id, type, code) do update set last_at = excluded.last_at where t.last_at < excluded.last_at
  )
  select coalesce(sum(d.succeeded + d.partially_succeeded + d.failed + d.cancelled), 0), pg_catalog.pg_current_snapshot()
    into added, seen
    from delta d where d.grain = 'day' and d.tenant_id = 0 and d.type = '';
end
$$;

-- Begins anew: everything visible now is counted day by day, everything later by ticks. p_uncounted
-- where the cursor still tells what is counted: what it does not see of days that are never counted
-- anew is folded first, since no day's count will find it.
create function opsroom.rollup_restart(p_uncounted boolean) returns void
language plpgsql volatile set search_path = '' as $$
declare
  s opsroom.rollup_state;
  cur pg_snapshot := pg_catalog.pg_current_snapshot();
begin
  if p_uncounted then
    select * into s from opsroom.rollup_state;
    select a.seen into cur
      from opsroom.rollup_add(s.snap, pg_catalog.pg_snapshot_xmin(s.snap), null, null, '{}', s.hours_from, null, true) a;
  end if;
  update opsroom.rollup_state
     set snap = cur, system_identifier = opsroom.server_identity(), valid = true,
         ticked_at = pg_catalog.clock_timestamp(), recent_from = null;
  insert into opsroom.rollup_pending
  select d.at::date
    from (select min(r.created_at) as first_at, max(r.created_at) as last_at from opsroom.operation_runs r) r
   cross join lateral pg_catalog.generate_series(date_trunc('day', r.first_at at time zone 'UTC'),
                                                 r.last_at at time zone 'UTC', interval '1 day') d (at)
   where exists (select from opsroom.rollup_days t where t.day = d.at::date)
      or exists (select from opsroom.operation_runs o
                  where o.created_at >= (d.at at time zone 'UTC') and o.created_at < ((d.at + interval '1 day') at time zone 'UTC'))
  on conflict do nothing;
end
$$;

create type opsroom.rollup_answer as (state text, runs bigint, pending bigint, stale boolean);

-- Folds what was completed since the last tick, p_limit runs and the rest of their transactions at
-- most. State: 'busy' (somebody else ticks), 'rested' (somebody did within p_rest), 'folded',
-- 'restamped' (this server was restored from a dump, and its runs carry the other one's numbers: call
-- again), 'restarted' (days are pending). Stale: rollup_refresh() is due.
create function opsroom.rollup_tick(p_limit int default 50000, p_rest interval default '0') returns opsroom.rollup_answer
language plpgsql volatile security definer set search_path = '' set plan_cache_mode = force_custom_plan
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  s opsroom.rollup_state;
  cur pg_snapshot;
  below xid8;
  many bigint;
  reply opsroom.rollup_answer;
begin
  -- A snapshot does not list the transaction that takes it: what that one completed would be counted
  -- now and, by the cursor left behind, once more.
  if pg_catalog.pg_current_xact_id_if_assigned() is not null then
    raise exception using errcode = '25001', message = 'rollup_tick() takes a transaction that has written nothing';
  end if;
  p_limit := least(greatest(p_limit, 1), 10000000);
  reply.runs := 0;
  select * into s from opsroom.rollup_state for update skip locked;
  if not found then
    reply.state := 'busy';
    return reply;
  end if;
  if s.ticked_at > pg_catalog.clock_timestamp() - p_rest then
    reply.state := 'rested';
  elsif not s.valid or s.system_identifier <> opsroom.server_identity()
     or pg_catalog.pg_snapshot_xmax(s.snap) > pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) then
    -- Numbers still to come here would stand on runs that are long counted.
    perform pg_catalog.set_config('opsroom.restamping', 'on', true);
    update opsroom.operation_runs r set changed_xid = '3'
     where r.id in (select o.id from opsroom.operation_runs o
                     where o.changed_xid >= pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())
                     order by o.changed_xid desc limit least(p_limit, 10000));
    get diagnostics many = row_count;
    perform pg_catalog.set_config('opsroom.restamping', '', true);
    if many > 0 then
      update opsroom.rollup_state set valid = false;
      reply.state := 'restamped';
      reply.runs := many;
    else
      -- Which of the other server's runs its cursor had seen cannot be told any more: those of pruned
      -- days that it had not counted stay uncounted.
      perform opsroom.rollup_restart(false);
      reply.state := 'restarted';
    end if;
  else
    select r.changed_xid into below from opsroom.operation_runs r
     where r.changed_xid >= pg_catalog.pg_snapshot_xmin(s.snap) and r.status = 'completed'
       and not pg_catalog.pg_visible_in_snapshot(r.changed_xid, s.snap)
     order by r.changed_xid offset p_limit limit 1;
    if below is not null then
      -- What the last snapshot saw must be seen by the next: no slice ends below it. And one
      -- transaction is one slice, so a slice has at least one.
      below := (greatest(below::text::numeric, pg_catalog.pg_snapshot_xmax(s.snap)::text::numeric) + 1)::text::xid8;
      select count(*) into many from (
        select from opsroom.operation_runs r
         where r.changed_xid >= pg_catalog.pg_snapshot_xmin(s.snap) and r.changed_xid < below and r.status = 'completed'
           and not pg_catalog.pg_visible_in_snapshot(r.changed_xid, s.snap) limit 10 * p_limit + 1) x;
    end if;
    if many > 10 * p_limit then
      perform opsroom.rollup_restart(true);
      reply.state := 'restarted';
    else
      select a.added, a.seen into reply.runs, cur
        from opsroom.rollup_add(s.snap, pg_catalog.pg_snapshot_xmin(s.snap), below, null, '{}', s.hours_from, s.recent_from, false) a;
      if below < pg_catalog.pg_snapshot_xmax(cur) then
        select pg_catalog.concat(coalesce(min(x.xid::text::numeric), below::text::numeric), ':', below, ':',
                                 string_agg(x.xid::text, ',' order by x.xid::text::numeric))::pg_snapshot into cur
          from pg_catalog.pg_snapshot_xip(cur) x (xid) where x.xid < below;
      end if;
      update opsroom.rollup_state
         set snap = cur, ticked_at = pg_catalog.clock_timestamp(),
             system_identifier = coalesce(opsroom.server_identity(), system_identifier);
      reply.state := 'folded';
    end if;
  end if;
  select count(*) into reply.pending from opsroom.rollup_pending;
  select reply.pending = 0 and r.recent_from is distinct from (pg_catalog.clock_timestamp() at time zone 'UTC')::date - 29
    into reply.stale from opsroom.rollup_state r;
  return reply;
end
$$;

-- Counts one day anew from its runs, as of the last tick; types whose runs of that day may be pruned
-- stay as they are. NULL for p_day: the newest pending one. Says which day, NULL where none was.
create function opsroom.rollup_rebuild(p_day date default null, out day date, out runs bigint)
language plpgsql volatile security definer set search_path = '' set plan_cache_mode = force_custom_plan
set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  s opsroom.rollup_state;
  kept text[];
  begun timestamptz;
begin
  select * into s from opsroom.rollup_state for update;
  day := coalesce(p_day, (select max(p.day) from opsroom.rollup_pending p));
  if day is null or not s.valid then
    day := null;
    return;
  end if;
  begun := day::timestamp at time zone 'UTC';
  -- Before the counting: whoever makes the day wait again meanwhile does so for the next count.
  delete from opsroom.rollup_pending p where p.day = rollup_rebuild.day;
  kept := array(select h.type from opsroom.rollup_horizons h where h.pruned_before > rollup_rebuild.day);
  delete from opsroom.rollup_days t where t.day = rollup_rebuild.day and t.type <> all (kept);
  delete from opsroom.rollup_hours t
   where t.hour >= begun and t.hour < begun + interval '24 hours' and t.type <> all (kept);
  delete from opsroom.rollup_code_days t where t.day = rollup_rebuild.day and t.type <> all (kept);
  delete from opsroom.rollup_code_hours t
   where t.hour >= begun and t.hour < begun + interval '24 hours' and t.type <> all (kept);
  select a.added into runs from opsroom.rollup_add(s.snap, null, null, day, kept, s.hours_from, null, false) a;
  if kept <> '{}' then
    delete from opsroom.rollup_days t where t.day = rollup_rebuild.day and t.type = '';
    insert into opsroom.rollup_days
    select t.tenant_id, '', t.day, sum(t.succeeded), sum(t.partially_succeeded), sum(t.failed), sum(t.cancelled),
           opsroom.histogram_sum(t.durations), opsroom.histogram_sum(t.waits), max(t.last_success_at)
      from opsroom.rollup_days t where t.day = rollup_rebuild.day group by t.tenant_id, t.day;
  end if;
end
$$;

-- What is derived from the days: the last 30 of them summed up, and once a day their first hour. With
-- p_codes also which tenant a code was last seen at. Says whether it was done: not while days are pending.
create function opsroom.rollup_refresh(p_codes boolean default false) returns boolean
language plpgsql volatile security definer set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  s opsroom.rollup_state;
  today constant date := (pg_catalog.clock_timestamp() at time zone 'UTC')::date;
begin
  select * into s from opsroom.rollup_state for update;
  if not s.valid or exists (select from opsroom.rollup_pending) then
    return false;
  end if;
  delete from opsroom.rollup_recent;
  insert into opsroom.rollup_recent
  select n.tenant_id, n.type, n.succeeded, n.partially_succeeded, n.failed, n.cancelled, h.durations, h.waits, n.last_success_at
    from (select t.tenant_id, t.type, sum(t.succeeded) as succeeded, sum(t.partially_succeeded) as partially_succeeded,
                 sum(t.failed) as failed, sum(t.cancelled) as cancelled, max(t.last_success_at) as last_success_at
            from opsroom.rollup_days t where t.day >= today - 29 group by t.tenant_id, t.type) n
    left join (
      select b.tenant_id, b.type,
             array_agg((b.bucket << 40) + b.n order by b.bucket) filter (where b.took) as durations,
             array_agg((b.bucket << 40) + b.n order by b.bucket) filter (where not b.took) as waits
        from (select t.tenant_id, t.type, k.took, x.element >> 40 as bucket, sum(x.element & 1099511627775)::bigint as n
                from opsroom.rollup_days t
               cross join lateral (values (true, t.durations), (false, t.waits)) k (took, histogram)
               cross join lateral pg_catalog.unnest(k.histogram) x (element)
               where t.day >= today - 29
               group by t.tenant_id, t.type, k.took, x.element >> 40) b
       group by b.tenant_id, b.type) h using (tenant_id, type);
  if p_codes then
    delete from opsroom.rollup_tenant_codes;
    insert into opsroom.rollup_tenant_codes
    select coalesce(t.type, ''), t.code, t.tenant_id, max(t.last_at)
      from opsroom.rollup_code_days t where t.tenant_id <> 0
     group by grouping sets ((t.type, t.code, t.tenant_id), (t.code, t.tenant_id));
  end if;
  update opsroom.rollup_state
     set recent_from = today - 29, hours_from = ((today - 2)::timestamp at time zone 'UTC');
  delete from opsroom.rollup_hours t
   where t.tenant_id <> 0 and t.hour < ((today - 2)::timestamp at time zone 'UTC');
  return true;
end
$$;

-- The days that have runs or rollups, oldest first.
create function opsroom.rollup_span() returns setof date
language sql stable security definer set search_path = '' as $$
  select d.at::date
    from (select least((select min(r.created_at) from opsroom.operation_runs r) at time zone 'UTC',
                       (select min(t.day) from opsroom.rollup_days t)::timestamp) as first_at,
                 greatest((select max(r.created_at) from opsroom.operation_runs r) at time zone 'UTC',
                          (select max(t.day) from opsroom.rollup_days t)::timestamp) as last_at) s
   cross join lateral pg_catalog.generate_series(date_trunc('day', s.first_at), s.last_at, interval '1 day') d (at)
   where exists (select from opsroom.rollup_days t where t.day = d.at::date)
      or exists (select from opsroom.operation_runs r
                  where r.created_at >= (d.at at time zone 'UTC') and r.created_at < ((d.at + interval '1 day') at time zone 'UTC'))
$$;

-- Compares a day's rollups with its runs, as of the last tick; changes nothing. One row a table that
-- differs, none where all is well. Types whose runs of that day may be pruned are left out, and said to be.
create function opsroom.rollup_check(p_day date) returns table (differs text)
language sql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan
set enable_hashjoin = off set enable_mergejoin = off as $$
  with s as materialized (
    select r.snap, r.hours_from, p_day::timestamp at time zone 'UTC' as begun,
           array(select h.type from opsroom.rollup_horizons h where h.pruned_before > p_day) as kept
      from opsroom.rollup_state r
  ), delta as materialized (
    select d.*, (d.at at time zone 'UTC')::date as day from s cross join lateral opsroom.rollup_delta(s.snap, null, null, p_day, s.kept, false) d
  ), stored_days as materialized (
    select t.* from opsroom.rollup_days t where t.day = p_day
  ), differing (ord, name, n) as (
    select 1, 'days by tenant and type', (select count(*) from (
      (select d.tenant_id, d.type, d.day, d.succeeded, d.partially_succeeded, d.failed, d.cancelled, d.durations, d.waits, d.last_success_at
         from delta d where d.grain = 'day' and d.type <> ''
       except all select t.tenant_id, t.type, t.day, t.succeeded, t.partially_succeeded, t.failed, t.cancelled, t.durations, t.waits, t.last_success_at
         from stored_days t, s where t.type <> '' and t.type <> all (s.kept))
      union all
      (select t.tenant_id, t.type, t.day, t.succeeded, t.partially_succeeded, t.failed, t.cancelled, t.durations, t.waits, t.last_success_at
         from stored_days t, s where t.type <> '' and t.type <> all (s.kept)
       except all select d.tenant_id, d.type, d.day, d.succeeded, d.partially_succeeded, d.failed, d.cancelled, d.durations, d.waits, d.last_success_at
         from delta d where d.grain = 'day' and d.type <> '')) x)
    union all
    select 2, 'days by tenant', (select count(*) from (
      select t.tenant_id from stored_days t group by t.tenant_id
      having (sum(t.succeeded) filter (where t.type = ''), sum(t.partially_succeeded) filter (where t.type = ''),
              sum(t.failed) filter (where t.type = ''), sum(t.cancelled) filter (where t.type = ''))
             is distinct from
             (sum(t.succeeded) filter (where t.type <> ''), sum(t.partially_succeeded) filter (where t.type <> ''),
              sum(t.failed) filter (where t.type <> ''), sum(t.cancelled) filter (where t.type <> ''))) x)
    union all
    select 3, 'hours', (select count(*) from (
      (select d.tenant_id, d.type, d.at, d.succeeded, d.partially_succeeded, d.failed, d.cancelled
         from delta d, s where d.grain = 'hour' and (d.tenant_id = 0 or d.at >= s.hours_from)
       except all select t.tenant_id, t.type, t.hour, t.succeeded, t.partially_succeeded, t.failed, t.cancelled
         from opsroom.rollup_hours t, s where t.hour >= s.begun and t.hour < s.begun + interval '24 hours'
          and t.type <> all (s.kept) and (t.tenant_id = 0 or t.hour >= s.hours_from))
      union all
      (select t.tenant_id, t.type, t.hour, t.succeeded, t.partially_succeeded, t.failed, t.cancelled
         from opsroom.rollup_hours t, s where t.hour >= s.begun and t.hour < s.begun + interval '24 hours'
          and t.type <> all (s.kept) and (t.tenant_id = 0 or t.hour >= s.hours_from)
       except all select d.tenant_id, d.type, d.at, d.succeeded, d.partially_succeeded, d.failed, d.cancelled
         from delta d, s where d.grain = 'hour' and (d.tenant_id = 0 or d.at >= s.hours_from))) x)
    union all
    select 4, 'failure codes by day', (select count(*) from (
      (select d.tenant_id, d.type, d.code, d.day, d.runs, d.items, d.first_at, d.last_at from delta d where d.grain = 'code_day'
       except all select t.tenant_id, t.type, t.code, t.day, t.runs, t.items, t.first_at, t.last_at
         from opsroom.rollup_code_days t, s where t.day = p_day and t.type <> all (s.kept))
      union all
      (select t.tenant_id, t.type, t.code, t.day, t.runs, t.items, t.first_at, t.last_at
         from opsroom.rollup_code_days t, s where t.day = p_day and t.type <> all (s.kept)
       except all select d.tenant_id, d.type, d.code, d.day, d.runs, d.items, d.first_at, d.last_at from delta d where d.grain = 'code_day')) x)
    union all
    select 5, 'failure codes by hour', (select count(*) from (
      (select d.type, d.code, d.at, d.runs, d.items, d.first_at, d.last_at from delta d where d.grain = 'code_hour'
       except all select t.type, t.code, t.hour, t.runs, t.items, t.first_at, t.last_at
         from opsroom.rollup_code_hours t, s where t.hour >= s.begun and t.hour < s.begun + interval '24 hours' and t.type <> all (s.kept))
      union all
      (select t.type, t.code, t.hour, t.runs, t.items, t.first_at, t.last_at
         from opsroom.rollup_code_hours t, s where t.hour >= s.begun and t.hour < s.begun + interval '24 hours' and t.type <> all (s.kept)
       except all select d.type, d.code, d.at, d.runs, d.items, d.first_at, d.last_at from delta d where d.grain = 'code_hour')) x)
    union all
    select 6, 'the last 30 days of its tenants', (select count(*) from s, opsroom.rollup_state r, (
      select t.tenant_id, t.type from stored_days t) k
      join lateral (select sum(t.succeeded) as a, sum(t.partially_succeeded) as b, sum(t.failed) as c, sum(t.cancelled) as d
                      from opsroom.rollup_days t where t.tenant_id = k.tenant_id and t.type = k.type and t.day >= r.recent_from) y on true
      left join opsroom.rollup_recent t on t.tenant_id = k.tenant_id and t.type = k.type
     where p_day = r.recent_from + 29
       and (t.succeeded, t.partially_succeeded, t.failed, t.cancelled) is distinct from (y.a, y.b, y.c, y.d))
  )
  select 'not counted yet' from opsroom.rollup_pending p where p.day = p_day
  union all
  select x.name from differing x
   where x.n > 0 and not exists (select from opsroom.rollup_pending p where p.day = p_day)
  union all
  select 'not comparable: pruned' where exists (select from opsroom.rollup_horizons h where h.pruned_before > p_day)
$$;

-- A completed run changes by redaction alone: its day is counted anew.
create function opsroom.recount_day() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- Written even where the day waits already, so that a count under way and this one take turns.
  insert into opsroom.rollup_pending values ((new.created_at at time zone 'UTC')::date)
  on conflict (day) do update set day = excluded.day;
  return null;
end
$$;
create trigger recount after update on opsroom.operation_runs
  for each row when (old.status = 'completed' and new.failure_summary is distinct from old.failure_summary)
  execute function opsroom.recount_day();

-- As in 0004, and nothing that is counted or told keeps a code that no other run of its tenant and type
-- has, also of days that are never counted anew. Whoever counts or prunes waits for its end.
create or replace function opsroom.redact_run(p_id bigint) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  redacted record;
  codes text[];
  was_there boolean;
begin
  perform from opsroom.rollup_state for update;
  codes := array(select distinct f.code from opsroom.operation_runs r join opsroom.run_failures f
                     on f.tenant_id = r.tenant_id and f.run_id = r.id where r.id = p_id);
  perform pg_catalog.set_config('opsroom.redacting', p_id::text, true);
  update opsroom.operation_runs set failure_summary = null, context = null
   where id = p_id and status = 'completed'
  returning tenant_id, type into redacted;
  was_there := found;
  perform pg_catalog.set_config('opsroom.redacting', '', true);
  if was_there then
    update opsroom.run_attempts set failure_summary = null where run_id = p_id;
    update opsroom.operation_run_items set label = '[withheld]', code = null, message = null where run_id = p_id;
    update opsroom.notifications set code = null where tenant_id = redacted.tenant_id and run_id = p_id;
    delete from opsroom.rollup_tenant_codes t
     where t.tenant_id = redacted.tenant_id and t.type in ('', redacted.type) and t.code = any (codes)
       and not exists (select from opsroom.run_failures f
                        where f.tenant_id = t.tenant_id and f.code = t.code and t.type in ('', f.type));
    delete from opsroom.rollup_code_days t
     where t.tenant_id in (0, redacted.tenant_id) and t.type = redacted.type and t.code = any (codes)
       and not exists (select from opsroom.run_failures f
                        where t.tenant_id in (0, f.tenant_id) and f.code = t.code and f.type = t.type);
    delete from opsroom.rollup_code_hours t
     where t.type = redacted.type and t.code = any (codes)
       and not exists (select from opsroom.run_failures f where f.code = t.code and f.type = t.type);
    insert into opsroom.audit (user_id, tenant_id, action, subject, run_id)
    values ((select l.user_id from opsroom.logins l where l.login_role = session_user),
            redacted.tenant_id, 'run.redact', redacted.type, p_id);
  end if;
  return was_there;
end
$$;

-- As in 0004, and a tick may take another server's transaction numbers off the runs; and a change of the
-- failures alone is stamped.
comment on column opsroom.operation_runs.changed_xid is
  'Stamped on insert and on a change of status, outcome, worker, attempt, available_at or failures; never on progress.';
create or replace function opsroom.guard_run() returns trigger
language plpgsql set search_path = '' as $$
begin
  if pg_catalog.current_setting('opsroom.restamping', true) = 'on' and current_user = 'opsroom_owner' then
    old.changed_xid := new.changed_xid;
    return old;
  end if;
  if old.status = 'completed' then
    -- redact_run() is the owner's only way to change history.
    if pg_catalog.current_setting('opsroom.redacting', true) = old.id::text and current_user = 'opsroom_owner' then
      new.updated_at := pg_catalog.clock_timestamp();
      return new;
    end if;
    raise exception using errcode = 'OP003', message = pg_catalog.format('run %s is completed and cannot change', old.id);
  end if;
  if (new.id, new.tenant_id, new.user_id, new.initiator_name, new.type, new.run_identity_hash, new.created_at)
     is distinct from
     (old.id, old.tenant_id, old.user_id, old.initiator_name, old.type, old.run_identity_hash, old.created_at)
     or (old.started_at is not null and new.started_at is distinct from old.started_at)
     or new.claim_no < old.claim_no then
    raise exception using errcode = 'OP002',
      message = pg_catalog.format('run %s: who, what, when and its claim number are frozen', old.id);
  end if;
  if new.status <> old.status then
    if new.status = 'queued' or (old.status = 'queued' and new.status = 'completed' and new.outcome <> 'failed') then
      raise exception using errcode = 'OP001',
        message = pg_catalog.format('run %s cannot go from %s to %s/%s', old.id, old.status, new.status, new.outcome);
    end if;
    if new.status = 'running' and new.started_at is null then
      new.started_at := pg_catalog.clock_timestamp();
    end if;
    if new.status = 'completed' then
      new.completed_at := coalesce(new.completed_at, pg_catalog.clock_timestamp());
      new.duration_bucket := opsroom.duration_bucket(new.started_at, new.completed_at);
    end if;
  end if;
  if (new.started_at, new.completed_at) is distinct from (old.started_at, old.completed_at) then
    perform opsroom.refuse_future(new.started_at, new.completed_at);
  end if;
  if (new.status, new.outcome, new.worker_id, new.attempt, new.available_at, new.failure_summary)
     is distinct from (old.status, old.outcome, old.worker_id, old.attempt, old.available_at, old.failure_summary) then
    new.changed_xid := pg_catalog.pg_current_xact_id();
  else
    new.changed_xid := old.changed_xid;
  end if;
  new.updated_at := pg_catalog.clock_timestamp();
  return new;
end
$$;

-- Only what is counted may go, and what went is never counted anew.
create or replace function opsroom.guard_run_delete() returns trigger
language plpgsql set search_path = '' as $$
declare
  created_day constant date := (old.created_at at time zone 'UTC')::date;
begin
  if old.status <> 'completed' then
    raise exception using errcode = 'OP004', message = pg_catalog.format('run %s is active and cannot be deleted', old.id);
  end if;
  -- Held to the end: a day that is being counted anew must not lose its runs meanwhile.
  perform from opsroom.rollup_state s
    where s.valid and pg_catalog.pg_visible_in_snapshot(old.changed_xid, s.snap) for share;
  -- Nor may days before it: they would never be counted.
  if not found or exists (select from opsroom.rollup_pending p where p.day <= created_day) then
    raise exception using errcode = 'OP004',
      message = pg_catalog.format('run %s is not in the rollups yet and cannot be deleted', old.id);
  end if;
  if not exists (select from opsroom.rollup_horizons h where h.type = old.type and h.pruned_before > created_day) then
    insert into opsroom.rollup_horizons as h values (old.type, created_day + 1)
    on conflict (type) do update set pruned_before = greatest(h.pruned_before, excluded.pruned_before);
  end if;
  return old;
end
$$;

insert into opsroom.rollup_state (snap, system_identifier, hours_from)
values (pg_catalog.pg_current_snapshot(), opsroom.server_identity(),
        date_trunc('day', now() - interval '2 days', 'UTC'));
select opsroom.rollup_restart(false);

do $$
declare
  t text;
begin
  foreach t in array array['rollup_state', 'rollup_pending', 'rollup_horizons', 'rollup_days', 'rollup_hours', 'rollup_recent',
                           'rollup_code_days', 'rollup_code_hours', 'rollup_tenant_codes'] loop
    execute format('alter table opsroom.%I enable row level security', t);
    execute format('create policy worker on opsroom.%I for select to opsroom_worker using (true)', t);
    execute format('grant select on opsroom.%I to opsroom_worker', t);
  end loop;
  -- How far the counting is, tells of no tenant.
  create policy everyone on opsroom.rollup_state for select to opsroom_reader using (true);
  create policy everyone on opsroom.rollup_pending for select to opsroom_reader using (true);
  -- Tenant 0, which is all of them, is in nobody's reach.
  foreach t in array array['rollup_days', 'rollup_hours', 'rollup_recent', 'rollup_code_days', 'rollup_tenant_codes'] loop
    execute format('create policy member on opsroom.%I for select to opsroom_reader
      using ((select opsroom.sees_all()) or tenant_id in (select r.tenant_id from opsroom.my_reach r))', t);
  end loop;
  create policy member on opsroom.rollup_code_hours for select to opsroom_reader using ((select opsroom.sees_all()));
end
$$;
grant select on opsroom.rollup_pending, opsroom.rollup_days, opsroom.rollup_hours, opsroom.rollup_recent,
                opsroom.rollup_code_days, opsroom.rollup_code_hours, opsroom.rollup_tenant_codes
  to opsroom_reader;
grant select (snap, valid, ticked_at, hours_from, recent_from) on opsroom.rollup_state to opsroom_reader;
revoke all on all routines in schema opsroom from public;
revoke usage on type opsroom.rollup_answer from public;
grant execute on function opsroom.rollup_tick(int, interval), opsroom.rollup_rebuild(date), opsroom.rollup_refresh(boolean),
                          opsroom.rollup_span(), opsroom.rollup_check(date)
  to opsroom_worker;
