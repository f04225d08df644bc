//! `opsroom runs`: rows, newest first, page by page.

use super::rows::{self, Header, JSON_VERSION};
use super::{document, print, query};
use crate::cli::Form;
use crate::exit::{Code, Failure};
use opsroom_read::list::MAX_PAGE;
use opsroom_read::{PageRequest, ReadOptions, Reader};
use serde_json::json;
use std::io::Write as _;

/// The highest limit.
pub const MOST: u32 = 1_000_000;

/// Prints up to `limit` runs that fit `text`.
///
/// # Errors
/// Where the query cannot be understood or the database does not answer.
pub async fn run(url: Option<&str>, text: &str, limit: u32, form: Form) -> Result<Code, Failure> {
    let query = query(text)?;
    let mut reader = Reader::connect(ReadOptions::new(url)?).await?;
    let mut left = limit;
    let mut request = PageRequest {
        query,
        limit: left.min(MAX_PAGE),
        before: None,
    };
    // A table is aligned over all its rows, and one JSON document holds all: these are kept.
    let whole = matches!(form, Form::Table | Form::Json);
    let (mut kept, mut header, mut as_of, mut more) = (Vec::new(), Header::Shown, None, false);
    let mut unjudged = false;
    while left > 0 {
        request.limit = left.min(MAX_PAGE);
        let page = reader.page(&request, &[]).await?;
        as_of.get_or_insert(page.as_of);
        left -= u32::try_from(page.rows.len()).unwrap_or(left).min(left);
        // An empty page may have more to come: where it looked, not what it found, says so.
        request.before = page.next();
        let last = request.before.is_none();
        // A page that stopped early and goes on nowhere: not every run that may be stuck was judged.
        unjudged = last && page.within_budget;
        more = page.more || unjudged;
        if whole {
            kept.extend(page.rows);
        } else {
            print(&rows::lines(&page.rows, form, header))?;
            header = Header::Left;
        }
        if last {
            break;
        }
    }
    if unjudged {
        let _ = writeln!(
            std::io::stderr(),
            "more runs may be stuck than are judged at once: narrow the query to be sure of all"
        );
    }
    match form {
        Form::Table => {
            print(&rows::lines(&kept, form, Header::Shown))?;
            if more && !unjudged && limit < MOST {
                let _ = writeln!(
                    std::io::stderr(),
                    "the newest {} are shown, and there are more: -L {} shows more of them",
                    kept.len(),
                    limit.saturating_mul(10).min(MOST)
                );
            }
        }
        Form::Json => {
            let runs: Vec<_> = kept.iter().map(|row| rows::object(row)).collect();
            let document = json!({
                "version": JSON_VERSION,
                "as_of": as_of.map(rows::iso),
                "more": more,
                "runs": runs,
            });
            print(&document::page(&document))?;
        }
        Form::Jsonl | Form::Csv => {}
    }
    Ok(Code::Ok)
}
