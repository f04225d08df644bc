//! Paging: every entity once, never off the collection, never for ever.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::Duration;

use opsroom_graph::contract::registry;
use opsroom_graph::error::Malformation;
use opsroom_graph::inventory::{fetch_policy, list_family, list_policies};
use opsroom_graph::simulator::{Fault, Faults, Target, When, generator};
use opsroom_graph::{GraphError, Limits, PolicyFamily};

use crate::served::{QUICK, Served};

const CATALOG: PolicyFamily = PolicyFamily::SettingsCatalog;

#[tokio::test]
async fn every_policy_of_every_family_is_listed_once_and_can_be_read_whole() {
    let policies = generator::policies(7, 120);
    let expected: BTreeSet<_> = policies
        .iter()
        .map(|p| (p.summary.id.clone(), p.summary.name.clone()))
        .collect();
    let served = Served::policies(policies).await;
    let client = served.client();

    let mut found = BTreeSet::new();
    for listing in list_policies(&client).await {
        for listed in listing.policies.expect("a fair-weather listing") {
            let whole = fetch_policy(&client, listed.family, &listed.id)
                .await
                .expect("a policy");
            assert_eq!(whole.summary.name, listed.name);
            assert_eq!(whole.summary.platform, listed.platform);
            assert_eq!(whole.summary.last_modified, listed.last_modified);
            assert!(found.insert((listed.id, listed.name)), "listed twice");
        }
    }
    assert_eq!(found, expected);
    let observed = served.observed();
    assert_eq!((observed.tokens, observed.entities), (1, 120));
    assert!(observed.listings > 20, "five a page: {}", observed.listings);
}

#[tokio::test]
async fn a_listing_shows_summaries_and_reading_one_shows_its_settings() {
    let served = Served::generated(16).await;
    let client = served.client();
    let page = client
        .list(&registry::CONFIGURATION_POLICIES)
        .next_page()
        .await
        .expect("a page");
    let listed = page.expect("one page at least").entities.swap_remove(0);
    assert!(listed.get("settings").is_none() && listed.get("name").is_some());
    let id = listed["id"]
        .as_str()
        .expect("an id")
        .parse()
        .expect("a valid id");
    let whole = client
        .get(&registry::CONFIGURATION_POLICY, &id)
        .await
        .expect("the policy");
    assert!(
        whole["settings"]
            .as_array()
            .is_some_and(|settings| !settings.is_empty())
    );
}

#[tokio::test]
async fn groups_and_roles_are_listed_too() {
    let served = Served::generated(0).await;
    let client = served.client();
    for (contract, expected) in [(&registry::GROUPS, 24), (&registry::ROLE_DEFINITIONS, 6)] {
        let mut pages = client.list(contract);
        let mut count = 0;
        while let Some(page) = pages.next_page().await.expect("a page") {
            count += page.entities.len();
        }
        assert_eq!(count, expected, "{}", contract.contract().name());
    }
}

#[tokio::test]
async fn an_empty_family_is_one_empty_page() {
    let served = Served::generated(0).await;
    assert_eq!(list_family(&served.client(), CATALOG).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_next_link_to_another_host_is_refused_and_nothing_is_sent_there() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a free port");
    elsewhere.set_nonblocking(true).expect("a socket option");
    let origin = format!("http://{}", elsewhere.local_addr().expect("an address"));
    let served = Served::generated(60).await;
    served.fault(Target::Listings, When::Always, Fault::NextLinkTo(origin));

    let answer = list_family(&served.client(), CATALOG).await;
    assert_eq!(answer, Err(GraphError::EndpointNotAllowed));
    let visitor = elsewhere.accept().expect_err("nobody may have connected");
    assert_eq!(visitor.kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_next_link_that_leads_back_ends_the_listing() {
    let served = Served::generated(60).await;
    served.fault(Target::Listings, When::Every(2), Fault::NextLinkLoop);
    let answer = list_family(&served.client(), CATALOG).await;
    assert_eq!(
        answer,
        Err(GraphError::MalformedResponse {
            what: Malformation::PageLoop
        })
    );
    assert_eq!(served.observed().listings, 2);
}

#[tokio::test]
async fn pages_and_bytes_are_bounded() {
    let served = Served::generated(60).await;
    let few_pages = served.client_with(Limits {
        max_pages: 2,
        ..QUICK
    });
    let answer = list_family(&few_pages, CATALOG).await;
    assert_eq!(
        answer,
        Err(GraphError::MalformedResponse {
            what: Malformation::TooManyPages
        })
    );
    let few_bytes = served.client_with(Limits {
        max_body_bytes: 600,
        ..QUICK
    });
    let answer = list_family(&few_bytes, CATALOG).await;
    assert_eq!(
        answer,
        Err(GraphError::MalformedResponse {
            what: Malformation::TooLarge
        })
    );
}

#[tokio::test]
async fn a_page_given_up_can_be_asked_for_again() {
    let served = Served::generated(60).await;
    let mut pages = served.client().list(CATALOG.list());
    let first = pages
        .next_page()
        .await
        .expect("a page")
        .expect("the first page");

    served.fault(
        Target::Listings,
        When::Always,
        Fault::Stall(Duration::from_secs(30)),
    );
    let given_up = tokio::time::timeout(Duration::from_millis(50), pages.next_page()).await;
    assert!(given_up.is_err(), "the future was dropped");

    served.weather(Faults::default());
    let second = pages
        .next_page()
        .await
        .expect("a page")
        .expect("the second page");
    assert_eq!((first.number, second.number), (1, 2));
    assert_ne!(first.entities, second.entities);
}
