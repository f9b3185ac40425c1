//! Changesets that the server takes whole or not at all.

use crate::changeset::Changeset;
use crate::engine::Attache;
use crate::error::{Error, Result};
use crate::outcome::{JournalSeq, MutationState};
use crate::plan::{self, Step};
use crate::store::{Entry, Writing};
use std::collections::BTreeSet;

/// Records of one such changeset at most: what a server takes at once.
///
/// # Source
/// Composite Graph Limits, REST API Developer Guide: 500 nodes of 15 kinds.
pub(crate) const TOGETHER_MAX: usize = 500;
/// Pairs of an object and what is done with it.
const KINDS_MAX: usize = 15;

impl Changeset<'_> {
    /// Has the server take the edits of this changeset all together, or none of them.
    ///
    /// Without it each record is written by itself at the server, and one that is refused parks alone. With it the
    /// edits travel in one call, with whatever else of their records waits to be sent. If the server refuses one,
    /// that one is [rejected](MutationState::Rejected) with the reason, and the others stay pending until it was
    /// edited, [retried](Attache::retry) or [discarded](Attache::discard): [`Attache::waits_for`] says for what.
    ///
    /// A changeset of more than 500 records, or of more than 15 kinds of edits (a kind is an object and whether its
    /// records are created, changed or deleted), is refused when it ends. If others that share records with it make
    /// it larger than that later on, all of them are rejected when they are sent.
    ///
    /// # Examples
    /// ```no_run
    /// # fn main() -> attache::Result<()> {
    /// # let attache = attache::Attache::open("acme-jo.db")?;
    /// use attache::Value;
    ///
    /// attache.changeset(|edits| {
    ///     edits.all_or_none();
    ///     let account = edits.create("Account", [("Name", "Acme")])?;
    ///     let contact = [("LastName", Value::from("Öz")), ("AccountId", Value::from(&account))];
    ///     edits.create("Contact", contact)?;
    ///     Ok(())
    /// })?; // the org has both some day, or neither
    /// # Ok(())
    /// # }
    /// ```
    pub fn all_or_none(&mut self) {
        self.together = true;
    }
}

/// Notes that a changeset is to be taken whole, if a server can do that.
pub(crate) fn tie(w: &Writing<'_>, changeset: i64) -> Result<()> {
    let mut entries = w.reading().entries()?;
    entries.retain(|entry| entry.changeset == changeset);
    let records: BTreeSet<&str> = entries.iter().map(|it| it.record.as_str()).collect();
    let kinds: BTreeSet<(&str, u8)> = entries
        .iter()
        .map(|entry| (entry.object.as_str(), entry.kind as u8))
        .collect();
    if records.len() > TOGETHER_MAX || kinds.len() > KINDS_MAX {
        return Err(Error::invalid(format!(
            "a changeset that is taken whole may edit {TOGETHER_MAX} records in {KINDS_MAX} kinds of edits, and this one \
             edits {} in {}: make it smaller, or leave all_or_none() out",
            records.len(),
            kinds.len()
        )));
    }
    w.tie(changeset)
}

impl Attache {
    /// The mutations that have to be dealt with before a pending one of an [all-or-none](Changeset::all_or_none)
    /// changeset can leave: rejected, in conflict or in doubt. None for a mutation that waits for no other.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind) if there is no such mutation.
    pub fn waits_for(&self, seq: JournalSeq) -> Result<Vec<JournalSeq>> {
        self.store.read(|r| {
            let record = r.entry(seq)?.record;
            let together = r.together()?;
            if together.is_empty() {
                return Ok(Vec::new());
            }
            let steps: Vec<Step> = r.entries()?.iter().map(Entry::step).collect();
            let units = plan::units(&steps, &together, |_, _| true);
            let Some(unit) = units
                .iter()
                .find(|unit| unit.writes.iter().any(|write| write.record == record))
            else {
                return Ok(Vec::new());
            };
            let of_unit = |step: &&Step| {
                unit.writes.iter().any(|write| write.record == step.record)
                    && step.state != MutationState::Pending
            };
            Ok(steps
                .iter()
                .filter(of_unit)
                .filter(|step| step.seq != seq.0)
                .map(|step| JournalSeq(step.seq))
                .collect())
        })
    }
}
