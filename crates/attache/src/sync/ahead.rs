//! The page that is on its way while the one before it is stored.

use crate::error::Result;
use crate::remote::{Page, Remote};
use futures_lite::future::poll_once;
use std::pin::Pin;

/// A page that was asked for.
pub(super) struct Ahead<'a> {
    here: Option<Result<Page>>,
    coming: Pin<Box<dyn Future<Output = Result<Page>> + Send + 'a>>,
}

impl<'a> Ahead<'a> {
    /// Asks for a page, and does not wait for it.
    ///
    /// A transport sends a request when it is first polled, and receives the answer on a thread of
    /// its own.
    pub(super) async fn of(remote: &'a dyn Remote, next: String) -> Ahead<'a> {
        let mut coming = Box::pin(async move { remote.query_more(&next).await });
        Ahead {
            here: poll_once(&mut coming).await,
            coming,
        }
    }

    /// Waits for it.
    pub(super) async fn page(self) -> Result<Page> {
        match self.here {
            Some(page) => page,
            None => self.coming.await,
        }
    }
}
