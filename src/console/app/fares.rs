//! The screens of tenants and of types: how each fares, the worst first.

use super::board::{Board, Named};
use chrono::{DateTime, Utc};
use opsroom_model::query::{Condition, Query};
use opsroom_model::{Clean, TenantId};
use opsroom_read::{Health, HealthBoard};

impl Named for Health {
    type Id = (Option<TenantId>, Clean);

    fn id(&self) -> Self::Id {
        (self.tenant, self.name.clone())
    }
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covered {
    /// Runs created from this UTC day on.
    pub from: DateTime<Utc>,
    /// True where there are more rows than are shown.
    pub more: bool,
}

/// Tenants, or types.
pub type Fares = Board<Health, Covered>;

impl Fares {
    /// Takes an answer.
    pub(super) fn take_board(&mut self, board: HealthBoard) {
        let covered = Covered {
            from: board.covers_from,
            more: board.more,
        };
        self.take(board.rows, covered);
    }
}

/// True where all of `query` narrows these screens: they know tenants and types, nothing else.
#[must_use]
pub fn narrows(query: &Query) -> bool {
    query.terms.iter().all(|term| {
        matches!(
            term.condition,
            Condition::Tenant(_) | Condition::Workspace(_) | Condition::Type(_)
        )
    })
}
