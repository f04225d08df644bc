//! Figures against bounds, and the line they make.

use std::fmt;
use std::time::Duration;

/// How much is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Seconds: what `cargo test` does each time.
    Brief,
    /// As many rounds as the claim speaks of.
    Full,
}

impl Extent {
    /// The number that goes with it.
    #[must_use]
    pub const fn of(self, brief: u32, full: u32) -> u32 {
        match self {
            Self::Brief => brief,
            Self::Full => full,
        }
    }

    /// Says on standard error that round `round` of `all` begins, counted from 0: all of them take minutes. Silent when
    /// brief. `what` is what is done in it.
    pub fn begins(self, what: &str, round: u32, all: u32) {
        if self == Self::Full {
            eprintln!("      {what}: {} of {all}", round + 1);
        }
    }
}

/// One measured figure.
#[derive(Debug, Clone)]
struct Figure {
    text: String,
    holds: bool,
}

/// What was done and what it cost.
#[derive(Debug, Clone)]
pub struct Verdict {
    done: String,
    figures: Vec<Figure>,
}

impl Verdict {
    /// After `done`, without a figure yet.
    #[must_use]
    pub fn after(done: impl Into<String>) -> Self {
        Self {
            done: done.into(),
            figures: Vec::new(),
        }
    }

    /// A number that must be exactly `bound`.
    #[must_use]
    pub fn exactly(mut self, name: &str, value: i64, bound: i64) -> Self {
        let holds = value == bound;
        let text = if holds {
            format!("{name} {value}")
        } else {
            format!("{name} {value}, not {bound}")
        };
        self.figures.push(Figure { text, holds });
        self
    }

    /// A number that must be at least `bound`.
    #[must_use]
    pub fn at_least(mut self, name: &str, value: i64, bound: i64) -> Self {
        let text = format!("{name} {value} (≥ {bound})");
        let holds = value >= bound;
        self.figures.push(Figure { text, holds });
        self
    }

    /// A number that must be at most `bound`.
    #[must_use]
    pub fn at_most(mut self, name: &str, value: f64, bound: f64, unit: &str) -> Self {
        let text = format!("{name} {value:.2} {unit} (≤ {bound:.2})");
        let holds = value <= bound;
        self.figures.push(Figure { text, holds });
        self
    }

    /// A time that must be at most `bound`.
    #[must_use]
    pub fn within(self, name: &str, value: Duration, bound: Duration) -> Self {
        self.at_most(name, value.as_secs_f64(), bound.as_secs_f64(), "s")
    }

    /// Something to know that has no bound.
    #[must_use]
    pub fn noting(mut self, text: impl Into<String>) -> Self {
        self.figures.push(Figure {
            text: text.into(),
            holds: true,
        });
        self
    }

    /// Whether every figure holds.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.figures.iter().all(|figure| figure.holds)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.done)?;
        for (place, figure) in self.figures.iter().enumerate() {
            let separator = if place == 0 { "" } else { " · " };
            let mark = if figure.holds { "" } else { "✗ " };
            write!(f, "{separator}{mark}{}", figure.text)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_figure_out_of_bounds_fails_the_line_and_is_marked() {
        let good = Verdict::after("3 kills").exactly("lost", 0, 0).within(
            "slowest",
            Duration::from_secs(1),
            Duration::from_secs(2),
        );
        assert!(good.passes());
        assert_eq!(
            good.to_string(),
            "3 kills: lost 0 · slowest 1.00 s (≤ 2.00)"
        );
        let bad = good.at_least("refused", 9, 10);
        assert!(!bad.passes());
        assert!(bad.to_string().ends_with("✗ refused 9 (≥ 10)"), "{bad}");
    }
}
