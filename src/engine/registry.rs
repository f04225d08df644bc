//! Which operations a program knows, by type. Registered once at start; a type is never taken twice.

use crate::error::{EngineError, JobError, StartError};
use crate::operation::{Operation, Policy, ReadonlyMay};
use crate::run::Run;
use opsroom_model::{FailureKind, RunType, sanitize};
use serde_json::Value;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use thiserror::Error;

/// Operations by type. Cheap to clone.
#[derive(Clone, Default)]
pub struct Registry {
    by_type: BTreeMap<&'static str, Arc<dyn Registered>>,
}

/// Why an operation cannot be registered.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// Another operation took the type.
    #[error("the type '{0}' is registered twice")]
    Taken(&'static str),
    /// The type is none.
    #[error(transparent)]
    InvalidType(#[from] opsroom_model::run_type::InvalidRunType),
}

impl Registry {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an operation.
    ///
    /// # Errors
    /// Where its type is malformed or taken: a defect of the program, found at start.
    pub fn with<O: Operation>(mut self, operation: O) -> Result<Self, RegistryError> {
        let run_type: RunType = O::TYPE.parse()?;
        let policy = operation.policy();
        let known = Known {
            run_type,
            policy,
            operation,
        };
        match self.by_type.insert(O::TYPE, Arc::new(known)) {
            Some(_) => Err(RegistryError::Taken(O::TYPE)),
            None => Ok(self),
        }
    }

    /// The types, sorted.
    #[must_use]
    pub fn types(&self) -> Vec<String> {
        self.by_type.keys().map(|name| (*name).to_owned()).collect()
    }

    /// Only the types that `keep` names, for a pool of workers of their own.
    #[must_use]
    pub fn only(mut self, keep: &[String]) -> Self {
        self.by_type
            .retain(|name, _| keep.iter().any(|kept| kept == name));
        self
    }

    pub(crate) fn get(&self, run_type: &str) -> Option<Arc<dyn Registered>> {
        self.by_type.get(run_type).cloned()
    }

    pub(crate) fn require(&self, run_type: &str) -> Result<Arc<dyn Registered>, StartError> {
        self.get(run_type).ok_or_else(|| StartError::UnknownType {
            given: run_type.chars().take(100).collect(),
            known: self.types(),
        })
    }

    /// Tells the database what is registered here: labels, capabilities, attempts, limits, searchable keys.
    /// Idempotent; the latest program wins. Takes a worker's or the owner's login.
    ///
    /// # Errors
    /// Where the database fails or refuses.
    pub async fn publish(&self, connection: &mut PgConnection) -> Result<(), EngineError> {
        for known in self.by_type.values() {
            let policy = known.policy();
            let limit = |runs: Option<u16>| runs.map(|runs| i32::from(runs.max(1)));
            sqlx::query("select opsroom.register_operation_type($1, $2, $3, $4, $5, $6, $7, $8)")
                .bind(known.run_type().as_str())
                .bind(known.label())
                .bind(policy.requires.capability(known.type_str()))
                .bind(i32::from(policy.max_attempts))
                .bind(&policy.search_keys)
                .bind(policy.readonly == ReadonlyMay::View)
                .bind(limit(policy.limits.per_tenant))
                .bind(limit(policy.limits.total))
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

/// An operation with its types erased.
pub(crate) trait Registered: Send + Sync {
    fn run_type(&self) -> &RunType;
    fn type_str(&self) -> &'static str;
    fn label(&self) -> &'static str;
    fn policy(&self) -> &Policy;
    /// The input as the operation would write it itself: decoded, defaults filled in, encoded.
    fn normalise(&self, input: Value) -> Result<Value, StartError>;
    fn perform<'a>(
        &'a self,
        run: &'a Run,
        input: Value,
    ) -> Pin<Box<dyn Future<Output = Result<(), JobError>> + Send + 'a>>;
}

struct Known<O> {
    run_type: RunType,
    policy: Policy,
    operation: O,
}

impl<O: Operation> Registered for Known<O> {
    fn run_type(&self) -> &RunType {
        &self.run_type
    }

    fn type_str(&self) -> &'static str {
        O::TYPE
    }

    fn label(&self) -> &'static str {
        O::LABEL
    }

    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn normalise(&self, input: Value) -> Result<Value, StartError> {
        if let Some(path) = sanitize::find_sensitive(&input) {
            return Err(StartError::SensitiveInput(path));
        }
        let invalid = |error: serde_json::Error| StartError::InvalidInput {
            run_type: O::TYPE,
            reason: sanitize::line(&error.to_string(), 200)
                .unwrap_or_else(|| "it has the wrong shape".to_owned()),
        };
        let decoded: O::Input = serde_json::from_value(input).map_err(invalid)?;
        serde_json::to_value(decoded).map_err(invalid)
    }

    fn perform<'a>(
        &'a self,
        run: &'a Run,
        input: Value,
    ) -> Pin<Box<dyn Future<Output = Result<(), JobError>> + Send + 'a>> {
        Box::pin(async move {
            let input = serde_json::from_value(input)
                .map_err(|_| JobError::Permanent(FailureKind::InputInvalid))?;
            self.operation.perform(run, input).await
        })
    }
}
