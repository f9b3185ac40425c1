//! Open conflicts: data, not errors.

use super::journal::NewEntry;
use super::rows::Row;
use super::unsent::KIND_IMPORTED;
use super::{Entry, Reading, State, Table, Writing};
use crate::env::LocalTime;
use crate::error::{Error, Result};
use crate::journal_states::Event;
use crate::json;
use crate::outcome::{
    Conflict, ConflictField, ConflictId, ConflictKind, Keep, MutationKind, Resolution,
};
use crate::record::{Fields, RecordId, ServerTime, Value, is_local};
use rusqlite::{OptionalExtension, params};
use std::sync::Arc;

struct Open {
    id: i64,
    record: String,
    object: String,
    kind: ConflictKind,
    /// The other side is not the server but another device, whose edits were imported.
    imported: bool,
    base: Fields,
    remote: Fields,
    changed_by: Option<String>,
    changed_at: Option<ServerTime>,
}

impl Reading<'_> {
    /// All open conflicts, oldest first.
    pub(crate) fn conflicts(&self) -> Result<Vec<Conflict>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT record FROM attache_conflict ORDER BY id")?;
        let records: rusqlite::Result<Vec<String>> =
            statement.query_map([], |row| row.get(0))?.collect();
        let mut conflicts = Vec::new();
        for record in records? {
            if let Some(open) = self.open_conflict("record", &record)? {
                conflicts.push(self.outward(open)?);
            }
        }
        Ok(conflicts)
    }

    /// Says whether these mutations of a record still edit what its open conflict is about.
    pub(super) fn is_in_dispute(&self, record: &str, entries: &[Entry]) -> Result<bool> {
        // The base went on to what the server has, so a conflict let go here is never found again.
        let Some(open) = self.open_conflict("record", record)? else {
            return Ok(false);
        };
        Ok(match open.kind {
            ConflictKind::DeletedAtRemote => !entries.is_empty(),
            ConflictKind::Fields => entries
                .iter()
                .any(|entry| open.base.names().any(|name| entry.fields.contains(name))),
        })
    }

    /// What the fields in conflict were when it began.
    pub(super) fn began(&self, record: &str) -> Result<Option<Fields>> {
        let open = self.open_conflict("record", record)?;
        Ok(open
            .filter(|open| open.kind == ConflictKind::Fields && !open.imported)
            .map(|open| open.base))
    }

    fn open_conflict(&self, column: &'static str, value: &str) -> Result<Option<Open>> {
        let sql = format!(
            "SELECT id, record, object, kind, base, remote, changed_by, changed_at FROM attache_conflict WHERE CAST({column} AS TEXT) = ?1"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([value])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let object: String = row.get(2)?;
        Ok(Some(Open {
            id: row.get(0)?,
            record: row.get(1)?,
            kind: match row.get(3)? {
                0 | KIND_IMPORTED => ConflictKind::Fields,
                _ => ConflictKind::DeletedAtRemote,
            },
            imported: row.get::<_, i64>(3)? == KIND_IMPORTED,
            base: json::load_fields(&row.get::<_, String>(4)?)?,
            remote: json::load_fields(&row.get::<_, String>(5)?)?,
            changed_by: row.get(6)?,
            changed_at: row.get::<_, Option<i64>>(7)?.map(ServerTime),
            object,
        }))
    }

    fn outward(&self, open: Open) -> Result<Conflict> {
        let table = self.catalogue.known(&open.object)?;
        let local = self
            .row(table, &open.record)?
            .map(|row| table.fields(&row.values))
            .unwrap_or_default();
        let value = |fields: &Fields, name: &str| fields.get(name).cloned().unwrap_or(Value::Null);
        let fields = open
            .base
            .names()
            .filter_map(|name| table.object.field(name))
            .map(|field| ConflictField {
                name: field.name.clone(),
                label: field.label.clone(),
                field_type: field.field_type.clone(),
                base: value(&open.base, &field.name),
                local: value(&local, &field.name),
                remote: value(&open.remote, &field.name),
            })
            .collect();
        let title = table
            .object
            .name_field()
            .and_then(|field| local.get(&field.name))
            .filter(|value| !value.is_null());
        Ok(Conflict {
            id: ConflictId(open.id),
            record: self.identity(&open.record)?,
            title: title.map(ToString::to_string),
            kind: open.kind,
            fields,
            changed_by: match open.changed_by {
                Some(user) => Some(self.user_name(&user)?.unwrap_or(user)),
                None => None,
            },
            changed_at: open.changed_at,
            object: open.object,
        })
    }

    /// What a user is called, if this device has heard of him.
    fn user_name(&self, id: &str) -> Result<Option<String>> {
        if let Some(name) = self.setting(&format!("user:{id}"))? {
            return Ok(Some(name));
        }
        let Some(table) = self.catalogue.table("User") else {
            return Ok(None);
        };
        let row = self.row(table, id)?;
        let name = row.and_then(|row| table.place("Name").map(|at| row.values[at].to_string()));
        Ok(name.filter(|name| !name.is_empty()))
    }

    /// Records that were edited here and seem deleted at the server, each with its object.
    pub(crate) fn lost(&self) -> Result<Vec<(String, String)>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT object, record FROM attache_conflict WHERE kind = 1")?;
        let lost: rusqlite::Result<Vec<_>> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect();
        Ok(lost?)
    }

    /// Users who changed a record in conflict and whose names are not known here.
    pub(crate) fn unnamed_users(&self) -> Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT DISTINCT changed_by FROM attache_conflict WHERE changed_by IS NOT NULL ORDER BY 1")?;
        let users: rusqlite::Result<Vec<String>> =
            statement.query_map([], |row| row.get(0))?.collect();
        let mut unnamed = Vec::new();
        for user in users? {
            if self.user_name(&user)?.is_none() {
                unnamed.push(user);
            }
        }
        Ok(unnamed)
    }
}

