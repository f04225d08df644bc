//! What a query without groups means against what is known: patterns of tenants become ids, patterns
//! of types become lists where they can, states become pairs. Everything an index can serve is settled
//! here; what is left is a filter on rows. A query with groups is several scopes ([`resolve`]).

mod patterns;
mod row_filter;

pub(crate) use row_filter::{RowCondition, RowFilter};

use crate::directory::Directory;
use crate::keys::{self, Asked};
use crate::people;
use crate::values::{Column, Values};
use chrono::{DateTime, Utc};
use opsroom_model::query::eval::WINDOW;
use opsroom_model::query::{Condition, Is, Query, Sign, Term, When};
use opsroom_model::{Bucket, RunId};
use patterns::{codes, like, tenants, tenants_named, tenants_of, types_like};
use row_filter::row_filter;

/// The default window, in seconds. Active runs are listed however old they are.
pub(crate) const WINDOW_S: i64 = WINDOW.num_seconds();
/// A query with more alternatives than this is asked of each row instead.
const MOST_SCOPES: usize = 8;

/// What patterns are resolved against.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub directory: &'a Directory,
    pub people: &'a Values,
    pub types: &'a Values,
    /// The runs of keys that were looked up.
    pub keys: &'a keys::Found,
    /// The runs that do not move, or why the question was not asked.
    pub stuck: Stuck<'a>,
}

/// See [`Known::stuck`].
#[derive(Clone, Copy)]
pub(crate) enum Stuck<'a> {
    /// These do not move.
    Are(&'a [RunId]),
    /// What a query says of states and of the diagnosis is left out: every run fits it.
    AnyState,
}

/// A query without groups, resolved.
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
    /// Only these runs.
    pub ids: Option<Vec<RunId>>,
    /// Where runs that ended are left out before the default window.
    pub windowed: bool,
    /// When runs were created: all of these hold.
    pub created: Vec<Bound>,
    /// What is asked of each row.
    pub rows: Vec<RowFilter>,
}

/// A side of a range of times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    /// Then or later.
    From(Moment),
    /// Before.
    Before(Moment),
}

/// A moment that the database or we calculate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Moment {
    /// So many seconds before the database's now.
    Ago(f64),
    /// This one.
    At(DateTime<Utc>),
}

/// True where the query names people: their names must be known then.
pub(crate) fn asks_for_people(query: &Query) -> bool {
    let arms = arms(query);
    let mut terms = arms.iter().flat_map(|arm| &arm.terms);
    terms.any(|term| matches!(term.condition, Condition::By(_)) && term.sign == Sign::Plus)
}

/// Types of runs, registered or not.
pub(crate) const TYPES: Column = Column {
    name: "type",
    condition: "true",
};

/// True where a pattern of the query may fit types that nobody registered.
pub(crate) fn asks_for_types(query: &Query) -> bool {
    let arms = arms(query);
    let mut terms = arms.iter().flat_map(|arm| &arm.terms);
    let is_glob = |pattern: &opsroom_model::query::Pattern| pattern.literal().is_none();
    terms.any(|term| matches!(&term.condition, Condition::Type(patterns) if term.sign == Sign::Plus && patterns.iter().any(is_glob)))
}

/// The keys of the context that the query names: their runs can be looked up.
pub(crate) fn asks_for_keys(query: &Query) -> Vec<Asked> {
    keys::asked(&arms(query))
}

/// The alternatives of a query; where there are too many, it stays whole.
fn arms(query: &Query) -> Vec<Query> {
    let whole = || vec![query.clone()];
    query.arms(MOST_SCOPES).unwrap_or_else(whole)
}

/// The scopes of `query`; a run may be in several. Never none.
pub(crate) fn resolve(query: &Query, known: Known<'_>) -> Vec<Scope> {
    let windowed = !query.sets_window();
    arms(query)
        .iter()
        .map(|arm| Scope::resolve(arm, windowed, known))
        .collect()
}

impl Scope {
    fn resolve(query: &Query, windowed: bool, known: Known<'_>) -> Self {
        let mut scope = Self {
            windowed,
            ..Self::default()
        };
        if !known.directory.sees_all {
            scope.tenants = Some(tenants(known.directory, |_| true));
        }
        for term in &query.terms {
            scope.add(term, known);
        }
        scope
    }

    /// Every run of one type that the login sees, in the default window.
    pub(crate) fn of_type(run_type: &str, directory: &Directory) -> Self {
        let known = Known {
            directory,
            people: &Values::default(),
            types: &Values::default(),
            keys: &keys::Found::new(),
            stuck: Stuck::AnyState,
        };
        let mut scope = Self::resolve(&Query::default(), true, known);
        scope.types = Some(vec![run_type.to_owned()]);
        scope
    }

    /// True where something is asked of each row, since no index finds it.
    pub(crate) fn is_searched(&self) -> bool {
        !self.foreign_types.is_empty() || !self.rows.is_empty()
    }

    /// Settles a term where an index can; else asks it of the rows.
    fn add(&mut self, term: &Term, known: Known<'_>) {
        if term.sign == Sign::Plus && self.settle(&term.condition, known) {
            return;
        }
        self.rows.extend(row_filter(term, known));
    }

