//! Counters, gauges and histograms in Prometheus' text format, behind the `metrics` facade. Our own, since
//! the usual exporter brings second versions of `rand` and what it needs; names and label values are
//! operation types and words of the engine's, so nothing in them has to be escaped but what is here.

use metrics::{
    Counter, CounterFn as _, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, SharedString,
    Unit,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Upper bounds in seconds: from a fast claim to the longest timeout that is usual.
const BOUNDS: [f64; 11] = [
    0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0,
];

/// Counts; cheap to clone, all clones count together.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Store>>);

/// Name and labels as they are written, `{type="inventory.sync"}`.
type Series = (String, String);

#[derive(Default)]
struct Store {
    described: BTreeMap<String, String>,
    counters: BTreeMap<Series, Arc<AtomicU64>>,
    gauges: BTreeMap<Series, Arc<AtomicU64>>,
    histograms: BTreeMap<Series, Arc<Buckets>>,
}

#[derive(Default)]
struct Buckets {
    /// How many fell into each, not the ones below it; the last has no bound.
    counts: [AtomicU64; BOUNDS.len() + 1],
    /// The bits of a float.
    sum: AtomicU64,
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        let place = BOUNDS.partition_point(|bound| *bound < value);
        self.counts[place].increment(1);
        GaugeAtom(&self.sum).add(value);
    }
}

/// A float in an atomic integer, as gauges are.
struct GaugeAtom<'a>(&'a AtomicU64);

impl GaugeAtom<'_> {
    fn add(&self, value: f64) {
        metrics::GaugeFn::increment(self.0, value);
    }

    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

impl Recorder {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self, name: &KeyName, description: &SharedString) {
        let name = name.as_str().to_owned();
        self.store().described.insert(name, description.to_string());
    }

    /// Everything, sorted by name.
    pub(crate) fn render(&self) -> String {
        let store = self.store();
        let mut text = String::new();
        let mut head = Head::default();
        for ((name, labels), count) in &store.counters {
            head.write(&mut text, &store, name, "counter");
            line(&mut text, name, labels, count.load(Ordering::Relaxed));
        }
        for ((name, labels), value) in &store.gauges {
            head.write(&mut text, &store, name, "gauge");
            line(&mut text, name, labels, GaugeAtom(value).get());
        }
        for ((name, labels), buckets) in &store.histograms {
            head.write(&mut text, &store, name, "histogram");
            let mut below = 0;
            for (place, count) in buckets.counts.iter().enumerate() {
                below += count.load(Ordering::Relaxed);
                let bound = BOUNDS
                    .get(place)
                    .map_or("+Inf".to_owned(), ToString::to_string);
                let labels = with(labels, &format!("le=\"{bound}\""));
                line(&mut text, &format!("{name}_bucket"), &labels, below);
            }
            line(
                &mut text,
                &format!("{name}_sum"),
                labels,
                GaugeAtom(&buckets.sum).get(),
            );
            line(&mut text, &format!("{name}_count"), labels, below);
        }
        text
    }
}

/// HELP and TYPE come once, before the first series of a name.
#[derive(Default)]
struct Head(String);

impl Head {
    fn write(&mut self, text: &mut String, store: &Store, name: &str, kind: &str) {
        if self.0 == name {
            return;
        }
        name.clone_into(&mut self.0);
        if let Some(description) = store.described.get(name) {
            // Writing to a String cannot fail, here and below.
            let _ = writeln!(text, "# HELP {name} {}", description.replace('\n', " "));
        }
        let _ = writeln!(text, "# TYPE {name} {kind}");
    }
}

fn line(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = writeln!(text, "{name}{labels} {value}");
}

fn with(labels: &str, more: &str) -> String {
    match labels.strip_suffix('}') {
        Some(labels) => format!("{labels},{more}}}"),
        None => format!("{{{more}}}"),
    }
}

fn series(key: &Key) -> Series {
    let labels: Vec<String> = key
        .labels()
        .map(|label| {
            let value = label
                .value()
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            format!("{}=\"{value}\"", label.key())
        })
        .collect();
    let labels = if labels.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", labels.join(","))
    };
    (key.name().to_owned(), labels)
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&name, &description);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&name, &description);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&name, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(
            self.store().counters.entry(series(key)).or_default(),
        ))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::clone(
            self.store().gauges.entry(series(key)).or_default(),
        ))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::clone(
            self.store().histograms.entry(series(key)).or_default(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_written_as_prometheus_reads_it() {
        let recorder = Recorder::default();
        metrics::with_local_recorder(&recorder, || {
            metrics::describe_counter!("a_total", "What a is");
            metrics::counter!("a_total", "type" => "x.y").increment(2);
            metrics::counter!("a_total", "type" => "q\"\\").increment(1);
            metrics::gauge!("b").set(1.5);
            for seconds in [0.001, 0.3, 9999.0] {
                metrics::histogram!("c_seconds", "type" => "x.y").record(seconds);
            }
        });
        let text = recorder.render();
        let start = "# HELP a_total What a is\n# TYPE a_total counter\na_total{type=\"q\\\"\\\\\"} 1\na_total{type=\"x.y\"} 2\n# TYPE b gauge\nb 1.5\n# TYPE c_seconds histogram\nc_seconds_bucket{type=\"x.y\",le=\"0.005\"} 1\n";
        assert!(text.starts_with(start), "{text}");
        for line in [
            "c_seconds_bucket{type=\"x.y\",le=\"0.5\"} 2",
            "c_seconds_bucket{type=\"x.y\",le=\"7200\"} 2",
            "c_seconds_bucket{type=\"x.y\",le=\"+Inf\"} 3",
            "c_seconds_sum{type=\"x.y\"} 9999.301",
            "c_seconds_count{type=\"x.y\"} 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }
}
