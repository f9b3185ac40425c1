//! Settles conflicts as a person, a policy or the host decided.

use super::conflict::{Open, client_key, is_deletion, over, value};
use super::edit::Stamp;
use super::journal::NewEntry;
use super::rows::{Base, Row};
use super::{Table, Writing};
use crate::error::{Error, Result};
use crate::json;
use crate::outcome::{Conflict, ConflictId, ConflictKind, Keep, Merged, MutationKind, Resolution};
use crate::record::{Fields, RecordId, is_local};
use rusqlite::params;
use std::sync::Arc;

/// What was decided about the fields of a conflict.
#[derive(Default)]
struct Decided {
    /// Fields whose edits are dropped.
    dropped: Vec<String>,
    /// Values of the server's that this device takes.
    taken: Fields,
    /// Values that become a new edit.
    written: Fields,
    /// Fields that stay in conflict.
    later: Vec<String>,
}

impl Writing<'_> {
    /// Settles a conflict, and remembers how it was until something of the record is sent.
    pub(crate) fn resolve(
        &self,
        id: ConflictId,
        resolution: &Resolution,
        stamp: Stamp,
        new_key: impl FnOnce() -> RecordId,
    ) -> Result<()> {
        let reading = self.reading();
        let Some(open) = reading.conflict_of_number(id)? else {
            return Err(Error::invalid(format!(
                "there is no open conflict {}",
                id.0
            )));
        };
        let table = Arc::clone(self.catalogue().known(&open.object)?);
        self.remember(&table, &open, stamp.changeset)?;
        let whole = |what: &str| {
            Err(Error::invalid(format!(
                "{what}: decide with Mine or Theirs"
            )))
        };
        let mut now_called = open.record.clone();
        match (open.kind, resolution) {
            (ConflictKind::Fields, _) => self.resolve_fields(&table, &open, resolution, stamp)?,
            (ConflictKind::DeletedAtRemote, Resolution::Mine) => {
                let key = new_key();
                self.create_again(&table, &open, stamp, &key)?;
                key.as_str().clone_into(&mut now_called);
            }
            (ConflictKind::DeletedAtRemote, Resolution::Theirs) => {
                self.give_up(&table, &open.record)?;
            }
            (ConflictKind::DeletedAtRemote, Resolution::PerField(_)) => {
                return whole("the record is deleted at the server");
            }
            (ConflictKind::DeletedHere, Resolution::Mine) => {
                self.drop_conflict(&open.record)?;
                let entries = reading.entries_of(&open.record)?;
                self.mark_conflicted(&entries, &[])?;
            }
            (ConflictKind::DeletedHere, Resolution::Theirs) => {
                let entries = reading.entries_of(&open.record)?;
                let deletions = entries
                    .iter()
                    .filter(|entry| entry.kind == MutationKind::Delete);
                let deletions: Vec<i64> = deletions.map(|entry| entry.seq).collect();
                self.forget(&deletions)?;
                self.reconsider(&table, &open.record)?;
            }
            (ConflictKind::DeletedHere, Resolution::PerField(_)) => {
                return whole("the record is deleted here");
            }
        }
        self.remember_outcome(&open, &now_called, stamp.changeset)
    }

    /// Settles a conflict if it is still as it was shown, and tells so in the next report. Gives whether it was.
    pub(crate) fn answer(
        &self,
        shown: &Conflict,
        resolution: &Resolution,
        stamp: Stamp,
        new_key: impl FnOnce() -> RecordId,
    ) -> Result<bool> {
        if self.reading().conflict(shown.id)?.as_ref() != Some(shown) {
            return Ok(false);
        }
        self.resolve(shown.id, resolution, stamp, new_key)?;
        let taken = |name: &str| match resolution {
            Resolution::Mine => false,
            Resolution::Theirs => true,
            Resolution::PerField(choices) => choices
                .iter()
                .any(|(choice, keep)| *keep == Keep::Theirs && choice.eq_ignore_ascii_case(name)),
        };
        let names = shown.fields.iter().map(|field| field.name.clone());
        let (taken, kept) = names.partition(|name| taken(name));
        self.put_notice(&Merged {
            record: shown.record.clone(),
            object: shown.object.clone(),
            taken,
            kept,
            delete_withdrawn: shown.kind == ConflictKind::DeletedHere
                && *resolution == Resolution::Theirs,
        })?;
        Ok(true)
    }

    fn resolve_fields(
        &self,
        table: &Table,
        open: &Open,
        resolution: &Resolution,
        stamp: Stamp,
    ) -> Result<()> {
        let reading = self.reading();
        let Some(row) = reading.row(table, &open.record)? else {
            return Err(Error::internal("a record in conflict is on this device"));
        };
        let local = table.fields(&row.values);
        let decided = self.decided(open, &local, resolution)?;
        let written = if decided.written.is_empty() {
            // What a person keeps or gives up needs no permission: it can be decided although the object is read-only by now.
            Fields::new()
        } else if is_local(&open.record) {
            // The server has yet to see the record: what may be set in a create may still be changed.
            self.check_unsent(&table.object, &open.record, &decided.written)?
        } else {
            table.object.check_update(&local, &decided.written)?
        };
        self.drop_fields(&open.record, &decided.dropped)?;
        self.set_fields(table, &open.record, &decided.taken)?;
        self.leave_open(open, &decided.later)?;
        if !written.is_empty() {
            self.set_fields(table, &open.record, &written)?;
            self.append(&NewEntry {
                changeset: stamp.changeset,
                object: &table.object.name,
                record: &open.record,
                kind: MutationKind::Update,
                fields: &written,
                client_key: None,
                made_at: stamp.now,
            })?;
        }
        let entries = reading.entries_of(&open.record)?;
        self.mark_conflicted(&entries, &decided.later)?;
        if entries.is_empty() && decided.later.is_empty() {
            self.drop_base(&open.record)?;
        }
        Ok(())
    }

    fn decided(&self, open: &Open, local: &Fields, resolution: &Resolution) -> Result<Decided> {
        let reading = self.reading();
        if let Resolution::PerField(choices) = resolution {
            let is_known = |choice: &str| {
                open.base
                    .names()
                    .any(|name| name.eq_ignore_ascii_case(choice))
            };
            if let Some(stranger) = choices.keys().find(|choice| !is_known(choice)) {
                return Err(Error::invalid(format!(
                    "{stranger} is not in this conflict"
                )));
            }
        }
        let entries = reading.entries_of(&open.record)?;
        let mut decided = Decided::default();
        for name in open.base.names() {
            match choice(resolution, name)? {
                Keep::Later => decided.later.push(name.to_owned()),
                // The server does not have what was imported: taking it is an edit.
                Keep::Theirs if open.imported => {
                    decided.dropped.push(name.to_owned());
                    let theirs = value(&open.remote, name);
                    let theirs = match theirs.as_text().filter(|text| is_local(text)) {
                        Some(key) => reading.current(key)?.into(),
                        None => theirs,
                    };
                    decided.written.set(name, theirs);
                }
                Keep::Mine if open.imported => {}
                // A member of a field group may be ours without an edit of its own.
                Keep::Mine => {
                    if !entries.iter().any(|entry| entry.fields.contains(name)) {
                        decided.written.set(name, value(local, name));
                    }
                }
                Keep::Theirs => {
                    decided.dropped.push(name.to_owned());
                    decided.taken.set(name, value(&open.remote, name));
                }
                Keep::Value(value) => {
                    decided.dropped.push(name.to_owned());
                    decided.written.set(name, value.clone());
                }
            }
        }
        Ok(decided)
    }

    /// Keeps the fields in conflict that are to be decided later; without any it is closed.
    fn leave_open(&self, open: &Open, later: &[String]) -> Result<()> {
        if later.is_empty() {
            return self.drop_conflict(&open.record);
        }
        let of = |side: &Fields| -> Fields {
            let fields = later.iter().map(|name| (name.as_str(), value(side, name)));
            fields.collect()
        };
        self.connection
            .prepare_cached("UPDATE attache_conflict SET base = ?2, remote = ?3 WHERE id = ?1")?
            .execute(params![
                open.id,
                json::store_fields(&of(&open.base)),
                json::store_fields(&of(&open.remote)),
            ])?;
        Ok(())
    }

    /// Opens a conflict about a record that is deleted here and was edited at the server, or brings it up to date.
    pub(super) fn ask_about_deletion(
        &self,
        table: &Table,
        id: &str,
        remote: &Fields,
        rules: i64,
        entries: &[super::Entry],
    ) -> Result<super::Arrived> {
        let reading = self.reading();
        let base = reading.base(id)?;
        let key = base.as_ref().and_then(|base| base.key.clone());
        let confirmed = base.map(|base| base.fields).unwrap_or_default();
        let began = over(&confirmed, &reading.began(id)?.unwrap_or_default());
        let edited = table.object.fields.iter().filter(|field| {
            let (began, now) = (value(&began, &field.name), value(remote, &field.name));
            field.updateable && !crate::merge::same(&field.field_type, &began, &now)
        });
        let edited: Vec<String> = edited.map(|field| field.name.clone()).collect();
        self.put_base(table, id, remote, rules, key.as_deref())?;
        self.put_conflict_of(
            ConflictKind::DeletedHere,
            table,
            id,
            &began,
            remote,
            &edited,
        )?;
        self.mark_conflicted(entries, &edited)?;
        Ok(match edited.is_empty() {
            true => super::Arrived::Unchanged,
            false => super::Arrived::Conflicted,
        })
    }

    /// Brings a record back whose deletion was taken back, and joins what was edited on both sides before.
    pub(super) fn bring_back(&self, table: &Table, open: &Open, base: Base) -> Result<()> {
        let entries = self.reading().entries_of(&open.record)?;
        debug_assert!(!is_deletion(&entries), "the deletion was taken back");
        self.insert_row(
            table,
            &Row {
                values: table.values(&base.fields),
                rules: base.rules,
                key: base.key,
            },
        )?;
        let began = over(&base.fields, &open.base);
        self.merge_anew(table, &open.record, &began, &base.fields, &entries)?;
        self.unsettle_relations(&table.object.name)
    }

    /// The record is gone at the server and wanted here: its edits become a create.
    ///
    /// Refused if this user may not create it, or not with all that was edited: that would be lost.
    fn create_again(&self, table: &Table, open: &Open, stamp: Stamp, key: &RecordId) -> Result<()> {
        let reading = self.reading();
        let Some(row) = reading.row(table, &open.record)? else {
            return Err(Error::internal("a record in conflict is on this device"));
        };
        let fields: Fields = table
            .fields(&row.values)
            .into_iter()
            .filter(|(name, value)| {
                !value.is_null()
                    && table
                        .object
                        .field(name)
                        .is_some_and(|field| field.createable)
            })
            .collect();
        let entries = reading.entries_of(&open.record)?;
        let edited = entries.iter().flat_map(|entry| entry.fields.iter());
        let edited = edited.filter(|(_, value)| !value.is_null());
        let edited = edited.map(|(name, _)| name);
        table.object.may_be_created_with(edited)?;
        self.forget(&entries.iter().map(|entry| entry.seq).collect::<Vec<_>>())?;
        self.drop_conflict(&open.record)?;
        self.drop_base(&open.record)?;
        self.append(&NewEntry {
            changeset: stamp.changeset,
            object: &table.object.name,
            record: &open.record,
            kind: MutationKind::Create,
            fields: &fields,
            client_key: Some(client_key(key)),
            made_at: stamp.now,
        })?;
        // The identity that hosts hold goes on; only what the server will call it is open again.
        let known_as = row.key.unwrap_or_else(|| open.record.clone());
        self.rename(table, &open.record, key.as_str())?;
        self.connection.execute(
            &format!(
                "UPDATE {} SET \"attache_key\" = ?2, \"attache_rules\" = 0 WHERE \"Id\" = ?1",
                super::quote(&table.object.name)
            ),
            params![key.as_str(), known_as],
        )?;
        Ok(())
    }

    fn give_up(&self, table: &Table, record: &str) -> Result<()> {
        let entries = self.reading().entries_of(record)?;
        self.forget(&entries.iter().map(|entry| entry.seq).collect::<Vec<_>>())?;
        self.drop_conflict(record)?;
        self.drop_base(record)?;
        self.delete_row(table, record)
    }
}

/// What is decided about one field.
fn choice<'a>(resolution: &'a Resolution, name: &str) -> Result<&'a Keep> {
    match resolution {
        Resolution::Mine => Ok(&Keep::Mine),
        Resolution::Theirs => Ok(&Keep::Theirs),
        Resolution::PerField(choices) => choices
            .iter()
            .find(|(choice, _)| choice.eq_ignore_ascii_case(name))
            .map(|(_, keep)| keep)
            .ok_or_else(|| {
                Error::invalid(format!(
                    "the resolution says nothing of {name}; what is to stay open is decided later"
                ))
            }),
    }
}
