//! What a query means against the directory: patterns of tenants become ids, patterns of types
//! become lists where they can, states become pairs. Everything an index can serve is settled here;
//! what is left is a filter on rows.

use crate::directory::Directory;
use crate::people::People;
use opsroom_model::query::{Condition, Pattern, Query, Sign, Term};
use opsroom_model::{Bucket, RunId};

/// The default window, in seconds: 30 days. Active runs are listed however old they are.
pub(crate) const WINDOW_S: i64 = 30 * 86_400;

/// A query, resolved.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Scope {
    /// Only these tenants; `None`: all the login sees, and it sees all there are.
    pub tenants: Option<Vec<i64>>,
    /// Only these types; `None`: any.
    pub types: Option<Vec<String>>,
    /// Besides `types`: unregistered ones that fit these patterns, searched within a budget.
    pub foreign_types: Vec<String>,
    /// Only these initiators, as stored; `None`: any.
    pub names: Option<Vec<String>>,
    /// Only runs with one of these failure codes; `None`: any.
    pub codes: Option<Vec<String>>,
    /// Only these states; `None`: any.
    pub buckets: Option<Vec<Bucket>>,
    /// Only these runs, whatever their age.
    pub ids: Option<Vec<RunId>>,
    /// Created within so many seconds; `None`: the default window and every active run.
    pub since_s: Option<i64>,
    /// What is asked of each row.
    pub rows: Vec<RowFilter>,
}

/// A condition that is asked of each row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RowFilter {
    pub sign: Sign,
    pub what: RowCondition,
}

/// See [`RowFilter`]. Patterns are SQL LIKE patterns in lower case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RowCondition {
    Tenants(Vec<i64>),
    TypeLike(Vec<String>),
    States(Vec<Bucket>),
    Codes {
        exact: Vec<String>,
        like: Vec<String>,
    },
    By(Vec<String>),
    Ids(Vec<i64>),
    Within(i64),
    Text {
        like: String,
        tenants: Vec<i64>,
    },
}

/// True where the query names people: their names must be known then.
pub(crate) fn asks_for_people(query: &Query) -> bool {
    let mut terms = query.terms.iter();
    terms.any(|term| matches!(term.condition, Condition::By(_)) && term.sign == Sign::Plus)
}

impl Scope {
    /// Resolves `query` for the login the directory belongs to.
    pub(crate) fn resolve(query: &Query, directory: &Directory, people: &People) -> Self {
        let mut scope = Self::default();
        if !directory.sees_all {
            scope.tenants = Some(directory.tenants.iter().map(|tenant| tenant.id.0).collect());
        }
        for term in &query.terms {
            scope.add(term, directory, people);
        }
        scope
    }

    /// The same runs whatever their state: what counts per bucket are taken over.
    pub(crate) fn of_any_state(mut self) -> Self {
        self.buckets = None;
        self.rows
            .retain(|filter| !matches!(filter.what, RowCondition::States(_)));
        self
    }

    /// The same runs, their codes asked of each: every run is found once.
    pub(crate) fn asking_for_codes(mut self) -> Self {
        if let Some(exact) = self.codes.take() {
            let like = Vec::new();
            self.rows.push(RowFilter {
                sign: Sign::Plus,
                what: RowCondition::Codes { exact, like },
            });
        }
        self
    }

    /// True where a text is searched for, which no index finds.
    pub(crate) fn is_free_text(&self) -> bool {
        self.rows.iter().any(|filter| {
            matches!(filter.what, RowCondition::Text { .. }) && filter.sign == Sign::Plus
        })
    }

