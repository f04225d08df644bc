//! Rows that are asked for as a whole, and why there may be none.

/// What is known of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The rows of the last answer.
    pub rows: Vec<T>,
    /// How the last question ended.
    pub standing: Standing,
}

/// How the last question ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It has not yet.
    Loading,
    /// With rows, or none.
    Answered,
    /// It can be told only once what is counted has caught up.
    Behind,
    /// With an error that is about this question, not about the connection. The rows are of before.
    Failed(Trouble),
}

/// Why a question could not be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What happened.
    pub what: String,
    /// What a person can do.
    pub remedy: String,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            standing: Standing::Loading,
        }
    }
}

impl<T> Listing<T> {
    /// Takes an answer.
    pub fn take(&mut self, rows: Vec<T>) {
        self.rows = rows;
        self.standing = Standing::Answered;
    }

    /// Takes an error.
    pub fn fail(&mut self, trouble: Trouble) {
        self.standing = Standing::Failed(trouble);
    }
}
