//! What must hold for every text and every query.

use super::time::Length;
use super::*;
use chrono::{DateTime, NaiveDate};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn pattern() -> impl Strategy<Value = Pattern> {
    let text = prop_oneof![
        "[a-zé*._ ]{1,8}",
        "[ -~é\u{a0}ß]{1,6}",
        Just("OR".to_owned()),
        Just("-x".to_owned()),
        Just("\\".to_owned()),
    ];
    text.prop_filter_map("no pattern", |text| Pattern::new(&text))
}

fn length() -> impl Strategy<Value = Length> {
    let millis = prop_oneof![
        1u64..100_000,
        (1u64..5_000).prop_map(|hours| hours * 3_600_000)
    ];
    millis.prop_filter_map("no length", Length::from_millis)
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        length().prop_map(When::Ago),
        (0i64..70_000).prop_map(|days| {
            let day = DateTime::from_timestamp(days * 86_400, 0).unwrap();
            When::Day(day.date_naive())
        }),
        (0i64..6_000_000_000).prop_map(|at| When::At(DateTime::from_timestamp(at, 0).unwrap())),
    ]
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![
        length().prop_map(Span::Over),
        length().prop_map(Span::AtLeast),
        length().prop_map(Span::Under),
        length().prop_map(Span::AtMost),
        (length(), length()).prop_map(|(a, b)| Span::Between(a.min(b), a.max(b))),
    ]
}

fn is() -> impl Strategy<Value = Is> {
    let words: Vec<_> = crate::Bucket::ALL
        .iter()
        .map(|bucket| Is::In(*bucket))
        .collect();
    prop_oneof![4 => proptest::sample::select(words), 1 => Just(Is::Stuck)]
}

fn condition() -> impl Strategy<Value = Condition> {
    let patterns = || vec(pattern(), 1..4);
    prop_oneof![
        patterns().prop_map(Condition::Tenant),
        patterns().prop_map(Condition::Workspace),
        patterns().prop_map(Condition::Type),
        vec(is(), 1..4).prop_map(Condition::Is),
        patterns().prop_map(Condition::Code),
        patterns().prop_map(Condition::By),
        vec((0..i64::MAX).prop_map(RunId), 1..4).prop_map(Condition::Id),
        when().prop_map(Condition::Since),
        when().prop_map(Condition::Until),
        (when(), when()).prop_filter_map("ends before it begins", |(from, to)| {
            let text = format!("{from}..{to}");
            When::read_range(&text)
                .is_ok()
                .then_some(Condition::Between(from, to))
        }),
        vec(span(), 1..3).prop_map(Condition::Took),
        ("[a-zA-Z][a-z_.é-]{0,8}", patterns())
            .prop_map(|(key, values)| Condition::Context { key, values }),
        pattern().prop_map(Condition::Text),
    ]
}

fn term() -> impl Strategy<Value = Term> {
    let signed = |(minus, condition)| {
        let sign = if minus { Sign::Minus } else { Sign::Plus };
        Term { sign, condition }
    };
    let leaf = (any::<bool>(), condition()).prop_map(signed);
    leaf.prop_recursive(3, 16, 3, move |inner| {
        let group = vec(vec(inner, 1..3), 1..3).prop_map(Condition::Group);
        (any::<bool>(), group).prop_map(signed)
    })
}

fn query() -> impl Strategy<Value = Query> {
    vec(term(), 0..4)
        .prop_map(|terms| Query { terms })
        .prop_filter("too long", |query| {
            query.to_string().chars().count() <= MAX_CHARS
        })
}

/// Pieces that mean something, in any order.
fn hostile() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "(",
        ")",
        "-",
        "\"",
        ",",
        ":",
        "is:",
        "took:",
        "since:",
        "context.",
        "id:",
        " OR ",
        " ",
        "\\",
        "é",
        "*",
        "failed",
        "5m",
        "..",
        ">",
        "<=",
        "2026-07-01",
        "T10:00Z",
        "9999999999999999999",
        "\0",
        "\u{202e}",
        "\u{a0}",
        "𝒳",
        "stuck",
    ]);
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn name() -> impl Strategy<Value = String> {
    "[a-cA-C]{1,2}( [a-c]{1,2})?"
}

