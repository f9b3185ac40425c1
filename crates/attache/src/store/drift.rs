//! Brings tables into the shape of new describes, and keeps what was edited over it.
//!
//! | what changed at the org | what happens to the column | and to edits that wait |
//! |---|---|---|
//! | a field came | added, filled in from the server | shown, if any wait from before |
//! | a field went, or is hidden | dropped with its values | parked with the reason; sent when it is back |
//! | another type, kept in the same form | stays until it was read again | sent if the value suits, else parked |
//! | another type, kept in another form | dropped and added | the same |
//! | shorter, fewer digits, another formula | stays until it was read again | parked if they no longer fit |
//! | read-only | stays | parked |
//! | another case of its name | renamed | go on |
//!
//! To drop a column SQLite writes the table anew, in one transaction: the one work of a session for which a person's
//! edit waits longer the more records there are. It is done once for a field that went.
//!
//! A parked edit is a rejected one whose reason was found here. The journal
//! keeps every edit as it was written, whatever becomes of its field.

use super::catalogue::{Table, declared};
use super::{Entry, Reading, State, Writing, quote, value};
use crate::error::{Problem, Result};
use crate::journal_states::Event;
use crate::outcome::MutationKind;
use crate::record::{Fields, Value};
use crate::schema::{FieldSchema, ObjectSchema, check};
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;

/// Columns of one object that are to be filled in, as far as they are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Missing {
    pub fields: Vec<String>,
    pub after: Option<String>,
}

