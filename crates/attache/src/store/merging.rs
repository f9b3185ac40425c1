//! Joins what the server has with the edits made here, under the policy of the briefcase.

use super::incoming::overlay;
use super::value::adapt;
use super::{Arrived, Entry, Reading, Table, Writing};
use crate::briefcase::Briefcase;
use crate::error::Result;
use crate::merge::{MergePolicy, Merger};
use crate::outcome::{ConflictKind, Merged, MutationKind};
use crate::record::{Fields, Value};
use std::sync::Arc;

impl Table {
    /// Lays a policy out for the rows of this table.
    pub(super) fn merger(&self, policy: &MergePolicy) -> Merger {
        let of = |name: &str| self.object.fields.iter().position(|it| it.name == name);
        let places = self.columns.iter().filter_map(|column| of(&column.name));
        Merger::for_row(Arc::clone(&self.object), places.collect(), policy)
    }

    /// Says of each column whether one of these mutations sets it.
    ///
    /// What no column can show is not in the row, so no merge may settle it.
    pub(super) fn named_by<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Vec<bool> {
        let mut named = vec![false; self.columns.len()];
        for (name, value) in entries.flat_map(|entry| entry.fields.iter()) {
            if let Some(at) = self.place(name).filter(|_| self.shows(name, value)) {
                named[at] = true;
            }
        }
        named
    }

    /// The value of each column that these mutations may have written at the server.
    fn sent_by(&self, entries: &[Entry]) -> Vec<Option<Value>> {
        let mut sent = vec![None; self.columns.len()];
        for entry in entries.iter().filter(|entry| entry.was_sent()) {
            for (name, value) in entry.fields.iter() {
                if let Some(at) = self.place(name) {
                    sent[at] = adapt(value, &self.columns[at].ty);
                }
            }
        }
        sent
    }

    /// The names of columns.
    fn names_at(&self, places: &[usize]) -> Vec<String> {
        let names = places.iter().map(|at| self.columns[*at].name.clone());
        names.collect()
    }
}

impl Reading<'_> {
    /// What the briefcase says about the merging of an object's records.
    pub(crate) fn merge_policy(&self, object: &str) -> Result<MergePolicy> {
        let Some(json) = self.setting("briefcase")? else {
            return Ok(MergePolicy::default());
        };
        let options = Briefcase::from_json(&json)?.options(object);
        Ok(options.merge.unwrap_or_default())
    }
}

impl Writing<'_> {
    /// The merger of a table, laid out once in a transaction.
    pub(super) fn merger(&self, table: &Table) -> Result<Arc<Merger>> {
        let known = self.mergers.borrow().get(&table.object.name).cloned();
        if let Some(merger) = known {
            return Ok(merger);
        }
        let merger = Arc::new(table.merger(&self.reading().merge_policy(&table.object.name)?));
        self.mergers
            .borrow_mut()
            .insert(table.object.name.clone(), Arc::clone(&merger));
        Ok(merger)
    }

    /// Joins edits with a version that is known here, on the base that a dispute began with.
    pub(super) fn merge_anew(
        &self,
        table: &Table,
        id: &str,
        began: &Fields,
        remote: &Fields,
        entries: &[Entry],
    ) -> Result<Arrived> {
        let began = table.values(began);
        let mut local = began.clone();
        overlay(table, &mut local, entries);
        self.replace_row(table, &local, 0)?;
        self.merge(table, id, Some(&began), table.values(remote), 0, entries)
    }

    /// Joins what the server has with the edits made here.
    pub(super) fn merge(
        &self,
        table: &Table,
        id: &str,
        base: Option<&[Value]>,
        remote: Vec<Value>,
        rules: i64,
        entries: &[Entry],
    ) -> Result<Arrived> {
        let reading = self.reading();
        let Some(local) = reading.row(table, id)? else {
            return Ok(Arrived::Nothing);
        };
        // A field in conflict is still to be joined upon what it was when the conflict began.
        let mut base = base.map_or_else(|| remote.clone(), <[Value]>::to_vec);
        if let Some(began) = reading.began(id)? {
            for (name, value) in began.iter() {
                if let Some(at) = table.place(name) {
                    base[at] = value.clone();
                }
            }
        }
        let edited = table.named_by(entries.iter());
        let sent = table.named_by(entries.iter().filter(|entry| entry.was_sent()));
        let merger = self.merger(table)?;
        let ours = table.sent_by(entries);
        let base = merger.base_after(base, &local.values, &remote, &edited, &ours);
        let merge = merger.merged(&base, &local.values, &remote, &edited, &sent);

        #[cfg(feature = "simulation")]
        let merge = merge.mistaken(&remote);
        self.replace_row(table, &merge.row, rules)?;
        let confirmed = table.fields(&remote);
        self.put_base(table, id, &confirmed, 0, local.key.as_deref())?;
        let settled = merge.taken.iter().filter(|at| edited[**at]);
        let settled: Vec<usize> = settled.chain(&merge.agreed).copied().collect();
        self.drop_fields(id, &table.names_at(&settled))?;
        self.keep_merged_values(table, id, &merge.row, &merge.kept)?;
        let open = table.names_at(&merge.conflicts);
        let began = table.fields(&base);
        self.put_conflict_of(ConflictKind::Fields, table, id, &began, &confirmed, &open)?;
        let entries = reading.entries_of(id)?;
        if entries.is_empty() {
            self.drop_base(id)?;
        } else {
            self.settle_doubt(&entries)?;
            self.mark_conflicted(&entries, &open)?;
        }
        if !open.is_empty() {
            return Ok(Arrived::Conflicted);
        }
        Ok(Arrived::Merged(Merged {
            record: reading.identity(id)?,
            object: table.object.name.clone(),
            taken: table.names_at(&merge.taken),
            kept: table.names_at(&merge.kept),
            delete_withdrawn: false,
        }))
    }

    /// A policy may have made a new value of two: the newest mutation of the field takes it over.
    fn keep_merged_values(
        &self,
        table: &Table,
        id: &str,
        row: &[Value],
        kept: &[usize],
    ) -> Result<()> {
        let mut entries = self.reading().entries_of(id)?;
        for at in kept {
            let (name, value) = (&table.columns[*at].name, &row[*at]);
            // A member of a group may be kept for the sake of another that was edited.
            let place = entries
                .iter()
                .rposition(|entry| entry.fields.contains(name))
                .or_else(|| {
                    entries
                        .iter()
                        .rposition(|entry| entry.kind != MutationKind::Delete)
                });
            let Some(entry) = place.map(|at| &mut entries[at]) else {
                continue;
            };
            if entry.fields.get(name) != Some(value) {
                entry.fields.set(name.as_str(), value.clone());
                self.set_entry_fields(entry.seq, &entry.fields)?;
            }
        }
        Ok(())
    }
}
