//! What a request asks for: a token, a listing, an entity. The simulator knows exactly the requests
//! of the contract registry.

use axum::http::Method;
use axum::http::request::Parts;
use url::form_urlencoded;
use uuid::Uuid;

use crate::contract::{Contract, EntityKind, registry};

/// A request, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    Token {
        tenant: Uuid,
    },
    Listing {
        kind: EntityKind,
        version: String,
        collection: &'static str,
        query: Query,
    },
    Entity {
        kind: EntityKind,
        version: String,
        collection: &'static str,
        id: String,
        query: Query,
    },
}

/// The query options the simulator honours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) select: Vec<String>,
    pub(crate) expand: Vec<String>,
    pub(crate) top: Option<usize>,
    pub(crate) skip_token: Option<String>,
    /// Everything but the skip token, as it came.
    pub(crate) rest: Vec<(String, String)>,
}

/// Why a request is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotUnderstood {
    Method,
    Segment(String),
    Tenant,
}

impl Asked {
    pub(crate) fn read(parts: &Parts) -> Result<Self, NotUnderstood> {
        let path = parts.uri.path().trim_matches('/');
        let (head, below) = path.split_once('/').unwrap_or((path, ""));
        if below == "oauth2/v2.0/token" {
            let tenant = head.parse().map_err(|_| NotUnderstood::Tenant)?;
            return if parts.method == Method::POST {
                Ok(Self::Token { tenant })
            } else {
                Err(NotUnderstood::Method)
            };
        }
        if !matches!(head, "v1.0" | "beta") {
            return Err(NotUnderstood::Segment(head.to_owned()));
        }
        if parts.method != Method::GET {
            return Err(NotUnderstood::Method);
        }
        let query = Query::read(parts.uri.query().unwrap_or(""));
        let unknown = || NotUnderstood::Segment(below.rsplit('/').next().unwrap_or("").to_owned());
        registry::all()
            .find_map(|contract| resolve(contract, head, below, &query))
            .ok_or_else(unknown)
    }
}

fn resolve(contract: &'static Contract, version: &str, path: &str, query: &Query) -> Option<Asked> {
    let (kind, version, query) = (contract.entity(), version.to_owned(), query.clone());
    if version == "v1.0" && contract.is_beta_only() {
        return None;
    }
    match contract.path().strip_suffix("/{id}") {
        None if path == contract.path() => Some(Asked::Listing {
            kind,
            version,
            collection: contract.path(),
            query,
        }),
        Some(collection) => {
            let rest = path.strip_prefix(collection)?;
            let quoted = || rest.strip_prefix("('")?.strip_suffix("')");
            let id = rest.strip_prefix('/').or_else(quoted)?;
            let id = (!id.is_empty() && !id.contains('/')).then(|| id.to_owned())?;
            Some(Asked::Entity {
                kind,
                version,
                collection,
                id,
                query,
            })
        }
        None => None,
    }
}

impl Query {
    fn read(text: &str) -> Self {
        let mut query = Self::default();
        for (key, value) in form_urlencoded::parse(text.as_bytes()) {
            match &*key {
                "$select" => query.select = outer_parts(&value),
                "$expand" => query.expand = outer_parts(&value),
                "$top" => query.top = value.parse().ok().filter(|top| *top > 0),
                _ => {}
            }
            if key == "$skiptoken" {
                query.skip_token = Some(value.into_owned());
            } else {
                query.rest.push((key.into_owned(), value.into_owned()));
            }
        }
        query
    }
}

/// Splits at commas outside parentheses and keeps the names: `a,b($expand=c,d)` is `a`, `b`.
fn outer_parts(list: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let parts = list.split(|letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    });
    let name = |part: &str| part.split('(').next().unwrap_or("").trim().to_owned();
    parts.map(name).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::outer_parts;

    #[test]
    fn nested_options_are_not_names() {
        assert_eq!(
            outer_parts("assignments,rule($expand=x,y), z"),
            ["assignments", "rule", "z"]
        );
    }
}
