//! A scope as arms: selects of which one index each serves the order, and what is left to ask of the
//! rows it gives. An arm with nothing left is exact; any other is searched a slice at a time.
//!
//! Which index drives an arm is chosen here and not by the planner: its estimates of rare
//! combinations are off by orders of magnitude, and a slice must be one index's.

use crate::scope::{RowFilter, Scope, WINDOW_S};
use opsroom_model::Bucket;

/// Beyond so many arms, the longest list is asked of the rows instead.
const MAX_ARMS: usize = 24;
/// Up to so many tenants each have a scan of their own; beyond, tenants are asked of the rows.
pub(crate) const MAX_TENANT_SCANS: usize = 256;
/// Up to so many, a look at each costs less than one at everybody's, however few everybody has.
const FEW_TENANTS: usize = 16;
/// Whoever started most runs: no index finds them by that.
const SYSTEM: &str = "System";

/// Whose rows an arm finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place<'a> {
    /// All that the login sees.
    All,
    /// One tenant's.
    One(i64),
    /// A scan for each of these, merged.
    Each(&'a [i64]),
    /// One scan of everybody's for those of these: where everybody has few.
    Among(&'a [i64]),
}

/// A condition that an index serves by equality.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fact<'a> {
    Type(&'a str),
    /// A scan for each of these, merged.
    EachType(&'a [String]),
    Bucket(Bucket),
    By(&'a str),
}

/// A condition that is asked of rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ask<'a> {
    Fact(Fact<'a>),
    Tenants(&'a [i64]),
    Types(&'a [String]),
    /// Types that fit a pattern and are not among those known.
    Foreign {
        like: &'a [String],
        known: &'a [String],
    },
    Names(&'a [String]),
    Codes(&'a [String]),
    Row(&'a RowFilter),
}

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Age {
    Within(i64),
    ActiveBefore(i64),
    Whatever,
}

/// One select.
#[derive(Debug, PartialEq)]
pub(crate) struct Arm<'a> {
    pub place: Place<'a>,
    /// Found by this code, in `run_failures`.
    pub code: Option<&'a str>,
    /// What the index serves besides.
    pub facts: Vec<Fact<'a>>,
    pub age: Age,
    /// What is asked of the rows it gives.
    pub asks: Vec<Ask<'a>>,
}

impl Fact<'_> {
    /// Roughly which share of all runs it leaves; only the order of these matters.
    fn share(self) -> f64 {
        match self {
            Self::Bucket(bucket) if bucket.state().is_active() => 0.000_1,
            Self::Bucket(Bucket::Succeeded) => 0.9,
            Self::Bucket(_) => 0.05,
            Self::By(SYSTEM) => 0.8,
            Self::By(_) => 0.02,
            Self::Type(_) | Self::EachType(_) => 0.15,
        }
    }

    /// True where indexes have it. What most runs have is cheaper to pass over.
    fn is_indexed(self) -> bool {
        self.share() < 0.5
    }
}

impl Arm<'_> {
    /// True where its rows are searched a slice at a time.
    pub(crate) fn is_sliced(&self) -> bool {
        !self.asks.is_empty()
    }

    /// The types that have a scan each.
    pub(crate) fn each_type(&self) -> Option<&[String]> {
        self.facts.iter().find_map(|fact| match fact {
            Fact::EachType(types) => Some(*types),
            _ => None,
        })
    }

    fn is_driven_by_type(&self) -> bool {
        let is_type = |fact: &Fact<'_>| matches!(fact, Fact::Type(_) | Fact::EachType(_));
        self.facts.iter().any(is_type)
    }

    /// True where nothing is asked but whose a run is: most indexes of everybody's runs tell that.
    pub(crate) fn asks_only_whose(&self) -> bool {
        let is_whose = |ask: &Ask<'_>| matches!(ask, Ask::Tenants(_));
        self.is_sliced() && self.asks.iter().all(is_whose)
    }

    /// True where it finds runs that are active although they are older than the window: few, if any.
    pub(crate) fn is_of_few(&self) -> bool {
        matches!(self.age, Age::ActiveBefore(_))
    }

    /// True where it is scans of many tenants' runs with nothing left to ask.
    pub(crate) fn is_merged(&self) -> bool {
        matches!(self.place, Place::Each(_)) && self.code.is_none() && !self.is_sliced()
    }
}

/// The arms of a scope. None of their rows is in two of them, but for codes: a run may have several.
pub(crate) fn arms(scope: &Scope) -> Vec<Arm<'_>> {
    let mut shared: Vec<Ask<'_>> = scope.rows.iter().map(Ask::Row).collect();
    let mut foreign = shared.clone();
    let states = states(scope);
    let of_window = || {
        states
            .iter()
            .filter(|(_, age)| !matches!(age, Age::ActiveBefore(_)))
    };
    let mut lists = [
        scope.types.as_deref(),
        scope.names.as_deref(),
        scope.codes.as_deref(),
    ];
    // Too many arms: the longest list goes to the rows.
    while lists
        .iter()
        .flatten()
        .map(|list| list.len().max(1))
        .product::<usize>()
        * of_window().count()
        > MAX_ARMS
    {
        let longest = (0..lists.len()).max_by_key(|at| lists[*at].map_or(0, <[String]>::len));
        let Some((at, list)) = longest.and_then(|at| Some((at, lists[at].take()?))) else {
            break;
        };
        let ask = match at {
            0 => Ask::Types(list),
            1 => Ask::Names(list),
            _ => Ask::Codes(list),
        };
        // A type that is not known is none of the list.
        if at > 0 {
            foreign.push(ask);
        }
        shared.push(ask);
    }
    let mut arms = Vec::new();
    if let Some((_, age)) = states
        .iter()
        .find(|(_, age)| matches!(age, Age::ActiveBefore(_)))
    {
        arms = of_few(scope, lists, *age, &shared, &foreign);
    }
    let [types, names, codes] = lists;
    let (names, codes) = (each(names), each(codes));
    for (bucket, age) in of_window() {
        for code in &codes {
            for name in &names {
                let facts = || {
                    bucket
                        .map(Fact::Bucket)
                        .into_iter()
                        .chain(name.map(Fact::By))
                };
                let of_type = |one| {
                    let facts = facts().chain(one).collect();
                    arm(scope, *code, facts, *age, &shared)
                };
                match types {
                    None => arms.push(of_type(None)),
                    Some([first, _, ..])
                        if !of_type(Some(Fact::Type(first))).is_driven_by_type() =>
                    {
                        // What another condition finds is looked at once for all types.
                        let mut asks = shared.clone();
                        asks.extend(types.map(Ask::Types));
                        arms.push(arm(scope, *code, facts().collect(), *age, &asks));
                    }
                    Some(many @ [first, _, ..])
                        if code.is_none() && !of_type(Some(Fact::Type(first))).is_sliced() =>
                    {
                        arms.push(of_type(Some(Fact::EachType(many))));
                    }
                    Some(list) => {
                        arms.extend(list.iter().map(|one| of_type(Some(Fact::Type(one)))));
                    }
                }
                if !scope.foreign_types.is_empty() {
                    let mut asks = foreign.clone();
                    asks.push(foreign_types(scope));
                    arms.push(arm(scope, *code, facts().collect(), *age, &asks));
                }
            }
        }
    }
    arms
}

/// The arms of active runs from before the window. They are few: one scan for all types and initiators
/// costs less than planning one for each.
fn of_few<'a>(
    scope: &'a Scope,
    [types, names, codes]: [Option<&'a [String]>; 3],
    age: Age,
    shared: &[Ask<'a>],
    foreign: &[Ask<'a>],
) -> Vec<Arm<'a>> {
    if [names, codes]
        .into_iter()
        .flatten()
        .any(<[String]>::is_empty)
    {
        return Vec::new();
    }
    let mut facts = Vec::new();
    let mut named = Vec::new();
    match names {
        Some([one]) => facts.push(Fact::By(one)),
        Some(many) => named.push(Ask::Names(many)),
        None => {}
    }
    let mut arms = Vec::new();
    // An index of failures has the state of their run: each code finds its few at once.
    for code in each(codes) {
        let mut facts = facts.clone();
        if !scope.foreign_types.is_empty() {
            let asks = [foreign, &named, &[foreign_types(scope)]].concat();
            arms.push(arm(scope, code, facts.clone(), age, &asks));
        }
        let mut asks = [shared, &named].concat();
        match types {
            Some([]) => continue,
            Some([one]) => facts.push(Fact::Type(one)),
            Some(many) if code.is_none() && asks.is_empty() && facts.is_empty() => {
                facts.push(Fact::EachType(many));
            }
            Some(many) => asks.push(Ask::Types(many)),
            None => {}
        }
        arms.push(arm(scope, code, facts, age, &asks));
    }
    arms
}

fn foreign_types(scope: &Scope) -> Ask<'_> {
    Ask::Foreign {
        like: &scope.foreign_types,
        known: scope.types.as_deref().unwrap_or_default(),
    }
}

/// Each of a list, or one `None` where nothing is asked.
fn each(list: Option<&[String]>) -> Vec<Option<&str>> {
    list.map_or_else(
        || vec![None],
        |list| list.iter().map(|one| Some(one.as_str())).collect(),
    )
}

/// One arm: what is rarest drives, at most two conditions of three, since there are indexes for every
/// pair; a tenant and a code are each one of them.
fn arm<'a>(
    scope: &'a Scope,
    code: Option<&'a str>,
    mut facts: Vec<Fact<'a>>,
    age: Age,
    shared: &[Ask<'a>],
) -> Arm<'a> {
    facts.sort_by(|a, b| a.share().total_cmp(&b.share()));
    let mut asks = Vec::new();
    let mut place = match scope.tenants.as_deref() {
        None => Place::All,
        Some([one]) => Place::One(*one),
        Some(many) => Place::Each(many),
    };
    let is_of_few = matches!(age, Age::ActiveBefore(_));
    if let (true, Some(_), Some(tenants)) = (is_of_few, code, scope.tenants.as_deref()) {
        place = Place::Among(tenants);
    }
    let indexed = facts.iter().filter(|fact| fact.is_indexed()).count();
    if let Place::Each(many) = place {
        // Two rare conditions leave less than a scan per tenant would read.
        let rare =
            indexed + usize::from(code.is_some()) >= 2 && !is_of_type_and_state(code, &facts);
        if scope.ids.is_some() || is_of_few && many.len() > FEW_TENANTS {
            place = Place::Among(many);
        } else if !is_of_few && (rare || many.len() > MAX_TENANT_SCANS) {
            asks.push(Ask::Tenants(many));
            place = Place::All;
        }
    }
    let by_tenant = matches!(place, Place::One(_) | Place::Each(_));
    let taken = usize::from(by_tenant) + usize::from(code.is_some());
    let room = if is_of_few && code.is_some() {
        facts.len()
    } else if by_tenant && is_of_type_and_state(code, &facts) {
        2
    } else {
        2_usize.saturating_sub(taken)
    };
    let mut driving = Vec::new();
    for fact in facts {
        if scope.ids.is_some() || (fact.is_indexed() && driving.len() < room) {
            driving.push(fact);
        } else {
            asks.push(Ask::Fact(fact));
        }
    }
    asks.extend_from_slice(shared);
    Arm {
        place,
        code,
        facts: driving,
        age,
        asks,
    }
}

/// The one triple with an index of its own: what a tenant's people ask for most.
fn is_of_type_and_state(code: Option<&str>, facts: &[Fact<'_>]) -> bool {
    code.is_none()
        && matches!(facts, [Fact::Bucket(bucket), Fact::Type(_) | Fact::EachType(_)] if *bucket != Bucket::Succeeded)
}

/// Which states are looked for, and how far back: the window holds for what has ended.
fn states(scope: &Scope) -> Vec<(Option<Bucket>, Age)> {
    let whatever = !scope.windowed;
    let age = |bucket: Bucket| match whatever || bucket.state().is_active() {
        true => Age::Whatever,
        false => Age::Within(WINDOW_S),
    };
    match &scope.buckets {
        Some(buckets) => buckets.iter().map(|one| (Some(*one), age(*one))).collect(),
        None if whatever => vec![(None, Age::Whatever)],
        None => vec![
            (None, Age::Within(WINDOW_S)),
            (None, Age::ActiveBefore(WINDOW_S)),
        ],
    }
}

#[cfg(test)]
mod tests;
