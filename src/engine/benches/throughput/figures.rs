//! What was measured, beside what it may be. Each line is printed as it comes.

use std::time::Duration;

#[derive(Default)]
pub(crate) struct Figures {
    broken: usize,
}

impl Figures {
    /// A figure without a bound of its own.
    pub(crate) fn tell(&mut self, what: &str, figure: &str) {
        println!("         {what:<58} {figure}");
    }

    pub(crate) fn at_most(&mut self, what: &str, figure: f64, bound: f64, unit: &str) {
        self.judge(what, figure, bound, unit, figure <= bound, "<=");
    }

    pub(crate) fn at_least(&mut self, what: &str, figure: f64, bound: f64, unit: &str) {
        self.judge(what, figure, bound, unit, figure >= bound, ">=");
    }

    fn judge(&mut self, what: &str, figure: f64, bound: f64, unit: &str, kept: bool, sign: &str) {
        let verdict = if kept { "kept" } else { "BROKEN" };
        self.broken += usize::from(!kept);
        println!("{verdict:<8} {what:<58} {figure:.2} {unit} ({sign} {bound} {unit})");
    }

    pub(crate) fn all_kept(&self) -> bool {
        self.broken == 0
    }
}

/// The value that a share of all is not above, in milliseconds.
pub(crate) fn quantile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a short list"
    )]
    let at = ((times.len() - 1) as f64 * share).round() as usize;
    times[at].as_secs_f64() * 1000.0
}
