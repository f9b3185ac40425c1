//! Takes decisions about conflicts back, as long as nothing of them was sent.
//!
//! What a decision does to a record is forgotten, and what its conflict was made of is put
//! back: the mutations as they were, and the base from before it began. The merge then says
//! anew what is in conflict, so that nothing is lost that happened since: later edits stay on
//! top, and what the server changed meanwhile is part of the conflict.

use super::conflict::over;
use super::incoming::overlay;
use super::rows::Row;
use super::unsent::{KIND_DELETED_AT_REMOTE, KIND_DELETED_HERE, KIND_IMPORTED};
use super::{Reading, Table, Writing, quote};
use crate::error::{Error, Result};
use crate::json;
use crate::outcome::{ConflictId, Mutation};
use crate::record::{Fields, is_local};
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the store remembers of a decision.
struct Remembered {
    record: String,
    record_now: String,
    object: String,
    kind: i64,
    base: Fields,
    confirmed: Option<Fields>,
    rules: i64,
    key: Option<String>,
}

const MUTATION: &str = "seq, changeset, object, record, kind, fields, state, problems, client_key, sent_after, made_at";

/// Decisions of which everything that they left to send is still here as they left it, and was not sent.
const UNSENT: &str = "NOT EXISTS (SELECT 1 FROM attache_resolution_mutation l WHERE l.resolution = r.id AND l.left_by = 1
    AND NOT EXISTS (SELECT 1 FROM attache_mutation m WHERE m.seq = l.seq AND m.fields = l.fields AND m.state NOT IN (1, 2)))";

