//! `ensure_run` on one connection, in turns with a transaction that writes the same three rows itself:
//! into the same tables with their indexes, checks and foreign keys, in a database whose triggers are
//! off, or the rows would be written twice.

use crate::figures::{Figures, quantile};
use crate::operation::{Job, TYPE, registry, world};
use opsroom_engine::{Initiator, Priority, Start, Transport, Wake, ensure_run};
use opsroom_model::{TenantId, UserId};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use std::time::{Duration, Instant};

const ROUNDS: usize = 3000;
const WARM: usize = 300;

pub(crate) async fn measure(figures: &mut Figures) {
    let world = world().await;
    let registry = registry(Job::Wait);
    let mut ours = world.connect(&world.worker).await.unwrap();
    let other = crate::operation::world().await;
    let mut theirs = other.owner().await.unwrap();
    sqlx::raw_sql("alter table opsroom.operation_runs disable trigger user")
        .execute(&mut theirs)
        .await
        .unwrap();
    let (user, name): (i64, String) =
        sqlx::query_as("select id, name from opsroom.users order by id limit 1")
            .fetch_one(&mut theirs)
            .await
            .unwrap();
    let (mut starts, mut transactions) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS + WARM {
        let begun = Instant::now();
        let start = Start {
            tenant: TenantId(world.north),
            run_type: TYPE,
            input: json!({}),
            initiator: Initiator::User {
                id: UserId(user),
                name: name.clone(),
            },
            wake: Wake::Notify,
            priority: Priority::Normal,
            transport: Transport::Workers,
        };
        ensure_run(&mut ours, &registry, start).await.unwrap();
        let started = begun.elapsed();
        let written = three_rows(&mut theirs, other.north, user, &name).await;
        if round >= WARM {
            starts.push(started);
            transactions.push(written);
        }
    }
    let (median, other) = (quantile(&mut starts, 0.5), quantile(&mut transactions, 0.5));
    figures.tell("ensure_run + dispatch, p50", &format!("{median:.3} ms"));
    figures.tell(
        "a transaction of the same three rows, p50",
        &format!("{other:.3} ms"),
    );
    figures.at_most(
        "ensure_run + dispatch / the same three rows, p50",
        median / other,
        1.3,
        "x",
    );
    figures.at_most(
        "ensure_run + dispatch, p99",
        quantile(&mut starts, 0.99),
        10.0,
        "ms",
    );
}

async fn three_rows(connection: &mut PgConnection, tenant: i64, user: i64, name: &str) -> Duration {
    let hash = uuid::Uuid::new_v4().simple().to_string().repeat(2);
    let begun = Instant::now();
    let mut transaction = connection.begin().await.unwrap();
    let run: i64 = sqlx::query_scalar(
        "insert into opsroom.operation_runs (tenant_id, type, run_identity_hash, context, available_at, user_id, initiator_name)
         values ($1, $2, $3, $4, clock_timestamp(), $5, $6) returning id",
    )
    .bind(tenant)
    .bind(TYPE)
    .bind(hash)
    .bind(json!({"input": {}}))
    .bind(user)
    .bind(name)
    .fetch_one(&mut *transaction)
    .await
    .unwrap();
    sqlx::query("insert into opsroom.notifications (tenant_id, user_id, run_id, kind, run_type) values ($1, $2, $3, 'queued', $4)")
        .bind(tenant)
        .bind(user)
        .bind(run)
        .bind(TYPE)
        .execute(&mut *transaction)
        .await
        .unwrap();
    sqlx::query("insert into opsroom.audit (user_id, tenant_id, action, subject, run_id) values ($1, $2, 'run.start', $3, $4)")
        .bind(user)
        .bind(tenant)
        .bind(TYPE)
        .bind(run)
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    begun.elapsed()
}
