//! From a request to a reply: who asks, with which token, in which weather, for what. No I/O.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::header;
use axum::http::request::Parts;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::asked::{Asked, NotUnderstood, Query};
use super::authority::{issue, wrong_secret};
use super::entities::{self, Place};
use super::faults::Fault;
use super::reply::Reply;
use super::tenant::Tenant;

/// Everything the simulator knows.
pub(crate) struct Service {
    pub(crate) base_url: String,
    pub(crate) page_size: usize,
    pub(crate) token_lifetime: Duration,
    pub(crate) tenants: HashMap<Uuid, Tenant>,
}

/// A reply and when to send it.
pub(crate) struct Timed {
    pub(crate) after: Duration,
    pub(crate) reply: Reply,
}

impl From<Reply> for Timed {
    fn from(reply: Reply) -> Self {
        Self {
            after: Duration::ZERO,
            reply,
        }
    }
}

impl Service {
    pub(crate) fn answer(&mut self, parts: &Parts, body: &[u8]) -> Timed {
        let asked = match Asked::read(parts) {
            Ok(asked) => asked,
            Err(problem) => return not_understood(problem).into(),
        };
        let guid = match &asked {
            Asked::Token { tenant } => Some(*tenant),
            _ => self.holder(parts),
        };
        let lifetime = self.token_lifetime;
        let Some(tenant) = guid.and_then(|guid| self.tenants.get_mut(&guid)) else {
            return stranger(&asked).into();
        };
        let address = parts.uri.to_string();
        let after = tenant.weather.next_latency(&address);
        let fault = tenant.weather.next_fault(&asked, &address);
        tenant.observed.count(&asked, fault.is_some());
        let stall = match fault {
            Some(Fault::Stall(stall)) => stall,
            _ => Duration::ZERO,
        };
        let place = Setting {
            base_url: &self.base_url,
            page_size: self.page_size,
            lifetime,
        };
        let reply = match fault.as_ref().and_then(|fault| replacing(fault, &asked)) {
            Some(reply) => reply,
            None => bend(fault.as_ref(), plain(tenant, &asked, body, &place)),
        };
        Timed {
            after: after + stall,
            reply,
        }
    }

    /// The tenant whose valid token the request carries.
    fn holder(&self, parts: &Parts) -> Option<Uuid> {
        let header = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let token = header.strip_prefix("Bearer ")?;
        let now = Instant::now();
        self.tenants
            .iter()
            .find(|(_, tenant)| tenant.tokens.get(token).is_some_and(|end| now < *end))
            .map(|(guid, _)| *guid)
    }
}

struct Setting<'a> {
    base_url: &'a str,
    page_size: usize,
    lifetime: Duration,
}

/// A sound answer, before any fault bends it; for a listing, with the parts its next link needs.
enum Plain {
    Reply(Reply),
    Listing {
        page: Value,
        root: String,
        collection: &'static str,
        query: Query,
    },
    Entity(Value),
}

fn plain(tenant: &mut Tenant, asked: &Asked, body: &[u8], setting: &Setting<'_>) -> Plain {
    let root = |version: &str| format!("{}/{version}", setting.base_url);
    match asked {
        Asked::Token { .. } => Plain::Reply(issue(tenant, body, setting.lifetime)),
        Asked::Listing {
            kind,
            version,
            collection,
            query,
        } => {
            let root = root(version);
            let all = tenant.entities(*kind);
            let place = Place {
                root: &root,
                collection,
            };
            let page = entities::page(&place, *kind, &all, query, setting.page_size);
            Plain::Listing {
                page,
                root,
                collection,
                query: query.clone(),
            }
        }
        Asked::Entity {
            kind,
            version,
            collection,
            id,
            query,
        } => {
            let all = tenant.entities(*kind);
            let found = all.into_iter().find(|entity| entity["id"] == id.as_str());
            let root = root(version);
            let place = Place {
                root: &root,
                collection,
            };
            match found {
                Some(found) => Plain::Entity(entities::entity(&place, found, query)),
                None => Plain::Reply(Reply::graph_status(404)),
            }
        }
    }
}

/// The reply of a fault that leaves nothing of the answer.
fn replacing(fault: &Fault, asked: &Asked) -> Option<Reply> {
    let token = matches!(asked, Asked::Token { .. });
    match fault {
        Fault::Throttle(when) => Some(Reply::graph_status(429).retry_after(*when)),
        Fault::Unavailable(when) => Some(Reply::graph_status(503).retry_after(*when)),
        Fault::TokenRefused if token => Some(wrong_secret()),
        Fault::TokenRefused => Some(Reply::graph_status(401)),
        Fault::Status(status) => Some(Reply::graph_status(*status)),
        Fault::Leak(status) => Some(Reply::leak(*status)),
        Fault::Stall(_) => Some(Reply::graph_status(504)),
        Fault::MalformedJson
        | Fault::TruncatedBody
        | Fault::NextLinkLoop
        | Fault::NextLinkTo(_) => None,
    }
}

/// Applies a fault that keeps part of the answer.
fn bend(fault: Option<&Fault>, plain: Plain) -> Reply {
    let sound = match plain {
        Plain::Reply(reply) => reply,
        Plain::Entity(entity) => Reply::json(200, &entity),
        Plain::Listing {
            mut page,
            root,
            collection,
            query,
        } => {
            if let Some(link) = wrong_link(fault, &root, collection, &query) {
                page["@odata.nextLink"] = Value::String(link);
            }
            Reply::json(200, &page)
        }
    };
    match fault {
        Some(Fault::MalformedJson) => sound.cut_short(),
        Some(Fault::TruncatedBody) => sound.broken_off(),
        _ => sound,
    }
}

fn wrong_link(
    fault: Option<&Fault>,
    root: &str,
    collection: &str,
    query: &Query,
) -> Option<String> {
    let here = query
        .skip_token
        .clone()
        .unwrap_or_else(|| entities::skip_token(0));
    let link = entities::next_link(&Place { root, collection }, query, &here);
    match fault {
        Some(Fault::NextLinkLoop) => Some(link),
        Some(Fault::NextLinkTo(origin)) => {
            let below = link.splitn(4, '/').nth(3).unwrap_or("").to_owned();
            Some(format!("{}/{below}", origin.trim_end_matches('/')))
        }
        _ => None,
    }
}

fn stranger(asked: &Asked) -> Reply {
    if matches!(asked, Asked::Token { .. }) {
        return Reply::token_error(400, "invalid_request", 90_002, "Tenant not found.");
    }
    Reply::graph_status(401).header(header::WWW_AUTHENTICATE, "Bearer realm=\"\"".to_owned())
}

fn not_understood(problem: NotUnderstood) -> Reply {
    match problem {
        NotUnderstood::Method => {
            Reply::graph_error(405, "Request_BadRequest", "The method is not allowed here.")
        }
        NotUnderstood::Tenant => Reply::token_error(
            400,
            "invalid_request",
            900_023,
            "The tenant is not a valid id.",
        ),
        NotUnderstood::Segment(segment) => {
            let message = format!("Resource not found for the segment '{segment}'.");
            Reply::graph_error(400, "BadRequest", &message)
        }
    }
}

impl super::tenant::Observed {
    fn count(&mut self, asked: &Asked, faulty: bool) {
        match asked {
            Asked::Token { .. } => self.tokens += 1,
            Asked::Listing { .. } => self.listings += 1,
            Asked::Entity { .. } => self.entities += 1,
        }
        self.faults += u64::from(faulty);
    }
}
