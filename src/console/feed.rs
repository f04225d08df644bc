//! The database side of the console, in a task of its own: no key ever waits for it. One request is
//! in flight at a time; one that nobody wants any more is cancelled, never stacked; a lost connection
//! is made anew with growing pauses.

mod answer;
mod plan;

pub use answer::detail;

use crate::app::{Ask, Data, Question, Wants};
use answer::perform;
use opsroom_read::{ReadError, ReadOptions, Reader};
use plan::Done;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// A request that nobody wants any more may still end within this time; then it is cancelled, which
/// costs the connection.
const GRACE: Duration = Duration::from_millis(150);
/// The first and the longest pause before connecting again, before they are spread by a quarter: a
/// database that is back is seen within five seconds.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_millis(3500));

/// Connects first, for as long as it takes, then feeds the console as [`run`] does.
pub async fn open(
    options: ReadOptions,
    mut wants: watch::Receiver<Wants>,
    answers: mpsc::Sender<Data>,
) {
    let mut pause = PAUSES.0;
    loop {
        let want = wants.borrow_and_update().clone();
        let connected = tokio::select! {
            connected = Reader::connect(options.clone()) => connected,
            () = answers.closed() => return,
        };
        match connected {
            Ok(reader) => return run(reader, wants, answers).await,
            Err(error) => {
                let told = answers.send(lost(&error)).await.is_ok();
                if !told || !rest(&mut wants, &want, spread(pause)).await {
                    return;
                }
            }
        }
        pause = (pause * 2).min(PAUSES.1);
    }
}

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
        let Some(ask) = plan::next(&want, &done, Instant::now()) else {
            let due = plan::due(&want, &done, Instant::now());
            tokio::select! {
                changed = wants.changed() => if changed.is_err() { return },
                () = tokio::time::sleep_until(due) => {}
            }
            continue;
        };
        let begun = Instant::now();
        let answer = tokio::select! {
            answer = perform(&mut reader, ask, &done) => answer,
            superseded = obsolete(&mut wants, ask) => match superseded {
                true => continue,
                false => return,
            },
        };
        let data = match answer {
            Ok(answer) => {
                pause = PAUSES.0;
                done.note(want.nudge, ask, &answer, begun, Instant::now());
                answer
            }
            Err(error) => {
                if answers.send(lost(&error)).await.is_err() {
                    return;
                }
                if !rest(&mut wants, &want, spread(pause)).await {
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

/// Consoles that lost the same database do not come back all at once.
fn spread(pause: Duration) -> Duration {
    pause.mul_f64(0.75 + fastrand::f64() / 2.0)
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

/// Ends once nobody wants `ask` any more and its grace is over: true. False at the end of the
/// console.
async fn obsolete(wants: &mut watch::Receiver<Wants>, ask: &Ask) -> bool {
    loop {
        if wants.changed().await.is_err() {
            return false;
        }
        let wanted = plan::is_wanted(ask, &wants.borrow());
        if !wanted {
            tokio::time::sleep(GRACE).await;
            return true;
        }
    }
}

/// Everything one frame needs, asked for once.
///
/// # Errors
/// As the reader's.
pub async fn once(reader: &mut Reader, want: &Wants) -> Result<Vec<Data>, ReadError> {
    let done = Done::default();
    let mut answers = Vec::new();
    for ask in want
        .asks
        .iter()
        .filter(|ask| !matches!(ask.question, Question::Detail(_)))
    {
        answers.push(perform(reader, ask, &done).await?);
    }
    Ok(answers)
}
