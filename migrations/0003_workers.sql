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
