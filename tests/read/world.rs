//! A small world: two workspaces, four tenants, a dozen runs; a login that sees all of it, and one
//! that is a read-only member of one tenant.

use opsroom_model::query::parse;
use opsroom_read::{PageRequest, ReadOptions, Reader, RunPage};
use opsroom_testkit::{TestDatabase, unique_name};

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) oncall: String,
    pub(crate) dev: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::within(TestDatabase::new().await.unwrap()).await
    }

    /// The same with a hot standby.
    pub(crate) async fn replicated() -> Self {
        Self::within(TestDatabase::replicated().await.unwrap()).await
    }

    async fn within(database: TestDatabase) -> Self {
        let (oncall, dev) = (unique_name("oncall"), unique_name("dev"));
        let script = SCRIPT.replace("ONCALL", &oncall).replace("DEV", &dev);
        database.script(&script).await.unwrap();
        Self {
            database,
            oncall,
            dev,
        }
    }

    pub(crate) async fn reader(&self, login: &str) -> Reader {
        reader_at(&self.database.url(login)).await
    }

    /// A reader of the standby, once that has everything.
    pub(crate) async fn standby(&self, login: &str) -> Reader {
        self.database.replayed().await.unwrap();
        reader_at(&self.database.standby_url(login).unwrap()).await
    }

    pub(crate) async fn oncall(&self) -> Reader {
        self.reader(&self.oncall).await
    }
}

pub(crate) async fn reader_at(url: &str) -> Reader {
    let options = ReadOptions::new(Some(url)).unwrap();
    Reader::connect(options).await.unwrap()
}

pub(crate) async fn page(reader: &mut Reader, query: &str) -> RunPage {
    let request = PageRequest {
        query: parse(query).unwrap(),
        limit: 100,
        before: None,
    };
    reader.page(&request, &[]).await.unwrap()
}

/// The ids a query finds, newest first.
pub(crate) async fn ids(reader: &mut Reader, query: &str) -> Vec<i64> {
    page(reader, query)
        .await
        .rows
        .iter()
        .map(|row| row.id.0)
        .collect()
}

const SCRIPT: &str = r#"
create role ONCALL login in role opsroom_reader;
create role DEV login in role opsroom_reader;
insert into opsroom.workspaces (name) values ('emea'), ('apac');
insert into opsroom.tenants (workspace_id, name) values (1, 'contoso'), (1, 'fabrikam'), (2, 'Zoë & Søns'), (2, 'adatum');
insert into opsroom.users (name) values ('Olive'), ('Dev');
insert into opsroom.logins (login_role, user_id, kind) values ('ONCALL', 1, 'reader'), ('DEV', 2, 'reader');
insert into opsroom.workspace_members values (1, 1, 'owner'), (2, 1, 'owner'), (1, 2, null);
insert into opsroom.tenant_members values (1, 2, 'readonly');

insert into opsroom.operation_runs (id, tenant_id, user_id, initiator_name, type, run_identity_hash, status, outcome,
  summary_counts, failure_summary, context, created_at, started_at, completed_at, available_at)
select id, tenant, null, who, type, encode(sha256(id::text::bytea), 'hex'), status, outcome, counts::jsonb, failures::jsonb,
  '{"scope":"full"}', now() - age::interval,
  case when status <> 'queued' then now() - age::interval + interval '1 s' end,
  case when status = 'completed' then now() - age::interval + interval '4 s' end,
  available::timestamptz
from (values
  (1, 1, 'Alice Meyer', 'inventory.sync', 'completed', 'succeeded', '{"total":10,"success":10}', null, '1 h', 'now'),
  (2, 1, 'System', 'inventory.sync', 'completed', 'failed', null, '[{"code":"graph.throttled","message":"m","count":2}]', '2 h', 'now'),
  (3, 2, 'Bo Lindqvist', 'restore.execute', 'completed', 'partially_succeeded', '{"total":3,"success":2,"failed":1}',
      '[{"code":"graph.conflict","message":"m","count":1},{"code":"graph.timeout","message":"m","count":1}]', '3 h', 'now'),
  (4, 2, 'alice', 'drift.generate', 'completed', 'succeeded', null, null, '4 h', 'now'),
  (5, 3, 'System', 'backup_schedule.scheduled', 'completed', 'succeeded', null, null, '5 d', 'now'),
  (6, 3, 'System', 'backup_schedule.run_now', 'queued', 'pending', null, null, '5 s', 'now'),
  (7, 4, 'System', 'crm.export', 'running', 'pending', '{"total":5,"success":1}', null, '10 s', null),
  (8, 4, 'System', 'backup_schedule.custom', 'completed', 'succeeded', null, null, '6 h', null),
  (9, 1, 'System', 'inventory.sync', 'completed', 'succeeded', null, null, '40 d', 'now'),
  (10, 1, 'System', 'directory_groups.sync', 'queued', 'pending', null, null, '41 d', 'infinity'),
  (11, 1, 'Alice Meyer', 'restore.execute', 'completed', 'failed', null, '[{"code":"app_x.100","message":"m","count":1}]', '7 h', 'now')
) v (id, tenant, who, type, status, outcome, counts, failures, age, available);
insert into opsroom.operation_run_items (tenant_id, run_id, item_key, label, status)
  select 2, 3, 'k' || lpad(n::text, 3, '0'), 'Item ' || n, 'succeeded' from generate_series(1, 7) n;
alter table opsroom.operation_runs alter column id restart with 100;
"#;
