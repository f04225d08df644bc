//! The filter: what is on, what is being typed, and what could be typed next.

use super::Way;
use opsroom_model::Bucket;
use opsroom_model::query::complete::Offer;
use opsroom_model::query::{
    Completion, Condition, Field, Is, Query, QueryError, Sign, Term, complete, parse,
};
use tui_input::{Input, InputRequest};

/// Characters a filter may have.
const MAX_TYPED: usize = 1000;
/// Offers at most.
const MAX_OFFERS: usize = 8;

/// The filter.
#[derive(Debug, Clone)]
pub struct Filter {
    query: Query,
    generation: u64,
    input: Option<Input>,
    error: Option<QueryError>,
    offers: Vec<Offer>,
    place: Option<Completion>,
    chosen: Option<usize>,
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
            offers: Vec::new(),
            place: None,
            chosen: None,
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

    /// What is wrong with it, but for what is being typed right now while there are ways to end it.
    #[must_use]
    pub fn error(&self) -> Option<&QueryError> {
        let from = self.place.as_ref().map_or(usize::MAX, |place| place.from);
        let typing = |error: &&QueryError| !self.offers.is_empty() && error.at >= from;
        self.error.as_ref().filter(|error| !typing(error))
    }

    /// How it could go on, the character all of it begins at, and which one is chosen.
    #[must_use]
    pub fn offers(&self) -> (&[Offer], usize, Option<usize>) {
        let from = self.place.as_ref().map_or(0, |place| place.from);
        (&self.offers, from, self.chosen)
    }

    /// Looks for ways to go on at the cursor; `live` says which values there are.
    pub fn offer(&mut self, live: &dyn Fn(&Field) -> Vec<String>) {
        self.chosen = None;
        self.offers.clear();
        self.place = None;
        let Some(input) = &self.input else {
            return;
        };
        let place = complete(input.value(), input.cursor());
        self.offers = place.offers(live, MAX_OFFERS);
        self.place = Some(place);
    }

    /// Moves to another offer, from the last to none at all.
    pub fn choose(&mut self, way: Way) {
        let last = self.offers.len().checked_sub(1);
        self.chosen = match (way, self.chosen) {
            (Way::Down, None) => last.map(|_| 0),
            (Way::Down, Some(at)) => (Some(at) < last).then_some(at + 1),
            (Way::Up, None) => last,
            (Way::Up, Some(at)) => at.checked_sub(1),
        };
    }

    /// Forgets the choice; false where there was none.
    pub fn unchoose(&mut self) -> bool {
        self.chosen.take().is_some()
    }

    /// True where an offer is chosen.
    #[must_use]
    pub fn has_choice(&self) -> bool {
        self.chosen.is_some()
    }

    /// Puts the chosen offer in, or the first; the cursor stands behind it.
    pub fn take_offer(&mut self) {
        let offer = self.offers.get(self.chosen.unwrap_or(0));
        let (Some(input), Some(place), Some(offer)) = (&self.input, &self.place, offer) else {
            return;
        };
        let chars: Vec<char> = input.value().chars().collect();
        let part = |range: &[char]| range.iter().collect::<String>();
        let before = part(&chars[..place.from.min(chars.len())]);
        let after = part(&chars[place.to.min(chars.len())..]);
        let text = format!("{before}{}{after}", offer.text);
        if text.chars().count() <= MAX_TYPED {
            let cursor = place.from + offer.text.chars().count();
            self.input = Some(Input::new(text).with_cursor(cursor));
            self.error = self
                .input
                .as_ref()
                .and_then(|input| parse(input.value()).err());
        }
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
        self.offers.clear();
        self.place = None;
        self.chosen = None;
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
        let failures = Condition::Is(vec![Is::In(Bucket::Failed), Is::In(Bucket::Partial)]);
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
