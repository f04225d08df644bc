//! What a query means, with what has to be asked for first: the directory, people, keys, and the runs
//! that do not move.

use super::{DIRECTORY_AGE, Reader};
use crate::active;
use crate::error::ReadError;
use crate::keys;
use crate::people::NAMES;
use crate::scope::{self, Known, Scope};
use crate::values::{self, Column, Values};
use opsroom_model::query::Query;
use std::time::Instant;

/// Whether every run that may be stuck was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    All,
    Some,
}

impl Reader {
    /// What a query means; where it asks for the diagnosis, the runs that may be stuck are judged
    /// first.
    pub(super) async fn scopes(
        &mut self,
        query: &Query,
    ) -> Result<(Vec<Scope>, Judged), ReadError> {
        let (mut stuck, mut judged) = (Vec::new(), Judged::All);
        if query.asks_for_stuck() {
            let scopes = self.resolve(query, scope::Stuck::AnyState).await?;
            let workers = self.workers().await?;
            let (found, suspects) = self.stuck_among(&scopes, &workers).await?;
            stuck = found;
            if active::stuck_count(stuck.len(), suspects).more {
                judged = Judged::Some;
            }
        }
        let scopes = self.resolve(query, scope::Stuck::Are(&stuck)).await?;
        Ok((scopes, judged))
    }

    pub(super) async fn resolve(
        &mut self,
        query: &Query,
        stuck: scope::Stuck<'_>,
    ) -> Result<Vec<Scope>, ReadError> {
        self.directory().await?;
        let people = if scope::asks_for_people(query) {
            self.know(NAMES).await?
        } else {
            Values::default()
        };
        let types = if scope::asks_for_types(query) {
            self.know(scope::TYPES).await?
        } else {
            Values::default()
        };
        let mut found = keys::Found::new();
        for asked in scope::asks_for_keys(query) {
            let tenants = self.directory().await?.tenants.iter();
            let tenants = tenants.map(|tenant| tenant.id.0).collect();
            let rows = self.all(keys::query(&asked, tenants)).await?;
            found.extend(keys::decode(&rows)?.map(|ids| (asked, ids)));
        }
        let known = Known {
            directory: self.directory().await?,
            people: &people,
            types: &types,
            keys: &found,
            stuck,
        };
        Ok(scope::resolve(query, known))
    }

    /// The one scope that rollups are asked for, of runs in any state; all that the login sees, and
    /// false, where the query has alternatives.
    pub(super) async fn counted_scope(
        &mut self,
        query: &Query,
    ) -> Result<(Scope, bool), ReadError> {
        let mut scopes = self.resolve(query, scope::Stuck::AnyState).await?;
        if let (Some(only), true) = (scopes.pop(), scopes.is_empty()) {
            return Ok((only, true));
        }
        let mut all = self
            .resolve(&Query::default(), scope::Stuck::AnyState)
            .await?;
        let all = all.pop().ok_or_else(|| ReadError::malformed("no scope"))?;
        Ok((all, false))
    }

    /// A column's values, as old as the directory may be.
    async fn know(&mut self, column: Column) -> Result<Values, ReadError> {
        if let Some((since, values)) = self.values.get(column.name)
            && since.elapsed() < DIRECTORY_AGE
        {
            return Ok(values.clone());
        }
        let directory = self.directory().await?;
        let some = (!directory.sees_all).then(|| {
            directory
                .tenants
                .iter()
                .map(|tenant| tenant.id.0)
                .collect::<Vec<_>>()
        });
        let row = self.one(values::query(column, some.as_deref())).await?;
        let values = values::decode(&row)?;
        self.values
            .insert(column.name, (Instant::now(), values.clone()));
        Ok(values)
    }
}
