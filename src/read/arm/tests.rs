//! Which arms a scope becomes: what drives, what is asked, and of whom.

use super::{Age, Arm, Ask, Fact, Place, arms};
use crate::scope::Scope;
use opsroom_model::{Bucket, RunId};

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("t.n{n}")).collect()
}

fn scope() -> Scope {
    Scope {
        windowed: true,
        ..Scope::default()
    }
}

fn of_few<'a>(arms: &'a [Arm<'a>]) -> Vec<&'a Arm<'a>> {
    arms.iter().filter(|arm| arm.is_of_few()).collect()
}

#[test]
fn several_types_are_one_arm_where_the_type_drives_and_asked_where_it_does_not() {
    let types = Some(texts(13));
    let all = Scope {
        types: types.clone(),
        ..scope()
    };
    let arms = arms(&all);
    assert_eq!(arms.len(), 2, "of the window, and of few: {arms:?}");
    assert!(
        arms.iter()
            .all(|arm| arm.each_type().is_some() && !arm.is_sliced())
    );
    let of_one = Scope {
        types,
        tenants: Some(vec![1]),
        names: Some(vec!["Alice".to_owned()]),
        ..scope()
    };
    let arms = super::arms(&of_one);
    assert_eq!(arms.len(), 2, "{arms:?}");
    assert!(arms.iter().all(|arm| arm.each_type().is_none()));
}

#[test]
fn no_slice_is_of_several_scans_by_type() {
    for tenants in [
        None,
        Some(vec![1]),
        Some((1..50).collect()),
        Some((1..300).collect()),
    ] {
        for names in [None, Some(texts(1)), Some(texts(2))] {
            for codes in [None, Some(texts(1)), Some(texts(3))] {
                for buckets in [
                    None,
                    Some(vec![Bucket::Running]),
                    Some(vec![Bucket::Failed, Bucket::Succeeded]),
                ] {
                    for count in [1, 2, 13, 30] {
                        let scope = Scope {
                            tenants: tenants.clone(),
                            names: names.clone(),
                            codes: codes.clone(),
                            buckets: buckets.clone(),
                            types: Some(texts(count)),
                            foreign_types: vec!["x.%".to_owned()],
                            ..scope()
                        };
                        for arm in arms(&scope) {
                            assert!(arm.each_type().is_none() || !arm.is_sliced(), "{arm:?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn types_that_are_not_known_are_looked_for_however_many_are() {
    for (count, codes) in [(2, 1), (13, 3), (40, 1)] {
        let scope = Scope {
            types: Some(texts(count)),
            foreign_types: vec!["t.%".to_owned()],
            codes: Some(texts(codes)),
            ..scope()
        };
        let arms = arms(&scope);
        let is_foreign = |arm: &&Arm<'_>| {
            arm.asks
                .iter()
                .any(|ask| matches!(ask, Ask::Foreign { .. }))
        };
        let foreign: Vec<_> = arms.iter().filter(is_foreign).collect();
        assert!(foreign.len() >= 2, "of the window and of few: {arms:?}");
        for arm in foreign {
            let asks_types = arm.asks.iter().any(|ask| matches!(ask, Ask::Types(_)));
            assert!(!asks_types, "nothing is both known and not: {arm:?}");
        }
    }
}

#[test]
fn what_few_have_is_one_scan_unless_tenants_are_few() {
    for (tenants, among) in [(2, false), (50, true), (300, true)] {
        let scope = Scope {
            tenants: Some((1..=tenants).collect()),
            types: Some(texts(1)),
            names: Some(vec!["Alice".to_owned()]),
            ..scope()
        };
        let arms = arms(&scope);
        let [few] = of_few(&arms)[..] else {
            panic!("{arms:?}");
        };
        assert_eq!(matches!(few.place, Place::Among(_)), among, "{few:?}");
        assert_eq!(few.age, Age::ActiveBefore(crate::scope::WINDOW_S));
        let exact = [Fact::By("Alice"), Fact::Type("t.n0")];
        assert_eq!(
            (&few.facts[..], among),
            (if among { &exact[..] } else { &exact[..1] }, among)
        );
    }
}

#[test]
fn named_runs_are_found_by_their_names() {
    let scope = Scope {
        tenants: Some((1..=50).collect()),
        types: Some(texts(2)),
        ids: Some(vec![RunId(1), RunId(2)]),
        ..Scope::default()
    };
    for arm in arms(&scope) {
        assert!(
            matches!(arm.place, Place::Among(_)) && !arm.is_sliced(),
            "{arm:?}"
        );
    }
}
