//! The simulator's own promises: the same seed gives the same trouble, whoever comes first.

use futures_util::future::join_all;
use opsroom_graph::inventory::fetch_policy;
use opsroom_graph::simulator::{Faults, generator};

use crate::served::Served;

#[tokio::test]
async fn the_same_seed_fails_the_same_policies_in_any_order() {
    let policies = generator::policies(3, 80);
    assert_eq!(policies, generator::policies(3, 80));
    assert_ne!(policies, generator::policies(4, 80));
    let mut results = Vec::new();
    for backwards in [false, true] {
        let served = Served::policies(policies.clone()).await;
        served.weather(Faults::patchy(11));
        let client = served.client();
        let mut asked: Vec<_> = policies.iter().map(|policy| &policy.summary).collect();
        if backwards {
            asked.reverse();
        }
        let answers = join_all(asked.iter().map(async |one| {
            let answer = fetch_policy(&client, one.family, &one.id).await;
            (one.id.clone(), answer.err().map(|error| error.code()))
        }));
        let mut answers = answers.await;
        answers.sort();
        results.push(answers);
    }
    assert_eq!(results[0], results[1]);
    let failed = results[0].iter().filter(|(_, code)| code.is_some()).count();
    assert!(
        (1..30).contains(&failed),
        "some fail and most do not: {failed}"
    );
}
