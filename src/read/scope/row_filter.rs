//! What no index settles: conditions asked of each row.

use super::patterns::{as_like, codes, like, tenants, tenants_named, tenants_of};
use super::{Bound, Known, Stuck, bounds, buckets};
use opsroom_model::query::{Condition, Is, Sign, Span, Term};
use opsroom_model::{Bucket, RunId};

/// A condition that is asked of each row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RowFilter {
    pub sign: Sign,
    pub what: RowCondition,
}

/// See [`RowFilter`]. Patterns are SQL LIKE patterns, but for context values in lower case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RowCondition {
    Tenants(Vec<i64>),
    TypeLike(Vec<String>),
    States {
        buckets: Vec<Bucket>,
        stuck: Vec<RunId>,
    },
    Codes {
        exact: Vec<String>,
        like: Vec<String>,
    },
    By(Vec<String>),
    Ids(Vec<i64>),
    Created(Vec<Bound>),
    Took(Vec<Span>),
    Key {
        key: String,
        exact: Vec<String>,
        like: Vec<String>,
    },
    Text {
        like: String,
        tenants: Vec<i64>,
    },
    /// All filters of any of these.
    Any(Vec<Vec<RowFilter>>),
}

/// A term as asked of each row; `None` where it is left out.
pub(super) fn row_filter(term: &Term, known: Known<'_>) -> Option<RowFilter> {
    let what = match &term.condition {
        Condition::Tenant(patterns) => {
            RowCondition::Tenants(tenants_named(patterns, known.directory))
        }
        Condition::Workspace(patterns) => {
            RowCondition::Tenants(tenants_of(patterns, known.directory))
        }
        Condition::Type(patterns) => RowCondition::TypeLike(patterns.iter().map(like).collect()),
        Condition::Is(words) => match known.stuck {
            Stuck::AnyState => return None,
            Stuck::Are(ids) => RowCondition::States {
                buckets: buckets(words),
                stuck: if words.contains(&Is::Stuck) {
                    ids.to_vec()
                } else {
                    Vec::new()
                },
            },
        },
        Condition::Code(patterns) => {
            let (exact, like) = codes(patterns);
            RowCondition::Codes { exact, like }
        }
        Condition::By(patterns) => RowCondition::By(patterns.iter().map(like).collect()),
        Condition::Id(ids) => RowCondition::Ids(ids.iter().map(|id| id.0).collect()),
        Condition::Since(_) | Condition::Until(_) | Condition::Between(..) => {
            RowCondition::Created(bounds(&term.condition))
        }
        Condition::Took(spans) => RowCondition::Took(spans.clone()),
        Condition::Context { key, values } => {
            let (globs, exact): (Vec<_>, Vec<_>) =
                values.iter().partition(|value| value.literal().is_none());
            RowCondition::Key {
                key: key.clone(),
                exact: exact
                    .iter()
                    .map(|value| value.as_str().to_owned())
                    .collect(),
                like: globs.iter().map(|value| as_like(value.as_str())).collect(),
            }
        }
        Condition::Text(text) => RowCondition::Text {
            like: format!("%{}%", like(text)),
            tenants: tenants(known.directory, |tenant| text.occurs_in(tenant.raw_name())),
        },
        Condition::Group(alternatives) => return group(term.sign, alternatives, known),
    };
    Some(RowFilter {
        sign: term.sign,
        what,
    })
}

/// Where any state will do, a group that asks for states may hold for every run, and is left out.
pub(super) fn group(sign: Sign, alternatives: &[Vec<Term>], known: Known<'_>) -> Option<RowFilter> {
    let each = |terms: &Vec<Term>| -> Option<Vec<RowFilter>> {
        terms.iter().map(|term| row_filter(term, known)).collect()
    };
    let alternatives: Option<Vec<_>> = alternatives.iter().map(each).collect();
    Some(RowFilter {
        sign,
        what: RowCondition::Any(alternatives?),
    })
}
