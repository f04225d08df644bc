//! Believable sets of policies, groups and role definitions, the same for the same seed.
//! The documents they are made from are [`super::builtin`].

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::builtin;
use super::dice::Dice;
use crate::family::PolicyFamily;
use crate::policy::PolicyDocument;

const SCOPES: [&str; 12] = [
    "pilot",
    "ring 1",
    "ring 2",
    "broad",
    "executives",
    "kiosks",
    "warehouse",
    "developers",
    "shared devices",
    "contractors",
    "lab",
    "frontline",
];
const SITES: [&str; 10] = [
    "Amsterdam",
    "Berlin",
    "Dublin",
    "Kraków",
    "Lisbon",
    "Lyon",
    "Malmö",
    "Porto",
    "Wien",
    "Zürich",
];
const ROLES: [(&str, &str); 6] = [
    (
        "Policy administrator",
        "Creates and assigns device policies.",
    ),
    ("Policy reader", "Reads every policy, changes none."),
    (
        "Help desk operator",
        "Resets passwords, locks and wipes devices.",
    ),
    (
        "Application manager",
        "Publishes applications and protects their data.",
    ),
    ("Compliance auditor", "Reads compliance reports."),
    ("Group manager", "Creates groups and manages their members."),
];

/// `count` policies made from the project's own documents: each document once with its own name,
/// then variants of them, by scope and site, every one with an id of its own.
#[must_use]
pub fn policies(seed: u64, count: usize) -> Vec<PolicyDocument> {
    let originals = builtin::policies();
    let mut dice = Dice::of(seed, "policies");
    (0..count)
        .filter_map(|number| {
            let original = originals.get(number % originals.len().max(1))?;
            let round = number / originals.len().max(1);
            vary(original, round, &mut dice)
        })
        .collect()
}

fn vary(original: &PolicyDocument, round: usize, dice: &mut Dice) -> Option<PolicyDocument> {
    let family = original.summary.family;
    let old_id = original.summary.id.as_str();
    let prefix = if old_id.starts_with("T_") { "T_" } else { "" };
    let new_id = format!("{prefix}{}", dice.uuid());
    // The id also stands in `@odata.id`, assignments and rules.
    let text = original.document.to_string().replace(old_id, &new_id);
    let mut document: Value = serde_json::from_str(&text).ok()?;
    if round > 0 {
        let scope = pick(&SCOPES, dice);
        let site = pick(&SITES, dice);
        let name = match round {
            1 => format!("{} – {scope}", original.summary.name),
            _ => format!("{} – {scope}, {site} {round}", original.summary.name),
        };
        document[family.name_field()] = Value::String(name);
    }
    document["lastModifiedDateTime"] = Value::String(moment(dice));
    PolicyDocument::read(family, document).ok()
}

fn pick<'a>(from: &[&'a str], dice: &mut Dice) -> &'a str {
    from.get(dice.below(from.len() as u64) as usize)
        .copied()
        .unwrap_or("")
}

/// Some moment of 2025, with the seven digits Graph gives.
fn moment(dice: &mut Dice) -> String {
    const START: i64 = 1_735_689_600;
    let seconds = i64::try_from(dice.below(365 * 86_400)).unwrap_or(0);
    let start = DateTime::<Utc>::from_timestamp(START, 0).unwrap_or_default();
    let moment = start + TimeDelta::seconds(seconds);
    format!(
        "{}.{:07}Z",
        moment.format("%Y-%m-%dT%H:%M:%S"),
        dice.below(10_000_000)
    )
}

/// Changes `count` policies of a set as people do: a description, and a later time of change.
pub fn edit(policies: &mut [PolicyDocument], seed: u64, count: usize, now: DateTime<Utc>) {
    let mut dice = Dice::of(seed, "edit");
    for _ in 0..count {
        let index = dice.below(policies.len() as u64) as usize;
        let Some(policy) = policies.get_mut(index) else {
            return;
        };
        let mut document = policy.document.clone();
        let note = format!("Reviewed, change {:04}.", dice.below(10_000));
        document["description"] = Value::String(note);
        document["lastModifiedDateTime"] =
            Value::String(now.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
        if let Ok(changed) = PolicyDocument::read(policy.summary.family, document) {
            *policy = changed;
        }
    }
}

/// `count` directory groups.
#[must_use]
pub fn groups(seed: u64, count: usize) -> Vec<Value> {
    let mut dice = Dice::of(seed, "groups");
    (0..count)
        .map(|number| {
            let dynamic = dice.hit(0.3);
            let site = pick(&SITES, &mut dice);
            let name = format!("{site} {} {number:03}", pick(&SCOPES, &mut dice));
            json!({
                "id": dice.uuid(), "displayName": name, "description": null,
                "groupTypes": if dynamic { json!(["DynamicMembership"]) } else { json!([]) },
                "mailEnabled": false, "securityEnabled": true,
                "membershipRule": dynamic.then(|| format!("(user.city -eq \"{site}\")")),
            })
        })
        .collect()
}

/// A handful of directory role definitions.
#[must_use]
pub fn role_definitions(seed: u64) -> Vec<Value> {
    let mut dice = Dice::of(seed, "roles");
    ROLES
        .iter()
        .map(|(name, description)| {
            let id = dice.uuid();
            json!({
                "id": id, "displayName": name, "description": description,
                "isBuiltIn": true, "isEnabled": true, "templateId": id,
            })
        })
        .collect()
}

/// How many policies of each family a set holds.
#[must_use]
pub fn count_by_family(policies: &[PolicyDocument]) -> [(PolicyFamily, usize); 5] {
    PolicyFamily::ALL.map(|family| {
        (
            family,
            policies
                .iter()
                .filter(|policy| policy.summary.family == family)
                .count(),
        )
    })
}
