//! Work that waits for the network, on a thread of its own.
//!
//! A future of the boundary is polled on whatever thread the application awaits it
//! on: work done while it is polled would be done there.

use crate::error::{ErrorKind, Result, failed};
use std::thread;
use tokio::sync::oneshot;

/// Does work on a thread of its own, and waits for it without holding the caller's.
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (tell, told) = oneshot::channel();
    thread::Builder::new()
        .name("attache".into())
        .spawn(move || {
            // The host may be gone; then nobody wants the answer.
            let _ = tell.send(work());
        })
        .map_err(|error| {
            failed(
                ErrorKind::Internal,
                format!("no thread for the work: {error}"),
            )
        })?;
    told.await.unwrap_or_else(|_| {
        Err(failed(
            ErrorKind::Internal,
            "the work ended in a panic; what was committed stays",
        ))
    })
}
