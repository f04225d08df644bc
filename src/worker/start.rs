//! `opsroom-worker start`: enqueue, confirm, and say how to look at it.

use crate::cli::{Database, Output, Start};
use crate::failure::{Failure, USAGE};
use crate::tell::tell;
use crate::{database, graph};
use opsroom_engine::start::find_tenant;
use opsroom_engine::{Confirmation, Initiator, Transport, Wake, ensure_run};
use serde_json::{Value, json};

pub(crate) async fn run(database: &Database, args: Start) -> Result<(), Failure> {
    let registry = graph::registry_for_starting()?;
    let input = args.input.as_deref().map_or(Ok(Value::Null), read_input)?;
    let mut connection = database::connect_migrated(database).await?;
    // Before the tenant is looked up: an unknown type is the likelier typing mistake.
    if !registry.types().contains(&args.run_type) {
        let known = registry.types().join(", ");
        return Err(
            Failure::new(format!("unknown operation type '{}'", args.run_type))
                .remedy(format!("one of {known}"))
                .code(USAGE),
        );
    }
    let tenant = find_tenant(&mut connection, &args.tenant).await?;
    let start = opsroom_engine::Start {
        tenant,
        run_type: &args.run_type,
        input,
        initiator: Initiator::System,
        wake: if args.no_notify {
            Wake::Silent
        } else {
            Wake::Notify
        },
        priority: args.priority.into(),
        transport: Transport::Workers,
    };
    let confirmation = ensure_run(&mut connection, &registry, start).await?;
    print(confirmation, &args);
    Ok(())
}

pub(crate) fn read_input(text: &str) -> Result<Value, Failure> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        Failure::new(format!(
            "--input is no JSON: {} at line {}, column {}",
            category(&error),
            error.line(),
            error.column()
        ))
        .remedy("quote it for the shell, as in --input '{\"scope\":\"full\"}'")
        .code(USAGE)
    })?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Failure::new("--input is no JSON object")
            .remedy("write --input '{…}'")
            .code(USAGE))
    }
}

fn category(error: &serde_json::Error) -> &'static str {
    if error.is_eof() {
        "it ends too early"
    } else {
        "unexpected text"
    }
}

fn print(confirmation: Confirmation, args: &Start) {
    let run = confirmation.run();
    let (word, sentence) = match confirmation {
        Confirmation::Created(_) => ("created", "created"),
        Confirmation::Reused(_) => ("reused", "reused: it is already under way"),
    };
    match args.output {
        Output::Text => tell!("run {run} {sentence}\nopsroom run {run}"),
        Output::Json => tell!(
            "{}",
            json!({"run": run, "result": word, "view": format!("opsroom run {run}")})
        ),
    }
}