impl Reading<'_> {
    /// The changeset of the last decision that can be taken back.
    pub(crate) fn last_decision(&self) -> Result<Option<i64>> {
        let sql = format!("SELECT max(changeset) FROM attache_resolution r WHERE {UNSENT}");
        Ok(self
            .connection
            .prepare_cached(&sql)?
            .query_row([], |row| row.get(0))?)
    }

    /// The conflicts that were decided in a changeset, oldest first.
    pub(crate) fn decided_in(&self, changeset: i64) -> Result<Vec<ConflictId>> {
        let sql = format!(
            "SELECT id FROM attache_resolution r WHERE changeset = ?1 AND {UNSENT} ORDER BY id"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let ids: rusqlite::Result<Vec<i64>> = statement
            .query_map([changeset], |row| row.get(0))?
            .collect();
        Ok(ids?.into_iter().map(ConflictId).collect())
    }

    fn remembered(&self, id: ConflictId) -> Result<Option<Remembered>> {
        let sql = format!(
            "SELECT record, record_now, object, kind, base, confirmed, rules, key FROM attache_resolution r WHERE id = ?1 AND {UNSENT}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([id.0])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let confirmed: Option<String> = row.get(5)?;
        Ok(Some(Remembered {
            record: row.get(0)?,
            record_now: row.get(1)?,
            object: row.get(2)?,
            kind: row.get(3)?,
            base: json::load_fields(&row.get::<_, String>(4)?)?,
            confirmed: confirmed.map(|json| json::load_fields(&json)).transpose()?,
            rules: row.get(6)?,
            key: row.get(7)?,
        }))
    }
}

impl Writing<'_> {
    /// Remembers a record in conflict as it is before a decision.
    pub(super) fn remember(
        &self,
        table: &Table,
        open: &super::conflict::Open,
        changeset: i64,
    ) -> Result<()> {
        let reading = self.reading();
        let row = reading.row(table, &open.record)?;
        let base = reading.base(&open.record)?;
        // Of a record that is deleted here, the base remembers what its row was.
        let (rules, key) = match (row, &base) {
            (Some(row), _) => (row.rules, row.key),
            (None, Some(base)) => (base.rules, base.key.clone()),
            (None, None) => (0, None),
        };
        self.forget_decision("record_now", &open.record)?;
        self.connection.execute(
            "INSERT OR REPLACE INTO attache_resolution
             SELECT id, ?2, record, record, object, kind, base, remote, changed_by, changed_at, ?3, ?4, ?5
             FROM attache_conflict WHERE id = ?1",
            params![
                open.id,
                changeset,
                base.map(|base| json::store_fields(&base.fields)),
                rules,
                key,
            ],
        )?;
        self.copy_journal(open.id, 0, &open.record)
    }

    /// Remembers what a decision left to send.
    pub(super) fn remember_outcome(
        &self,
        open: &super::conflict::Open,
        now_called: &str,
        changeset: i64,
    ) -> Result<()> {
        self.connection.execute(
            "UPDATE attache_resolution SET record_now = ?2 WHERE id = ?1",
            params![open.id, now_called],
        )?;
        self.copy_journal(open.id, 1, now_called)?;
        // A decision that makes no mutation has the number of its changeset for itself all the same.
        self.connection.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'attache_mutation'",
            [changeset],
        )?;
        Ok(())
    }

    fn copy_journal(&self, resolution: i64, left_by: i64, record: &str) -> Result<()> {
        self.connection.execute(
            "DELETE FROM attache_resolution_mutation WHERE resolution = ?1 AND left_by = ?2",
            [resolution, left_by],
        )?;
        let sql = format!(
            "INSERT INTO attache_resolution_mutation SELECT ?1, ?2, {MUTATION} FROM attache_mutation WHERE record = ?3"
        );
        self.connection
            .prepare_cached(&sql)?
            .execute(params![resolution, left_by, record])?;
        Ok(())
    }

    /// Forgets the decisions that can no longer be taken back: what they left to send was sent, or nothing was.
    pub(crate) fn forget_decisions(&self) -> Result<()> {
        self.connection.execute_batch(&format!(
            "DELETE FROM attache_resolution AS r WHERE NOT ({UNSENT})
                OR NOT EXISTS (SELECT 1 FROM attache_resolution_mutation l WHERE l.resolution = r.id AND l.left_by = 1);
             DELETE FROM attache_resolution_mutation WHERE resolution NOT IN (SELECT id FROM attache_resolution)"
        ))?;
        Ok(())
    }

    fn forget_decision(&self, column: &'static str, value: &str) -> Result<()> {
        let sql = format!(
            "DELETE FROM attache_resolution WHERE CAST({column} AS TEXT) = ?1 RETURNING id"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let gone: Option<i64> = statement.query_row([value], |row| row.get(0)).optional()?;
        if let Some(id) = gone {
            self.connection.execute(
                "DELETE FROM attache_resolution_mutation WHERE resolution = ?1",
                [id],
            )?;
        }
        Ok(())
    }

    /// Takes a decision back: the conflict is open again. Gives the mutations that it had made.
    pub(crate) fn reopen(&self, id: ConflictId) -> Result<Vec<Mutation>> {
        let reading = self.reading();
        let Some(was) = reading.remembered(id)? else {
            return Err(Error::invalid(format!(
                "conflict {} cannot be opened again: it was not decided, or what was decided is sent",
                id.0
            )));
        };
        let table = Arc::clone(self.catalogue().known(&was.object)?);
        let before: BTreeSet<i64> = self.journal_of(id, 0)?;
        let left: Vec<i64> = self.journal_of(id, 1)?.into_iter().collect();
        let mut made = Vec::new();
        for entry in reading.entries_of(&was.record_now)? {
            if left.contains(&entry.seq) && !before.contains(&entry.seq) {
                made.push(entry.mutation(&reading)?);
            }
        }
        self.forget(&left)?;
        match was.kind {
            KIND_DELETED_AT_REMOTE => self.reopen_deleted_there(&table, id, &was)?,
            KIND_DELETED_HERE => self.reopen_deleted_here(&table, id, &was)?,
            KIND_IMPORTED => {
                self.restore(id, &was)?;
                if reading.base(&was.record)?.is_none() && !is_local(&was.record) {
                    self.base_of_row(&table, &was)?;
                }
                self.rebuild(&table, &was.record)?;
                self.hold(&was)?;
            }
            _ => self.reopen_fields(&table, id, &was)?,
        }
        self.forget_decision("id", &id.0.to_string())?;
        self.unsettle_relations(&table.object.name)?;
        Ok(made)
    }

    fn reopen_fields(&self, table: &Table, id: ConflictId, was: &Remembered) -> Result<()> {
        let reading = self.reading();
        if reading.base(&was.record)?.is_none() {
            self.base_of_row(table, was)?;
        }
        let confirmed = reading.base(&was.record)?.map(|base| base.fields);
        let remote = confirmed.unwrap_or_default();
        // It may be in conflict once more, about what the server changed since.
        let since = reading.began(&was.record)?.unwrap_or_default();
        let began = over(&over(&remote, &since), &was.base);
        self.restore(id, was)?;
        let entries = reading.entries_of(&was.record)?;
        self.mark_conflicted(&entries, &[])?;
        self.merge_anew(
            table,
            &was.record,
            &began,
            &remote,
            &reading.entries_of(&was.record)?,
        )?;
        Ok(())
    }

    fn reopen_deleted_here(&self, table: &Table, id: ConflictId, was: &Remembered) -> Result<()> {
        let reading = self.reading();
        match reading.row(table, &was.record)? {
            Some(row) => {
                if reading.base(&was.record)?.is_none() {
                    self.base_of_row(table, was)?;
                }
                self.restore(id, was)?;
                self.keep_membership(&was.record, &row)?;
                self.delete_row(table, &was.record)?;
            }
            None => self.restore(id, was)?,
        }
        self.hold(was)
    }

    fn reopen_deleted_there(&self, table: &Table, id: ConflictId, was: &Remembered) -> Result<()> {
        let reading = self.reading();
        if reading.row(table, &was.record)?.is_some() {
            return Err(Error::invalid(
                "the record is at the server again: there is nothing to open",
            ));
        }
        if was.record_now != was.record {
            // It was to be created again, under another name: that never was.
            self.rename(table, &was.record_now, &was.record)?;
            self.connection.execute(
                "DELETE FROM attache_alias WHERE key IN (?1, ?2)",
                [&was.record, &was.record_now],
            )?;
            let sql = format!(
                "UPDATE {} SET \"attache_key\" = ?2, \"attache_rules\" = ?3 WHERE \"Id\" = ?1",
                quote(&table.object.name)
            );
            self.connection
                .execute(&sql, params![was.record, was.key, was.rules])?;
        }
        self.restore(id, was)?;
        let confirmed = was.confirmed.clone().unwrap_or_default();
        let mut values = table.values(&confirmed);
        overlay(table, &mut values, &reading.entries_of(&was.record)?);
        match reading.row(table, &was.record)? {
            Some(_) => self.replace_row(table, &values, was.rules)?,
            None => self.insert_row(
                table,
                &Row {
                    values,
                    rules: was.rules,
                    key: was.key.clone(),
                },
            )?,
        }
        self.put_base(table, &was.record, &confirmed, 0, was.key.as_deref())?;
        self.hold(was)
    }

    /// Puts the conflict and the mutations of a record back as they were.
    fn restore(&self, id: ConflictId, was: &Remembered) -> Result<()> {
        self.drop_conflict(&was.record)?;
        self.connection.execute(
            "INSERT INTO attache_conflict (id, record, object, kind, base, remote, changed_by, changed_at)
             SELECT id, record, object, kind, base, remote, changed_by, changed_at FROM attache_resolution WHERE id = ?1",
            [id.0],
        )?;
        let sql = format!(
            "INSERT INTO attache_mutation ({MUTATION}) SELECT {MUTATION} FROM attache_resolution_mutation WHERE resolution = ?1 AND left_by = 0"
        );
        self.connection.execute(&sql, [id.0])?;
        Ok(())
    }

    /// Holds everything that is edited of a record in conflict.
    fn hold(&self, was: &Remembered) -> Result<()> {
        let entries = self.reading().entries_of(&was.record)?;
        let names: Vec<String> = was.base.names().map(str::to_owned).collect();
        self.mark_conflicted(&entries, &names)
    }

    /// A record without edits is as the server has it: its row is the base of the edits that come back.
    fn base_of_row(&self, table: &Table, was: &Remembered) -> Result<()> {
        let Some(row) = self.reading().row(table, &was.record)? else {
            return Err(Error::invalid(
                "the record has left this device since the conflict was decided",
            ));
        };
        let fields = table.fields(&row.values);
        self.put_base(table, &was.record, &fields, 0, row.key.as_deref())
    }

    fn journal_of(&self, id: ConflictId, left_by: i64) -> Result<BTreeSet<i64>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT seq FROM attache_resolution_mutation WHERE resolution = ?1 AND left_by = ?2",
        )?;
        let seqs: rusqlite::Result<BTreeSet<i64>> = statement
            .query_map([id.0, left_by], |row| row.get(0))?
            .collect();
        Ok(seqs?)
    }
}
