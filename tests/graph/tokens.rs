//! Tokens: fetched once, renewed when refused or about to end, never insisted on.

use std::time::Duration;

use futures_util::future::join_all;
use opsroom_graph::inventory::{list_family, list_policies};
use opsroom_graph::simulator::{
    Fault, Faults, Simulator, SimulatorConfig, Target, TenantFixture, When,
};
use opsroom_graph::{GraphClient, GraphError, PolicyFamily};

use crate::served::Served;

const CATALOG: PolicyFamily = PolicyFamily::SettingsCatalog;

#[tokio::test]
async fn many_calls_at_once_fetch_one_token() {
    let served = Served::generated(20).await;
    let client = served.client();
    let listing = |_| {
        let client = client.clone();
        tokio::spawn(async move { list_family(&client, CATALOG).await })
    };
    let all = join_all((0..20).map(listing)).await;
    assert!(all.iter().all(|task| matches!(task, Ok(Ok(_)))), "{all:?}");
    assert_eq!(served.observed().tokens, 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let served = Served::generated(20).await;
    let client = served.client();
    list_family(&client, CATALOG)
        .await
        .expect("a fair-weather listing");
    served
        .simulator
        .revoke_tokens(served.tenant)
        .expect("the tenant is served");
    list_family(&client, CATALOG)
        .await
        .expect("answered with a fresh token");
    assert_eq!(served.observed().tokens, 2);

    served.fault(Target::Graph, When::Always, Fault::Status(401));
    assert_eq!(
        list_family(&client, CATALOG).await,
        Err(GraphError::Unauthorized)
    );
    assert_eq!(served.observed().tokens, 3);
}

#[tokio::test]
async fn a_token_about_to_end_is_renewed_before_it_does() {
    let fixture = TenantFixture::named("fabrikam", Vec::new());
    let tenant = fixture.guid;
    let mut config = SimulatorConfig::serving(vec![fixture]);
    config.token_lifetime = Duration::from_secs(1);
    let simulator = Simulator::start(config).await.expect("a free port");
    let config = simulator.config_for(tenant).expect("the tenant is served");
    let client = GraphClient::new(config).expect("a client");
    let observed = || simulator.observed(tenant).expect("the tenant is served");
    let end = std::time::Instant::now() + Duration::from_secs(10);
    while observed().tokens < 3 {
        list_family(&client, CATALOG)
            .await
            .expect("never an expired token");
        assert!(std::time::Instant::now() < end, "renewed: {:?}", observed());
    }
    // A token that ran out would have cost a listing more: each was answered the first time.
    assert_eq!(observed().faults, 0);
}

#[tokio::test]
async fn wrong_credentials_are_refused_and_asked_for_once() {
    let served = Served::generated(20).await;
    let good = served.client();
    let config = served.config();
    let wrong_secret = good.for_tenant(
        served.tenant,
        config.client_id.clone(),
        "no such secret".into(),
    );
    let wrong_tenant = good.for_tenant(
        uuid::Uuid::nil(),
        config.client_id.clone(),
        config.client_secret.clone(),
    );
    for client in [wrong_secret, wrong_tenant] {
        for listing in list_policies(&client).await {
            assert_eq!(listing.policies, Err(GraphError::TokenRefused));
        }
    }
    assert_eq!(served.observed().tokens, 1, "one family asked for all");
    served.weather(Faults::token_refused());
    assert_eq!(
        list_family(&good, CATALOG).await,
        Err(GraphError::TokenRefused)
    );
}

#[tokio::test]
async fn the_token_endpoint_is_retried_like_everything_else() {
    let served = Served::generated(20).await;
    served.fault(Target::Token, When::First(2), Fault::Status(503));
    list_family(&served.client(), CATALOG)
        .await
        .expect("the third token request is answered");
    assert_eq!(served.observed().tokens, 3);
}
