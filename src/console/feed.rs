//! The database side of the console, in a task of its own: no key ever waits for it. One request is
//! in flight at a time; one that nobody wants any more is cancelled, never stacked; a lost connection
//! is made anew with growing pauses.

mod plan;

use crate::app::{Data, DetailAnswer, DetailWant, Reach, Wants};
use opsroom_read::{PageRequest, ReadError, Reader};
use plan::{Done, Job};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// A request that nobody wants any more may still end within this time; then it is cancelled, which
/// costs the connection.
const GRACE: Duration = Duration::from_millis(150);
/// The first and the longest pause before connecting again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Feeds the console until its end of `answers` is closed.
pub async fn run(
    mut reader: Reader,
    mut wants: watch::Receiver<Wants>,
    answers: mpsc::Sender<Data>,
) {
    let mut done = Done::default();
    let mut pause = PAUSES.0;
    loop {
        let want = wants.borrow_and_update().clone();
        let Some(job) = plan::next(&want, &done, Instant::now()) else {
            let due = plan::due(&want, &done, Instant::now());
            tokio::select! {
                changed = wants.changed() => if changed.is_err() { return },
                () = tokio::time::sleep_until(due) => {}
            }
            continue;
        };
        let begun = Instant::now();
        let answer = tokio::select! {
            answer = perform(&mut reader, &job, &done) => answer,
            superseded = obsolete(&mut wants, &job) => match superseded {
                true => continue,
                false => return,
            },
        };
        let data = match answer {
            Ok(answer) => {
                pause = PAUSES.0;
                done.note(&want, &job, &answer, begun, Instant::now());
                answer
            }
            Err(error) => {
                if answers.send(lost(&error)).await.is_err() {
                    return;
                }
                if !rest(&mut wants, &want, pause).await {
                    return;
                }
                pause = (pause * 2).min(PAUSES.1);
                continue;
            }
        };
        if answers.send(data).await.is_err() {
            return;
        }
    }
}

fn lost(error: &ReadError) -> Data {
    Data::Lost {
        reason: error.brief(),
    }
}

/// Waits a while, or until somebody asks for an answer now. False at the end of the console.
async fn rest(wants: &mut watch::Receiver<Wants>, want: &Wants, pause: Duration) -> bool {
    let until = Instant::now() + pause;
    loop {
        tokio::select! {
            changed = wants.changed() => match changed {
                Ok(()) if wants.borrow().nudge != want.nudge => return true,
                Ok(()) => {}
                Err(_) => return false,
            },
            () = tokio::time::sleep_until(until) => return true,
        }
    }
}

/// Ends once nobody wants `job` any more and its grace is over: true. False at the end of the
/// console.
async fn obsolete(wants: &mut watch::Receiver<Wants>, job: &Job) -> bool {
    loop {
        if wants.changed().await.is_err() {
            return false;
        }
        let wanted = job.is_wanted(&wants.borrow());
        if !wanted {
            tokio::time::sleep(GRACE).await;
            return true;
        }
    }
}

async fn perform(reader: &mut Reader, job: &Job, done: &Done) -> Result<Data, ReadError> {
    match job {
        Job::Page {
            generation,
            request,
        } => {
            let held = done.rows(*generation);
            let page = reader.page(request, held).await?;
            Ok(Data::Page {
                generation: *generation,
                page,
            })
        }
        Job::Headline { generation, query } => {
            let headline = reader.headline(query).await?;
            Ok(Data::Headline {
                generation: *generation,
                headline,
            })
        }
        Job::Reach => {
            let directory = reader.directory().await?;
            Ok(Data::Reach(Reach {
                tenants: directory.tenants.len(),
                all: directory.sees_all,
            }))
        }
        Job::Detail(want) => Ok(Data::Detail(Box::new(detail(reader, *want).await?))),
    }
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
    if matches!(answer.lookup, opsroom_read::Lookup::Found(_)) {
        answer.attempts = reader.attempts(want.id).await?;
        answer.items = reader.items(want.id, "", want.items).await?;
    }
    Ok(answer)
}

/// Everything one frame needs, asked for once.
///
/// # Errors
/// As the reader's.
pub async fn once(reader: &mut Reader, want: &Wants) -> Result<Vec<Data>, ReadError> {
    let done = Done::default();
    let page = Job::Page {
        generation: want.generation,
        request: PageRequest {
            ..want.request.clone()
        },
    };
    let headline = Job::Headline {
        generation: want.generation,
        query: want.request.query.clone(),
    };
    let mut answers = Vec::new();
    for job in [Job::Reach, page, headline] {
        answers.push(perform(reader, &job, &done).await?);
    }
    Ok(answers)
}
