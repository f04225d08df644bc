//! Reading a collection page by page along `@odata.nextLink`, without ever leaving the contract.

use std::collections::HashSet;

use serde_json::Value;
use url::Url;

use crate::client::GraphClient;
use crate::contract::Contract;
use crate::error::{GraphError, Malformation};
use crate::retry::Deadline;

const LONGEST_LINK: usize = 8 * 1024;

/// A listing under way.
#[derive(Debug)]
pub struct Pages {
    client: GraphClient,
    contract: &'static Contract,
    first: Url,
    next: Option<Url>,
    seen: HashSet<Url>,
    read: u32,
    deadline: Option<Deadline>,
}

/// One page of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Counted from 1.
    pub number: u32,
    /// The entities, as they came. A page may be empty and not be the last.
    pub entities: Vec<Value>,
}

impl Pages {
    pub(crate) fn new(client: GraphClient, contract: &'static Contract) -> Self {
        let first = contract.url(client.config(), None);
        let (next, seen) = (Some(first.clone()), HashSet::from([first.clone()]));
        Self {
            client,
            contract,
            first,
            next,
            seen,
            read: 0,
            deadline: None,
        }
    }

    /// The next page, `None` after the last. Each page has the client's `call_deadline`, all
    /// together its `listing_deadline`, which starts with the first call. After an error, and when
    /// the future is dropped, the position is unchanged: the same page may be asked for again.
    ///
    /// # Errors
    /// Every code of [`GraphError`]. A next link to another origin or collection is
    /// [`GraphError::EndpointNotAllowed`], and nothing is sent there; one that leads back, or more
    /// than `max_pages`, is [`GraphError::MalformedResponse`].
    pub async fn next_page(&mut self) -> Result<Option<Page>, GraphError> {
        let Some(url) = &self.next else {
            return Ok(None);
        };
        let limits = &self.client.config().limits;
        if self.read >= limits.max_pages {
            return Err(GraphError::malformed(Malformation::TooManyPages));
        }
        let listing = *self
            .deadline
            .get_or_insert(Deadline::after(limits.listing_deadline));
        let deadline = Deadline::after(limits.call_deadline).earlier(listing);
        let mut answer = self.client.call(self.contract, url, deadline).await?;
        let next = match answer.get("@odata.nextLink") {
            None | Some(Value::Null) => None,
            Some(link) => Some(self.follow(link)?),
        };
        let Some(Value::Array(entities)) = answer.get_mut("value").map(Value::take) else {
            return Err(GraphError::malformed(Malformation::MissingField));
        };
        self.read += 1;
        self.seen.extend(next.clone());
        self.next = next;
        Ok(Some(Page {
            number: self.read,
            entities,
        }))
    }

    /// The address behind a next link, if it is another page of this very collection.
    fn follow(&self, link: &Value) -> Result<Url, GraphError> {
        let link = link.as_str().filter(|link| link.len() <= LONGEST_LINK);
        let link = link.ok_or(GraphError::malformed(Malformation::MissingField))?;
        let url = Url::parse(link).map_err(|_| GraphError::EndpointNotAllowed)?;
        let ours = url.origin() == self.first.origin()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path().eq_ignore_ascii_case(self.first.path());
        if !ours {
            return Err(GraphError::EndpointNotAllowed);
        }
        if self.seen.contains(&url) {
            return Err(GraphError::malformed(Malformation::PageLoop));
        }
        Ok(url)
    }
}
