//! Open conflicts: data, not errors.

use super::rows::Row;
use super::unsent::{KIND_DELETED_AT_REMOTE, KIND_DELETED_HERE, KIND_FIELDS, KIND_IMPORTED};
use super::{Entry, Reading, State, Table, Writing};
use crate::error::Result;
use crate::journal_states::Event;
use crate::json;
use crate::outcome::{Conflict, ConflictField, ConflictId, ConflictKind, MutationKind};
use crate::record::{Fields, RecordId, ServerTime, Value, is_local};
use rusqlite::{OptionalExtension, ToSql, params};

const OF_RECORD: &str = "SELECT id, record, object, kind, base, remote, changed_by, changed_at
     FROM attache_conflict WHERE record = ?1";
const OF_NUMBER: &str = "SELECT id, record, object, kind, base, remote, changed_by, changed_at
     FROM attache_conflict WHERE id = ?1";

pub(super) struct Open {
    pub id: i64,
    pub record: String,
    pub object: String,
    pub kind: ConflictKind,
    /// The other side is not the server but this user: edits of another device that were imported, or of another
    /// record that was merged into this one.
    pub imported: bool,
    pub base: Fields,
    pub remote: Fields,
    changed_by: Option<String>,
    changed_at: Option<ServerTime>,
}

