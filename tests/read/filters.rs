//! What a query finds.

use crate::world::{World, ids};

#[tokio::test]
async fn every_field_finds_what_it_says() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    for (query, found) in [
        // The window is 30 days for what has ended; active runs are listed however old.
        ("", &[6, 7, 1, 2, 3, 4, 8, 11, 5, 10][..]),
        ("tenant:contoso", &[1, 2, 11, 10]),
        ("tenant:CONTOSO,fab*", &[1, 2, 3, 4, 11, 10]),
        ("tenant:\"zoë & søns\"", &[6, 5]),
        ("tenant:nobody", &[]),
        ("-tenant:contoso", &[6, 7, 3, 4, 8, 5]),
        ("type:inventory.sync", &[1, 2]),
        ("type:inventory.sync,drift.generate", &[1, 2, 4]),
        // Registered types by their list, unregistered ones by the pattern.
        ("type:backup_schedule.*", &[6, 8, 5]),
        ("-type:*.sync", &[6, 7, 3, 4, 8, 11, 5]),
        ("is:failed", &[2, 11]),
        ("is:failed,partial", &[2, 3, 11]),
        ("is:queued", &[6, 10]),
        ("is:running", &[7]),
        ("is:cancelled", &[]),
        ("is:failed is:partial", &[]),
        ("-is:succeeded,failed", &[6, 7, 3, 10]),
        ("code:graph.throttled", &[2]),
        ("code:graph.timeout", &[3]),
        ("code:graph.*", &[2, 3]),
        ("code:app_x*", &[11]),
        ("code:app*x.100", &[11]),
        ("-code:graph.* is:failed,partial", &[11]),
        // A name as a whole, or its first or last word.
        ("by:alice", &[1, 4, 11]),
        ("by:\"bo lindqvist\"", &[3]),
        ("by:lind*", &[3]),
        ("id:9", &[9]),
        ("id:9,1 -id:1", &[9]),
        ("since:150m", &[6, 7, 1, 2]),
        ("-since:150m tenant:contoso", &[11, 10]),
        ("throttled", &[2]),
        ("lindq", &[3]),
        ("zoë", &[6, 5]),
        ("-restore tenant:contoso is:failed", &[2]),
    ] {
        assert_eq!(ids(&mut reader, query).await, found, "{query}");
    }
}

#[tokio::test]
async fn values_are_bound_never_pasted() {
    let world = World::new().await;
    let mut reader = world.oncall().await;
    for query in [
        "tenant:\"' or true --\"",
        "by:\"'; drop table x; --\"",
        "code:\"%\"",
        "type:\"_________.____\"",
        "\"%\"",
        "\"\\\\\"",
    ] {
        assert_eq!(ids(&mut reader, query).await, [0i64; 0], "{query}");
    }
}
