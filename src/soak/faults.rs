//! What is broken, and what must hold all the same.

pub mod deduped;
pub mod disk_full;
pub mod failover;
pub mod injected;
pub mod killed;
pub mod network;
pub mod paused;
pub mod restarted;
pub mod rough;
pub mod terminated;

use crate::process::Program;
use crate::report::{Extent, Verdict};
use crate::site::Ground;
use color_eyre::eyre::Result;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` of workers with jobs under way.
    Kill,
    /// A worker stopped beyond its lease, then continued.
    Pause,
    /// SIGTERM under load.
    Terminate,
    /// The database server killed and started again.
    Restart,
    /// The primary killed, a synchronous standby promoted.
    Failover,
    /// The network stalled, half open, cut.
    Network,
    /// The server's disk full.
    DiskFull,
    /// Many clients start the same run at once.
    Dedupe,
    /// Statements that fail with deadlocks and serialization failures.
    Inject,
    /// Jobs that kill their worker, panic, carry or record a lot.
    Rough,
}

impl Fault {
    /// All, in the order in which they are caused.
    pub const ALL: &'static [Self] = &[
        Self::Kill,
        Self::Pause,
        Self::Terminate,
        Self::Restart,
        Self::Failover,
        Self::Network,
        Self::DiskFull,
        Self::Dedupe,
        Self::Inject,
        Self::Rough,
    ];

    /// As typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Terminate => "terminate",
            Self::Restart => "restart",
            Self::Failover => "failover",
            Self::Network => "network",
            Self::DiskFull => "disk-full",
            Self::Dedupe => "dedupe",
            Self::Inject => "inject",
            Self::Rough => "rough",
        }
    }

    /// Causes it and says what that cost. Everything it needs is started and stopped by it.
    ///
    /// # Errors
    /// What was needed could not be set up, or something that must happen did not within a minute.
    pub async fn cause(
        self,
        program: &Program,
        extent: Extent,
        ground: &Ground,
    ) -> Result<Verdict> {
        match self {
            Self::Kill => killed::cause(program, extent, ground).await,
            Self::Pause => paused::cause(program, extent, ground).await,
            Self::Terminate => terminated::cause(program, extent, ground).await,
            Self::Restart => restarted::cause(program, extent).await,
            Self::Failover => failover::cause(program, extent).await,
            Self::Network => network::cause(program, extent, ground).await,
            Self::DiskFull => disk_full::cause(program, extent).await,
            Self::Dedupe => deduped::cause(extent, ground).await,
            Self::Inject => injected::cause(program, extent, ground).await,
            Self::Rough => rough::cause(program, extent, ground).await,
        }
    }
}

impl clap::ValueEnum for Fault {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.name()))
    }
}
