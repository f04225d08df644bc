//! Deciding which fault, if any, meets a request: the [`Faults`] of a tenant and what was asked so far.

use std::collections::HashMap;
use std::time::Duration;

use super::asked::Asked;
use super::dice::Dice;
use super::faults::{Fault, Faults, Target, When};

/// Faults with the counters their rules need.
#[derive(Debug, Default)]
pub(crate) struct Weather {
    faults: Faults,
    /// Per rule: how many requests it was about, and how many per address.
    counts: Vec<Count>,
    answered: u64,
}

#[derive(Debug, Default)]
struct Count {
    all: u64,
    by_address: HashMap<String, u64>,
}

impl Weather {
    pub(crate) fn new(faults: Faults) -> Self {
        let counts = faults.rules.iter().map(|_| Count::default()).collect();
        Self {
            faults,
            counts,
            answered: 0,
        }
    }

    /// The fault of this request. Every rule that is about it counts it, also behind the one that
    /// fires, so that rules do not depend on each other.
    pub(crate) fn next_fault(&mut self, asked: &Asked, address: &str) -> Option<Fault> {
        let seed = self.faults.seed;
        let mut fired = None;
        for (index, (rule, count)) in self.faults.rules.iter().zip(&mut self.counts).enumerate() {
            if !concerns(&rule.target, asked) {
                continue;
            }
            count.all += 1;
            let at_address = count.by_address.entry(address.to_owned()).or_default();
            *at_address += 1;
            let fires = match rule.when {
                When::Always => true,
                When::First(n) => count.all <= n,
                When::Every(n) => n > 0 && count.all % n == 0,
                When::OncePerAddress => *at_address == 1,
                When::Chance(chance) => {
                    Dice::of(seed, &format!("{index} {address} {at_address}")).hit(chance)
                }
            };
            if fires && fired.is_none() {
                fired = Some(rule.fault.clone());
            }
        }
        fired
    }

    pub(crate) fn next_latency(&mut self, address: &str) -> Duration {
        self.answered += 1;
        let latency = self.faults.latency;
        let spread = latency.at_most.saturating_sub(latency.at_least);
        let spread = u64::try_from(spread.as_micros()).unwrap_or(0);
        let mut dice = Dice::of(self.faults.seed ^ self.answered, address);
        latency.at_least + Duration::from_micros(dice.below(spread.saturating_add(1)))
    }
}

fn concerns(target: &Target, asked: &Asked) -> bool {
    match (target, asked) {
        (Target::Token, Asked::Token { .. }) => true,
        (Target::Graph, Asked::Listing { .. } | Asked::Entity { .. }) => true,
        (Target::Listings, Asked::Listing { .. }) => true,
        (Target::Details, Asked::Entity { .. }) => true,
        (Target::Kind(one), Asked::Listing { kind, .. } | Asked::Entity { kind, .. }) => {
            one == kind
        }
        (Target::ListingOf(one), Asked::Listing { kind, .. }) => one == kind,
        (Target::Ids(ids), Asked::Entity { id, .. }) => ids.contains(id),
        _ => false,
    }
}
