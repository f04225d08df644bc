//! The program that executes invoices: `DATABASE_URL=postgres://login@host/db invoices-worker`. It ends
//! on Ctrl-C, after the jobs under way.

use invoices::{Post, PostClosed, registry};
use opsroom_engine::{Hosts, Worker, WorkerOptions};
use sqlx::postgres::PgPoolOptions;
use std::error::Error;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Prints instead of sending.
struct Printer;

impl Post for Printer {
    fn send(&self, invoice: i64, cents: i64) -> Result<(), PostClosed> {
        println!("invoice {invoice}: {cents} cents");
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hosts = Hosts::parse(&std::env::var("DATABASE_URL")?)?;
    let pool = hosts.pool(PgPoolOptions::new().max_connections(12));
    let worker = Worker::new(pool, registry(Arc::new(Printer))?, WorkerOptions::default());
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.cancel();
        }
    });
    Ok(worker.following(hosts).work(stop).await?)
}