prop_compose! {
    fn run()(
        id in 0i64..4, names in (name(), name(), name()), at in 0usize..6, stuck: bool,
        codes in vec("[a-c.]{1,3}", 0..3), keys in vec(("[ab]", "[a-c]{1,2}"), 0..2),
        created in 0i64..90, begun in 0i64..100, length in -5i64..500,
    ) -> (i64, (String, String, String), usize, bool, Vec<String>, Vec<(String, String)>, i64, i64, i64) {
        (id, names, at, stuck, codes, keys, created, begun, length)
    }
}

fn now() -> DateTime<chrono::Utc> {
    let day = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap();
    day.and_hms_opt(10, 0, 0).unwrap().and_utc()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_back_the_same(query in query()) {
        let text = query.to_string();
        prop_assert_eq!(parse(&text), Ok(query.clone()), "{}", text);
        let chips: Vec<_> = query.chips().collect();
        prop_assert_eq!(chips.join(" "), text);
        prop_assert_eq!(query.clone().without_last().terms.len(), query.terms.len().saturating_sub(1));
    }

    #[test]
    fn no_text_panics(text in prop_oneof![".*", hostile()], cursor in 0usize..300) {
        let length = text.chars().count();
        match parse(&text) {
            Ok(query) => prop_assert_eq!(parse(&query.to_string()), Ok(query)),
            Err(error) => {
                prop_assert!(error.at <= length, "{:?}", error);
                prop_assert!(!error.message.is_empty());
            }
        }
        let place = complete(&text, cursor);
        prop_assert!(place.from <= cursor.min(length) && cursor.min(length) <= place.to && place.to <= length);
        let _ = place.offers(&|_| vec!["Zoë & Søns".to_owned()], 10);
    }

    #[test]
    fn alternatives_mean_what_the_query_means(query in query(), run in run()) {
        let (id, names, at, stuck, codes, keys, created, begun, length) = run;
        let codes: Vec<_> = codes.iter().map(String::as_str).collect();
        let keys: Vec<_> = keys.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let started = now() - chrono::TimeDelta::minutes(begun);
        let facts = RunFacts {
            id: RunId(id),
            tenant: &names.0,
            workspace: &names.1,
            run_type: "inventory.sync",
            state: crate::Bucket::ALL[at].state(),
            stuck,
            initiator: &names.2,
            codes: &codes,
            keys: &keys,
            created_at: now() - chrono::TimeDelta::days(created),
            started_at: Some(started),
            completed_at: Some(started + chrono::TimeDelta::seconds(length)),
        };
        if let Some(arms) = query.arms(64) {
            let any = arms.iter().any(|arm| arm.matches(&facts, now()));
            prop_assert_eq!(any, query.matches(&facts, now()));
        }
    }
}

#[test]
fn hostile_text_costs_its_length_and_no_more() {
    let begun = Instant::now();
    for piece in [
        "(", "-(", "\"", "\\", "a", "*a", "context.", "is:", ",", "(a OR ", "1d", "tenat:", "a-",
    ] {
        let text = piece.repeat(1_000_000 / piece.len());
        assert!(parse(&text).is_err());
        let short: String = text.chars().take(MAX_CHARS).collect();
        let _ = parse(&short);
        let _ = complete(&text, usize::MAX);
    }
    let stars = parse(&"*a".repeat(MAX_CHARS / 2)).unwrap();
    let Condition::Text(pattern) = &stars.terms[0].condition else {
        panic!("text");
    };
    assert!(!pattern.occurs_in(&"a".repeat(900)));
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

/// Every example of the reference is understood, and every field stands in it.
#[test]
fn the_reference_holds() {
    let text = include_str!("../../../docs/queries.md");
    let mut examples: Vec<&str> = Vec::new();
    let (mut language, mut fields) = ("", false);
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(opened) => language = opened,
            None if language == "query" => examples.push(line),
            None => {}
        }
        fields = line.starts_with("| field |") || (fields && line.starts_with('|'));
        let cell = line.split('|').nth(3).filter(|_| fields);
        examples.extend(
            cell.into_iter()
                .flat_map(|cell| cell.split('`').skip(1).step_by(2)),
        );
    }
    assert!(examples.len() > 15, "{examples:?}");
    for example in &examples {
        assert!(parse(example).is_ok(), "{example}: {:?}", parse(example));
    }
    for field in Field::names() {
        assert!(text.contains(&format!("| `{field}:` |")), "{field}");
    }
    let error = parse("tenat:contoso").unwrap_err();
    assert!(text.contains(&format!("^ {}", error.message)), "{error}");
}
