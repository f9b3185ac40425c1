//! A session on a thread of its own.

use crate::background;
use crate::error::Result;
use crate::outcome::Report;
use crate::progress::ProgressObserver;
use attache::{Attache, CallBudget, CancelToken};
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

/// What one session is to spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SyncOptions {
    /// Calls of this session at most.
    #[uniffi(default = None)]
    pub session_calls: Option<u64>,
    /// Calls of all sessions of this store in a day of UTC.
    #[uniffi(default = None)]
    pub day_calls: Option<u64>,
    /// The network is paid for by the byte: edits are sent, small changes are read, and what is large waits.
    #[uniffi(default = false)]
    pub metered: bool,
}

/// How often a device may sync by itself. All times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Pace {
    /// Between two sessions while the org has calls in plenty.
    #[uniffi(default = 900000)]
    pub often_ms: u64,
    /// Between two sessions while the org's calls run short.
    #[uniffi(default = 21600000)]
    pub seldom_ms: u64,
    /// Over how long the first sessions of a fleet are spread that was switched on at the same moment.
    #[uniffi(default = 900000)]
    pub spread_ms: u64,
}

impl From<Pace> for attache::Pace {
    fn from(pace: Pace) -> attache::Pace {
        attache::Pace {
            often: Duration::from_millis(pace.often_ms),
            seldom: Duration::from_millis(pace.seldom_ms),
            spread: Duration::from_millis(pace.spread_ms),
        }
    }
}

/// Stops the session when the host stops waiting for it (its task was cancelled).
struct CancelOnDrop {
    token: CancelToken,
    armed: bool,
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if self.armed {
            self.token.cancel();
        }
    }
}

/// Runs a session and waits for its report without holding the caller's thread.
pub(crate) async fn run(
    engine: Attache,
    observer: Option<Arc<dyn ProgressObserver>>,
    cancel: CancelToken,
    options: Option<SyncOptions>,
) -> Result<Report> {
    until_dropped(cancel.clone(), move || {
        session(&engine, observer, cancel, options)
    })
    .await
}

/// Does work on a thread of its own, and asks it to stop when the host stops waiting for it.
pub(crate) async fn until_dropped<T: Send + 'static>(
    token: CancelToken,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let mut guard = CancelOnDrop { token, armed: true };
    let done = background::run(work).await;
    guard.armed = false;
    done
}

/// Tells progress to the host. What it throws stops the work.
pub(crate) fn told(
    observer: Arc<dyn ProgressObserver>,
    cancel: CancelToken,
) -> impl FnMut(attache::Progress) + Send + 'static {
    move |progress| {
        if observer.on_progress(progress.into()).is_err() {
            cancel.cancel();
        }
    }
}

fn session(
    engine: &Attache,
    observer: Option<Arc<dyn ProgressObserver>>,
    cancel: CancelToken,
    options: Option<SyncOptions>,
) -> Result<Report> {
    let mut session = engine.sync().cancel_token(cancel.clone());
    if let Some(options) = options {
        session = session.budget(CallBudget {
            session_calls: options.session_calls,
            day_calls: options.day_calls,
        });
        if options.metered {
            session = session.metered();
        }
    }
    if let Some(observer) = observer {
        session = session.on_progress(told(observer, cancel));
    }
    let report = futures_lite::future::block_on(session.into_future())?;
    Ok(Report::from(&report))
}
