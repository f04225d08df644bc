-- What is known of a schedule beside its definition: how far its fire times are decided, when the next
-- one is, what went wrong. Written by schedulers, which know cron and time zones; read by consoles,
-- which then need neither.

alter table opsroom.schedules
  add column missed_limit int not null default 24 check (missed_limit between 1 and 1000),
  add column decided_until timestamptz not null default clock_timestamp()
    check (decided_until between '1970-01-01 00:00:00+00' and '2200-01-01 00:00:00+00'),
  add column next_fire_at timestamptz check (next_fire_at between '1970-01-01 00:00:00+00' and '2300-01-01 00:00:00+00'),
  add column last_fire_at timestamptz check (last_fire_at between '1970-01-01 00:00:00+00' and '2300-01-01 00:00:00+00'),
  add column last_run_id bigint,
  add column missed_fires bigint not null default 0,
  add column last_missed_at timestamptz check (last_missed_at between '1970-01-01 00:00:00+00' and '2300-01-01 00:00:00+00'),
  add column error_code text check (error_code ~ '^[a-z0-9_.]{1,64}$'),
  add column error_at timestamptz;
comment on column opsroom.schedules.missed_limit is 'For fire_all: at most so many, the newest; the rest is skipped.';
comment on column opsroom.schedules.decided_until is
  'Fire times up to here are decided, run or skipped, and none of them is looked at again.';
comment on column opsroom.schedules.next_fire_at is
  'The first fire time after decided_until. NULL: paused, in error, or no scheduler has looked yet.';
comment on column opsroom.schedules.last_fire_at is 'The fire time of the last run, and that run beside it; the run may be pruned.';
comment on column opsroom.schedules.missed_fires is 'Fire times that passed without a run of their own, since the schedule exists.';
comment on column opsroom.schedules.error_code is 'Why it does not fire; it is tried again every minute.';
create index schedules_next on opsroom.schedules (next_fire_at) where paused_at is null;

-- What lies before a change is decided: fire times of the former expression, and those of a pause.
create function opsroom.plan_schedule_anew() returns trigger
language plpgsql set search_path = '' as $$
begin
  if (new.cron, new.time_zone, new.paused_at is null) is distinct from (old.cron, old.time_zone, old.paused_at is null) then
    new.decided_until := greatest(old.decided_until, pg_catalog.clock_timestamp());
    new.next_fire_at := null;
  end if;
  if (new.cron, new.time_zone, new.paused_at is null, new.type, new.input)
     is distinct from (old.cron, old.time_zone, old.paused_at is null, old.type, old.input) then
    new.error_code := null;
    new.error_at := null;
  end if;
  return new;
end
$$;
create trigger plan_anew before update on opsroom.schedules
  for each row execute function opsroom.plan_schedule_anew();

-- The audit trail has what people change, not what schedulers note down at every fire time.
create function opsroom.audit_schedule() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  s opsroom.schedules := case when tg_op = 'DELETE' then old else new end;
  what text := pg_catalog.lower(tg_op);
begin
  if tg_op = 'UPDATE' and (old.paused_at is null) <> (new.paused_at is null) then
    what := case when new.paused_at is null then 'resume' else 'pause' end;
  end if;
  insert into opsroom.audit (user_id, tenant_id, action, subject)
  values ((select l.user_id from opsroom.logins l where l.login_role = session_user), s.tenant_id, 'schedules.' || what,
          pg_catalog.left(pg_catalog.format('%s schedule %s %s %s %s tenant %s', s.name, s.id, s.type, s.cron, s.time_zone, s.tenant_id), 300));
  return null;
end
$$;
drop trigger audit on opsroom.schedules;
create trigger audit after insert or delete on opsroom.schedules
  for each row execute function opsroom.audit_schedule();
create trigger audit_change after update on opsroom.schedules for each row
  when ((old.tenant_id, old.type, old.name, old.cron, old.time_zone, old.input, old.missed, old.missed_limit, old.paused_at)
        is distinct from
        (new.tenant_id, new.type, new.name, new.cron, new.time_zone, new.input, new.missed, new.missed_limit, new.paused_at))
  execute function opsroom.audit_schedule();

-- Administration. A worker's login may do these four things to a schedule, and nothing else; whether
-- expression, zone and input are any good is for the program to say, which can read them.
create function opsroom.put_schedule(
  p_tenant bigint, p_name text, p_type text, p_cron text, p_time_zone text, p_input jsonb, p_missed text, p_missed_limit int
) returns table (schedule_id bigint, change text)
language plpgsql security definer set search_path = '' as $$
begin
  insert into opsroom.schedules (tenant_id, name, type, cron, time_zone, input, missed, missed_limit)
  values (p_tenant, p_name, p_type, p_cron, p_time_zone, p_input, p_missed, p_missed_limit)
  on conflict (tenant_id, name) do nothing
  returning id, 'added' into schedule_id, change;
  if not found then
    update opsroom.schedules s
       set type = p_type, cron = p_cron, time_zone = p_time_zone, input = p_input, missed = p_missed, missed_limit = p_missed_limit
     where s.tenant_id = p_tenant and s.name = p_name
       and (s.type, s.cron, s.time_zone, s.input, s.missed, s.missed_limit)
           is distinct from (p_type, p_cron, p_time_zone, p_input, p_missed, p_missed_limit)
    returning s.id, 'changed' into schedule_id, change;
  end if;
  if not found then
    select s.id, 'already' into schedule_id, change
      from opsroom.schedules s where s.tenant_id = p_tenant and s.name = p_name;
  end if;
  return next;
end
$$;

-- True: changed. False: it was so already. NULL: there is no such schedule.
create function opsroom.pause_schedule(p_id bigint) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  update opsroom.schedules set paused_at = pg_catalog.clock_timestamp() where id = p_id and paused_at is null;
  return found or case when exists (select from opsroom.schedules where id = p_id) then false end;
end
$$;
create function opsroom.resume_schedule(p_id bigint) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  update opsroom.schedules set paused_at = null where id = p_id and paused_at is not null;
  return found or case when exists (select from opsroom.schedules where id = p_id) then false end;
end
$$;
-- With its fire times: an id never comes back, so none of them can be honoured again. Runs stay.
create function opsroom.remove_schedule(p_id bigint) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  delete from opsroom.schedules where id = p_id;
  return found or null;
end
$$;

revoke all on function opsroom.plan_schedule_anew(), opsroom.audit_schedule(),
                       opsroom.put_schedule(bigint, text, text, text, text, jsonb, text, int), opsroom.pause_schedule(bigint),
                       opsroom.resume_schedule(bigint), opsroom.remove_schedule(bigint)
  from public;
grant execute on function opsroom.put_schedule(bigint, text, text, text, text, jsonb, text, int), opsroom.pause_schedule(bigint),
                          opsroom.resume_schedule(bigint), opsroom.remove_schedule(bigint)
  to opsroom_worker;
grant update (decided_until, next_fire_at, last_fire_at, last_run_id, missed_fires, last_missed_at, error_code, error_at)
  on opsroom.schedules to opsroom_worker;
grant select (missed_limit, decided_until, next_fire_at, last_fire_at, last_run_id, missed_fires, last_missed_at, error_code, error_at)
  on opsroom.schedules to opsroom_reader;
