-- What keeps the planner from reading whole tables makes the plans that remain look dear enough to be compiled, which
-- takes longer than all they do. Workers' logins never compile; the owner, who counts and prunes by hand, may.
alter function opsroom.rollup_tick(integer, interval) set jit = off;
alter function opsroom.rollup_rebuild(date) set jit = off;
alter function opsroom.rollup_check(date) set jit = off;
alter function opsroom.prune_runs_after(integer, integer) set jit = off;
