//! What a session is to spare: the calls that it may make, and a network that is paid for.

use super::Run;
use super::changes::Changes;
use super::prepare::Node;
use super::tasks::Task;
use crate::budget::{Spending, StopReason, Stopped, Terms};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::outcome::{MutationKind, Phase};
use crate::pace;
use crate::store::State;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Records that changed of one object, for a metered session to read them: those of a page.
const SMALL_ROWS_MAX: u64 = 2_000;
/// Bytes of a file that was attached here, for a metered session to send it: somebody waits for it, but a mebibyte
/// is what hundreds of edits take.
pub(super) const SMALL_BYTES_MAX: u64 = 1 << 20;

impl<'a> Run<'a> {
    /// Binds the session to what it is to spare.
    pub(crate) fn on_terms(mut self, terms: Terms) -> Result<Run<'a>> {
        self.spending = Some(Spending::read(self.store, terms.budget, self.env.now().0)?);
        self.metered = terms.metered;
        Ok(self)
    }

    /// Calls of this session.
    pub(super) fn calls(&self) -> u64 {
        let calls = self.remote.usage().calls;
        calls.saturating_sub(self.calls_before)
    }

    /// Stops here if the calls are made that may be made.
    pub(super) fn check_budget(&self) -> Result<()> {
        let Some(spending) = &self.spending else {
            return Ok(());
        };
        if spending.caps_the_day() && self.is_owner {
            spending.note(self.store, self.calls())?;
        }
        match spending.met(self.calls(), self.env.now().0) {
            Some(_) => Err(Error::new(
                ErrorKind::LimitReached,
                "the session made all the calls that it may make",
            )),
            None => Ok(()),
        }
    }

    /// Keeps what the session cost, and what the org told of its calls, however it ended, and when to come back.
    pub(super) fn note_calls(&self, stopped: Option<Stopped>) -> Result<()> {
        let retry_after = Duration::from_millis(stopped.map_or(0, |one| one.retry_after_ms));
        pace::note(self.store, self.env.now(), self.remote.usage(), retry_after)?;
        // Calls that were made with somebody else's credentials, for all that is known, are not this user's.
        match &self.spending {
            Some(spending) if self.is_owner => spending.note(self.store, self.calls()),
            _ => Ok(()),
        }
    }

    /// Says why a session ended at a limit.
    pub(super) fn stopped_by(&self, error: &Error) -> Stopped {
        let spending = self.spending.as_ref();
        let met = spending.and_then(|one| one.met(self.calls(), self.env.now().0));
        let retry_after = match error.retry() {
            Retry::After(delay) => u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            _ => 0,
        };
        met.unwrap_or(Stopped {
            why: StopReason::RemoteLimit,
            retry_after_ms: retry_after,
        })
    }

    /// What a session that came to its end has left for another.
    pub(super) fn left_over(&self) -> Option<Stopped> {
        self.postponed.then_some(Stopped {
            why: StopReason::Metered,
            retry_after_ms: 0,
        })
    }

    /// Sends what is unsent before anything is pulled, where the pull may be long or cut off. Says whether anything
    /// was written.
    ///
    /// What was edited is read first, as a pull would have read it: what others did
    /// to those records is merged, or asked about, before anything leaves.
    pub(super) async fn push_first(&mut self) -> Result<bool> {
        let capped = self.spending.as_ref().is_some_and(Spending::is_capped);
        if !(capped || self.metered || self.has_loads()?) {
            return Ok(false);
        }
        let entries = self.store.read(|r| r.entries())?;
        let pending = |state: State| state == State::Pending;
        if !entries.iter().any(|entry| pending(entry.state)) {
            return Ok(false);
        }
        let mut edited: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| pending(entry.state)) {
            let is_made_here = crate::record::is_local(&entry.record);
            if entry.kind != MutationKind::Create && !is_made_here {
                let ids = edited.entry(entry.object.clone()).or_default();
                ids.insert(entry.record.clone());
            }
        }
        edited.retain(|object, _| !self.gone.contains(object));
        self.read_all_by_id(Phase::Push, edited).await?;
        self.answer_conflicts().await?;
        self.push().await
    }

    /// Says whether a rule is to be read for the first time, or to the end of that.
    fn has_loads(&self) -> Result<bool> {
        for node in self.nodes.iter().filter(|node| !node.rests) {
            let rule = self.store.read(|r| r.rule(&node.key))?;
            if !rule.loaded && (!node.is_related() || rule.swept_at.is_none()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes out of a pull what a metered session leaves to another. The windows of objects that wait stay where they are.
    pub(super) fn spare(
        &mut self,
        nodes: &[Node],
        tasks: Vec<(usize, Task)>,
        changes: &mut BTreeMap<String, Changes>,
    ) -> Result<Vec<(usize, Task)>> {
        if !self.metered {
            return Ok(tasks);
        }
        let mut small = Vec::with_capacity(tasks.len());
        for (at, task) in tasks {
            let node = &nodes[at];
            let Some(changes) = changes.get_mut(&node.table.object.name) else {
                continue;
            };
            let large = match task {
                Task::Load | Task::Sweep => true,
                Task::Rank => !self.store.read(|r| r.rule(&node.key))?.loaded,
                Task::Delta => changes.rows() > SMALL_ROWS_MAX,
            };
            if large {
                self.postponed = true;
                changes.wait();
            } else {
                small.push((at, task));
            }
        }
        Ok(small)
    }

    /// Says whether something is left to a session that is not metered, if it is large.
    pub(super) fn is_spared(&mut self, is_large: bool) -> bool {
        let spared = self.metered && is_large;
        self.postponed |= spared;
        spared
    }
}
