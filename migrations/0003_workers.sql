-- One row a worker process, one heartbeat a process. Whoever is declared dead stays dead: its id is
-- never used again.

create table opsroom.workers (
  id uuid primary key,
  name text not null check (name ~ '^[^[:cntrl:]]{1,100}$'),
  pid int not null,
  version text not null,
  types text[] not null,
  slots int not null check (slots > 0),
  lease interval not null check (lease between '1 second' and '1 hour'),
  started_at timestamptz not null default clock_timestamp(),
  beat_at timestamptz not null default clock_timestamp(),
  stopping_at timestamptz,
  dead_at timestamptz
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
comment on column opsroom.workers.dead_at is
  'Set once: at a clean stop by the worker itself, otherwise by whoever finds its lease run out.';

create function opsroom.guard_worker() returns trigger
language plpgsql set search_path = '' as $$
begin
  if new.id <> old.id or (old.dead_at is not null and new.dead_at is distinct from old.dead_at) then
    raise exception using errcode = 'OP005', message = 'a dead worker stays dead, and its id is its own';
  end if;
  return new;
end
$$;
create trigger guard before update on opsroom.workers
  for each row execute function opsroom.guard_worker();

-- Whoever claims holds this row: limits are counts of what is committed, and two claimers at once would
-- pass them. Not an advisory lock, since those any login can take and keep.
create table opsroom.claim_gate (
  one boolean primary key default true check (one)
);
insert into opsroom.claim_gate default values;
