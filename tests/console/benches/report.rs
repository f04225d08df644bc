//! The table a bench prints: figure by figure, each beside its bound where it has one.

use std::process::ExitCode;
use std::time::Duration;

/// Figures so far.
pub(crate) struct Report {
    over: usize,
}

impl Report {
    /// Prints the head of the table.
    pub(crate) fn begin() -> Self {
        println!("{:<56} {:>10} {:>10}  unit", "figure", "measured", "bound");
        Self { over: 0 }
    }

    /// A figure that has to be at most `bound`.
    pub(crate) fn bounded(&mut self, name: &str, figure: f64, bound: f64, unit: &str) {
        let over = figure > bound;
        self.over += usize::from(over);
        let mark = if over { "  OVER" } else { "" };
        println!("{name:<56} {figure:>10.3} {bound:>10.3}  {unit}{mark}");
    }

    /// A figure beside it.
    pub(crate) fn figure(&mut self, name: &str, figure: f64, unit: &str) {
        println!("{name:<56} {figure:>10.3} {:>10}  {unit}", "");
    }

    /// Success where nothing was over its bound.
    pub(crate) fn end(self) -> ExitCode {
        match self.over {
            0 => ExitCode::SUCCESS,
            over => {
                println!("{over} over their bounds");
                ExitCode::FAILURE
            }
        }
    }
}

/// The share `part` of a hundred of sorted `times`, in milliseconds.
pub(crate) fn percentile(times: &mut [Duration], part: usize) -> f64 {
    times.sort_unstable();
    milliseconds(times[(times.len() * part / 100).min(times.len() - 1)])
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
