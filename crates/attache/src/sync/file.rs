//! Large answers that the remote makes a file of.
//!
//! A file is known to the store from the time that the remote was asked for it, so that
//! a load that is cut off, in the making of its file or in its middle, goes on with that
//! file and has no second one made.

use super::Run;
use super::prepare::Node;
use super::scan::Depth;
use crate::error::{Error, ErrorKind, Result};
use crate::remote::Page;
use crate::store::{Durability, LoadOf, RuleState};
use std::time::Duration;

/// How long a file may be in the making. A load by pages gets there as well.
const MAKING_MAX: Duration = Duration::from_secs(600);
/// The pause before asking for a file again: from the first to the last of these, doubled each time.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

impl Run<'_> {
    /// Has the remote make a file of what a rule matches behind an id, waits for it, and gives its first page.
    ///
    /// `None` if it makes none, or not in time: the answer is then to be read as any other.
    pub(super) async fn file(
        &mut self,
        node: &Node,
        rule: &RuleState,
        after: Option<String>,
    ) -> Result<Option<Page>> {
        let soql = self.statement(node, Depth::Records, after.as_deref());
        let Some(file) = without(self.remote.query_file(&soql).await)? else {
            return Ok(None);
        };
        let of = self.load_of(node, after)?;
        self.store.write(Durability::Ordered, |w| {
            w.begin_load_file(rule.id, &of, &file)
        })?;
        let first = without(self.made(&file).await)?;
        if first.is_none() {
            self.store
                .write(Durability::Ordered, |w| w.forget_load_file(rule.id))?;
        }
        Ok(first)
    }

    /// Goes on with the file of a load that was cut off. Gives its next page, and how many rows come before that.
    ///
    /// `None` if there is no such file, or it is of no use any more: the load then goes on behind the last id that it
    /// has come to.
    pub(super) async fn resume_file(
        &mut self,
        node: &Node,
        rule: &RuleState,
    ) -> Result<Option<(Page, u64)>> {
        let of = self.load_of(node, rule.after.clone())?;
        let Some(file) = self.store.read(|r| r.load_file(rule.id, &of))? else {
            return Ok(None);
        };
        self.store
            .write(Durability::Ordered, |w| w.try_load_file(rule.id))?;
        let answer = match &file.next {
            Some(next) => self.remote.query_more(next).await.map(Some),
            None => self.made(&file.name).await,
        };
        match answer {
            Ok(Some(page)) => return Ok(Some((page, file.rows))),
            Ok(None) => {}
            Err(error) if keeps_file(&error) => return Err(error),
            Err(error) => tracing::debug!(%error, "the file of a load is of no use any more"),
        }
        self.store
            .write(Durability::Ordered, |w| w.forget_load_file(rule.id))?;
        Ok(None)
    }

    fn load_of(&self, node: &Node, after: Option<String>) -> Result<LoadOf> {
        Ok(LoadOf {
            statement: self.statement(node, Depth::Records, None),
            low: self.store.read(|r| r.low(&node.table.object.name))?,
            after,
        })
    }

    /// Waits for a file, and gives its first page; `None` if it is not made in time.
    async fn made(&mut self, file: &str) -> Result<Option<Page>> {
        let (mut waited, mut pause) = (Duration::ZERO, PAUSES.0);
        while waited < MAKING_MAX {
            self.check_cancelled()?;
            if let Some(page) = self.remote.file_page(file).await? {
                return Ok(Some(page));
            }
            self.env.sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(PAUSES.1);
        }
        tracing::debug!("the file took too long to make");
        Ok(None)
    }
}

/// Says whether what a session met in a file may be another thing the next time, with the same file.
pub(super) fn keeps_file(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::CursorExpired
            | ErrorKind::RemoteRefused
            | ErrorKind::NotARemote
            | ErrorKind::UnknownObject
            | ErrorKind::UnknownField
            | ErrorKind::InvalidArgument
    )
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
