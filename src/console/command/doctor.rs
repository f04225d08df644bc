//! `opsroom doctor`: is everything as it should be, and what to do where it is not.

use super::print;
use crate::exit::{Code, Failure};
use crate::lapse;
use crate::terminal::Abilities;
use chrono::TimeDelta;
use opsroom_read::{Checkup, Encryption, KNOWN_SCHEMA, ReadOptions, Reader};

/// One thing that was looked at.
struct Finding {
    good: Verdict,
    what: String,
    advice: &'static str,
}

#[derive(PartialEq, Eq)]
enum Verdict {
    Good,
    Worth,
    Bad,
}

/// Looks at everything and says what to do.
///
/// # Errors
/// Where the database does not let us in; everything else is a finding.
pub async fn run(url: Option<&str>, abilities: &Abilities) -> Result<Code, Failure> {
    let mut findings = vec![terminal(abilities)];
    let options = ReadOptions::new(url)?;
    let place = options.place();
    let checked = match Reader::connect(options).await {
        Ok(mut reader) => reader.checkup().await,
        Err(error) => Err(error),
    };
    let failure = match checked {
        Ok(checkup) => {
            findings.extend(database(&place, &checkup));
            None
        }
        Err(error) => {
            findings.push(Finding {
                good: Verdict::Bad,
                what: format!("{place}: {error}"),
                advice: error.remedy(),
            });
            Some(Failure::from(error).code)
        }
    };
    print(
        &findings
            .iter()
            .map(|finding| text(finding, abilities))
            .collect::<String>(),
    )?;
    let bad = findings.iter().any(|finding| finding.good == Verdict::Bad);
    Ok(failure.unwrap_or(if bad { Code::Error } else { Code::Ok }))
}

fn text(finding: &Finding, abilities: &Abilities) -> String {
    let sign = match finding.good {
        Verdict::Good => abilities.glyphs.succeeded,
        Verdict::Worth => abilities.glyphs.stuck,
        Verdict::Bad => abilities.glyphs.failed,
    };
    match finding.good {
        Verdict::Good => format!("{sign} {}\n", finding.what),
        _ => format!("{sign} {}\n    {}\n", finding.what, finding.advice),
    }
}

fn terminal(abilities: &Abilities) -> Finding {
    match Abilities::require_screen() {
        Ok(()) => Finding {
            good: Verdict::Good,
            what: format!(
                "terminal: {:?} colours, {}",
                abilities.depth,
                if abilities.glyphs.ascii {
                    "ASCII"
                } else {
                    "UTF-8"
                }
            ),
            advice: "",
        },
        Err(_) => Finding {
            good: Verdict::Worth,
            what: "terminal: none here, the console cannot be opened".to_owned(),
            advice: "use opsroom runs and opsroom run, or run it in a terminal",
        },
    }
}

fn database(place: &str, checkup: &Checkup) -> Vec<Finding> {
    let when = |fine: bool, bad: Verdict| if fine { Verdict::Good } else { bad };
    let role = if checkup.standby {
        "hot standby"
    } else {
        "primary"
    };
    vec![
        Finding {
            good: Verdict::Good,
            what: format!("{place}: PostgreSQL {}, {role}", checkup.server),
            advice: "",
        },
        Finding {
            good: when(
                matches!(checkup.encryption, Encryption::Socket | Encryption::Yes),
                Verdict::Worth,
            ),
            what: match checkup.encryption {
                Encryption::Socket => "connection: local socket",
                Encryption::Yes => "connection: encrypted",
                Encryption::No => "connection: not encrypted",
                Encryption::Untold => {
                    "connection: the server does not tell this login whether it is encrypted"
                }
            }
            .to_owned(),
            advice: "add sslmode=verify-full to the address",
        },
        Finding {
            good: Verdict::Good,
            what: format!("schema: {} (known up to {KNOWN_SCHEMA})", checkup.schema),
            advice: "",
        },
        Finding {
            good: when(checkup.read_only, Verdict::Bad),
            what: format!(
                "login {}: holds no right to write, session read-only: {}",
                checkup.login, checkup.read_only
            ),
            advice: "make a reading login: opsroom-worker access login add",
        },
        Finding {
            good: when(checkup.tenants > 0, Verdict::Worth),
            what: format!(
                "tenants visible: {}",
                lapse::grouped(checkup.tenants as u64)
            ),
            advice: "add memberships: opsroom-worker access member add",
        },
        Finding {
            good: when(checkup.live_workers > 0, Verdict::Worth),
            what: format!("live workers: {}", checkup.live_workers),
            advice: "start one: opsroom-worker work",
        },
        Finding {
            good: when(checkup.skew.abs() < TimeDelta::seconds(2), Verdict::Worth),
            what: format!(
                "clock: {} ms from the database's",
                checkup.skew.num_milliseconds()
            ),
            advice: "synchronise this machine's clock; the console shows the database's time",
        },
    ]
}