    fn add(&mut self, term: &Term, directory: &Directory, people: &People) {
        let what = match (&term.condition, term.sign) {
            (Condition::Tenant(patterns), sign) => {
                let ids = tenants_like(patterns, directory);
                if sign == Sign::Plus {
                    return narrow(&mut self.tenants, ids);
                }
                RowCondition::Tenants(ids)
            }
            (Condition::Type(patterns), Sign::Plus) if self.types.is_none() => {
                self.types = Some(types_like(patterns, directory));
                let globs = patterns
                    .iter()
                    .filter(|pattern| pattern.literal().is_none());
                self.foreign_types = globs.map(like).collect();
                return;
            }
            (Condition::Type(patterns), _) => {
                RowCondition::TypeLike(patterns.iter().map(like).collect())
            }
            (Condition::Is(buckets), Sign::Plus) => {
                return narrow(&mut self.buckets, buckets.clone());
            }
            (Condition::Is(buckets), Sign::Minus) => RowCondition::States(buckets.clone()),
            (Condition::Id(ids), Sign::Plus) => return narrow(&mut self.ids, ids.clone()),
            (Condition::Id(ids), Sign::Minus) => {
                RowCondition::Ids(ids.iter().map(|id| id.0).collect())
            }
            (Condition::Since(seconds), Sign::Plus) => {
                let asked = i64::from(seconds.0);
                self.since_s = Some(self.since_s.map_or(asked, |known| known.min(asked)));
                return;
            }
            (Condition::Since(seconds), Sign::Minus) => RowCondition::Within(seconds.0.into()),
            (Condition::Code(patterns), sign) => match codes(patterns) {
                RowCondition::Codes { exact, like }
                    if sign == Sign::Plus && like.is_empty() && self.codes.is_none() =>
                {
                    self.codes = Some(distinct(exact));
                    return;
                }
                what => what,
            },
            (Condition::By(patterns), Sign::Plus) if people.all_known && self.names.is_none() => {
                self.names = Some(people.named(patterns));
                return;
            }
            (Condition::By(patterns), _) => RowCondition::By(patterns.iter().map(like).collect()),
            (Condition::Text(text), _) => RowCondition::Text {
                like: format!("%{}%", escape(&text.to_lowercase())),
                tenants: tenants_holding(text, directory),
            },
        };
        self.rows.push(RowFilter {
            sign: term.sign,
            what,
        });
    }
}

/// Both what was asked before and what is asked now.
fn narrow<T: PartialEq>(known: &mut Option<Vec<T>>, asked: Vec<T>) {
    match known {
        Some(list) => list.retain(|value| asked.contains(value)),
        None => *known = Some(asked),
    }
}

fn tenants_like(patterns: &[Pattern], directory: &Directory) -> Vec<i64> {
    let fits = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
    let tenants = directory.tenants.iter();
    tenants
        .filter(|tenant| fits(tenant.raw_name()))
        .map(|tenant| tenant.id.0)
        .collect()
}

fn tenants_holding(text: &str, directory: &Directory) -> Vec<i64> {
    let text = text.to_lowercase();
    let tenants = directory.tenants.iter();
    tenants
        .filter(|tenant| tenant.raw_name().to_lowercase().contains(&text))
        .map(|tenant| tenant.id.0)
        .collect()
}

/// The types that patterns name outright or fit among the registered ones. What else a pattern with
/// `*` may fit is in [`Scope::foreign_types`].
fn types_like(patterns: &[Pattern], directory: &Directory) -> Vec<String> {
    let mut types: Vec<String> = Vec::new();
    for pattern in patterns {
        if let Some(literal) = pattern.literal() {
            types.push(literal.to_lowercase());
        } else {
            let known = directory.types.iter().map(|known| known.raw_name());
            types.extend(
                known
                    .filter(|name| pattern.matches(name))
                    .map(str::to_owned),
            );
        }
    }
    distinct(types)
}

fn distinct(mut list: Vec<String>) -> Vec<String> {
    list.sort_unstable();
    list.dedup();
    list
}

fn codes(patterns: &[Pattern]) -> RowCondition {
    let exact = patterns.iter().filter_map(Pattern::literal);
    RowCondition::Codes {
        exact: exact.map(str::to_lowercase).collect(),
        like: patterns
            .iter()
            .filter(|pattern| pattern.literal().is_none())
            .map(like)
            .collect(),
    }
}

fn like(pattern: &Pattern) -> String {
    escape(&pattern.as_str().to_lowercase()).replace('*', "%")
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use opsroom_model::query::parse;

    #[test]
    fn states_narrow_and_negations_stay_with_the_rows() {
        let query = parse("is:failed,partial is:failed -is:queued code:a_b*").unwrap();
        let directory = Directory {
            sees_all: true,
            ..Directory::default()
        };
        let scope = Scope::resolve(&query, &directory, &People::default());
        assert_eq!(scope.buckets, Some(vec![Bucket::Failed]));
        assert_eq!(scope.tenants, None);
        assert_eq!(
            scope.rows[1].what,
            RowCondition::Codes {
                exact: vec![],
                like: vec!["a\\_b%".into()]
            }
        );
    }

    #[test]
    fn a_login_that_does_not_see_all_always_sends_its_tenants() {
        let scope = Scope::resolve(&Query::default(), &Directory::default(), &People::default());
        assert_eq!(scope.tenants, Some(vec![]));
    }
}
