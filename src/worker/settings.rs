//! `opsroom-worker settings`: shows what is set for all workers, after changing it where asked to.

use crate::access::padded;
use crate::cli::{Database, Settings, Switch};
use crate::database;
use crate::failure::Failure;
use crate::tell::tell;
use opsroom_engine::settings::{Change, change_settings, limit_tenant, settings, tenant_limits};
use opsroom_engine::start::find_tenant;

pub(crate) async fn run(database: &Database, args: Settings) -> Result<(), Failure> {
    let mut connection = database::connect_migrated(database).await?;
    let tenant = match &args.tenant {
        Some(name) => Some(find_tenant(&mut connection, name).await?),
        None => None,
    };
    if let (Some(tenant), Some(limit)) = (tenant, args.tenant_limit) {
        limit_tenant(&mut connection, tenant, limit).await?;
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
    for (name, own) in tenant_limits(&mut connection, tenant).await? {
        let label = padded(&format!("  of tenant {name}"), 35);
        match own {
            Some(own) => tell!("{label}  {own}"),
            None => tell!("{label}  {limit} (it has none of its own)"),
        }
    }
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