impl Writing<'_> {
    /// Brings a table into another shape and notes which of its columns have to be filled in.
    pub(super) fn alter(&self, have: &Table, want: &Table) -> Result<()> {
        let object = &want.object.name;
        for column in &have.columns {
            let kept = want
                .place(&column.name)
                .is_some_and(|at| value::kept_alike(&want.columns[at].ty, &column.ty));
            if !kept {
                self.drop_column(object, &column.name)?;
            }
        }
        let has_rows = self.has_rows(object)?;
        for column in &want.columns {
            let old = have.place(&column.name).map(|at| &have.columns[at]);
            let kept = old.is_some_and(|old| value::kept_alike(&column.ty, &old.ty));
            if !kept {
                self.connection.execute_batch(&format!(
                    "ALTER TABLE {} ADD COLUMN {} {}",
                    quote(object),
                    quote(&column.name),
                    declared(&column.ty)
                ))?;
            } else if old.is_some_and(|old| old.name != column.name) {
                // SQLite does not mind the case, but other tools read these names.
                self.connection.execute_batch(&format!(
                    "ALTER TABLE {table} RENAME COLUMN {name} TO {name}",
                    table = quote(object),
                    name = quote(&column.name)
                ))?;
            }
            let field = |table: &Table| table.object.field(&column.name).cloned();
            let stale = !kept
                || match (field(have), field(want)) {
                    (Some(old), Some(new)) => must_be_read_again(&old, &new),
                    _ => false,
                };
            if stale && has_rows {
                self.connection
                    .prepare_cached("INSERT OR REPLACE INTO attache_missing VALUES (?1, ?2, NULL)")?
                    .execute([object, &column.name])?;
            }
        }
        self.forget_missing(object, |name| want.place(name).is_none())?;
        self.show_edits(want)
    }

    fn has_rows(&self, object: &str) -> Result<bool> {
        let sql = format!("SELECT 1 FROM {} LIMIT 1", quote(object));
        Ok(self.connection.prepare(&sql)?.exists([])?)
    }

    fn drop_column(&self, object: &str, name: &str) -> Result<()> {
        // SQLite drops no column that an index is on.
        let mut statement = self.connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1 COLLATE NOCASE
             AND instr(sql, ?2) > 0",
        )?;
        let indexes: rusqlite::Result<Vec<String>> = statement
            .query_map([object, &quote(name)], |row| row.get(0))?
            .collect();
        for index in indexes? {
            self.connection
                .execute_batch(&format!("DROP INDEX {}", quote(&index)))?;
        }
        self.unindex_field(object, name)?;
        self.connection.execute_batch(&format!(
            "ALTER TABLE {} DROP COLUMN {}",
            quote(object),
            quote(name)
        ))?;
        Ok(())
    }

    fn forget_missing(&self, object: &str, gone: impl Fn(&str) -> bool) -> Result<()> {
        for missing in self.reading().missing(object)? {
            for field in missing.fields.iter().filter(|name| gone(name)) {
                self.connection.execute(
                    "DELETE FROM attache_missing WHERE object = ?1 AND field = ?2",
                    [object, field],
                )?;
            }
        }
        Ok(())
    }

    /// Shows edits in columns that are new: a field may come back, or get another type, while an edit of it waits.
    fn show_edits(&self, table: &Table) -> Result<()> {
        for entry in self.reading().entries_of_object(&table.object.name)? {
            let fields: Fields = entry
                .fields
                .iter()
                .filter_map(|(name, value)| {
                    let column = &table.columns[table.place(name)?];
                    Some((name, value::adapt(value, &column.ty)?))
                })
                .collect();
            self.set_fields(table, &entry.record, &fields)?;
        }
        Ok(())
    }

    /// Fills columns of clean records in, and notes how far that is done. Values stand in the order of the fields.
    pub(crate) fn fill_in(
        &self,
        table: &Table,
        fields: &[String],
        rows: &[(String, Vec<Value>)],
        reached: Option<&str>,
    ) -> Result<()> {
        let places: Vec<usize> = fields.iter().filter_map(|name| table.place(name)).collect();
        let sets: Vec<String> = places
            .iter()
            .enumerate()
            .map(|(at, place)| format!("{} = ?{}", quote(&table.columns[*place].name), at + 2))
            .collect();
        let sql = format!(
            "UPDATE {} SET {} WHERE \"Id\" = ?1",
            quote(&table.object.name),
            sets.join(", ")
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        for (id, values) in rows {
            statement.raw_bind_parameter(1, id)?;
            for (at, (place, value)) in places.iter().zip(values).enumerate() {
                let bound = value::bind(value, &table.columns[*place].ty);
                statement.raw_bind_parameter(at + 2, bound)?;
            }
            statement.raw_execute()?;
        }
        for field in fields {
            match reached {
                Some(id) => self
                    .connection
                    .prepare_cached(
                        "UPDATE attache_missing SET after_id = ?3 WHERE object = ?1 AND field = ?2",
                    )?
                    .execute([&table.object.name, field, id])?,
                None => self
                    .connection
                    .prepare_cached("DELETE FROM attache_missing WHERE object = ?1 AND field = ?2")?
                    .execute([&table.object.name, field])?,
            };
        }
        if !rows.is_empty() {
            self.unsettle_relations(&table.object.name)?;
        }
        Ok(())
    }

    /// Parks edits that the org would refuse as it is described now, and frees those it would no longer refuse.
    pub(crate) fn park(&self, object: &ObjectSchema) -> Result<()> {
        let mut parked: BTreeMap<String, Vec<(Entry, Vec<Problem>)>> = BTreeMap::new();
        for entry in self.reading().entries_of_object(&object.name)? {
            let problems = problems(object, &entry);
            let of_record = parked.entry(entry.record.clone()).or_default();
            of_record.push((entry, problems));
        }
        for (record, entries) in parked {
            let refused = |entry: &Entry| entry.state == State::Rejected;
            let free = |(entry, problems): &(Entry, Vec<Problem>)| {
                !refused(entry) || problems.is_empty() && entry.problems.iter().all(is_of_drift)
            };
            if entries.iter().any(|(entry, _)| refused(entry)) && entries.iter().all(free) {
                self.revive(&record)?;
            }
            for (entry, problems) in entries {
                if entry.state == State::Pending && !problems.is_empty() {
                    self.advance(&[entry.seq], Event::Refuse, &problems)?;
                }
            }
        }
        Ok(())
    }

    /// Takes an object off the device that the org no longer shows: all but what was edited, which is parked.
    pub(crate) fn park_object(&self, object: &ObjectSchema) -> Result<()> {
        let problem = Problem {
            fields: Vec::new(),
            code: "INVALID_TYPE".into(),
            message: format!(
                "{} are no longer there for this user: the edit is kept and will be sent when they are back",
                object.label_plural
            ),
            duplicates: None,
        };
        for entry in self.reading().entries_of_object(&object.name)? {
            if entry.state == State::Pending {
                self.advance(&[entry.seq], Event::Refuse, std::slice::from_ref(&problem))?;
            }
        }
        self.connection.execute(
            "DELETE FROM attache_missing WHERE object = ?1",
            [&object.name],
        )?;
        // Should it come back as it was, that has to be noticed.
        self.connection.execute(
            "UPDATE attache_object SET last_modified = NULL WHERE name = ?1",
            [&object.name],
        )?;
        Ok(())
    }
}

