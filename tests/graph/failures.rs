//! Every way a call can fail, as the code it ends with, and how long the client tries.

use std::time::{Duration, Instant};

use opsroom_graph::error::Breakage;
use opsroom_graph::inventory::{fetch_policy, list_family, list_policies};
use opsroom_graph::simulator::{Fault, Faults, RetryAfter, Target, When};
use opsroom_graph::{ConfigError, EntityId, GraphClient, GraphError, Limits, PolicyFamily};

use crate::served::{QUICK, Served};

const CATALOG: PolicyFamily = PolicyFamily::SettingsCatalog;

async fn some_id(served: &Served) -> EntityId {
    let listed = list_family(&served.client(), CATALOG)
        .await
        .expect("a fair-weather listing");
    listed.first().expect("a policy").id.clone()
}

#[tokio::test]
async fn each_fault_has_its_code() {
    let served = Served::generated(16).await;
    let id = some_id(&served).await;
    let unsaid = RetryAfter::Unsaid;
    for (fault, code, retryable) in [
        (Fault::Throttle(unsaid), "graph.throttled", true),
        (Fault::Unavailable(unsaid), "graph.unavailable", true),
        (Fault::Status(500), "graph.unavailable", true),
        (Fault::Status(504), "graph.unavailable", true),
        (Fault::Status(400), "graph.bad_request", false),
        (Fault::Status(401), "graph.unauthorized", false),
        (Fault::Status(403), "graph.forbidden", false),
        (Fault::Status(404), "graph.not_found", false),
        (Fault::Status(409), "graph.conflict", false),
        (Fault::Status(412), "graph.conflict", false),
        (Fault::Status(302), "graph.endpoint_not_allowed", false),
        (Fault::MalformedJson, "graph.malformed_response", false),
        (Fault::TruncatedBody, "graph.unreachable", true),
    ] {
        served.fault(Target::Details, When::Always, fault.clone());
        let client = served.client();
        let error = fetch_policy(&client, CATALOG, &id)
            .await
            .expect_err("it fails");
        assert_eq!(
            (error.code(), error.is_retryable()),
            (code, retryable),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_not() {
    let served = Served::generated(16).await;
    let id = some_id(&served).await;
    let client = served.client();
    for fault in [
        Fault::Status(503),
        Fault::TruncatedBody,
        Fault::Throttle(RetryAfter::Unsaid),
    ] {
        let before = served.observed().entities;
        served.fault(Target::Details, When::First(2), fault);
        fetch_policy(&client, CATALOG, &id)
            .await
            .expect("the third attempt is answered");
        assert_eq!(served.observed().entities - before, 3);
    }
    let before = served.observed().entities;
    served.fault(Target::Details, When::Always, Fault::Status(403));
    fetch_policy(&client, CATALOG, &id)
        .await
        .expect_err("forbidden");
    assert_eq!(served.observed().entities - before, 1);
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let served = Served::generated(16).await;
    let id = some_id(&served).await;
    let client = served.client();
    // A date two seconds ahead loses its fraction on the wire: one second at least remains.
    for when in [RetryAfter::Seconds(1), RetryAfter::DateIn(2)] {
        served.fault(Target::Details, When::First(1), Fault::Throttle(when));
        let start = Instant::now();
        fetch_policy(&client, CATALOG, &id)
            .await
            .expect("the second attempt is answered");
        assert!(
            start.elapsed() >= Duration::from_millis(900),
            "{when:?}: {:?}",
            start.elapsed()
        );
    }
}

#[tokio::test]
async fn a_pause_beyond_the_deadline_is_handed_up_at_once() {
    let served = Served::generated(16).await;
    let id = some_id(&served).await;
    served.weather(Faults::outage(RetryAfter::Seconds(300)));
    let start = Instant::now();
    let error = fetch_policy(&served.client(), CATALOG, &id)
        .await
        .expect_err("an outage");
    assert_eq!(error.code(), "graph.unavailable");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(300)));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_stall_ends_with_the_request_and_with_the_call() {
    let served = Served::generated(16).await;
    let id = some_id(&served).await;
    served.fault(
        Target::Details,
        When::Always,
        Fault::Stall(Duration::from_secs(60)),
    );
    let short = Duration::from_millis(200);
    let one_try = Limits {
        request_timeout: short,
        max_retries: 0,
        ..QUICK
    };
    let one_call = Limits {
        call_deadline: short,
        ..QUICK
    };
    for limits in [one_try, one_call] {
        let start = Instant::now();
        let client = served.client_with(limits);
        let error = fetch_policy(&client, CATALOG, &id)
            .await
            .expect_err("a stall");
        assert_eq!(error, GraphError::Timeout);
        assert!(start.elapsed() < Duration::from_secs(5));
    }
    served.fault(
        Target::Listings,
        When::Always,
        Fault::Stall(Duration::from_secs(60)),
    );
    let client = served.client_with(Limits {
        listing_deadline: short,
        ..QUICK
    });
    assert_eq!(
        list_family(&client, CATALOG).await,
        Err(GraphError::Timeout)
    );
}

#[tokio::test]
async fn a_forbidden_family_does_not_hide_the_others() {
    let served = Served::generated(16).await;
    served.weather(Faults::forbidden(PolicyFamily::DeviceCompliance));
    for listing in list_policies(&served.client()).await {
        let forbidden = listing.family == PolicyFamily::DeviceCompliance;
        assert_eq!(listing.policies.is_err(), forbidden, "{}", listing.family);
    }
}

#[tokio::test]
async fn a_policy_deleted_after_it_was_listed_is_not_found() {
    let served = Served::generated(16).await;
    let id = some_id(&served).await;
    let gone = id.clone();
    let delete = move |all: &mut Vec<_>| {
        all.retain(|policy: &opsroom_graph::PolicyDocument| policy.summary.id != gone);
    };
    served
        .simulator
        .change_policies(served.tenant, delete)
        .expect("the tenant is served");
    let answer = fetch_policy(&served.client(), CATALOG, &id).await;
    assert_eq!(answer.expect_err("deleted"), GraphError::NotFound);
}

#[tokio::test]
async fn without_a_server_it_is_unreachable() {
    let served = Served::generated(1).await;
    let client = served.client_with(Limits {
        max_retries: 0,
        ..QUICK
    });
    drop(served);
    // The simulator lets go of its port soon after it is dropped.
    let start = Instant::now();
    loop {
        match list_family(&client, CATALOG).await {
            Err(GraphError::Unreachable { .. }) => break,
            other => assert!(start.elapsed() < Duration::from_secs(10), "{other:?}"),
        }
    }
}

#[tokio::test]
async fn tls_that_fails_is_unreachable_and_no_panic() {
    let served = Served::generated(1).await;
    let mut config = served.config();
    let plain = served.simulator.base_url().as_str();
    config.base_url = plain
        .replace("http:", "https:")
        .parse()
        .expect("an address");
    config.authority = config.base_url.clone();
    config.limits = Limits {
        max_retries: 0,
        ..QUICK
    };
    let client = match GraphClient::new(config) {
        Ok(client) => client,
        // A machine without CA certificates.
        Err(error) => return assert!(matches!(error, ConfigError::Connector), "{error}"),
    };
    let error = list_family(&client, CATALOG)
        .await
        .expect_err("no TLS is spoken there");
    assert_eq!(
        error,
        GraphError::Unreachable {
            cause: Breakage::Connect
        }
    );
}
