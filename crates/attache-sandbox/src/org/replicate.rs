//! What changed and what was deleted in a span of time.

use super::table::Slot;
use super::{Org, SaveError};
use std::collections::HashMap;

/// The answer of getDeleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Ids and the times they were deleted at, in seconds since the epoch.
    pub records: Vec<(String, i64)>,
    /// The earliest time deletions are known for.
    pub earliest: i64,
    /// Every deletion before this time is in the answer.
    pub latest: i64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct DeleteEntry {
    pub slot: Slot,
    pub at: i64,
}

/// Deletions by object, oldest first.
#[derive(Debug, Default)]
pub(super) struct DeleteLog {
    entries: HashMap<usize, Vec<DeleteEntry>>,
    /// Nothing is known of deletions before this time.
    pruned_until: i64,
    /// What the deletion of a row took along, the row itself first.
    groups: HashMap<(usize, Slot), Vec<(usize, Slot)>>,
}

impl DeleteLog {
    pub(super) fn push(&mut self, object: usize, entry: DeleteEntry) {
        self.entries.entry(object).or_default().push(entry);
    }

    pub(super) fn forget_last(&mut self, object: usize) {
        if let Some(entries) = self.entries.get_mut(&object) {
            entries.pop();
        }
    }

    pub(super) fn take(&mut self, object: usize, slot: Slot) -> Option<(usize, DeleteEntry)> {
        let entries = self.entries.get_mut(&object)?;
        let at = entries.iter().rposition(|entry| entry.slot == slot)?;
        Some((at, entries.remove(at)))
    }

    pub(super) fn put_back(&mut self, object: usize, at: usize, entry: DeleteEntry) {
        let entries = self.entries.entry(object).or_default();
        entries.insert(at.min(entries.len()), entry);
    }

    pub(super) fn remember_group(&mut self, root: (usize, Slot), group: Vec<(usize, Slot)>) {
        self.groups.insert(root, group);
    }

    /// Gives what went with a row when it was deleted, itself included.
    pub(super) fn group(&self, root: (usize, Slot)) -> Vec<(usize, Slot)> {
        self.groups
            .get(&root)
            .cloned()
            .unwrap_or_else(|| vec![root])
    }

    fn of(&self, object: usize) -> &[DeleteEntry] {
        self.entries.get(&object).map_or(&[], Vec::as_slice)
    }
}

const DAY: i64 = 86_400;

impl Org {
    /// Gives the ids of rows created or changed in a span that the user can see now, and the time covered.
    ///
    /// Times are seconds since the epoch, cut to the minute; both ends are included.
    pub fn updated(
        &self,
        actor: &str,
        object: &str,
        start: i64,
        end: i64,
    ) -> Result<(Vec<String>, i64), SaveError> {
        let object = self.object_for(actor, object)?;
        if start >= end {
            return Err(wrong_dates("startDate must be before endDate"));
        }
        if start < self.now - 30 * DAY {
            return Err(wrong_dates("startDate cannot be more than 30 days ago"));
        }
        let (viewer, table) = (self.viewer(actor), self.table(object));
        let covered = minute(end).min(self.covered_until());
        let ids: Vec<String> = table
            .stamped(minute(start), minute(end))
            .filter(|&(_, slot)| !table.is_deleted(slot) && self.visible(&viewer, object, slot))
            .map(|(_, slot)| table.id(slot).to_owned())
            .collect();
        self.check_listed(ids.len())?;
        Ok((ids, covered))
    }

    /// Gives the rows deleted in a span that the user had access to.
    ///
    /// Times are seconds since the epoch, cut to the minute; both ends are included.
    pub fn deleted(
        &self,
        actor: &str,
        object: &str,
        start: i64,
        end: i64,
    ) -> Result<Deleted, SaveError> {
        let object = self.object_for(actor, object)?;
        if end - start <= 60 {
            return Err(wrong_dates(
                "startDate must be more than one minute before endDate",
            ));
        }
        let earliest = (self.now - 15 * DAY).max(self.delete_log.pruned_until);
        if start < earliest {
            return Err(wrong_dates(
                "startDate is before the earliest date available",
            ));
        }
        let (viewer, table) = (self.viewer(actor), self.table(object));
        let span = minute(start)..=minute(end);
        let log = self.delete_log.of(object);
        let records: Vec<(String, i64)> = log
            .iter()
            .filter(|entry| span.contains(&entry.at) && self.visible(&viewer, object, entry.slot))
            .map(|entry| (table.id(entry.slot).to_owned(), entry.at))
            .collect();
        self.check_listed(records.len())?;
        Ok(Deleted {
            records,
            earliest: minute(earliest),
            latest: minute(end).min(self.covered_until()),
        })
    }

    /// Refuses to list more ids than a call may hold.
    fn check_listed(&self, ids: usize) -> Result<(), SaveError> {
        if ids <= self.config.switches.listed_ids_max {
            return Ok(());
        }
        let message = "exceeded the number of ids that can be listed: choose a shorter span";
        Err(SaveError::new("EXCEEDED_ID_LIMIT", message))
    }

    /// Empties the delete log up to a time, as a platform does after mass deletions.
    pub fn prune_delete_log(&mut self, until: i64) {
        self.delete_log.pruned_until = self.delete_log.pruned_until.max(until);
        for entries in self.delete_log.entries.values_mut() {
            entries.retain(|entry| entry.at >= until);
        }
    }

    /// Tells the time before which every commit is visible.
    fn covered_until(&self) -> i64 {
        minute(self.settled_until())
    }
}

fn minute(time: i64) -> i64 {
    time - time.rem_euclid(60)
}

fn wrong_dates(message: &str) -> SaveError {
    SaveError::new("INVALID_REPLICATION_DATE", message)
}
