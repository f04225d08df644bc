//! What a job counted: items by result, failures by code. In memory only; checkpoints write it.

use opsroom_model::{Counts, Failure, FailureKind, Outcome};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

/// Codes kept apart in one run; rarer ones beyond that are dropped from the summary, not from counts.
const MAX_CODES: usize = 20;
const MAX_TEXT: usize = 300;

/// How one item went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemStatus {
    /// It went well.
    Succeeded,
    /// It needed nothing.
    Skipped,
    /// It failed.
    Failed(FailureKind),
}

/// One item's result, ready to write.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) status: ItemStatus,
}

/// What one transaction writes of the items.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) items: Vec<Item>,
    /// Whether what stands there from before goes away first.
    pub(crate) replaces: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Counts,
    failures: Vec<Failure>,
    items: HashMap<String, Item>,
    /// Whether items of this run may be in the database already.
    written: bool,
    /// Whether they have to go, since counting began anew.
    replaces: bool,
    /// Of every key recorded in this attempt; 8 bytes each, since there may be very many.
    seen: HashSet<u64>,
}

impl Tally {
    /// Of a run that was claimed before.
    pub(crate) fn of_further_claim() -> Self {
        Self {
            written: true,
            ..Self::default()
        }
    }

    pub(crate) fn start_over(&mut self, total: u64) {
        self.counts = Counts::of_total(total);
        self.failures.clear();
        self.seen.clear();
        self.items.clear();
        self.replaces = self.written;
    }

    pub(crate) fn grow(&mut self, n: u64) {
        add(&mut self.counts.total, n);
    }

    pub(crate) fn resume(&mut self, prior: Counts) {
        self.counts = prior;
    }

    pub(crate) fn succeeded(&mut self, n: u64) {
        add(&mut self.counts.success, n);
    }

    pub(crate) fn skipped(&mut self, n: u64) {
        add(&mut self.counts.skipped, n);
    }

    pub(crate) fn failed(&mut self, kind: &FailureKind) {
        add(&mut self.counts.failed, 1);
        let failures = std::mem::take(&mut self.failures);
        self.failures = Failure::merge(failures.into_iter().chain([kind.failure()]), MAX_CODES);
    }

    pub(crate) fn item(&mut self, key: &str, label: &str, status: ItemStatus) {
        let key = storable(key);
        if !self.seen.insert(fingerprint(&key)) {
            return;
        }
        match &status {
            ItemStatus::Succeeded => self.succeeded(1),
            ItemStatus::Skipped => self.skipped(1),
            ItemStatus::Failed(kind) => self.failed(kind),
        }
        let label = opsroom_model::sanitize::line(label, MAX_TEXT)
            .unwrap_or_else(|| opsroom_model::sanitize::WITHHELD.to_owned());
        self.items.insert(key.clone(), Item { key, label, status });
    }

    /// Whether items wait to be written, or to be taken away.
    pub(crate) fn has_unwritten_items(&self) -> bool {
        self.replaces || !self.items.is_empty()
    }

    pub(crate) fn take_batch(&mut self) -> Batch {
        let items: Vec<Item> = self.items.drain().map(|(_, item)| item).collect();
        self.written |= !items.is_empty();
        Batch {
            items,
            replaces: std::mem::take(&mut self.replaces),
        }
    }

    /// What was not written, or perhaps not: writing it again does no harm.
    pub(crate) fn put_back(&mut self, batch: Batch) {
        for item in batch.items {
            self.items.entry(item.key.clone()).or_insert(item);
        }
        self.replaces |= batch.replaces;
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    pub(crate) fn failures(&self) -> &[Failure] {
        &self.failures
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.counts.outcome()
    }
}

/// A key that the database takes: no control characters, not empty, not too long.
fn storable(key: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let key: String = key.chars().map(shown).take(MAX_TEXT).collect();
    if opsroom_model::sanitize::is_sensitive(&key) {
        // Still one key an item, and nothing of what it said.
        return format!("withheld-{:016x}", fingerprint(&key));
    }
    if key.is_empty() { "-".to_owned() } else { key }
}

fn fingerprint(key: &str) -> u64 {
    static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    STATE.hash_one(key)
}

fn add(count: &mut Option<u64>, n: u64) {
    *count = Some(count.unwrap_or(0).saturating_add(n));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_counts_once_and_failures_merge_by_code() {
        let mut tally = Tally::default();
        tally.start_over(3);
        let gone = FailureKind::Graph {
            code: "graph.not_found",
            status: Some(404),
        };
        tally.item("a", "A", ItemStatus::Succeeded);
        tally.item("b", "B", ItemStatus::Failed(gone.clone()));
        tally.item("b", "B", ItemStatus::Failed(gone.clone()));
        tally.item("c", "C", ItemStatus::Failed(gone));
        assert_eq!(tally.counts().done(), 3);
        assert_eq!(tally.failures().len(), 1);
        assert_eq!(tally.failures()[0].count, 2);
        assert_eq!(tally.outcome(), Outcome::PartiallySucceeded);
        assert_eq!(tally.take_batch().items.len(), 3);
        tally.item("c", "C", ItemStatus::Succeeded);
        assert_eq!(
            tally.counts().done(),
            3,
            "counted once, also after a checkpoint"
        );
    }
}
