//! One question, one answer: each question of the console as calls of the reader.

use super::plan::Done;
use crate::app::history::ASKED;
use crate::app::{
    Ask, Compared, ComparisonWant, Data, DetailAnswer, DetailWant, HistoryAnswer, HistoryWant,
    Question, Reach, Sort, Success, Trouble, Vocabulary, With, WorkersAnswer,
};
use opsroom_model::query::parse;
use opsroom_model::{Bucket, RunId};
use opsroom_read::{Lookup, PageRequest, ReadError, Reader, RunDetail, list::MAX_PAGE};
use std::sync::Arc;

/// Asks `ask`. An error that is about this question alone is an answer, too.
///
/// # Errors
/// Where there is no connection any more.
pub(super) async fn perform(
    reader: &mut Reader,
    ask: &Ask,
    done: &Done,
) -> Result<Data, ReadError> {
    let generation = ask.generation;
    let answer = match &ask.question {
        Question::Page(request) => reader
            .page(request, done.rows(generation))
            .await
            .map(|page| Data::Page { generation, page }),
        Question::Older(request) => {
            let page = reader.page(request, &[]).await;
            page.map(|page| match request.before {
                Some(before) => Data::Older {
                    generation,
                    before,
                    page,
                },
                None => Data::Page { generation, page },
            })
        }
        Question::Sorted(request) => {
            let sort = Sort::By(request.by, request.direction);
            let page = reader.sorted(request).await;
            page.map(|page| Data::Sorted {
                generation,
                sort,
                page,
            })
        }
        Question::Sparkline(query) => reader
            .sparkline(query)
            .await
            .map(|points| Data::Sparkline { generation, points }),
        Question::Headline(query) => reader.headline(query).await.map(|headline| Data::Headline {
            generation,
            headline,
        }),
        Question::Reach => reader.directory().await.map(|directory| {
            Data::Reach(Reach {
                tenants: directory.tenants.len(),
                all: directory.sees_all,
                words: Arc::new(Vocabulary::of(directory)),
            })
        }),
        Question::Detail(want) => detail(reader, *want)
            .await
            .map(|answer| Data::Detail(Box::new(answer))),
        Question::Failures(query) => reader
            .failures(query)
            .await
            .map(|board| Data::Failures { generation, board }),
        Question::Health(by, query) => {
            let board = reader.health(*by, query).await;
            board.map(|board| Data::Health {
                by: *by,
                generation,
                board,
            })
        }
        Question::Schedules => reader.schedules().await.map(Data::Schedules),
        Question::Notifications => reader.notifications().await.map(Data::Notifications),
        Question::History(want) => history(reader, want)
            .await
            .map(|answer| Data::History(want.id, Box::new(answer))),
        Question::Workers => workers(reader).await.map(Data::Workers),
        Question::Watched(ids) => runs(reader, &named(ids), ids.len())
            .await
            .map(Data::Watched),
        Question::Comparison(want) => comparison(reader, *want)
            .await
            .map(|compared| Data::Comparison(*want, Box::new(compared))),
    };
    match answer {
        // Without its page the console shows nothing true: that is a lost connection.
        Err(error)
            if is_about_the_question(&error) && !matches!(ask.question, Question::Page(_)) =>
        {
            Ok(Data::Failed {
                topic: ask.question.topic(),
                trouble: Trouble {
                    what: error.to_string(),
                    remedy: error.remedy().to_owned(),
                },
            })
        }
        other => other,
    }
}

/// True where other questions may still be answered.
fn is_about_the_question(error: &ReadError) -> bool {
    matches!(
        error,
        ReadError::Deadline { .. } | ReadError::Query { .. } | ReadError::Malformed { .. }
    )
}

