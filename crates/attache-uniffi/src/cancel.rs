//! Stopping a running session.

use std::sync::Arc;

/// Stops the sessions it was given to, from any thread.
#[derive(Debug, Default, uniffi::Object)]
pub struct CancelToken {
    pub(crate) token: attache::CancelToken,
}

#[uniffi::export]
impl CancelToken {
    /// Makes a token that has not been used.
    #[uniffi::constructor]
    pub fn new() -> Arc<CancelToken> {
        Arc::new(CancelToken::default())
    }

    /// Asks the session to stop at its next step; it then fails with `Interrupted`. What was
    /// committed stays.
    pub fn cancel(&self) {
        self.token.cancel();
    }

    /// Says whether it was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }
}