    fn settle(&mut self, condition: &Condition, known: Known<'_>) -> bool {
        match condition {
            Condition::Tenant(patterns) => {
                narrow(&mut self.tenants, tenants_named(patterns, known.directory));
            }
            Condition::Workspace(patterns) => {
                narrow(&mut self.tenants, tenants_of(patterns, known.directory));
            }
            Condition::Type(patterns) if self.types.is_none() => {
                self.types = Some(types_like(patterns, known));
                if !known.types.all_known {
                    let globs = patterns.iter().filter(|one| one.literal().is_none());
                    self.foreign_types = globs.map(like).collect();
                }
            }
            Condition::Is(words) => match (known.stuck, buckets(words)) {
                (Stuck::AnyState, _) => {}
                (Stuck::Are(ids), buckets) if buckets.is_empty() => {
                    narrow(&mut self.ids, ids.to_vec());
                    // One that ended since it was asked about is stuck no more.
                    narrow(&mut self.buckets, vec![Bucket::Queued, Bucket::Running]);
                }
                (Stuck::Are(_), _) if words.contains(&Is::Stuck) => return false,
                (Stuck::Are(_), buckets) => narrow(&mut self.buckets, buckets),
            },
            Condition::Id(ids) => narrow(&mut self.ids, distinct(ids.clone())),
            Condition::Since(_) | Condition::Until(_) | Condition::Between(..) => {
                self.created.extend(bounds(condition));
            }
            Condition::Code(patterns) => match codes(patterns) {
                (exact, like) if like.is_empty() && self.codes.is_none() => {
                    self.codes = Some(distinct(exact));
                }
                _ => return false,
            },
            Condition::By(patterns) if known.people.all_known && self.names.is_none() => {
                self.names = Some(people::named(known.people, patterns));
            }
            Condition::Context { .. } => {
                match Asked::of(condition).and_then(|asked| known.keys.get(&asked)) {
                    Some(ids) => narrow(&mut self.ids, ids.clone()),
                    None => return false,
                }
            }
            _ => return false,
        }
        true
    }
}

fn buckets(words: &[Is]) -> Vec<Bucket> {
    let buckets = words.iter().filter_map(|word| match word {
        Is::In(bucket) => Some(*bucket),
        Is::Stuck => None,
    });
    distinct(buckets.collect())
}

fn bounds(condition: &Condition) -> Vec<Bound> {
    let start = |when: When| Bound::From(moment(when, When::start));
    let end = |when: When| Bound::Before(moment(when, When::end));
    match *condition {
        Condition::Since(from) => vec![start(from)],
        Condition::Until(to) => vec![end(to)],
        Condition::Between(from, to) => vec![start(from), end(to)],
        _ => Vec::new(),
    }
}

fn moment(when: When, of: fn(When, DateTime<Utc>) -> DateTime<Utc>) -> Moment {
    match when {
        When::Ago(length) => Moment::Ago(length.millis() as f64 / 1000.0),
        // Absolute ones do not ask what time it is.
        When::Day(_) | When::At(_) => Moment::At(of(when, DateTime::UNIX_EPOCH)),
    }
}

/// Both what was asked before and what is asked now.
fn narrow<T: PartialEq>(known: &mut Option<Vec<T>>, asked: Vec<T>) {
    match known {
        Some(list) => list.retain(|value| asked.contains(value)),
        None => *known = Some(asked),
    }
}

fn distinct<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use opsroom_model::query::parse;

    fn scopes(text: &str, sees_all: bool) -> Vec<Scope> {
        let directory = Directory {
            sees_all,
            ..Directory::default()
        };
        let known = Known {
            directory: &directory,
            people: &Values::default(),
            types: &Values::default(),
            keys: &keys::Found::new(),
            stuck: Stuck::Are(&[RunId(7)]),
        };
        resolve(&parse(text).unwrap(), known)
    }

    #[test]
    fn states_narrow_and_negations_stay_with_the_rows() {
        let scopes = scopes("is:failed,partial is:failed -is:queued code:a_b*", true);
        let [scope] = scopes.as_slice() else {
            panic!("one scope");
        };
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
        for scope in scopes("(a OR b)", false) {
            assert_eq!(scope.tenants, Some(vec![]));
        }
    }

    #[test]
    fn groups_are_scopes_of_their_own_while_they_are_few() {
        let found = scopes("is:failed (type:a.b OR is:stuck) since:1h", true);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].types, Some(vec!["a.b".into()]));
        assert_eq!(found[1].ids, Some(vec![RunId(7)]));
        assert_eq!(found[1].buckets, Some(vec![]));
        assert!(
            found
                .iter()
                .all(|scope| !scope.windowed && scope.created.len() == 1)
        );

        let many = scopes("(a OR b) (a OR b) (a OR b) (a OR b) is:failed", true);
        let [scope] = many.as_slice() else {
            panic!("one scope");
        };
        assert_eq!(scope.rows.len(), 4);
        assert_eq!(scope.buckets, Some(vec![Bucket::Failed]));
    }
}
