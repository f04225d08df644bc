//! `opsroom-worker settings`: shows what is set for all workers, after changing it where asked to.

use crate::cli::{Database, Settings, Switch};
use crate::database;
use crate::failure::Failure;
use crate::tell::tell;
use opsroom_engine::settings::{Change, change_settings, limit_tenant, settings};
use opsroom_engine::start::find_tenant;

pub(crate) async fn run(database: &Database, args: Settings) -> Result<(), Failure> {
    let mut connection = database::connect_migrated(database).await?;
    if let Some(name) = &args.tenant {
        let tenant = find_tenant(&mut connection, name).await?;
        if let Some(limit) = args.tenant_limit {
            limit_tenant(&mut connection, tenant, limit).await?;
        }
    }
    let change = Change {
        tenant_limit: args.tenant_limit.filter(|_| args.tenant.is_none()),
        wake: args.wake.map(|wake| wake == Switch::On),
        notification_days: args.keep_notifications,
    };
    if change != Change::default() {
        change_settings(&mut connection, change).await?;
    }
    let now = settings(&mut connection).await?;
    let limit = now
        .tenant_limit
        .map_or("none".to_owned(), |runs| runs.to_string());
    tell!("runs of one tenant at the same time  {limit}");
    tell!(
        "wake idle workers                    {}",
        if now.wake { "on" } else { "off" }
    );
    tell!(
        "days that notifications stay         {}",
        now.notification_days
    );
    Ok(())
}
