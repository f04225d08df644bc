//! What a query without groups means against what is known: patterns of tenants become ids, patterns
//! of types become lists where they can, states become pairs. Everything an index can serve is settled
//! here; what is left is a filter on rows. A query with groups is several scopes ([`resolve`]).

use crate::directory::{Directory, Tenant};
use crate::keys::{self, Asked};
use crate::people::People;
use chrono::{DateTime, Utc};
use opsroom_model::query::eval::WINDOW;
use opsroom_model::query::pattern::fold;
use opsroom_model::query::{Condition, Is, Pattern, Query, Sign, Span, Term, When};
use opsroom_model::{Bucket, RunId};

/// The default window, in seconds. Active runs are listed however old they are.
pub(crate) const WINDOW_S: i64 = WINDOW.num_seconds();
/// A query with more alternatives than this is asked of each row instead.
const MOST_SCOPES: usize = 8;

/// What patterns are resolved against.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub directory: &'a Directory,
    pub people: &'a People,
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

/// True where the query names people: their names must be known then.
pub(crate) fn asks_for_people(query: &Query) -> bool {
    let arms = arms(query);
    let mut terms = arms.iter().flat_map(|arm| &arm.terms);
    terms.any(|term| matches!(term.condition, Condition::By(_)) && term.sign == Sign::Plus)
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
            people: &People::default(),
            keys: &keys::Found::new(),
            stuck: Stuck::AnyState,
        };
        let mut scope = Self::resolve(&Query::default(), true, known);
        scope.types = Some(vec![run_type.to_owned()]);
        scope
    }

    /// True where something is searched for that no index finds.
    pub(crate) fn is_searched(&self) -> bool {
        !self.foreign_types.is_empty()
            || self.rows.iter().any(|filter| {
                let searched = matches!(
                    filter.what,
                    RowCondition::Text { .. } | RowCondition::Any(_) | RowCondition::Key { .. }
                );
                searched && filter.sign == Sign::Plus
            })
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
                self.types = Some(types_like(patterns, known.directory));
                let globs = patterns
                    .iter()
                    .filter(|pattern| pattern.literal().is_none());
                self.foreign_types = globs.map(like).collect();
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
                self.names = Some(known.people.named(patterns));
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

/// A term as asked of each row; `None` where it is left out.
fn row_filter(term: &Term, known: Known<'_>) -> Option<RowFilter> {
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
fn group(sign: Sign, alternatives: &[Vec<Term>], known: Known<'_>) -> Option<RowFilter> {
    let each = |terms: &Vec<Term>| -> Option<Vec<RowFilter>> {
        terms.iter().map(|term| row_filter(term, known)).collect()
    };
    let alternatives: Option<Vec<_>> = alternatives.iter().map(each).collect();
    Some(RowFilter {
        sign,
        what: RowCondition::Any(alternatives?),
    })
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

fn tenants(directory: &Directory, fits: impl Fn(&Tenant) -> bool) -> Vec<i64> {
    let tenants = directory.tenants.iter();
    tenants
        .filter(|tenant| fits(tenant))
        .map(|tenant| tenant.id.0)
        .collect()
}

fn tenants_named(patterns: &[Pattern], directory: &Directory) -> Vec<i64> {
    let fits = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
    tenants(directory, |tenant| fits(tenant.raw_name()))
}

fn tenants_of(patterns: &[Pattern], directory: &Directory) -> Vec<i64> {
    let fits = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
    tenants(directory, |tenant| fits(tenant.raw_workspace()))
}

/// The types that patterns name outright or fit among the registered ones. What else a pattern with
/// `*` may fit is in [`Scope::foreign_types`].
fn types_like(patterns: &[Pattern], directory: &Directory) -> Vec<String> {
    let mut types: Vec<String> = Vec::new();
    for pattern in patterns {
        if let Some(literal) = pattern.literal() {
            types.push(fold(literal));
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

fn distinct<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}

/// Codes named outright, and patterns of codes.
fn codes(patterns: &[Pattern]) -> (Vec<String>, Vec<String>) {
    let exact = patterns.iter().filter_map(Pattern::literal);
    let globs = patterns.iter().filter(|code| code.literal().is_none());
    (exact.map(fold).collect(), globs.map(like).collect())
}

fn like(pattern: &Pattern) -> String {
    as_like(&pattern.folded())
}

fn as_like(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
        .replace('*', "%")
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
            people: &People::default(),
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
