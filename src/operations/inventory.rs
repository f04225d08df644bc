//! `inventory.sync`: observes a tenant's policies, one family after the other, and keeps what it saw
//! with the time it was last seen. It stores names, platforms and a hash of each document, never the
//! document: policies can hold secrets.

mod input;
mod store;

pub use input::{Input, Scope};

use crate::connection::Connections;
use crate::remote;
use futures_util::{StreamExt as _, stream};
use opsroom_engine::deadline::within;
use opsroom_engine::run::ItemStatus;
use opsroom_engine::{JobError, Operation, Run};
use opsroom_graph::inventory::{fetch_policy, policy_pages};
use opsroom_graph::{GraphClient, GraphError, PolicyDocument, PolicyFamily, PolicySummary};
use std::collections::HashSet;
use std::time::Duration;
use store::Observed;

/// Policies read at the same time.
const AT_ONCE: usize = 4;
/// Policies written with one checkpoint.
const BATCH: usize = 50;
/// Longest wait for one batch to be written.
const UPSERT: Duration = Duration::from_secs(20);

/// The operation.
pub struct Sync {
    connections: Connections,
}

impl Sync {
    /// Observes through these connections.
    #[must_use]
    pub const fn new(connections: Connections) -> Self {
        Self { connections }
    }
}

impl Operation for Sync {
    const TYPE: &'static str = "inventory.sync";
    const LABEL: &'static str = "Inventory sync";
    type Input = Input;

    /// Observing again is harmless, so every attempt starts over.
    async fn perform(&self, run: &Run, input: Input) -> Result<(), JobError> {
        let client = self.connections.client(run.tenant()).await?;
        run.start_over(0);
        let policies = list(run, &client, &input.families()).await?;
        observe(run, &client, policies).await
    }
}

/// Lists the families, the total growing page by page. A family that is refused counts as one failed
/// item; an error that concerns the tenant, or that may pass, ends the attempt.
async fn list(
    run: &Run,
    client: &GraphClient,
    families: &[PolicyFamily],
) -> Result<Vec<PolicySummary>, JobError> {
    let mut policies = Vec::new();
    // A collection that changes while it is paged through can show a policy twice.
    let mut seen = HashSet::new();
    for family in families {
        let mut pages = policy_pages(client, *family);
        loop {
            match stoppable(run, pages.next_page()).await? {
                Ok(None) => break,
                Ok(Some(mut page)) => {
                    page.retain(|policy| seen.insert((*family, policy.id.as_str().to_owned())));
                    run.grow(page.len() as u64);
                    policies.extend(page);
                    run.progress().await?;
                }
                Err(error) if remote::concerns_all(&error) || error.is_retryable() => {
                    return Err(remote::job_error(&error));
                }
                Err(error) => {
                    run.grow(1);
                    run.item(
                        family.key(),
                        family.label(),
                        ItemStatus::Failed(remote::kind(&error)),
                    );
                    break;
                }
            }
        }
    }
    Ok(policies)
}

/// Reads each policy whole and keeps what was seen. What was deleted since it was listed is skipped.
async fn observe(
    run: &Run,
    client: &GraphClient,
    policies: Vec<PolicySummary>,
) -> Result<(), JobError> {
    let mut reads = stream::iter(policies)
        .map(|policy| async move {
            let document = fetch_policy(client, policy.family, &policy.id).await;
            (policy, document)
        })
        .buffer_unordered(AT_ONCE);
    let mut batch = Vec::with_capacity(BATCH);
    while let Some((policy, document)) = stoppable(run, reads.next()).await? {
        take(run, &policy, document, &mut batch)?;
        if batch.len() == BATCH {
            write(run, &mut batch).await?;
        } else {
            run.progress().await?;
        }
    }
    write(run, &mut batch).await
}

fn take(
    run: &Run,
    policy: &PolicySummary,
    document: Result<PolicyDocument, GraphError>,
    batch: &mut Vec<Observed>,
) -> Result<(), JobError> {
    let key = || format!("{}/{}", policy.family.key(), policy.id.as_str());
    match document {
        Ok(document) => {
            batch.push(Observed::of(&document));
            run.succeeded(1);
        }
        Err(GraphError::NotFound) => run.item(&key(), &policy.name, ItemStatus::Skipped),
        Err(error) if remote::concerns_all(&error) => return Err(remote::job_error(&error)),
        Err(error) => run.item(
            &key(),
            &policy.name,
            ItemStatus::Failed(remote::kind(&error)),
        ),
    }
    Ok(())
}

async fn write(run: &Run, batch: &mut Vec<Observed>) -> Result<(), JobError> {
    let mut checkpoint = run.checkpoint().await?;
    let upsert = store::upsert(&mut checkpoint, run.tenant(), run.id(), batch);
    within(UPSERT, upsert).await?;
    checkpoint.commit().await?;
    batch.clear();
    Ok(())
}

/// The future's answer, unless the job must stop first.
async fn stoppable<T>(run: &Run, future: impl Future<Output = T>) -> Result<T, JobError> {
    tokio::select! {
        answer = future => Ok(answer),
        () = run.stopped() => Err(JobError::Stopped),
    }
}