impl Reading<'_> {
    /// The columns of an object that are to be filled in: those that have come as far as each other together.
    pub(crate) fn missing(&self, object: &str) -> Result<Vec<Missing>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT field, after_id FROM attache_missing WHERE object = ?1 ORDER BY after_id, field",
        )?;
        let mut rows = statement.query([object])?;
        let mut groups: Vec<Missing> = Vec::new();
        while let Some(row) = rows.next()? {
            let (field, after) = (row.get(0)?, row.get(1)?);
            match groups.last_mut() {
                Some(group) if group.after == after => group.fields.push(field),
                _ => groups.push(Missing {
                    fields: vec![field],
                    after,
                }),
            }
        }
        Ok(groups)
    }

    /// The next records of the server that are here, in order of their ids, and which of them have no edits.
    pub(crate) fn next_held(
        &self,
        table: &Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, bool)>> {
        let sql = format!(
            "SELECT \"Id\", NOT EXISTS (SELECT 1 FROM attache_mutation WHERE record = \"Id\") FROM {}
             WHERE \"Id\" > ?1 AND \"Id\" NOT LIKE 'local-%' ORDER BY \"Id\" LIMIT ?2",
            quote(&table.object.name)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let ids: rusqlite::Result<Vec<_>> = statement
            .query_map(params![after.unwrap_or(""), limit], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect();
        Ok(ids?)
    }

    /// An edit's value as the field's type is now; as it was written if it does not suit.
    pub(super) fn adapted(&self, object: &str, name: &str, value: Value) -> Value {
        let field = self
            .catalogue
            .schema
            .object(object)
            .and_then(|object| object.field(name));
        field
            .and_then(|field| value::adapt(&value, &field.field_type))
            .unwrap_or(value)
    }

    /// The describe that this store goes by, whatever the case of the object's name.
    pub(crate) fn stored_name(&self, object: &str) -> Result<Option<String>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT name FROM attache_object WHERE name = ?1 COLLATE NOCASE")?;
        Ok(statement.query_row([object], |row| row.get(0)).optional()?)
    }
}

/// Says whether the server may have changed values of a field together with its describe: it stamps no record then.
fn must_be_read_again(old: &FieldSchema, new: &FieldSchema) -> bool {
    let shorter = |old: u32, new: u32| new < old;
    old.field_type != new.field_type
        || shorter(old.length, new.length)
        || shorter(old.precision, new.precision)
        || shorter(old.scale, new.scale)
        || shorter(old.digits, new.digits)
        || old.calculated != new.calculated
        || old.formula != new.formula
}

/// What the org would say of an edit, as far as a changed describe tells it for sure.
fn problems(object: &ObjectSchema, entry: &Entry) -> Vec<Problem> {
    if entry.kind == MutationKind::Delete {
        return Vec::new();
    }
    let creates = entry.kind == MutationKind::Create || crate::record::is_local(&entry.record);
    entry
        .fields
        .iter()
        .filter_map(|(name, value)| {
            let Some(field) = object.field(name) else {
                return Some(check::gone(object, name));
            };
            let writable = if creates {
                field.createable
            } else {
                field.updateable
            };
            if !writable {
                return Some(check::read_only(field));
            }
            match value::adapt(value, &field.field_type) {
                None => Some(check::wrong_type(field)),
                Some(value) => check::limit(field, &value),
            }
        })
        .collect()
}

/// Says whether a reason is one that another describe may take away.
fn is_of_drift(problem: &Problem) -> bool {
    matches!(
        problem.code.as_str(),
        "INVALID_FIELD"
            | "INVALID_FIELD_FOR_INSERT_UPDATE"
            | "INVALID_TYPE"
            | "INVALID_TYPE_ON_FIELD_IN_RECORD"
            | "STRING_TOO_LONG"
            | "NUMBER_OUTSIDE_VALID_RANGE"
    )
}
