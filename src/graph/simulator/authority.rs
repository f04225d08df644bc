//! The token endpoint: client credentials, checked as the authority checks them.

use std::collections::HashMap;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;
use tokio::time::Instant;
use url::form_urlencoded;
use uuid::Uuid;

use super::reply::Reply;
use super::tenant::Tenant;

/// Answers a token request for this tenant.
pub(crate) fn issue(tenant: &mut Tenant, body: &[u8], lifetime: Duration) -> Reply {
    let form: HashMap<_, _> = form_urlencoded::parse(body).collect();
    let field = |name: &str| form.get(name).map_or("", |value| value.as_ref());
    if field("grant_type") != "client_credentials" {
        let text = "The app requested an unsupported grant type.";
        return Reply::token_error(400, "unsupported_grant_type", 70_003, text);
    }
    if !field("scope").ends_with("/.default") {
        let text = "The provided value for the input parameter 'scope' is not valid.";
        return Reply::token_error(400, "invalid_scope", 1_002_012, text);
    }
    if field("client_id") != tenant.fixture.client_id {
        let text = "Application was not found in the directory.";
        return Reply::token_error(400, "unauthorized_client", 700_016, text);
    }
    if field("client_secret") != tenant.fixture.client_secret.expose_secret() {
        return wrong_secret();
    }
    let now = Instant::now();
    tenant.tokens.retain(|_, end| now < *end);
    // Shaped like a JWT, so that whatever looks for tokens finds it; it means nothing.
    let token = format!(
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{}.{}",
        Uuid::new_v4().simple(),
        Uuid::new_v4().simple()
    );
    tenant.tokens.insert(token.clone(), now + lifetime);
    let seconds = lifetime.as_secs();
    Reply::json(
        200,
        &json!({
            "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds,
            "access_token": token,
        }),
    )
}

/// What a wrong client secret is answered with.
pub(crate) fn wrong_secret() -> Reply {
    Reply::token_error(
        401,
        "invalid_client",
        7_000_215,
        "Invalid client secret provided.",
    )
}
