//! Statements that fail with deadlocks and serialization failures, wherever runs are written:
//! everything is tried again, and nobody hears of it.

use crate::jobs::{JOB, Task};
use crate::process::Program;
use crate::report::{Extent, Verdict};
use crate::site::{Ground, SOON};
use color_eyre::eyre::Result;
use opsroom_testkit::eventually;
use sqlx::PgConnection;

/// Sequences keep what a rolled back transaction counted.
const INJECT: &str = "
create sequence soak.writes;
create sequence soak.injected;
create table soak.wanted (n bigint not null);
create function soak.inject() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  write bigint := pg_catalog.nextval('soak.writes');
begin
  if write % 4 = 0 and (select s.last_value < w.n from soak.injected s, soak.wanted w) then
    perform pg_catalog.nextval('soak.injected');
    raise exception using errcode = case when write % 8 = 0 then '40001' else '40P01' end, message = 'injected';
  end if;
  return null;
end $$;
create trigger aa_inject before insert or update on opsroom.operation_runs
  for each statement execute function soak.inject();
";

/// Causes it.
///
/// # Errors
/// The processes or the database could not be set up, or something did not happen within a minute.
pub async fn cause(program: &Program, extent: Extent, ground: &Ground) -> Result<Verdict> {
    let wanted = i64::from(extent.of(60, 1000));
    let site = ground.site().await?;
    site.script(INJECT).await?;
    site.script(&format!("insert into soak.wanted values ({wanted})"))
        .await?;
    let args = ["--poll", "50ms", "--slots", "8"];
    let worker = program.worker(&site.worker_url(), "one", &args)?;
    let (mut started, mut refused) = (0_i64, 0_i64);
    let mut owner = site.owner().await?;
    while injected(&mut owner).await? < wanted {
        let task = Task::Steps {
            steps: 3,
            each_ms: 1,
        };
        match site.start_over(&mut owner, JOB, &task).await {
            Ok(_) => started += 1,
            Err(_) => refused += 1,
        }
        if started % 20 == 0 {
            calm(&mut owner).await?;
        }
    }
    site.settled().await?;
    let audit = site.audit().await?;
    let again = site
        .number("select count(*) from opsroom.run_attempts where ended <> 'succeeded'")
        .await?;
    drop(worker);
    Ok(Verdict::after(format!(
        "{} deadlocks and serialization failures over {started} runs",
        injected(&mut owner).await?
    ))
    .at_least("injected", injected(&mut owner).await?, wanted)
    .exactly("starts that showed one", refused, 0)
    .exactly("attempts that ended by one", again, 0)
    .exactly("runs not succeeded", started - audit.succeeded, 0)
    .exactly("ended twice", audit.ended_twice, 0))
}

async fn injected(owner: &mut PgConnection) -> Result<i64> {
    let count = "select case when is_called then last_value else 0 end from soak.injected";
    Ok(sqlx::query_scalar(count).fetch_one(owner).await?)
}

/// Waits until the queue is short, so that what is injected hits jobs as well as starts.
async fn calm(owner: &mut PgConnection) -> Result<()> {
    Ok(eventually(SOON, "the queue is short", async || {
        let queued = "select count(*) from opsroom.operation_runs where status <> 'completed'";
        matches!(
            sqlx::query_scalar::<_, i64>(queued)
                .fetch_one(&mut *owner)
                .await,
            Ok(0..=8)
        )
    })
    .await?)
}
