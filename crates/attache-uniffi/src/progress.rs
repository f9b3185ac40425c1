//! Progress of a session.

use crate::error::AttacheError;

/// The step of a session that is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Phase {
    /// Reading who and what the org is.
    Prepare,
    /// Reading records.
    Pull,
    /// Sending edits.
    Push,
    /// Reading back what was sent.
    ReadBack,
    /// Sending the bytes of files that were attached here, then fetching those that the briefcase wants.
    Files,
}

/// How far a session is.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SyncProgress {
    /// The step.
    pub phase: Phase,
    /// The object at work; empty where there is none.
    pub object: String,
    /// Records done in this step for this object; bytes in the step of files.
    pub done: u64,
    /// Records, or bytes, in all, where the org has told.
    pub total: Option<u64>,
}

impl From<attache::Progress> for SyncProgress {
    fn from(progress: attache::Progress) -> SyncProgress {
        SyncProgress {
            phase: match progress.phase {
                attache::Phase::Prepare => Phase::Prepare,
                attache::Phase::Pull => Phase::Pull,
                attache::Phase::Push => Phase::Push,
                attache::Phase::ReadBack => Phase::ReadBack,
                attache::Phase::Files => Phase::Files,
            },
            object: progress.object,
            done: progress.done,
            total: progress.total,
        }
    }
}

/// Hears of progress, on the session's own thread: hop to another before touching a screen.
#[uniffi::export(rust, foreign)]
pub trait ProgressObserver: Send + Sync {
    /// Takes note. Throwing stops the session, as a cancel token does.
    fn on_progress(&self, progress: SyncProgress) -> Result<(), AttacheError>;
}
