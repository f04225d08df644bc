//! The filter: what is on, and what is being typed.

use opsroom_model::Bucket;
use opsroom_model::query::{Condition, Query, QueryError, Sign, Term, parse};
use tui_input::{Input, InputRequest};

/// Characters a filter may have.
const MAX_TYPED: usize = 1000;

/// The filter.
#[derive(Debug, Clone)]
pub struct Filter {
    query: Query,
    generation: u64,
    input: Option<Input>,
    error: Option<QueryError>,
}

impl Filter {
    /// A filter that is on.
    #[must_use]
    pub fn new(query: Query) -> Self {
        Self {
            query,
            generation: 1,
            input: None,
            error: None,
        }
    }

    /// What is on.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Rises with every change.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The text being typed.
    #[must_use]
    pub fn input(&self) -> Option<&Input> {
        self.input.as_ref()
    }

    /// What is wrong with it.
    #[must_use]
    pub fn error(&self) -> Option<&QueryError> {
        self.error.as_ref()
    }

    /// True while it is being typed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.input.is_some()
    }

    /// True where it has something to show.
    #[must_use]
    pub fn has_row(&self) -> bool {
        self.is_open() || !self.query.is_empty()
    }

    /// Begins typing, at the end of what is on.
    pub fn open(&mut self) {
        let mut text = self.query.to_string();
        if !text.is_empty() {
            text.push(' ');
        }
        self.input = Some(Input::new(text));
        self.error = None;
    }

    /// Stops typing; what was on stays on.
    pub fn close(&mut self) {
        self.input = None;
        self.error = None;
    }

    /// Edits what is being typed.
    pub fn edit(&mut self, request: InputRequest) {
        let Some(input) = &mut self.input else {
            return;
        };
        let adds = matches!(request, InputRequest::InsertChar(_));
        if adds && input.value().chars().count() >= MAX_TYPED {
            return;
        }
        input.handle(request);
        self.error = parse(input.value()).err();
    }

    /// Puts pasted text in, as one line.
    pub fn paste(&mut self, text: &str) {
        for c in text.chars().take(MAX_TYPED) {
            let c = if c.is_control() { ' ' } else { c };
            self.edit(InputRequest::InsertChar(c));
        }
    }

    /// What was typed, where it can be understood; otherwise it stays open with the error shown.
    pub fn accept(&mut self) -> Option<Query> {
        let typed = parse(self.input.as_ref()?.value());
        match typed {
            Ok(query) => {
                self.close();
                Some(query)
            }
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }

    /// Puts another filter on.
    pub fn set(&mut self, query: Query) {
        if query != self.query {
            self.query = query;
            self.generation += 1;
        }
    }

    /// What is on, with `is:failed,partial` added, or dropped where it was there.
    #[must_use]
    pub fn with_failures_toggled(&self) -> Query {
        let failures = Condition::Is(vec![Bucket::Failed, Bucket::Partial]);
        let is_it = |term: &Term| term.sign == Sign::Plus && term.condition == failures;
        let mut query = self.query.clone();
        if query.terms.iter().any(is_it) {
            query.terms.retain(|term| !is_it(term));
        } else {
            query.terms.push(Term::plus(failures));
        }
        query
    }
}
