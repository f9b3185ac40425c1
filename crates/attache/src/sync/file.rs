//! Large answers that the remote makes a file of.

use super::Run;
use crate::error::{ErrorKind, Result};
use crate::remote::Page;
use std::time::Duration;

/// How long a file may be in the making. A load by pages gets there as well.
const MAKING_MAX: Duration = Duration::from_secs(600);
/// The pause before asking for a file again: from the first to the last of these, doubled each time.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

impl Run<'_> {
    /// Has the remote make a file of an answer, waits for it, and gives its first page.
    ///
    /// `None` if it makes none, or not in time: the answer is then to be read as any other.
    pub(super) async fn file(&mut self, soql: &str) -> Result<Option<Page>> {
        let Some(file) = without(self.remote.query_file(soql).await)? else {
            return Ok(None);
        };
        let (mut waited, mut pause) = (Duration::ZERO, PAUSES.0);
        while waited < MAKING_MAX {
            self.check_cancelled()?;
            match self.remote.file_page(&file).await {
                Ok(None) => {}
                answer => return without(answer),
            }
            self.env.sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(PAUSES.1);
        }
        tracing::debug!("the file took too long to make");
        Ok(None)
    }
}

/// Takes a remote that will not make a file for one that has no such thing.
fn without<T>(answer: Result<Option<T>>) -> Result<Option<T>> {
    match answer {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::RemoteRefused | ErrorKind::RemoteBusy | ErrorKind::CursorExpired
            ) =>
        {
            tracing::debug!(%error, "no file is made of a large answer");
            Ok(None)
        }
        other => other,
    }
}
