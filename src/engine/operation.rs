//! An operation: a stable type, the shape of its input, and the job. Whether two starts mean the same
//! run, how often it is tried and how long it may take is its [`Policy`].

use crate::error::JobError;
use crate::run::Run;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::time::Duration;

/// Something a tenant can have done. Implement it and register it; nothing else is needed.
pub trait Operation: Send + Sync + 'static {
    /// The stable type, `resource.action`. Never the name of a Rust type: it outlives refactorings.
    const TYPE: &'static str;

    /// What a person reads, e.g. `Inventory sync`.
    const LABEL: &'static str;

    /// The input. It is stored in the run's context and shown to members, so it carries ids, never
    /// secrets; its serialised form, defaults filled in, is what makes two runs the same.
    type Input: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Everything that has a sensible default.
    fn policy(&self) -> Policy {
        Policy::default()
    }

    /// Does the work. Runs once per attempt, possibly again after a crash: what it does must be
    /// repeatable. It ends early when [`Run::stopped`] resolves; what it writes after that is refused.
    ///
    /// The outcome follows from what was counted on `run`; an error ends the attempt.
    fn perform(
        &self,
        run: &Run,
        input: Self::Input,
    ) -> impl Future<Output = Result<(), JobError>> + Send;
}

/// When are two starts the same run?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// One active run per tenant, type and input.
    DedupeActive,
    /// Every request is a run of its own.
    PerRequest,
}

/// How an operation is started, repeated and limited.
#[derive(Debug, Clone)]
pub struct Policy {
    /// When two starts are the same run. Default: [`Identity::DedupeActive`].
    pub identity: Identity,
    /// What viewing and starting ask for. Default: [`Requires::OwnType`].
    pub requires: Requires,
    /// Whether `readonly` gets the capability when it is first registered. Default: yes.
    pub readonly: ReadonlyMay,
    /// Attempts in all, 1 to 100. Default: 3.
    pub max_attempts: u16,
    /// The wait before the next attempt.
    pub backoff: Backoff,
    /// How far a remote side's "come back later" is followed without using up an attempt.
    pub put_off: PutOff,
    /// How many runs of this type execute at once, over all workers. Default: no limit.
    pub limits: Limits,
    /// The longest an attempt may take. Default: 30 min.
    pub timeout: Duration,
    /// Top-level keys of the input that filters may use, as in `context.policy_id:7`. Default: none.
    pub search_keys: Vec<String>,
}

/// What a member needs to view the runs of a type and, with a role other than `readonly`, to start them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requires {
    /// The capability that is named as the type.
    OwnType,
    /// Another capability, perhaps one of several types.
    Capability(String),
    /// Nothing but the membership.
    Nothing,
}

impl Requires {
    /// The capability's name for an operation of type `own_type`.
    #[must_use]
    pub fn capability<'a>(&'a self, own_type: &'a str) -> Option<&'a str> {
        match self {
            Self::OwnType => Some(own_type),
            Self::Capability(name) => Some(name),
            Self::Nothing => None,
        }
    }
}

/// What `readonly` may do with a type's capability at its first registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadonlyMay {
    /// See the details of such runs.
    View,
    /// Nothing.
    Nothing,
}

/// Exponential back-off with jitter.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// Before the second attempt; doubled for each one after it.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

/// Bounds on being put off: [`JobError::Retryable`] with a time costs no attempt within them.
#[derive(Debug, Clone, Copy)]
pub struct PutOff {
    /// How often per run; from then on it uses up an attempt. Default: 20.
    pub times: u16,
    /// The longest single wait; what asks for more is asked again sooner. Default: 24 h.
    pub longest: Duration,
}

/// Runs of one type executed at the same time, whichever workers execute them. `None`: no limit. Zero
/// counts as one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// For one tenant.
    pub per_tenant: Option<u16>,
    /// Over all tenants.
    pub total: Option<u16>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            identity: Identity::DedupeActive,
            requires: Requires::OwnType,
            readonly: ReadonlyMay::View,
            max_attempts: 3,
            backoff: Backoff {
                first: Duration::from_secs(5),
                longest: Duration::from_secs(300),
            },
            put_off: PutOff {
                times: 20,
                longest: Duration::from_secs(24 * 3600),
            },
            limits: Limits::default(),
            timeout: Duration::from_secs(30 * 60),
            search_keys: Vec::new(),
        }
    }
}

impl Backoff {
    /// The wait after attempt number `attempt` (from 1) ended: half of it fixed, half of it spread by
    /// `spread` from 0 to 1, so that runs that failed together do not come back together.
    #[must_use]
    pub fn after(&self, attempt: u32, spread: f64) -> Duration {
        let doubled = self
            .first
            .saturating_mul(2u32.saturating_pow(attempt.saturating_sub(1).min(20)));
        doubled
            .min(self.longest)
            .mul_f64(0.5 + 0.5 * spread.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_longest() {
        let backoff = Backoff {
            first: Duration::from_secs(5),
            longest: Duration::from_secs(60),
        };
        let full: Vec<u64> = (1..=6)
            .map(|attempt| backoff.after(attempt, 1.0).as_secs())
            .collect();
        assert_eq!(full, [5, 10, 20, 40, 60, 60]);
        assert_eq!(backoff.after(1, 0.0), Duration::from_millis(2500));
        assert_eq!(backoff.after(u32::MAX, 1.0).as_secs(), 60);
    }
}
