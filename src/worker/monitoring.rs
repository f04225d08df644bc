//! `--metrics`: what this worker counts in Prometheus' text format, and whether it lives and is ready.
//! On the loopback, unless whoever starts it says that others may look.

mod recorder;

use crate::cli::Monitoring;
use crate::failure::{Failure, USAGE};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use opsroom_engine::worker::{Fitness, Vitals, backlog, meters};
use recorder::Recorder;
use sqlx::PgPool;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// The queue is looked at this often at most, and only while somebody asks.
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
const QUEUE_DEPTH: &str = "opsroom_queue_depth";
const QUEUE_OLDEST: &str = "opsroom_queue_oldest_seconds";

/// A socket that listens and a recorder that counts; [`serve`](Self::serve) answers.
pub(crate) struct Monitor {
    listener: TcpListener,
    recorder: Recorder,
}

struct Served {
    recorder: Recorder,
    vitals: Vitals,
    pool: PgPool,
    sample: Mutex<Sample>,
}

/// What is known of the queue.
struct Sample {
    at: Option<Instant>,
    types: BTreeSet<String>,
}

impl Monitor {
    /// Listens, where that was asked for. From now on everything is counted.
    pub(crate) async fn start(args: &Monitoring) -> Result<Option<Self>, Failure> {
        let Some(address) = args.metrics else {
            return Ok(None);
        };
        if !address.ip().is_loopback() && !args.metrics_public {
            return Err(Failure::new(format!("{address} can be reached by others"))
                .remedy("use an address of the loopback such as 127.0.0.1:9464, or add --metrics-public")
                .code(USAGE));
        }
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| Failure::new(format!("cannot listen on {address}: {error}")))?;
        let recorder = Recorder::default();
        metrics::set_global_recorder(recorder.clone())
            .map_err(|_| Failure::new("this process counts metrics already"))?;
        meters::describe();
        metrics::describe_gauge!(
            QUEUE_DEPTH,
            "Runs that could be claimed now, by type; 100000 in all means at least"
        );
        metrics::describe_gauge!(
            QUEUE_OLDEST,
            metrics::Unit::Seconds,
            "Age of the oldest run that was never claimed and could be"
        );
        Ok(Some(Self { listener, recorder }))
    }

    /// Answers until what this returns is dropped.
    pub(crate) fn serve(
        self,
        vitals: Vitals,
        pool: PgPool,
        types: Vec<String>,
    ) -> AbortOnDropHandle<()> {
        meters::begin(&types);
        metrics::gauge!(QUEUE_OLDEST).set(0.0);
        for run_type in &types {
            metrics::gauge!(QUEUE_DEPTH, "type" => run_type.clone()).set(0.0);
        }
        if let Ok(address) = self.listener.local_addr() {
            tracing::info!(%address, "metrics, health and ready are served");
        }
        let served = Arc::new(Served {
            recorder: self.recorder,
            vitals,
            pool,
            sample: Mutex::new(Sample {
                at: None,
                types: types.into_iter().collect(),
            }),
        });
        let router = Router::new()
            .route("/metrics", get(render))
            .route("/health", get(|| async { "alive\n" }))
            .route("/ready", get(ready))
            .with_state(served);
        AbortOnDropHandle::new(tokio::spawn(async move {
            if let Err(error) = axum::serve(self.listener, router).await {
                tracing::error!(%error, "metrics are served no more");
            }
        }))
    }
}

async fn ready(State(served): State<Arc<Served>>) -> impl IntoResponse {
    let fitness = served.vitals.fitness();
    let status = if fitness == Fitness::Ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, format!("{}\n", fitness.as_str()))
}

async fn render(State(served): State<Arc<Served>>) -> impl IntoResponse {
    served.look_at_queue().await;
    let format = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, format)], served.recorder.render())
}

impl Served {
    /// Where the database is away the last figures stay; `opsroom_database_up` tells that they are old.
    async fn look_at_queue(&self) {
        let mut sample = self.sample.lock().await;
        if sample.at.is_some_and(|at| at.elapsed() < SAMPLE_EVERY) {
            return;
        }
        sample.at = Some(Instant::now());
        let looked = match backlog(&self.pool).await {
            Ok(looked) => looked,
            Err(error) => return tracing::debug!(%error, "the queue is not looked at"),
        };
        metrics::gauge!(QUEUE_OLDEST).set(looked.oldest_seconds);
        for run_type in &sample.types {
            metrics::gauge!(QUEUE_DEPTH, "type" => run_type.clone()).set(0.0);
        }
        for (run_type, depth) in looked.depths {
            metrics::gauge!(QUEUE_DEPTH, "type" => run_type.clone()).set(depth as f64);
            // Types are names of operations, few and known; a type that is no longer queued goes to zero.
            sample.types.insert(run_type);
        }
    }
}
