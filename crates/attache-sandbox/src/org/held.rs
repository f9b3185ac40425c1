//! Transactions that take their time: stamped when they start, seen when they commit.

use super::journal::Step;
use super::replicate::DeleteEntry;
use super::row::Row;
use super::table::Slot;
use super::{Org, SaveError, Savepoint, key};
use crate::value::Value;

/// A transaction that did its work and has not committed yet, or a mere lock.
#[derive(Debug)]
pub(super) struct Held {
    /// When it started, in seconds since the epoch.
    started: i64,
    /// When it commits.
    until: i64,
    /// Rows nobody else may write, with what they become.
    rows: Vec<(usize, Slot, Option<Row>)>,
    deletions: Vec<(usize, DeleteEntry)>,
}

impl Org {
    /// Runs writes in a transaction that commits only when the clock reaches `until`.
    ///
    /// The rows are stamped now, but appear later, behind rows with younger stamps;
    /// until then other writes to them answer UNABLE_TO_LOCK_ROW, and
    /// getUpdated covers no time after the start of the transaction. What `write`
    /// returns, new ids for instance, is told at once.
    pub fn hold_open<T>(&mut self, until: i64, write: impl FnOnce(&mut Org) -> T) -> T {
        let savepoint = self.savepoint();
        let outcome = write(self);
        self.hold_since(savepoint, until);
        outcome
    }

    /// Takes back what was done since a savepoint, until the clock reaches `until`.
    pub(crate) fn hold_since(&mut self, savepoint: Savepoint, until: i64) {
        let mut held = Held {
            started: self.now,
            until,
            rows: Vec::new(),
            deletions: Vec::new(),
        };
        for step in self.journal.since(&savepoint) {
            match step {
                Step::Row { object, slot, .. } if !held.has(*object, *slot) => {
                    held.rows
                        .push((*object, *slot, self.tables[*object].row(*slot).cloned()));
                }
                Step::Deletion { object, entry } => held.deletions.push((*object, *entry)),
                _ => {}
            }
        }
        self.rollback(savepoint);
        self.held.push(held);
        self.commit_due();
    }

    /// Locks a row until a time: every write to it answers UNABLE_TO_LOCK_ROW.
    pub fn lock(&mut self, object: &str, id: &str, until: i64) {
        let found = self
            .schema
            .index(object)
            .and_then(|at| Some((at, self.tables[at].find(&key(id)?)?)));
        if let Some((object, slot)) = found {
            let rows = vec![(object, slot, None)];
            // A lock alone holds nothing back, so it starts when it ends.
            self.held.push(Held {
                started: until,
                until,
                rows,
                deletions: Vec::new(),
            });
        }
    }

    /// Refuses to write a row that a transaction holds.
    pub(super) fn check_lock(&self, object: usize, slot: Slot) -> Result<(), SaveError> {
        if !self.held.iter().any(|held| held.has(object, slot)) {
            return Ok(());
        }
        let id = self.tables[object].id(slot);
        let message =
            format!("unable to obtain exclusive access to this record or 1 records: {id}");
        Err(SaveError::new("UNABLE_TO_LOCK_ROW", message))
    }

    /// Makes visible what committed by now, the oldest commit first.
    pub(super) fn commit_due(&mut self) {
        let now = self.now;
        let (mut due, open): (Vec<Held>, Vec<Held>) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|held| held.until <= now);
        self.held = open;
        due.sort_by_key(|held| held.until);
        for held in due {
            for (object, slot, row) in held.rows {
                if let Some(row) = row {
                    self.replace_row(object, slot, row);
                }
            }
            for (object, entry) in held.deletions {
                self.log_deletion(object, entry);
            }
        }
    }

    /// Tells the time before which every transaction has committed.
    pub(super) fn settled_until(&self) -> i64 {
        let oldest = self.held.iter().map(|held| held.started - 1).min();
        oldest.unwrap_or(i64::MAX).min(self.now)
    }

    /// Gives a row to another user, as an administrator does; both stamps move.
    pub fn transfer_owner(&mut self, object: &str, id: &str, user: &str) {
        let found = self
            .schema
            .index(object)
            .and_then(|at| Some((at, self.tables[at].find(&key(id)?)?)));
        let (Some((object, slot)), Some(user)) = (found, crate::id::parse(user)) else {
            return;
        };
        let columns = self.tables[object].columns.clone();
        let (Some(owner), Some(mut row)) = (columns.owner, self.whole_row(object, slot)) else {
            return;
        };
        row[owner] = Value::text(user);
        if let Some(at) = columns.modified {
            row[at] = Value::DateTime(self.now);
        }
        self.stamp_system(object, &mut row);
        self.replace_row(object, slot, row.into());
        self.end_manual_shares("", object, slot);
    }
}

impl Held {
    fn has(&self, object: usize, slot: Slot) -> bool {
        self.rows
            .iter()
            .any(|(of, at, _)| (*of, *at) == (object, slot))
    }
}
