//! What only a superuser can take away from everybody: the parts of PostgreSQL that a login without
//! any right can still use against others. Not here: opsroom's own grants, which are in the migrations.
//!
//! It is done by what may stay, not by what must go: whatever volatile function a later PostgreSQL
//! brings is taken away, too.

use super::{AccessError, settings};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Volatile functions that change nothing beyond the session that calls them, and that logins need.
const KEPT: &[&str] = &[
    "clock_timestamp",
    "gen_random_uuid",
    "pg_is_in_recovery",
    "random",
    "random_normal",
    "set_config",
    "timeofday",
    "uuidv4",
    "uuidv7",
];

/// Functions that are not marked volatile and tell of others or take a transaction number.
const TAKEN: &str = "^(pg_stat_get_.*|pg_current_xact_id|txid_current|pg_cursor|pg_prepared_statement|pg_prepared_xact|pg_lock_status|pg_get_replication_slots|pg_.*_to_xml.*|(table|schema|database|query|cursor)_to_xml.*)$";

/// Which of the functions that are taken from everybody which role is given back.
const GIVEN_BACK: &[(&str, &str)] = &[
    // Migrations lock each other out; rollups ask which server this is.
    (
        "opsroom_owner",
        "^(pg_(try_)?advisory_.*|pg_notify|pg_current_xact_id|pg_control_system)$",
    ),
    // A run is stamped with the transaction that wrote it; whoever starts one wakes the workers.
    ("opsroom_worker", "^(pg_notify|pg_current_xact_id)$"),
    ("opsroom_starter", "^(pg_notify|pg_current_xact_id)$"),
    ("opsroom_app", "^pg_current_xact_id$"),
    // Monitoring goes on.
    (
        "pg_read_all_stats",
        "^(pg_stat_get_.*|pg_lock_status|pg_prepared_xact|pg_get_replication_slots|pg_(database|tablespace|table|relation|indexes|total_relation)_size|pg_(current|last)_wal_.*|pg_last_xact_replay_timestamp|pg_blocking_pids)$",
    ),
];

/// Views of the server's statistics and of what other sessions do.
const VIEWS: &str = "^(pg_stat_.*|pg_statio_.*|pg_locks|pg_prepared_xacts|pg_replication_slots)$";

const GROUPS: &[&str] = &[
    "opsroom_owner",
    "opsroom_worker",
    "opsroom_starter",
    "opsroom_reader",
    "opsroom_app",
];

/// Every statement that is still to be executed, with what it is about. Grants come before what they
/// make up for is taken away. One row a statement: what, statement.
const PENDING: &str = r"
with db as (
  select d.datname, coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba)) as acl
    from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()
), callable as (
  select p.oid, p.proname, p.oid::regprocedure::text as signature, p.provolatile,
         coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)) as acl
    from pg_catalog.pg_proc p
   where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f'
     and p.prorettype::regtype::text not in ('trigger', 'event_trigger', 'internal', 'language_handler', 'fdw_handler',
                                             'index_am_handler', 'tsm_handler', 'table_am_handler')
     and not 'internal'::regtype = any (p.proargtypes::oid[])
), back (role, pattern) as (
  select * from unnest($1::text[], $2::text[])
), steps (place, what, statement) as (
  select 1, pg_catalog.format('%s may connect', g), pg_catalog.format('grant connect on database %I to %I', db.datname, g)
    from db cross join unnest($3::text[]) g
   where not exists (select from pg_catalog.aclexplode(db.acl) a where a.grantee = g::regrole and a.privilege_type = 'CONNECT')
  union all
  select 2, pg_catalog.format('nobody else may %s', case a.privilege_type when 'CONNECT' then 'connect' else 'make temporary tables' end),
         pg_catalog.format('revoke %s on database %I from public', a.privilege_type, db.datname)
    from db cross join lateral pg_catalog.aclexplode(db.acl) a where a.grantee = 0
  union all
  select 3, pg_catalog.format('%s keeps %s', b.role, pg_catalog.string_agg(distinct c.proname, ', ' order by c.proname)),
         pg_catalog.format('grant execute on function %s to %I', pg_catalog.string_agg(c.signature, ', '), b.role)
    from callable c join back b on c.proname ~ b.pattern
   where not exists (select from pg_catalog.aclexplode(c.acl) a where a.grantee = b.role::regrole)
     -- What the server itself keeps to its superusers stays so.
     and (exists (select from pg_catalog.aclexplode(c.acl) a where a.grantee = 0) or c.proname ~ '^pg_(notify|current_xact_id)$')
   group by b.role
  union all
  select 4, pg_catalog.format('taken from everybody: %s', pg_catalog.string_agg(distinct c.proname, ', ' order by c.proname)),
         pg_catalog.format('revoke execute on function %s from public', pg_catalog.string_agg(c.signature, ', '))
    from callable c
   where exists (select from pg_catalog.aclexplode(c.acl) a where a.grantee = 0)
     and (c.provolatile = 'v' and not c.proname = any ($4::text[]) or c.proname ~ $5)
   having count(*) > 0
  union all
  select 5, pg_catalog.format('for monitoring only: %s', pg_catalog.string_agg(v.relname, ', ' order by v.relname)),
         pg_catalog.format('grant select on %1$s to pg_read_all_stats; revoke select on %1$s from public',
           pg_catalog.string_agg('pg_catalog.' || pg_catalog.quote_ident(v.relname), ', '))
    from pg_catalog.pg_class v
   where v.relnamespace = 'pg_catalog'::regnamespace and v.relkind = 'v' and v.relname ~ $6
     and exists (select from pg_catalog.aclexplode(v.relacl) a where a.grantee = 0)
   having count(*) > 0
  union all
  select 6, pg_catalog.format('language %s is the owner''s: no DO blocks', l.lanname),
         pg_catalog.format('grant usage on language %1$I to opsroom_owner; revoke usage on language %1$I from public', l.lanname)
    from pg_catalog.pg_language l
   where l.lanpltrusted and exists (
     select from pg_catalog.aclexplode(coalesce(l.lanacl, pg_catalog.acldefault('l', l.lanowner))) a where a.grantee = 0)
  union all
  select 7, 'schema public is closed', 'revoke all on schema public from public'
    from pg_catalog.pg_namespace n
   where n.nspname = 'public' and exists (
     select from pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a where a.grantee = 0)
)
select what, statement from steps order by place, what";

