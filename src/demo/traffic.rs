//! People and systems who start operations, so that there is something to watch: through the
//! engine's library, as the logins they are.

use crate::cast::TENANTS;
use crate::database::Urls;
use opsroom_engine::start::find_tenant;
use opsroom_engine::{Initiator, Start, StartError, Wake, ensure_run};
use opsroom_operations::connection::Connections;
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Starts an operation every second or two until told to stop; a database that is away is waited for.
pub(crate) async fn flow(urls: Urls, stop: CancellationToken) {
    let mut random = fastrand::Rng::with_seed(7);
    let mut turn = 0usize;
    loop {
        let tenant = &TENANTS[turn % TENANTS.len()];
        turn += 1;
        // A person starts some, the system the others.
        let url = urls.of(if random.u8(..3) == 0 {
            "starter"
        } else {
            "worker"
        });
        if let Err(error) = start(&url, tenant.name, random.bool()).await {
            tracing::debug!(%error, "traffic");
        }
        let pause = Duration::from_millis(random.u64(700..2200));
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn start(url: &str, tenant: &str, full: bool) -> Result<(), StartError> {
    let registry = opsroom_operations::registry(Connections::none()).unwrap_or_default();
    let mut connection = PgConnection::connect(url).await?;
    let tenant = find_tenant(&mut connection, tenant).await?;
    let input = if full {
        serde_json::json!({})
    } else {
        serde_json::json!({"scope": "families", "families": ["settings_catalog", "device_compliance"]})
    };
    let start = Start {
        tenant,
        run_type: "inventory.sync",
        input,
        initiator: Initiator::System,
        wake: Wake::Notify,
        priority: opsroom_engine::Priority::Normal,
        transport: opsroom_engine::Transport::Workers,
    };
    ensure_run(&mut connection, &registry, start).await?;
    connection.close().await?;
    Ok(())
}