/// One run with its attempts and first items.
///
/// # Errors
/// As the reader's.
pub async fn detail(reader: &mut Reader, want: DetailWant) -> Result<DetailAnswer, ReadError> {
    let lookup = reader.run(want.id).await?;
    let mut answer = DetailAnswer {
        id: want.id,
        lookup,
        attempts: Vec::new(),
        items: opsroom_read::ItemPage::default(),
    };
    if matches!(answer.lookup, Lookup::Found(_)) {
        answer.attempts = reader.attempts(want.id).await?;
        answer.items = reader.items(want.id, "", want.items).await?;
    }
    Ok(answer)
}

/// The runs before one, the last success among them in full, and what else failed of late.
async fn history(reader: &mut Reader, want: &HistoryWant) -> Result<HistoryAnswer, ReadError> {
    let run_type = want.run_type.as_str();
    let mut answer = HistoryAnswer {
        history: reader
            .history(want.id, want.tenant, run_type, ASKED)
            .await?,
        ..HistoryAnswer::default()
    };
    if want.ended && want.failed {
        let runs = answer.history.same.iter().chain(&answer.history.kind);
        let success = runs
            .filter(|run| run.state.bucket() == Bucket::Succeeded && run.id != want.id)
            .filter(|run| run.created_at.is_some_and(|at| at <= want.created_at))
            .max_by_key(|run| run.created_at);
        if let Some(id) = success.map(|run| run.id)
            && let Lookup::Found(run) = reader.run(id).await?
        {
            answer.success = Some(Success {
                id,
                context: run.context,
            });
        }
    }
    if want.failed
        && let Ok(day) = parse("since:24h")
        && let Some(board) = reader.failures(&day).await?
    {
        answer.codes = board.codes;
    }
    Ok(answer)
}

async fn workers(reader: &mut Reader) -> Result<WorkersAnswer, ReadError> {
    let workers = reader.workers().await?;
    let running = runs(reader, "is:running", MAX_PAGE as usize).await?;
    Ok(WorkersAnswer { workers, running })
}

fn named(ids: &[RunId]) -> String {
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    format!("id:{}", ids.join(","))
}

/// The newest `count` runs that fit `query`, a query of our own.
async fn runs(
    reader: &mut Reader,
    query: &str,
    count: usize,
) -> Result<Vec<std::sync::Arc<opsroom_read::RunRow>>, ReadError> {
    // A query of our own that cannot be read would be a defect; nothing is found then.
    let Ok(query) = parse(query) else {
        return Ok(Vec::new());
    };
    let request = PageRequest {
        query,
        limit: u32::try_from(count).unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE),
        before: None,
    };
    Ok(reader.page(&request, &[]).await?.rows)
}

async fn comparison(reader: &mut Reader, want: ComparisonWant) -> Result<Compared, ReadError> {
    let this = match found(reader.run(want.run).await?, want.run) {
        Ok(run) => run,
        Err(compared) => return Ok(compared),
    };
    let other = match want.with {
        With::Run(id) => id,
        With::LastSuccess => match last_success(reader, &this).await? {
            Some(id) => id,
            None => return Ok(Compared::NoSuccess),
        },
    };
    Ok(match found(reader.run(other).await?, other) {
        Ok(other) => Compared::Both { this, other },
        Err(compared) => compared,
    })
}

fn found(lookup: Lookup, id: RunId) -> Result<Box<RunDetail>, Compared> {
    match lookup {
        Lookup::Found(run) => Ok(run),
        Lookup::NotFound => Err(Compared::NotFound(id)),
        Lookup::Forbidden { capability } => Err(Compared::Forbidden(capability)),
    }
}

/// The newest run of the same tenant and type that succeeded before `run`, among those of the list's
/// window.
async fn last_success(reader: &mut Reader, run: &RunDetail) -> Result<Option<RunId>, ReadError> {
    let tenant = run.tenant.as_str().replace(['"', '*'], "");
    let query = format!("tenant:\"{tenant}\" type:{} is:succeeded", run.run_type);
    let rows = runs(reader, &query, 50).await?;
    let earlier = rows
        .iter()
        .find(|row| row.tenant_id == run.tenant_id && row.created_at < run.created_at);
    Ok(earlier.map(|row| row.id))
}