/// Takes away what can be taken away in this database, brings the limits of its logins up to date, and
/// says what it changed. Idempotent: on a hardened
/// database it changes nothing and answers with nothing. All or nothing; cancelling rolls back.
///
/// The database should be opsroom's alone: roles that are no members of opsroom's groups cannot
/// connect to it afterwards, unless they own it or were granted that.
///
/// # Errors
/// [`AccessError::NeedsSuperuser`] for any other login.
pub async fn harden(connection: &mut PgConnection) -> Result<Vec<String>, AccessError> {
    let mut transaction = connection.begin().await?;
    let superuser: bool =
        sqlx::query_scalar("select rolsuper from pg_catalog.pg_roles where rolname = current_user")
            .fetch_one(&mut *transaction)
            .await?;
    if !superuser {
        return Err(AccessError::NeedsSuperuser);
    }
    let (roles, patterns): (Vec<&str>, Vec<&str>) = GIVEN_BACK.iter().copied().unzip();
    let pending: Vec<(String, String)> = sqlx::query_as(PENDING)
        .bind(roles)
        .bind(patterns)
        .bind(GROUPS)
        .bind(KEPT)
        .bind(TAKEN)
        .bind(VIEWS)
        .fetch_all(&mut *transaction)
        .await?;
    let mut done = Vec::with_capacity(pending.len());
    for (what, statement) in pending {
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut *transaction)
            .await?;
        done.push(what);
    }
    done.extend(settings::apply(&mut transaction, None).await?);
    transaction.commit().await?;
    Ok(done)
}

/// Databases of this server that opsroom's logins may connect to as everybody may: what `harden`
/// cannot close from here. At most ten names.
///
/// # Errors
/// [`AccessError::Engine`].
pub async fn open_databases(connection: &mut PgConnection) -> Result<Vec<String>, AccessError> {
    Ok(sqlx::query_scalar(
        "select d.datname::text from pg_catalog.pg_database d
          where d.datname <> pg_catalog.current_database() and d.datallowconn
            and pg_catalog.has_database_privilege('opsroom_reader', d.oid, 'connect') order by 1 limit 10",
    )
    .fetch_all(connection)
    .await?)
}

/// Whether everybody who may connect may make temporary tables, types and functions here: what
/// [`harden`] takes away, and migrating does where its login owns the database.
///
/// # Errors
/// [`AccessError::Engine`].
pub async fn temporary_for_all(connection: &mut PgConnection) -> Result<bool, AccessError> {
    Ok(sqlx::query_scalar(
        "select exists (select from pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
                         where a.grantee = 0 and a.privilege_type = 'TEMPORARY')
           from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()",
    )
    .fetch_one(connection)
    .await?)
}
