//! Writing rows so that they can be taken back.

use super::replicate::DeleteEntry;
use super::row::Row;
use super::table::Slot;
use super::{Org, SaveError};

/// What was done, newest last; kept only while somebody may want it undone.
#[derive(Debug, Default)]
pub(super) struct Journal {
    steps: Vec<Step>,
    open: usize,
}

#[derive(Debug)]
pub(super) enum Step {
    Row {
        object: usize,
        slot: Slot,
        before: Option<Row>,
    },
    Deletion {
        object: usize,
        entry: DeleteEntry,
    },
    Restoration {
        object: usize,
        at: usize,
        entry: DeleteEntry,
    },
}

/// A point to return to. Give it to [`Org::rollback`] or [`Org::release`], the newest first.
#[derive(Debug)]
#[must_use = "an open savepoint keeps every later change in memory"]
pub struct Savepoint(usize);

impl Journal {
    /// Gives what was done since a savepoint.
    pub(super) fn since(&self, savepoint: &Savepoint) -> &[Step] {
        self.steps.get(savepoint.0..).unwrap_or(&[])
    }
}

impl Org {
    /// Marks the present state as one to return to. Savepoints nest.
    pub fn savepoint(&mut self) -> Savepoint {
        self.journal.open += 1;
        Savepoint(self.journal.steps.len())
    }

    /// Undoes every change since the savepoint, and closes it.
    ///
    /// Ids and auto-numbers that were given out are not given out again.
    pub fn rollback(&mut self, savepoint: Savepoint) {
        while self.journal.steps.len() > savepoint.0 {
            match self.journal.steps.pop() {
                Some(Step::Row {
                    object,
                    slot,
                    before,
                }) => {
                    self.tables[object].replace(&self.schema.objects()[object], slot, before);
                }
                Some(Step::Deletion { object, .. }) => self.delete_log.forget_last(object),
                Some(Step::Restoration { object, at, entry }) => {
                    self.delete_log.put_back(object, at, entry)
                }
                None => break,
            }
        }
        self.release(savepoint);
    }

    /// Closes a savepoint and keeps the changes.
    pub fn release(&mut self, _: Savepoint) {
        self.journal.open = self.journal.open.saturating_sub(1);
        if self.journal.open == 0 {
            self.journal.steps.clear();
        }
    }

    /// Runs a write that leaves nothing behind when it fails. What sums up rows that it wrote follows it.
    pub(super) fn atomically<T, E: From<SaveError>>(
        &mut self,
        write: impl FnOnce(&mut Org) -> Result<T, E>,
    ) -> Result<T, E> {
        let savepoint = self.savepoint();
        let outcome = write(self).and_then(|done| {
            self.roll_up_since(&savepoint)?;
            Ok(done)
        });
        match outcome {
            Ok(_) => self.release(savepoint),
            Err(_) => self.rollback(savepoint),
        }
        outcome
    }

    /// Adds a row that has an id nobody else has.
    pub(super) fn insert_row(&mut self, object: usize, row: Row) -> Result<Slot, String> {
        let slot = self.tables[object].insert(&self.schema.objects()[object], row)?;
        self.remember(Step::Row {
            object,
            slot,
            before: None,
        });
        Ok(slot)
    }

    pub(super) fn replace_row(&mut self, object: usize, slot: Slot, row: Row) {
        let before = self.tables[object].replace(&self.schema.objects()[object], slot, Some(row));
        self.remember(Step::Row {
            object,
            slot,
            before,
        });
    }

    pub(super) fn log_deletion(&mut self, object: usize, entry: DeleteEntry) {
        self.delete_log.push(object, entry);
        self.remember(Step::Deletion { object, entry });
    }

    pub(super) fn unlog_deletion(&mut self, object: usize, slot: Slot) {
        if let Some((at, entry)) = self.delete_log.take(object, slot) {
            self.remember(Step::Restoration { object, at, entry });
        }
    }

    fn remember(&mut self, step: Step) {
        if self.journal.open > 0 {
            self.journal.steps.push(step);
        }
    }
}
