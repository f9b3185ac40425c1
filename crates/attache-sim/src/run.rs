//! Running a session to its end, or not.

use std::future::IntoFuture;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Runs something to its end on this thread.
pub fn wait<F: IntoFuture>(future: F) -> F::Output {
    futures_lite::future::block_on(future.into_future())
}

/// Runs something until it has waited this often, then drops it where it stands.
///
/// `None` if it was dropped. A session of a device in a [`World`](crate::World)
/// waits twice for each request: before the org has it and after.
pub fn abandon<F: IntoFuture>(future: F, waits: usize) -> Option<F::Output> {
    let mut future = pin!(future.into_future());
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..=waits {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
    }
    None
}

/// Runs something to its end, and does something else once it has waited this often.
///
/// Always `Some`, as [`abandon`] gives it for what was not dropped.
pub(crate) fn after<F: IntoFuture>(
    future: F,
    waits: usize,
    act: impl FnOnce(),
) -> Option<F::Output> {
    let mut future = pin!(future.into_future());
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..=waits {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
    }
    act();
    Some(futures_lite::future::block_on(future))
}
