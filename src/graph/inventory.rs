//! Observing a tenant's policies: list every family, then read each policy whole.
//! Which of it is stored, and what is done when a family fails, is the operation's business.

use crate::client::GraphClient;
use crate::entity_id::EntityId;
use crate::error::GraphError;
use crate::family::PolicyFamily;
use crate::pages::Pages;
use crate::policy::{PolicyDocument, PolicySummary};

/// What listing one family came to. A failed family does not hide the others.
#[derive(Debug)]
pub struct FamilyListing {
    /// The family.
    pub family: PolicyFamily,
    /// Its policies in Graph's order, or why they are not known.
    pub policies: Result<Vec<PolicySummary>, GraphError>,
}

/// The pages of one family's listing, as summaries.
#[derive(Debug)]
pub struct PolicyPages {
    family: PolicyFamily,
    pages: Pages,
}

/// Begins listing one family page by page; nothing is sent yet.
#[must_use]
pub fn policy_pages(client: &GraphClient, family: PolicyFamily) -> PolicyPages {
    PolicyPages {
        family,
        pages: client.list(family.list()),
    }
}

impl PolicyPages {
    /// The next page's policies; `None` after the last. Errors and cancellation as
    /// [`Pages::next_page`]; an entity without an id is [`GraphError::MalformedResponse`].
    ///
    /// # Errors
    /// Every code of [`GraphError`].
    pub async fn next_page(&mut self) -> Result<Option<Vec<PolicySummary>>, GraphError> {
        let Some(page) = self.pages.next_page().await? else {
            return Ok(None);
        };
        page.entities
            .iter()
            .map(|entity| PolicySummary::read(self.family, entity))
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

/// Lists one family to its end.
///
/// # Errors
/// Every code of [`GraphError`]; what was read before is dropped.
pub async fn list_family(
    client: &GraphClient,
    family: PolicyFamily,
) -> Result<Vec<PolicySummary>, GraphError> {
    let mut pages = policy_pages(client, family);
    let mut policies = Vec::new();
    while let Some(page) = pages.next_page().await? {
        policies.extend(page);
    }
    Ok(policies)
}

/// Lists every family, one after the other, in the order of [`PolicyFamily::ALL`]. Where the tenant
/// cannot be reached or gives no token the remaining families report the same error without asking.
/// Reading is idempotent; dropping the future cancels it.
pub async fn list_policies(client: &GraphClient) -> Vec<FamilyListing> {
    let mut listings = Vec::with_capacity(PolicyFamily::ALL.len());
    let mut closed: Option<GraphError> = None;
    for family in PolicyFamily::ALL {
        let policies = match closed {
            Some(error) => Err(error),
            None => list_family(client, family).await,
        };
        closed = policies.as_ref().err().copied().filter(concerns_the_tenant);
        listings.push(FamilyListing { family, policies });
    }
    listings
}

fn concerns_the_tenant(error: &GraphError) -> bool {
    matches!(
        error,
        GraphError::TokenRefused | GraphError::Unauthorized | GraphError::Unreachable { .. }
    )
}

/// Reads one policy whole. [`GraphError::NotFound`] means it was deleted since it was listed.
///
/// # Errors
/// Every code of [`GraphError`].
pub async fn fetch_policy(
    client: &GraphClient,
    family: PolicyFamily,
    id: &EntityId,
) -> Result<PolicyDocument, GraphError> {
    PolicyDocument::read(family, client.get(family.get(), id).await?)
}
