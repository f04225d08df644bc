//! What a later migration must not forget, found in the catalogue: a table without row security or
//! without a policy, a function for everybody, a function with a path of the caller's, a view
//! that shows rows past the policies. Each check is shown to find what it looks for.

use opsroom_testkit::World;
use sqlx::PgConnection;

/// Each row an oversight, in words.
const OVERSIGHTS: &str = r#"
select format('table %s has no row security', c.relname)
  from pg_class c where c.relnamespace = 'opsroom'::regnamespace and c.relkind in ('r', 'p', 'f') and not c.relrowsecurity
union all
select format('table %s has no policy', c.relname)
  from pg_class c
 where c.relnamespace = 'opsroom'::regnamespace and c.relkind in ('r', 'p', 'f')
   -- The migrations' own: its owner's alone.
   and c.relname <> 'schema_migrations'
   and not exists (select from pg_policy p where p.polrelid = c.oid)
union all
select format('%s is granted to everybody: %s', c.relname, a.privilege_type)
  from pg_class c cross join lateral aclexplode(c.relacl) a where c.relnamespace = 'opsroom'::regnamespace and a.grantee = 0
union all
select format('function %s may be executed by everybody', p.oid::regprocedure)
  from pg_proc p
 where p.pronamespace = 'opsroom'::regnamespace
   and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)
union all
-- Definers call the others. The temporary schema is the caller's, and first for types unless it is named.
select format('function %s has its caller''s search_path', p.oid::regprocedure)
  from pg_proc p
 where p.pronamespace = 'opsroom'::regnamespace and p.prokind <> 'a'
   and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)
union all
-- What keeps scans from being chosen makes the plans that are left dear enough to be compiled.
select format('function %s may be compiled', p.oid::regprocedure)
  from pg_proc p
 where p.pronamespace = 'opsroom'::regnamespace and p.proconfig::text like '%enable\_%'
   and not coalesce('jit=off' = any (p.proconfig), false)
union all
-- Such a view reads as its owner, past every policy: only these four, which ask for session_user, may.
select format('view %s shows its owner''s rows to %s', c.relname, a.grantee::regrole)
  from pg_class c cross join lateral aclexplode(c.relacl) a
 where c.relnamespace = 'opsroom'::regnamespace and c.relkind in ('v', 'm') and a.grantee <> c.relowner
   and not coalesce('security_invoker=true' = any (c.reloptions), false)
   and c.relname not in ('my_reach', 'my_app_tenants', 'my_user', 'my_capabilities')
union all
select format('view %s is no security barrier', c.relname)
  from pg_class c
 where c.relnamespace = 'opsroom'::regnamespace and c.relname like 'my\_%' and c.relkind = 'v'
   and not coalesce('security_barrier=true' = any (c.reloptions), false)
union all
select format('%s stands outside of schema opsroom', c.oid::regclass)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'opsroom'
   and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname !~ '^pg_(toast_)?temp_'
"#;

async fn oversights(owner: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(OVERSIGHTS)
        .fetch_all(owner)
        .await
        .unwrap()
}

#[tokio::test]
async fn nothing_was_forgotten() {
    let world = World::new().await.unwrap();
    let found = oversights(&mut world.owner().await.unwrap()).await;
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn what_is_forgotten_is_found() {
    let world = World::new().await.unwrap();
    let mut owner = world.owner().await.unwrap();
    for (forgetful, told) in [
        (
            "create table opsroom.later (x int)",
            "table later has no row security",
        ),
        (
            "create table opsroom.later (x int); alter table opsroom.later enable row level security",
            "table later has no policy",
        ),
        (
            "grant select on opsroom.roles to public",
            "roles is granted to everybody: SELECT",
        ),
        (
            "create function opsroom.later() returns int language sql as 'select 1'",
            "function opsroom.later() may be executed by everybody",
        ),
        (
            "create function opsroom.later() returns int language sql security definer set search_path = '' as 'select 1'",
            "function opsroom.later() has its caller's search_path",
        ),
        (
            "create view opsroom.later as select * from opsroom.operation_runs; grant select on opsroom.later to opsroom_reader",
            "view later shows its owner's rows to opsroom_reader",
        ),
        (
            "create view opsroom.my_later as select 1 as x",
            "view my_later is no security barrier",
        ),
        (
            "create table public.later (x int)",
            "later stands outside of schema opsroom",
        ),
    ] {
        sqlx::raw_sql("begin").execute(&mut owner).await.unwrap();
        sqlx::raw_sql(forgetful).execute(&mut owner).await.unwrap();
        let found = oversights(&mut owner).await;
        assert!(
            found.iter().any(|found| found == told),
            "{forgetful}: {found:?}"
        );
        sqlx::raw_sql("rollback").execute(&mut owner).await.unwrap();
    }
}

#[tokio::test]
async fn a_temporary_type_hides_none_of_ours_even_where_everybody_may_make_one() {
    let world = World::new().await.unwrap();
    let open = format!(
        "grant temporary on database {} to public",
        world.database().name()
    );
    world.database().script(&open).await.unwrap();
    let attack = async |login: &str, hidden: &str, call: &str| {
        let attack = format!(
            "begin read write;
             create function pg_temp.executed({hidden}) returns boolean language plpgsql as $$
             begin raise exception 'executed as %', current_user; end $$;
             create domain pg_temp.{hidden} as pg_catalog.{hidden} check (pg_temp.executed(value));
             {call}"
        );
        let mut connection = world.connect(login).await.unwrap();
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(attack)).execute(&mut connection);
        done.await.map(drop)
    };
    let detail = "select opsroom.run_detail(1)";
    for (login, hidden, call) in [
        (&world.worker, "pg_snapshot", "select opsroom.prune_runs(1)"),
        (&world.worker, "jsonb", "select opsroom.declare_dead()"),
        (&world.oncall, "timestamptz", detail),
    ] {
        attack(login, hidden, call).await.unwrap();
    }
    let careless = "alter function opsroom.run_detail(bigint) set search_path = ''";
    world.database().script(careless).await.unwrap();
    let found = attack(&world.oncall, "timestamptz", detail).await;
    let found = found.unwrap_err().to_string();
    assert!(found.contains("executed as opsroom_owner"), "{found}");
}
