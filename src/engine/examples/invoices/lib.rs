//! A shop that sends invoices, as an application developer would write it: a table of its own, one
//! operation ([`SendInvoice`]), and a place in its own code that starts it ([`place_order`]).
//!
//! | file | is |
//! |---|---|
//! | `lib.rs` | the operation, and starting it from the application's own transaction |
//! | `worker.rs` | the program that executes it |
//! | `tests/invoices` | its tests, against a real PostgreSQL |

use opsroom_engine::{
    Backoff, Confirmation, FailureKind, Identity, Initiator, JobError, Operation, Policy, Priority,
    Registry, Requires, Run, Start, StartError, TenantId, Transport, Wake, ensure_run,
    registry::RegistryError,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use std::sync::Arc;
use std::time::Duration;

/// The application's own tables.
pub const SCHEMA: &str = "
create schema shop;
create table shop.invoices (id bigint generated always as identity primary key, tenant_id bigint not null,
                            customer bigint not null, cents bigint not null, sent_at timestamptz);
grant usage on schema shop to opsroom_worker;
grant select, update on shop.invoices to opsroom_worker;
";

/// How invoices leave the house.
pub trait Post: Send + Sync + 'static {
    /// Sends it, or says that it could not.
    ///
    /// # Errors
    /// The post is closed; later it may be open.
    fn send(&self, invoice: i64, cents: i64) -> Result<(), PostClosed>;
}

/// The post took nothing.
#[derive(Debug, Clone, Copy)]
pub struct PostClosed;

// The guide's first operation: from here to the end of the `impl` is all there is to it.

/// The operation `invoice.send`.
pub struct SendInvoice {
    /// By which way.
    pub post: Arc<dyn Post>,
}

/// Which invoice. Ids only: the input is stored and shown.
#[derive(Debug, Serialize, Deserialize)]
pub struct Invoice {
    /// `shop.invoices.id`.
    pub invoice_id: i64,
}

impl Operation for SendInvoice {
    const TYPE: &'static str = "invoice.send";
    const LABEL: &'static str = "Send an invoice";
    type Input = Invoice;

    fn policy(&self) -> Policy {
        Policy {
            identity: Identity::DedupeActive,
            requires: Requires::Capability("invoice.manage".to_owned()),
            max_attempts: 5,
            backoff: Backoff {
                first: Duration::from_secs(2),
                longest: Duration::from_secs(600),
            },
            timeout: Duration::from_secs(60),
            search_keys: vec!["invoice_id".to_owned()],
            ..Policy::default()
        }
    }

    async fn perform(&self, run: &Run, input: Invoice) -> Result<(), JobError> {
        run.start_over(1);
        // Reads first; then the mark and the run's own progress commit together, under the fence.
        let open: Option<i64> =
            sqlx::query_scalar("select cents from shop.invoices where id = $1 and sent_at is null")
                .bind(input.invoice_id)
                .fetch_optional(run.pool())
                .await?;
        let Some(cents) = open else {
            run.skipped(1);
            return Ok(());
        };
        self.post
            .send(input.invoice_id, cents)
            .map_err(|PostClosed| JobError::Retryable {
                kind: FailureKind::other("post.closed", "The post took nothing"),
                after: None,
            })?;
        run.succeeded(1);
        let mut checkpoint = run.checkpoint().await?;
        sqlx::query("update shop.invoices set sent_at = clock_timestamp() where id = $1")
            .bind(input.invoice_id)
            .execute(&mut *checkpoint)
            .await?;
        Ok(checkpoint.commit().await?)
    }
}

/// What this application can have done.
///
/// # Errors
/// Never, unless a type is registered twice.
pub fn registry(post: Arc<dyn Post>) -> Result<Registry, RegistryError> {
    Registry::new().with(SendInvoice { post })
}

/// Takes an order: the invoice and the run that will send it commit together, or neither exists.
///
/// # Errors
/// The database refused it; nothing was written then.
pub async fn place_order(
    pool: &PgPool,
    registry: &Registry,
    tenant: TenantId,
    customer: i64,
    cents: i64,
) -> Result<Confirmation, StartError> {
    let mut transaction = pool.begin().await?;
    let invoice_id: i64 = sqlx::query_scalar(
        "insert into shop.invoices (tenant_id, customer, cents) values ($1, $2, $3) returning id",
    )
    .bind(tenant.0)
    .bind(customer)
    .bind(cents)
    .fetch_one(&mut *transaction)
    .await?;
    let confirmation = send(&mut transaction, registry, tenant, invoice_id).await?;
    transaction.commit().await?;
    Ok(confirmation)
}

/// Starts sending an invoice, or finds the run that is at it, within the caller's transaction.
///
/// # Errors
/// As [`ensure_run`].
pub async fn send(
    connection: &mut PgConnection,
    registry: &Registry,
    tenant: TenantId,
    invoice_id: i64,
) -> Result<Confirmation, StartError> {
    let start = Start {
        tenant,
        run_type: SendInvoice::TYPE,
        input: serde_json::json!(Invoice { invoice_id }),
        initiator: Initiator::System,
        wake: Wake::Notify,
        priority: Priority::Normal,
        transport: Transport::Workers,
    };
    ensure_run(connection, registry, start).await
}
