//! One run after the other, oldest first, as lines for COPY. The same seed gives the same history.

use crate::Plan;
use crate::kinds::{self, Executed, Kind, StartedBy};
use crate::tenants::{Person, Tenant};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use opsroom_model::{Outcome, TenantId, catalogue, run_identity_hash};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::f64::consts::TAU;
use std::fmt::Write as _;

pub(crate) const COPY: &str = "copy opsroom.operation_runs (tenant_id, user_id, initiator_name, type, status, outcome,
    run_identity_hash, summary_counts, failure_summary, context, created_at, started_at, completed_at, updated_at,
    available_at, claim_no, attempt, max_attempts, duration_bucket) from stdin";

/// Lines for one COPY.
pub(crate) struct Rows {
    pub(crate) text: String,
    pub(crate) count: u64,
}

pub(crate) struct History {
    random: fastrand::Rng,
    tenants: Vec<Tenant>,
    /// Cumulated weights of the tenants, up to 1.
    shares: Vec<f64>,
    people: Vec<Person>,
    /// Attempts of the types that are registered.
    attempts: HashMap<String, i32>,
    identities: HashMap<(i64, usize), String>,
    begins: DateTime<Utc>,
    days: f64,
    runs: u64,
    next: u64,
}

impl History {
    pub(crate) fn new(
        tenants: Vec<Tenant>,
        people: Vec<Person>,
        attempts: HashMap<String, i32>,
        plan: &Plan,
    ) -> Self {
        let (runs, days) = (plan.runs, plan.days);
        Self {
            random: fastrand::Rng::with_seed(runs),
            shares: shares(tenants.len()),
            tenants,
            people,
            attempts,
            identities: HashMap::new(),
            // Ends a little before now: what is going on now is real.
            begins: Utc::now() - TimeDelta::days(i64::from(days)) - TimeDelta::minutes(15),
            days: f64::from(days),
            runs,
            next: 0,
        }
    }

    pub(crate) const fn runs(&self) -> u64 {
        self.runs
    }

    /// The next so many, fewer at the end; `None` after that.
    pub(crate) fn chunk(&mut self, count: u64) -> Option<Rows> {
        let count = count.min(self.runs - self.next);
        if count == 0 {
            return None;
        }
        let mut text = String::with_capacity(usize::try_from(count).unwrap_or(0) * 400);
        for _ in 0..count {
            self.line(&mut text);
        }
        Some(Rows { text, count })
    }

