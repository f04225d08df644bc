//! Percentiles from the rollups' histograms: sparse, one element a bucket that holds anything
//! (bucket * 2^40 + number), a bucket a quarter of an octave of milliseconds. A percentile is the
//! bucket's geometric middle, at most 9 % from the truth.

use chrono::TimeDelta;
use std::collections::BTreeMap;

/// The half and the slow end of many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles {
    /// How many times there were.
    pub samples: u64,
    /// Half of them took no longer.
    pub p50: TimeDelta,
    /// 95 of 100 took no longer.
    pub p95: TimeDelta,
}

/// Numbers by bucket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Histogram(BTreeMap<i64, u64>);

impl Histogram {
    /// Adds a stored histogram.
    pub(crate) fn add(&mut self, stored: Option<&[i64]>) {
        for element in stored.unwrap_or_default() {
            let n = (element & 0xff_ffff_ffff).unsigned_abs();
            *self.0.entry(element >> 40).or_default() += n;
        }
    }

    /// `None` where it is empty.
    pub(crate) fn percentiles(&self) -> Option<Percentiles> {
        let samples = self.0.values().sum();
        Some(Percentiles {
            samples,
            p50: self.at(samples, 0.5)?,
            p95: self.at(samples, 0.95)?,
        })
    }

    fn at(&self, samples: u64, share: f64) -> Option<TimeDelta> {
        let rank = (samples as f64 * share).ceil().max(1.0) as u64;
        let mut below = 0;
        let found = self.0.iter().find(|(_, n)| {
            below += **n;
            below >= rank
        });
        let (bucket, _) = found?;
        let ms = ((*bucket as f64 + 0.5) / 4.0).exp2();
        Some(TimeDelta::milliseconds(ms.round() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_nine_percent() {
        let mut histogram = Histogram::default();
        let bucket = |ms: f64| (4.0 * ms.log2()).floor() as i64;
        for ms in 1..=1000 {
            histogram.add(Some(&[(bucket(f64::from(ms) * 60.0) << 40) + 1]));
        }
        let found = histogram.percentiles().unwrap();
        for (found, truth) in [(found.p50, 30_000.0), (found.p95, 57_000.0)] {
            let ratio = found.num_milliseconds() as f64 / truth;
            assert!((0.91..1.10).contains(&ratio), "{ratio}");
        }
        assert_eq!(found.samples, 1000);
        assert_eq!(Histogram::default().percentiles(), None);
    }
}