impl Reading<'_> {
    /// An open conflict.
    pub(crate) fn conflict(&self, id: ConflictId) -> Result<Option<Conflict>> {
        let open = self.conflict_of_number(id)?;
        open.map(|open| self.outward(open)).transpose()
    }

    /// All open conflicts, oldest first.
    pub(crate) fn conflicts(&self) -> Result<Vec<Conflict>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT record FROM attache_conflict ORDER BY id")?;
        let records: rusqlite::Result<Vec<String>> =
            statement.query_map([], |row| row.get(0))?.collect();
        let mut conflicts = Vec::new();
        for record in records? {
            if let Some(open) = self.open_conflict(&record)? {
                conflicts.push(self.outward(open)?);
            }
        }
        Ok(conflicts)
    }

    /// Says whether these mutations of a record still edit what its open conflict is about.
    pub(super) fn is_in_dispute(&self, record: &str, entries: &[Entry]) -> Result<bool> {
        // The base went on to what the server has, so a conflict let go here is never found again.
        let Some(open) = self.open_conflict(record)? else {
            return Ok(false);
        };
        Ok(match open.kind {
            ConflictKind::DeletedAtRemote => !entries.is_empty(),
            ConflictKind::DeletedHere => is_deletion(entries),
            ConflictKind::Fields => entries
                .iter()
                .any(|entry| open.base.names().any(|name| entry.fields.contains(name))),
        })
    }

    /// What the fields in conflict were when it began.
    pub(super) fn began(&self, record: &str) -> Result<Option<Fields>> {
        let open = self.open_conflict(record)?;
        Ok(open
            .filter(|open| open.kind != ConflictKind::DeletedAtRemote && !open.imported)
            .map(|open| open.base))
    }

    /// The open conflict of a record.
    pub(super) fn open_conflict(&self, record: &str) -> Result<Option<Open>> {
        self.first_open(OF_RECORD, record)
    }

    /// The open conflict with a number.
    pub(super) fn conflict_of_number(&self, id: ConflictId) -> Result<Option<Open>> {
        self.first_open(OF_NUMBER, id.0)
    }

    fn first_open(&self, sql: &str, value: impl ToSql) -> Result<Option<Open>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([value])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let object: String = row.get(2)?;
        Ok(Some(Open {
            id: row.get(0)?,
            record: row.get(1)?,
            kind: match row.get(3)? {
                KIND_DELETED_AT_REMOTE => ConflictKind::DeletedAtRemote,
                KIND_DELETED_HERE => ConflictKind::DeletedHere,
                _ => ConflictKind::Fields,
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
        let row = self.row(table, &open.record)?;
        let local = row.map(|row| table.fields(&row.values)).unwrap_or_default();
        // What is deleted here is still called as the server has it.
        let called = match (open.kind, self.base(&open.record)?) {
            (ConflictKind::DeletedHere, Some(base)) => base.fields,
            _ => local.clone(),
        };
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
            .and_then(|field| called.get(&field.name))
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
                match kind {
                    ConflictKind::Fields => KIND_FIELDS,
                    ConflictKind::DeletedAtRemote => KIND_DELETED_AT_REMOTE,
                    ConflictKind::DeletedHere => KIND_DELETED_HERE,
                },
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

    /// Opens a conflict, brings the one of this record up to date, or closes it when no field is left.
    ///
    /// `base` has for each field what both sides agreed on before the conflict began.
    pub(super) fn put_conflict_of(
        &self,
        kind: ConflictKind,
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
        self.put_conflict(table, record, kind, &of(base), &of(remote), Some((by, at)))
    }

    /// Opens a conflict between edits of a record and other work of this user about it, and holds the record.
    ///
    /// What the server has changed meanwhile is found when the record is sent, under its old base.
    pub(super) fn dispute(
        &self,
        table: &Table,
        record: &str,
        base: &Fields,
        theirs: &Fields,
    ) -> Result<()> {
        let by = self.reading().setting("user_id")?;
        self.connection.execute(
            "INSERT INTO attache_conflict (record, object, kind, base, remote, changed_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                record,
                table.object.name,
                KIND_IMPORTED,
                json::store_fields(base),
                json::store_fields(theirs),
                by,
            ],
        )?;
        let entries = self.reading().entries_of(record)?;
        let names: Vec<String> = base.names().map(str::to_owned).collect();
        self.mark_conflicted(&entries, &names)
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

    /// Looks at a conflict anew after an edit was taken back; says whether there was one.
    pub(super) fn reconsider(&self, table: &Table, record: &str) -> Result<bool> {
        let reading = self.reading();
        let Some(open) = reading.open_conflict(record)? else {
            return Ok(false);
        };
        let entries = reading.entries_of(record)?;
        if open.kind == ConflictKind::DeletedHere && is_deletion(&entries) {
            return Ok(true);
        }
        self.drop_conflict(record)?;
        self.mark_conflicted(&entries, &[])?;
        match (open.kind, reading.base(record)?) {
            (ConflictKind::DeletedAtRemote, _) | (_, None) => {
                if entries.is_empty() {
                    self.drop_base(record)?;
                }
                self.missing(table, record)?;
            }
            (ConflictKind::DeletedHere, Some(base)) => self.bring_back(table, &open, base)?,
            (ConflictKind::Fields, Some(base)) => {
                // The base went on with the server; the dispute began before.
                let began = over(&base.fields, &open.base);
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

/// Says whether a record with these mutations is deleted here.
pub(super) fn is_deletion(entries: &[Entry]) -> bool {
    entries
        .iter()
        .any(|entry| entry.kind == MutationKind::Delete)
}

/// Fields with others written over them.
pub(super) fn over(below: &Fields, above: &Fields) -> Fields {
    let both = below.iter().chain(above.iter());
    both.map(|(name, value)| (name, value.clone())).collect()
}

/// The part of a local key that goes to the server.
pub(super) fn client_key(key: &RecordId) -> &str {
    key.as_str().strip_prefix("local-").unwrap_or(key.as_str())
}

pub(super) fn value(fields: &Fields, name: &str) -> Value {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_conflict_is_found_by_an_index() {
        let store = Store::open_in_memory(crate::Options::new()).unwrap();
        for sql in [OF_RECORD, OF_NUMBER] {
            let plan: Vec<String> = store
                .read(|r| {
                    let sql = format!("EXPLAIN QUERY PLAN {sql}");
                    let mut statement = r.connection.prepare(&sql)?;
                    let steps = statement.query_map(["1"], |row| row.get("detail"))?;
                    Ok(steps.collect::<rusqlite::Result<_>>()?)
                })
                .unwrap();
            assert_eq!(plan.len(), 1, "{plan:?}");
            assert!(
                plan[0].starts_with("SEARCH attache_conflict USING"),
                "{plan:?}"
            );
        }
    }
}