    fn line(&mut self, text: &mut String) {
        let created = self.time();
        let tenant = self.tenants[pick(&self.shares, self.random.f64())].id;
        let (index, kind) = self.kind();
        let outcome = self.outcome(kind);
        let by = self.initiator(kind);
        let waited = TimeDelta::milliseconds((self.skewed() * 1800.0) as i64);
        let took = self.duration(kind, outcome);
        let started = created + waited;
        let completed = (started + took).min(Utc::now());
        let counts = self.counts(kind, outcome);
        let failures = self.failures(kind, outcome, counts.as_ref());
        let hash = self.identity(tenant, index, kind);
        let context = context(kind, self.next);
        let (user, name) = by.map_or_else(
            || ("\\N".to_owned(), "System".to_owned()),
            |person| {
                (
                    self.people[person].id.to_string(),
                    self.people[person].name.clone(),
                )
            },
        );
        let ours = kind.executed == Executed::Here;
        let available = if ours {
            stamp(created)
        } else {
            "\\N".to_owned()
        };
        let claims = u8::from(ours);
        let registered = self.attempts.get(kind.run_type).filter(|_| ours);
        let attempts = registered.copied().unwrap_or(1);
        let bucket = duration_bucket(completed - started);
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "{tenant}\t{user}\t{name}\t{}\tcompleted\t{outcome}\t{hash}\t{}\t{}\t{context}\t{}\t{}\t{}\t{}\t{available}\t{claims}\t{claims}\t{attempts}\t{bucket}",
            kind.run_type,
            counts.map_or_else(|| "\\N".to_owned(), |counts| counts.to_string()),
            failures.map_or_else(|| "\\N".to_owned(), |failures| failures.to_string()),
            stamp(created),
            stamp(started),
            stamp(completed),
            stamp(completed),
        );
        self.next += 1;
    }

    /// Evenly on, but busier by day than by night.
    fn time(&mut self) -> DateTime<Utc> {
        let day = (self.next as f64 + self.random.f64()) / self.runs as f64 * self.days;
        let warped = (day + 0.1 * (TAU * day).sin()).clamp(0.0, self.days);
        self.begins + TimeDelta::milliseconds((warped * 86_400_000.0) as i64)
    }

    fn kind(&mut self) -> (usize, &'static Kind) {
        kinds::at(self.random.u32(..1000))
    }

    /// About 8 % failed and 5 % partial; what counts no items cannot be partial.
    fn outcome(&mut self, kind: &Kind) -> Outcome {
        match self.random.u32(..1000) {
            0..80 => Outcome::Failed,
            80..132 if kind.items > 1 => Outcome::PartiallySucceeded,
            _ => Outcome::Succeeded,
        }
    }

    fn initiator(&mut self, kind: &Kind) -> Option<usize> {
        let person = match kind.started_by {
            StartedBy::People => true,
            StartedBy::System => false,
            StartedBy::Either => self.random.bool(),
        };
        (person && !self.people.is_empty()).then(|| self.random.usize(..self.people.len()))
    }

    /// Mostly near 1, rarely many times that: the shape of durations.
    fn skewed(&mut self) -> f64 {
        let normal: f64 = (0..6).map(|_| self.random.f64()).sum::<f64>() - 3.0;
        (normal * 0.9).exp()
    }

    fn duration(&mut self, kind: &Kind, outcome: Outcome) -> TimeDelta {
        let share = if outcome == Outcome::Failed { 0.3 } else { 1.0 };
        TimeDelta::milliseconds((kind.median_s * share * self.skewed() * 1000.0) as i64)
    }

    fn counts(&mut self, kind: &Kind, outcome: Outcome) -> Option<Value> {
        if kind.items == 0 {
            return None;
        }
        let total = ((kind.items as f64 * self.skewed()) as u64).max(2);
        let failed = match outcome {
            Outcome::PartiallySucceeded => self.random.u64(1..=(total / 8).max(1)),
            Outcome::Failed => self.random.u64(1..=3).min(total),
            _ => 0,
        };
        let skipped = if outcome == Outcome::Failed {
            0
        } else {
            self.random.u64(0..=total / 10).min(total - failed - 1)
        };
        let success = if outcome == Outcome::Failed {
            0
        } else {
            total - failed - skipped
        };
        Some(json!({"total": total, "success": success, "failed": failed, "skipped": skipped}))
    }

    fn failures(&mut self, kind: &Kind, outcome: Outcome, counts: Option<&Value>) -> Option<Value> {
        if outcome == Outcome::Succeeded {
            return None;
        }
        let failed = counts
            .and_then(|counts| counts["failed"].as_u64())
            .unwrap_or(1);
        let codes = if outcome == Outcome::Failed {
            kind.wrong.run
        } else {
            kind.wrong.item
        };
        let first = codes[self.random.usize(..codes.len())];
        let second = codes[self.random.usize(..codes.len())];
        let entry = |code: &str, count: u64| {
            let message =
                catalogue::entry(code).map_or("Reported by the application", |entry| entry.message);
            json!({"code": code, "message": message, "count": count})
        };
        if failed > 3 && second != first {
            let rest = failed / 3;
            return Some(json!([entry(first, failed - rest), entry(second, rest)]));
        }
        Some(json!([entry(first, failed)]))
    }

    /// Deduplicated types keep one identity a tenant; the others have one a run.
    fn identity(&mut self, tenant: i64, index: usize, kind: &Kind) -> String {
        if kind.started_by == StartedBy::People || kind.run_type.starts_with("backup_schedule") {
            return format!(
                "{:064x}",
                (u128::from(self.next) << 64) | u128::from(self.random.u64(..))
            );
        }
        self.identities
            .entry((tenant, index))
            .or_insert_with(|| identity(tenant, kind).unwrap_or_default())
            .clone()
    }
}

/// What a full run of the tenant is known by.
pub(crate) fn identity(tenant: i64, kind: &Kind) -> Option<String> {
    let run_type = kind.run_type.parse().ok()?;
    let inputs = json!({"scope": "full"});
    Some(run_identity_hash(TenantId(tenant), &run_type, &inputs))
}

/// Cumulated shares of the tenants, up to 1, by Zipf's law.
pub(crate) fn shares(tenants: usize) -> Vec<f64> {
    let weights = (1..=tenants).map(|rank| 1.0 / (rank as f64).powf(1.05));
    let total: f64 = weights.clone().sum();
    let cumulated = weights.scan(0.0, |sum, weight| {
        *sum += weight / total;
        Some(*sum)
    });
    cumulated.collect()
}

/// Which of them has the place `at`, from 0 to 1.
pub(crate) fn pick(shares: &[f64], at: f64) -> usize {
    shares
        .partition_point(|share| *share < at)
        .min(shares.len().saturating_sub(1))
}

/// As the database computes it from the two moments: `floor(log2(milliseconds))`.
fn duration_bucket(took: TimeDelta) -> i32 {
    let seconds = took.num_microseconds().unwrap_or(i64::MAX) as f64 / 1e6;
    (((seconds * 1000.0).max(1.0).ln() / 2f64.ln()).floor() as i32).min(60)
}

pub(crate) fn context(kind: &Kind, number: u64) -> Value {
    match kind.run_type {
        "restore.execute" => {
            json!({"restore_run_id": number % 5000, "selection": ["settings_catalog", "device_compliance"]})
        }
        "backup_set.add_policies" => json!({"backup_set_id": number % 900}),
        name if name.starts_with("backup_schedule") => {
            json!({"schedule_id": number % 400, "policies": "all"})
        }
        _ => json!({"input": {"scope": "full"}}),
    }
}

pub(crate) fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