impl Writing<'_> {
    /// Opens a conflict, or brings the one of this record up to date.
    pub(crate) fn put_conflict(
        &self,
        table: &Table,
        record: &str,
        kind: ConflictKind,
        base: &Fields,
        remote: &Fields,
        changed: Option<(Option<String>, Option<ServerTime>)>,
    ) -> Result<()> {
        let (by, at) = changed.unwrap_or_default();
        self.connection
            .prepare_cached(
                "INSERT INTO attache_conflict (record, object, kind, base, remote, changed_by, changed_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (record) DO UPDATE SET kind = excluded.kind, base = excluded.base, remote = excluded.remote,
                    changed_by = excluded.changed_by, changed_at = excluded.changed_at",
            )?
            .execute(params![
                record,
                table.object.name,
                i64::from(kind == ConflictKind::DeletedAtRemote),
                json::store_fields(base),
                json::store_fields(remote),
                by,
                at.map(|time| time.0),
            ])?;
        Ok(())
    }

    pub(crate) fn drop_conflict(&self, record: &str) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM attache_conflict WHERE record = ?1")?
            .execute([record])?;
        Ok(())
    }

    /// Opens a conflict about fields, brings the one of this record up to date, or closes it when no field is left.
    ///
    /// `base` has for each field what both sides agreed on before the conflict began.
    pub(super) fn put_fields_conflict(
        &self,
        table: &Table,
        record: &str,
        base: &Fields,
        remote: &Fields,
        names: &[String],
    ) -> Result<()> {
        if names.is_empty() {
            return self.drop_conflict(record);
        }
        let of = |side: &Fields| -> Fields {
            let fields = names.iter().map(|name| (name.as_str(), value(side, name)));
            fields.collect()
        };
        let by = remote
            .get("LastModifiedById")
            .and_then(Value::as_text)
            .map(str::to_owned);
        let at = match remote.get("LastModifiedDate") {
            Some(Value::DateTime(time)) => Some(*time),
            _ => None,
        };
        self.put_conflict(
            table,
            record,
            ConflictKind::Fields,
            &of(base),
            &of(remote),
            Some((by, at)),
        )
    }

    /// Holds the mutations of fields in conflict, and frees those that no longer are.
    pub(super) fn mark_conflicted(&self, entries: &[Entry], names: &[String]) -> Result<()> {
        for entry in entries {
            // A field group is in dispute as a whole: what edits any part of the record waits for the answer.
            if !names.is_empty() && entry.state != State::Rejected {
                self.advance(&[entry.seq], Event::Dispute, &[])?;
            } else if entry.state == State::Conflicted {
                self.advance(&[entry.seq], Event::Decide, &[])?;
            }
        }
        Ok(())
    }

    /// Settles a conflict as a person decided.
    pub(crate) fn resolve(
        &self,
        id: ConflictId,
        resolution: &Resolution,
        now: LocalTime,
        new_key: impl FnOnce() -> RecordId,
    ) -> Result<()> {
        let reading = self.reading();
        let Some(open) = reading.open_conflict("id", &id.0.to_string())? else {
            return Err(Error::invalid(format!(
                "there is no open conflict {}",
                id.0
            )));
        };
        let table = Arc::clone(self.catalogue().known(&open.object)?);
        match open.kind {
            ConflictKind::Fields => self.resolve_fields(&table, &open, resolution, now)?,
            ConflictKind::DeletedAtRemote => match resolution {
                Resolution::Mine => self.create_again(&table, &open, now, &new_key())?,
                Resolution::Theirs => self.give_up(&table, &open.record)?,
                Resolution::PerField(_) => {
                    return Err(Error::invalid(
                        "the record is deleted at the server: keep it with Mine, or let it go with Theirs",
                    ));
                }
            },
        }
        Ok(())
    }

    fn resolve_fields(
        &self,
        table: &Table,
        open: &Open,
        resolution: &Resolution,
        now: LocalTime,
    ) -> Result<()> {
        let reading = self.reading();
        let Some(row) = reading.row(table, &open.record)? else {
            return Err(Error::internal("a record in conflict is on this device"));
        };
        let local = table.fields(&row.values);
        let (mut dropped, mut taken, mut written) = (Vec::new(), Fields::new(), Fields::new());
        for name in open.base.names() {
            let keep = match resolution {
                Resolution::Mine => &Keep::Mine,
                Resolution::Theirs => &Keep::Theirs,
                Resolution::PerField(choices) => {
                    let found = choices
                        .iter()
                        .find(|(choice, _)| choice.eq_ignore_ascii_case(name));
                    found.map(|(_, keep)| keep).ok_or_else(|| {
                        Error::invalid(format!("the resolution says nothing of {name}"))
                    })?
                }
            };
            match keep {
                // The server does not have what was imported: taking it is an edit.
                Keep::Theirs if open.imported => {
                    dropped.push(name.to_owned());
                    let theirs = value(&open.remote, name);
                    let theirs = match theirs.as_text().filter(|text| is_local(text)) {
                        Some(key) => reading.current(key)?.into(),
                        None => theirs,
                    };
                    written.set(name, theirs);
                }
                Keep::Mine if open.imported => {}
                // A member of a field group may be ours without an edit of its own.
                Keep::Mine => {
                    if !reading
                        .entries_of(&open.record)?
                        .iter()
                        .any(|entry| entry.fields.contains(name))
                    {
                        written.set(name, value(&local, name));
                    }
                }
                Keep::Theirs => {
                    dropped.push(name.to_owned());
                    taken.set(name, value(&open.remote, name));
                }
                Keep::Value(value) => {
                    dropped.push(name.to_owned());
                    written.set(name, value.clone());
                }
            }
        }
        if let Resolution::PerField(choices) = resolution
            && let Some(stranger) = choices.keys().find(|choice| {
                !open
                    .base
                    .names()
                    .any(|name| name.eq_ignore_ascii_case(choice))
            })
        {
            return Err(Error::invalid(format!(
                "{stranger} is not in this conflict"
            )));
        }
        let written = table.object.check_update(&local, &written)?;
        self.drop_fields(&open.record, &dropped)?;
        self.set_fields(table, &open.record, &taken)?;
        self.drop_conflict(&open.record)?;
        if !written.is_empty() {
            self.set_fields(table, &open.record, &written)?;
            self.append(&NewEntry {
                changeset: reading.next_changeset()?,
                object: &table.object.name,
                record: &open.record,
                kind: MutationKind::Update,
                fields: &written,
                client_key: None,
                made_at: now,
            })?;
        }
        let entries = reading.entries_of(&open.record)?;
        self.mark_conflicted(&entries, &[])?;
        if entries.is_empty() {
            self.drop_base(&open.record)?;
        }
        Ok(())
    }

    /// The record is gone at the server and wanted here: its edits become a create.
    fn create_again(
        &self,
        table: &Table,
        open: &Open,
        now: LocalTime,
        key: &RecordId,
    ) -> Result<()> {
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
        self.forget(&entries.iter().map(|entry| entry.seq).collect::<Vec<_>>())?;
        self.drop_conflict(&open.record)?;
        self.drop_base(&open.record)?;
        self.append(&NewEntry {
            changeset: reading.next_changeset()?,
            object: &table.object.name,
            record: &open.record,
            kind: MutationKind::Create,
            fields: &fields,
            client_key: Some(client_key(key)),
            made_at: now,
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

    /// Looks at a conflict anew after an edit was taken back; says whether there was one.
    pub(super) fn reconsider(&self, table: &Table, record: &str) -> Result<bool> {
        let reading = self.reading();
        let Some(open) = reading.open_conflict("record", record)? else {
            return Ok(false);
        };
        self.drop_conflict(record)?;
        let entries = reading.entries_of(record)?;
        self.mark_conflicted(&entries, &[])?;
        match (open.kind, reading.base(record)?) {
            (ConflictKind::DeletedAtRemote, _) | (_, None) => {
                if entries.is_empty() {
                    self.drop_base(record)?;
                }
                self.missing(table, record)?;
            }
            (ConflictKind::Fields, Some(base)) => {
                // The base went on with the server; the dispute began before.
                let mut began = base.fields.clone();
                for (name, value) in open.base.iter() {
                    began.set(name, value.clone());
                }
                self.merge_anew(table, record, &began, &base.fields, &entries)?;
            }
        }
        Ok(true)
    }

    /// Notes that a record that seemed deleted is there: nothing is left to ask.
    pub(super) fn found_again(&self, record: &str, entries: &[Entry]) -> Result<()> {
        let ended = self
            .connection
            .prepare_cached("DELETE FROM attache_conflict WHERE record = ?1 AND kind = 1")?
            .execute([record])?;
        if ended > 0 {
            self.mark_conflicted(entries, &[])?;
        }
        Ok(())
    }

    fn give_up(&self, table: &Table, record: &str) -> Result<()> {
        let entries = self.reading().entries_of(record)?;
        self.forget(&entries.iter().map(|entry| entry.seq).collect::<Vec<_>>())?;
        self.drop_conflict(record)?;
        self.drop_base(record)?;
        self.delete_row(table, record)
    }

    /// Puts a record back to what the server last confirmed, with the mutations that are left on top.
    pub(super) fn rebuild(&self, table: &Table, record: &str) -> Result<()> {
        let reading = self.reading();
        let entries = reading.entries_of(record)?;
        let Some(base) = reading.base(record)? else {
            return self.rebuild_created(table, record, &entries);
        };
        let mut values = table.values(&base.fields);
        super::incoming::overlay(table, &mut values, &entries);
        let deleted = entries
            .iter()
            .any(|entry| entry.kind == MutationKind::Delete);
        match reading.row(table, record)? {
            Some(_) => self.replace_row(table, &values, 0)?,
            None if deleted => {}
            None => self.insert_row(
                table,
                &Row {
                    values,
                    rules: base.rules,
                    key: base.key,
                },
            )?,
        }
        // Its lookups may lead elsewhere now, and it may be back.
        self.unsettle_relations(&table.object.name)?;
        if entries.is_empty() {
            self.drop_base(record)?;
        }
        Ok(())
    }

    fn rebuild_created(&self, table: &Table, record: &str, entries: &[Entry]) -> Result<()> {
        if entries.is_empty() && is_local(record) {
            return self.delete_row(table, record);
        }
        let fields: Fields = entries
            .iter()
            .flat_map(|entry| entry.fields.clone())
            .collect();
        self.set_fields(table, record, &fields)
    }
}

/// The part of a local key that goes to the server.
pub(super) fn client_key(key: &RecordId) -> &str {
    key.as_str().strip_prefix("local-").unwrap_or(key.as_str())
}

fn value(fields: &Fields, name: &str) -> Value {
    fields.get(name).cloned().unwrap_or(Value::Null)
}

impl Reading<'_> {
    /// Counts the open conflicts.
    pub(crate) fn conflict_count(&self) -> Result<u64> {
        let count: Option<i64> = self
            .connection
            .prepare_cached("SELECT count(*) FROM attache_conflict")?
            .query_row([], |row| row.get(0))
            .optional()?;
        Ok(count
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or(0))
    }
}
