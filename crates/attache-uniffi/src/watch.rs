//! Live queries.

use crate::error::{ErrorKind, Result, failed};
use crate::rows::Row;
use crate::store::Attache;
use crate::tell::{Tell, mirror};
use futures_lite::future;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tokio::sync::{mpsc, oneshot};

mirror! {
    /// A row that left an answer.
    RowRemoved of told: attache::RowRemoved {
        /// Its place in the answer before.
        from: u64,
        /// The row as it was.
        row: Row,
    }
}

mirror! {
    /// A row that changed.
    RowUpdated of told: attache::RowUpdated {
        /// Its place in the answer before.
        from: u64,
        /// Its place in the answer now.
        at: u64,
        /// The row as it is now.
        row: Row,
    }
}

mirror! {
    /// A row that came into an answer.
    RowInserted of told: attache::RowInserted {
        /// Its place in the answer now.
        at: u64,
        /// The row.
        row: Row,
    }
}

mirror! {
    /// How the answer of a watched query changed. To bring a copy forward: take out what was removed and updated,
    /// by their places before, then put in what was updated and inserted, in order of their places now.
    RowChanges of told: attache::RowChanges {
        /// The rows that left, in order of their places before.
        removed: Vec<RowRemoved>,
        /// The rows that changed, in order of their places now.
        updated: Vec<RowUpdated>,
        /// The rows that came, in order of their places now.
        inserted: Vec<RowInserted>,
        /// Rows of the answer now.
        total: u64,
    }
}

type Change = Option<attache::Result<attache::RowChanges>>;

/// Somebody who asks for a change.
struct Asked {
    tell: oneshot::Sender<Change>,
    /// They wait until there is one.
    waits: bool,
}

/// A query whose answer is followed. Asked on any thread; the query itself runs on one of the watch's own.
#[derive(uniffi::Object)]
pub struct Watch {
    columns: Vec<String>,
    ask: Mutex<Option<mpsc::UnboundedSender<Asked>>>,
}

#[uniffi::export]
impl Watch {
    /// The columns' names, as the query says them.
    pub fn columns(&self) -> Vec<String> {
        self.columns.clone()
    }

    /// Gives the next change, once there is one: all rows as inserted at first. Nothing when the watch is over: the
    /// store was closed or wiped, or `stop` was called.
    ///
    /// Cancelling the task that waits loses nothing: the change is given to whoever asks next.
    pub async fn next(&self) -> Result<Option<RowChanges>> {
        self.ask(true).await
    }

    /// Looks for a change without waiting for one; nothing if there is none, or the watch is over.
    pub async fn try_next(&self) -> Result<Option<RowChanges>> {
        self.ask(false).await
    }

    /// Ends the watch; whoever waits for a change gets nothing.
    pub fn stop(&self) {
        let mut ask = self.ask.lock().unwrap_or_else(PoisonError::into_inner);
        *ask = None;
    }
}

impl Watch {
    async fn ask(&self, waits: bool) -> Result<Option<RowChanges>> {
        let (tell, told) = oneshot::channel();
        {
            let ask = self.ask.lock().unwrap_or_else(PoisonError::into_inner);
            match ask.as_ref().map(|ask| ask.send(Asked { tell, waits })) {
                Some(Ok(())) => {}
                _ => return Ok(None),
            }
        }
        match told.await {
            Ok(Some(change)) => Ok(Some(change?.tell())),
            _ => Ok(None),
        }
    }
}

#[uniffi::export]
impl Attache {
    /// Follows the answer of a query: a change for each commit that made it another.
    pub fn watch(&self, soql: String) -> Result<Arc<Watch>> {
        let engine = self.engine()?;
        // Read once for its columns, which no change tells where there are no rows.
        let columns = engine.query(&soql)?.columns().to_vec();
        let watch = engine.watch(&soql)?;
        let (ask, asked) = mpsc::unbounded_channel();
        thread::Builder::new()
            .name("attache-watch".into())
            .spawn(move || future::block_on(follow(watch, asked)))
            .map_err(|error| {
                failed(
                    ErrorKind::Internal,
                    format!("no thread for the watch: {error}"),
                )
            })?;
        Ok(Arc::new(Watch {
            columns,
            ask: Mutex::new(Some(ask)),
        }))
    }
}

/// What wakes the thread of a watch that waits.
enum Woken {
    Changed(Change),
    /// Whoever asked waits no more.
    Left,
    /// The watch was let go.
    Over,
}

/// Answers whoever asks for the next change.
async fn follow(mut watch: attache::Watch, mut asked: mpsc::UnboundedReceiver<Asked>) {
    // A change that nobody took: who asked for it was gone when it came.
    let mut kept: Option<Change> = None;
    // A host may wait in two places; they get one change after the other.
    let mut waiting = VecDeque::new();
    loop {
        let next = match waiting.pop_front() {
            Some(asking) => Some(asking),
            None => asked.recv().await,
        };
        let Some(Asked { mut tell, waits }) = next else {
            return;
        };
        let woken = match kept.take() {
            Some(change) => Woken::Changed(change),
            None if !waits => Woken::Changed(watch.try_next()),
            None => {
                let change = async { Woken::Changed(watch.next().await) };
                let left = async {
                    tell.closed().await;
                    Woken::Left
                };
                let over = async {
                    while let Some(another) = asked.recv().await {
                        waiting.push_back(another);
                    }
                    Woken::Over
                };
                future::or(change, future::or(left, over)).await
            }
        };
        match woken {
            Woken::Changed(change) => {
                if let Err(Some(change)) = tell.send(change) {
                    kept = Some(Some(change));
                }
            }
            Woken::Left => {}
            Woken::Over => return,
        }
    }
}
