//! The proxy makes a client see a healthy, a hung and a dead server; `eventually` ends.

use opsroom_testkit::{Mode, Proxy, TestDatabase, TestkitError, eventually};
use sqlx::{Connection, PgConnection};
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_client_through_the_proxy_sees_passing_stalled_and_cut() {
    let database = TestDatabase::empty().await.unwrap();
    let proxy = Proxy::to_postgres(database.server().connection())
        .await
        .unwrap();
    let url = proxy.url(database.name(), "postgres");
    let mut client = PgConnection::connect(&url).await.unwrap();
    let one = || sqlx::query_scalar::<_, i32>("select 1");
    assert_eq!(one().fetch_one(&mut client).await.unwrap(), 1);

    proxy.set(Mode::Stall);
    {
        let mut query = std::pin::pin!(one().fetch_one(&mut client));
        assert!(
            tokio::time::timeout(SHORT, &mut query).await.is_err(),
            "an answer came through"
        );
        let connecting = PgConnection::connect(&url);
        assert!(
            tokio::time::timeout(SHORT, connecting).await.is_err(),
            "connected"
        );
        proxy.set(Mode::Pass);
        assert_eq!(tokio::time::timeout(LONG, query).await.unwrap().unwrap(), 1);
    }

    proxy.set(Mode::Cut);
    let fault = tokio::time::timeout(LONG, one().fetch_one(&mut client))
        .await
        .unwrap();
    assert!(fault.is_err());
    assert!(PgConnection::connect(&url).await.is_err());
    eventually(LONG, "the proxy's connections are closed", async || {
        proxy.open_connections() == 0
    })
    .await
    .unwrap();

    proxy.set(Mode::Pass);
    let mut client = PgConnection::connect(&url).await.unwrap();
    assert_eq!(one().fetch_one(&mut client).await.unwrap(), 1);
}

#[tokio::test]
async fn what_never_holds_ends_at_the_deadline_and_is_named() {
    for hangs in [false, true] {
        let condition = async || {
            if hangs {
                std::future::pending::<()>().await;
            }
            false
        };
        let fault = eventually(SHORT, "pigs fly", condition).await.unwrap_err();
        assert!(matches!(fault, TestkitError::Deadline { .. }));
        assert!(fault.to_string().contains("pigs fly"), "{fault}");
    }
}
