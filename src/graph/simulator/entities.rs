//! Entities in Graph's shapes: which fields are asked for, which page, which envelope.

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::asked::Query;
use crate::contract::EntityKind;
use crate::family::PolicyFamily;

/// Fields Graph leaves out unless they are expanded.
const NAVIGATION: [&str; 4] = ["assignments", "settings", "apps", "scheduledActionsForRule"];

/// Where an answer comes from: `http://127.0.0.1:4000/beta` and `deviceManagement/…`.
pub(crate) struct Place<'a> {
    pub(crate) root: &'a str,
    pub(crate) collection: &'a str,
}

/// One page of a collection with the link to the next.
pub(crate) fn page(
    place: &Place<'_>,
    kind: EntityKind,
    all: &[&Value],
    query: &Query,
    page_size: usize,
) -> Value {
    let size = query.top.unwrap_or(page_size).min(page_size).max(1);
    let start = query
        .skip_token
        .as_deref()
        .and_then(offset)
        .unwrap_or(0)
        .min(all.len());
    let end = (start + size).min(all.len());
    let value: Vec<Value> = all[start..end]
        .iter()
        .map(|entity| listed(kind, entity, query))
        .collect();
    let fields = if query.select.is_empty() {
        String::new()
    } else {
        format!("({})", query.select.join(","))
    };
    let mut page = json!({
        "@odata.context": format!("{}/$metadata#{}{fields}", place.root, place.collection),
    });
    if end < all.len() {
        let link = next_link(place, query, &skip_token(end));
        page["@odata.nextLink"] = Value::String(link);
    }
    page["value"] = Value::Array(value);
    page
}

/// One entity read by its id.
pub(crate) fn entity(place: &Place<'_>, entity: &Value, query: &Query) -> Value {
    let mut shown = Map::new();
    let context = format!("{}/$metadata#{}/$entity", place.root, place.collection);
    shown.insert("@odata.context".to_owned(), Value::String(context));
    for (key, value) in fields(entity, query) {
        shown.insert(key.clone(), value.clone());
    }
    for name in &query.expand {
        shown.entry(name).or_insert_with(|| json!([]));
    }
    Value::Object(shown)
}

/// A next link with everything that was asked, and where to go on.
pub(crate) fn next_link(place: &Place<'_>, query: &Query, token: &str) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    encoded
        .extend_pairs(&query.rest)
        .append_pair("$skiptoken", token);
    format!("{}/{}?{}", place.root, place.collection, encoded.finish())
}

/// Opaque to clients, as Graph's are.
pub(crate) fn skip_token(offset: usize) -> String {
    format!("p{:08x}", (offset as u64) ^ 0x5ca1_ab1e)
}

fn offset(token: &str) -> Option<usize> {
    let number = u64::from_str_radix(token.strip_prefix('p')?, 16).ok()?;
    usize::try_from(number ^ 0x5ca1_ab1e).ok()
}

/// An entity as a listing shows it. Graph names the type only where a collection holds several.
fn listed(kind: EntityKind, entity: &Value, query: &Query) -> Value {
    use PolicyFamily::{DeviceCompliance, DeviceConfiguration};
    let derived = matches!(
        kind,
        EntityKind::Policy(DeviceCompliance | DeviceConfiguration)
    );
    let selected = |key: &str| {
        query.select.is_empty()
            || query.select.iter().any(|name| name == key)
            || (derived && key == "@odata.type")
    };
    let shown = fields(entity, query).filter(|(key, _)| selected(key));
    Value::Object(
        shown
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    )
}

/// The entity's fields without its context and without what is not expanded.
fn fields<'a>(
    entity: &'a Value,
    query: &'a Query,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    entity.as_object().into_iter().flatten().filter(|(key, _)| {
        let field = key.split('@').next().unwrap_or("");
        let hidden = NAVIGATION.contains(&field) && !query.expand.iter().any(|name| name == field);
        !hidden && *key != "@odata.context"
    })
}
