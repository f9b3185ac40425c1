//! A session on a thread of its own.

use crate::error::{ErrorKind, Result, failed};
use crate::outcome::Report;
use crate::progress::ProgressObserver;
use attache::{Attache, CancelToken};
use std::future::IntoFuture;
use std::sync::Arc;
use tokio::sync::oneshot;

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
) -> Result<Report> {
    let (tell, told) = oneshot::channel();
    let on_thread = cancel.clone();
    std::thread::Builder::new()
        .name("attache-sync".into())
        .spawn(move || {
            // The host may be gone; then nobody wants the report.
            let _ = tell.send(session(&engine, observer, on_thread));
        })
        .map_err(|error| {
            failed(
                ErrorKind::Internal,
                format!("no thread for the session: {error}"),
            )
        })?;
    let mut guard = CancelOnDrop {
        token: cancel,
        armed: true,
    };
    let report = told.await;
    guard.armed = false;
    report.unwrap_or_else(|_| {
        Err(failed(
            ErrorKind::Internal,
            "the session ended in a panic; what was committed stays",
        ))
    })
}

fn session(
    engine: &Attache,
    observer: Option<Arc<dyn ProgressObserver>>,
    cancel: CancelToken,
) -> Result<Report> {
    let mut session = engine.sync().cancel_token(cancel.clone());
    if let Some(observer) = observer {
        session = session.on_progress(move |progress| {
            if observer.on_progress(progress.into()).is_err() {
                cancel.cancel();
            }
        });
    }
    let report = futures_lite::future::block_on(session.into_future())?;
    Ok(Report::from(&report))
}
