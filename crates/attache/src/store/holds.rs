//! What holds a record besides the rules: an unsent edit, what such an edit points at, a pin, a view.
//!
//! None of these is a mark on the row. A row without a rule stands in a small
//! index of its own, and whether something else holds it is asked there.

use super::steps::{STEP_ROWS, Step};
use super::{Durability, Reading, Store, Table, Writing, lock, quote};
use crate::env::LocalTime;
use crate::error::{Error, Result};
use crate::record::{RecordId, Value, is_local};
use rusqlite::params;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// Views kept in memory at most before they are written.
const VIEWS_MAX: usize = 64;

/// Records whose size is looked at to tell that of the others.
const SAMPLE_ROWS: i64 = 200;

/// Something held by itself, with its table, if there is one for such ids.
pub(crate) struct Hold {
    /// The current id.
    pub record: String,
    pub at: LocalTime,
    pub bytes: u64,
    pub table: Option<Arc<Table>>,
    pub here: bool,
}

/// A record with unsent edits points at another.
pub(crate) struct Need {
    pub record: String,
    /// Its lookup.
    pub field: String,
    /// The id that the lookup holds.
    pub target: String,
}

/// How far an eviction has come.
#[derive(Default)]
pub(crate) struct Evicting {
    /// Objects of which nothing is left to remove.
    done: BTreeSet<String>,
    /// Of the next: up to this id.
    after: String,
    /// Before which edit the ids were looked up that edits point at, and those, as a JSON list.
    needed: Option<(i64, String)>,
    count: u64,
}

impl Evicting {
    /// How many records went since this was asked last.
    pub(crate) fn take_count(&mut self) -> u64 {
        std::mem::take(&mut self.count)
    }
}

/// Views that are not written yet: a screen that opens must not wait for a disk.
#[derive(Default)]
pub(super) struct Views(Mutex<BTreeMap<String, LocalTime>>);

impl Store {
    /// Notes that somebody looks at a record.
    pub(crate) fn view(&self, id: &RecordId, now: LocalTime) -> Result<()> {
        let mut views = lock(&self.views.0);
        views.insert(id.as_str().to_owned(), now);
        let full = views.len() >= VIEWS_MAX;
        drop(views);
        if full { self.flush_views() } else { Ok(()) }
    }

    /// Writes the views that were noted.
    pub(crate) fn flush_views(&self) -> Result<()> {
        let views = std::mem::take(&mut *lock(&self.views.0));
        if views.is_empty() {
            return Ok(());
        }
        let written = self.write(Durability::Ordered, |w| {
            views.iter().try_for_each(|(id, at)| w.note_view(id, *at))
        });
        if written.is_err() {
            let mut kept = lock(&self.views.0);
            for (id, at) in views {
                kept.entry(id).or_insert(at);
            }
        }
        written
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // A view that cannot be written any more is not worth an error that nobody would hear of.
        let _ = self.flush_views();
    }
}

/// SQL that is true of a row of a record table that something but a rule holds. `?1`: what edits point at, as JSON.
const HELD: &str = "(EXISTS (SELECT 1 FROM attache_mutation WHERE record = \"Id\")
    OR EXISTS (SELECT 1 FROM attache_pin WHERE record = \"Id\")
    OR EXISTS (SELECT 1 FROM attache_recent WHERE record = \"Id\")
    OR \"Id\" IN (SELECT value FROM json_each(?1)))";

impl Reading<'_> {
    /// The pins, oldest first.
    pub(crate) fn pins(&self) -> Result<Vec<Hold>> {
        self.holds("SELECT record, pinned_at, 0 FROM attache_pin ORDER BY pinned_at, record")
    }

    /// What somebody looked at, newest first.
    pub(crate) fn recents(&self) -> Result<Vec<Hold>> {
        self.holds(
            "SELECT record, viewed_at, bytes FROM attache_recent ORDER BY viewed_at DESC, record",
        )
    }

    fn holds(&self, sql: &str) -> Result<Vec<Hold>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut holds = Vec::new();
        while let Some(row) = rows.next()? {
            let record: String = row.get(0)?;
            let place = self.locate(&RecordId::trusted(&record))?;
            let here = place.is_some();
            let table = match place {
                Some(place) => Some(place.table),
                None => self.table_of(&record)?,
            };
            holds.push(Hold {
                at: LocalTime(row.get(1)?),
                bytes: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
                record,
                table,
                here,
            });
        }
        Ok(holds)
    }

    /// The table that an id belongs into, by its prefix.
    pub(crate) fn table_of(&self, id: &str) -> Result<Option<Arc<Table>>> {
        let mut tables = self.candidates(id)?;
        tables.sort_by_key(|table| table.object.key_prefix.is_none());
        // An object without a prefix may have any id, or none that is like this one.
        Ok(tables
            .into_iter()
            .next()
            .filter(|table| is_local(id) || table.object.key_prefix.is_some()))
    }

    /// When a record was pinned.
    pub(crate) fn pinned_at(&self, id: &str) -> Result<Option<LocalTime>> {
        self.time(
            "SELECT max(pinned_at) FROM attache_pin WHERE record = ?1",
            id,
        )
    }

    /// When somebody last looked at a record.
    pub(crate) fn viewed_at(&self, id: &str) -> Result<Option<LocalTime>> {
        self.time(
            "SELECT max(viewed_at) FROM attache_recent WHERE record = ?1",
            id,
        )
    }

    fn time(&self, sql: &str, id: &str) -> Result<Option<LocalTime>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let at: Option<i64> = statement.query_row([id], |row| row.get(0))?;
        Ok(at.map(LocalTime))
    }

    /// The objects of records that something but a rule holds.
    pub(crate) fn held_objects(&self) -> Result<BTreeSet<String>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT record FROM attache_pin UNION SELECT record FROM attache_recent
             UNION SELECT record FROM attache_mutation",
        )?;
        let mut rows = statement.query([])?;
        let mut prefixes = BTreeSet::new();
        let mut objects = BTreeSet::new();
        while let Some(row) = rows.next()? {
            let id: String = row.get(0)?;
            if is_local(&id) || prefixes.insert(id.get(..3).unwrap_or_default().to_owned()) {
                objects.extend(self.table_of(&id)?.map(|table| table.object.name.clone()));
            }
        }
        Ok(objects)
    }

    /// The records that no rule holds but something else does, as far as the server knows them.
    pub(crate) fn kept(&self, table: &Table) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT \"Id\" FROM {} WHERE \"attache_rules\" = 0 AND \"Id\" NOT LIKE 'local-%' AND {HELD} ORDER BY \"Id\"",
            quote(&table.object.name)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let ids: rusqlite::Result<Vec<String>> = statement
            .query_map([self.needed()?], |row| row.get(0))?
            .collect();
        Ok(ids?)
    }

    /// Pinned records that are not here and were not deleted here.
    pub(crate) fn missing_pins(&self, table: &Table) -> Result<Vec<String>> {
        let mut missing = Vec::new();
        for pin in self.pins()? {
            let of_table = pin
                .table
                .as_ref()
                .is_some_and(|of| of.object.name == table.object.name);
            if of_table && !pin.here && !is_local(&pin.record) && !self.edited(&pin.record)? {
                missing.push(pin.record);
            }
        }
        Ok(missing)
    }

    /// The ids that records with unsent edits point at, as a JSON list.
    fn needed(&self) -> Result<String> {
        let needs = self.needs()?.into_iter();
        let ids: BTreeSet<String> = needs.map(|need| need.target).collect();
        serde_json::to_string(&ids)
            .map_err(|error| Error::internal("a list prints as JSON").with_source(error))
    }

    /// What records with unsent edits point at.
    pub(crate) fn needs(&self) -> Result<Vec<Need>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT DISTINCT object, record FROM attache_mutation")?;
        let mut rows = statement.query([])?;
        let mut needs = Vec::new();
        while let Some(row) = rows.next()? {
            let (object, record): (String, String) = (row.get(0)?, row.get(1)?);
            let Some(table) = self.catalogue.table(&object) else {
                continue;
            };
            let Some(row) = self.row(table, &record)? else {
                continue;
            };
            for (column, value) in table.columns.iter().zip(row.values) {
                if let Value::Text(id) = value
                    && table.is_lookup(&column.name)
                {
                    needs.push(Need {
                        record: record.clone(),
                        field: column.name.clone(),
                        target: id,
                    });
                }
            }
        }
        Ok(needs)
    }

    /// When the records of an object that no rule holds were last looked at.
    pub(crate) fn looked_at(&self, object: &str) -> Result<Option<LocalTime>> {
        self.time(
            "SELECT max(looked_at) FROM attache_object WHERE name = ?1",
            object,
        )
    }

    /// About how many bytes the values of a record have, by some of those that are here.
    pub(crate) fn record_bytes(&self, table: &Table) -> Result<Option<u64>> {
        let name = quote(&table.object.name);
        // Spread over the table: records of one time may be alike.
        let sql = format!(
            "WITH reach (low, step) AS (SELECT min(\"attache_row\"), max(1, (max(\"attache_row\") - min(\"attache_row\")) / ?1) FROM {name}),
                  place (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM place WHERE n < ?1)
             SELECT DISTINCT (SELECT \"Id\" FROM {name} WHERE \"attache_row\" >= low + n * step ORDER BY \"attache_row\" LIMIT 1)
             FROM place, reach"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([SAMPLE_ROWS])?;
        let (mut total, mut count) = (0, 0);
        while let Some(row) = rows.next()? {
            let id: Option<String> = row.get(0)?;
            if let Some(size) = id.map(|id| self.size(table, &id)).transpose()?.flatten() {
                total += size;
                count += 1;
            }
        }
        Ok((count > 0).then(|| total / count))
    }

    /// The size of a record's values.
    fn size(&self, table: &Table, id: &str) -> Result<Option<u64>> {
        let row = self.row(table, id)?;
        Ok(row.map(|row| row.values.iter().map(bytes).sum()))
    }
}

impl Writing<'_> {
    /// Keeps a record whatever the rules say. One that is pinned already stays so.
    pub(crate) fn pin(&self, id: &str, now: LocalTime) -> Result<()> {
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO attache_pin VALUES (?1, ?2)")?
            .execute(params![id, now.0])?;
        Ok(())
    }

    /// Leaves a record to the rules again.
    pub(crate) fn unpin(&self, id: &str) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM attache_pin WHERE record = ?1")?
            .execute([id])?;
        Ok(())
    }

    /// Holds a record no longer: it is gone for good.
    pub(crate) fn let_go(&self, id: &str) -> Result<()> {
        self.unpin(id)?;
        self.connection
            .prepare_cached("DELETE FROM attache_recent WHERE record = ?1")?
            .execute([id])?;
        Ok(())
    }

    /// Has what holds a record hold it under another id.
    pub(crate) fn rename_holds(&self, from: &str, to: &str) -> Result<()> {
        for table in ["attache_pin", "attache_recent", "attache_file_link"] {
            self.connection
                .prepare_cached(&format!(
                    "UPDATE OR REPLACE {table} SET record = ?2 WHERE record = ?1"
                ))?
                .execute([from, to])?;
        }
        Ok(())
    }

    /// Ends the pins of records that the server does not have, and notes it for the next report.
    pub(crate) fn end_pins(&self, table: &Table, ids: &[String]) -> Result<()> {
        for id in ids {
            let identity = self.reading().identity(id)?;
            self.unpin(id)?;
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO attache_unpinned VALUES (?1, ?2)")?
                .execute([identity.as_str(), &table.object.name])?;
        }
        Ok(())
    }

    /// Takes the notes of pins that ended: the records, with their objects.
    pub(crate) fn take_unpinned(&self) -> Result<Vec<(RecordId, String)>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT record, object FROM attache_unpinned ORDER BY record")?;
        let unpinned: rusqlite::Result<Vec<_>> = statement
            .query_map([], |row| {
                let record: String = row.get(0)?;
                Ok((RecordId::trusted(&record), row.get(1)?))
            })?
            .collect();
        let unpinned = unpinned?;
        if !unpinned.is_empty() {
            self.connection
                .execute("DELETE FROM attache_unpinned", [])?;
        }
        Ok(unpinned)
    }

    /// Notes that somebody looked at a record, if it is here.
    pub(crate) fn note_view(&self, id: &str, at: LocalTime) -> Result<()> {
        let reading = self.reading();
        let Some(place) = reading.locate(&RecordId::trusted(id))? else {
            return Ok(());
        };
        let bytes = reading.size(&place.table, &place.id)?.unwrap_or(0);
        self.connection
            .prepare_cached(
                "INSERT INTO attache_recent VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET viewed_at = max(viewed_at, excluded.viewed_at), bytes = excluded.bytes",
            )?
            .execute(params![place.id, at.0, i64::try_from(bytes).unwrap_or(i64::MAX)])?;
        Ok(())
    }

    /// Forgets the oldest views, until so many records and bytes are left at most.
    pub(crate) fn trim_recents(&self, records_max: u64, bytes_max: u64) -> Result<()> {
        self.connection
            .prepare_cached(
                "DELETE FROM attache_recent WHERE record IN (
                    SELECT record FROM (
                        SELECT record, row_number() OVER newest AS place, sum(bytes) OVER newest AS total
                        FROM attache_recent WINDOW newest AS (ORDER BY viewed_at DESC, record))
                    WHERE place > ?1 OR total > ?2)",
            )?
            .execute(params![
                i64::try_from(records_max).unwrap_or(i64::MAX),
                i64::try_from(bytes_max).unwrap_or(i64::MAX)
            ])?;
        Ok(())
    }

    /// Notes that the records of an object that no rule holds were looked at.
    pub(crate) fn set_looked(&self, object: &str, now: LocalTime) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE attache_object SET looked_at = ?2 WHERE name = ?1")?
            .execute(params![object, now.0])?;
        Ok(())
    }

    /// Removes what nothing holds, some thousand records a step, and says whether there is more.
    ///
    /// Of `unsettled` objects nothing is removed: an edit may have led a related rule back to what seems to be held by
    /// nothing, and what the rule has asked the server about it does not ask about again.
    pub(crate) fn evict(
        &self,
        unsettled: &BTreeSet<String>,
        evicting: &mut Evicting,
    ) -> Result<Step> {
        let mut rows = STEP_ROWS;
        let tables: Vec<Arc<Table>> = self.catalogue().tables().cloned().collect();
        for table in tables {
            let object = &table.object.name;
            if evicting.done.contains(object) || unsettled.contains(object) {
                continue;
            }
            while let Some((last, looked_at)) = self.idle_after(object, &evicting.after, rows)? {
                self.evict_until(object, &last, evicting)?;
                evicting.after = last;
                rows -= looked_at;
                if rows <= 0 {
                    return Ok(Step::More);
                }
            }
            evicting.after.clear();
            evicting.done.insert(object.clone());
        }
        Ok(Step::Last)
    }

    /// Up to which id so many records lie behind another that no rule holds, and how many they are.
    fn idle_after(&self, object: &str, after: &str, rows: i64) -> Result<Option<(String, i64)>> {
        let sql = format!(
            "SELECT max(\"Id\"), count(*) FROM (SELECT \"Id\" FROM {}
             WHERE \"attache_rules\" = 0 AND \"Id\" > ?1 ORDER BY \"Id\" LIMIT ?2)",
            quote(object)
        );
        let found: (Option<String>, i64) = self
            .connection
            .prepare_cached(&sql)?
            .query_row(params![after, rows], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.0.map(|last| (last, found.1)))
    }

    fn evict_until(&self, object: &str, last: &str, evicting: &mut Evicting) -> Result<()> {
        let name = quote(object);
        #[cfg(feature = "simulation")]
        self.delete_instead(&name)?;
        let held = match planted!(ForgetsPins) {
            true => HELD.replace("attache_pin WHERE", "attache_pin WHERE 0 AND"),
            false => HELD.to_owned(),
        };
        let sql = format!(
            "DELETE FROM {name} WHERE \"attache_rules\" = 0 AND \"Id\" > ?2 AND \"Id\" <= ?3 AND NOT {held}"
        );
        // What edits point at is worked out only where something may go, and again once there are more edits.
        let edits = self.reading().next_changeset()?;
        if evicting.needed.as_ref().is_none_or(|(at, _)| *at != edits) {
            evicting.needed = Some((edits, self.reading().needed()?));
        }
        let needed = evicting.needed.as_ref().map_or("[]", |(_, ids)| ids);
        let gone =
            self.connection
                .prepare_cached(&sql)?
                .execute([needed, &evicting.after, last])?;
        evicting.count += gone as u64;
        Ok(())
    }
}

#[cfg(feature = "simulation")]
impl Writing<'_> {
    /// The planted mistake of deleting what is only to be evicted.
    fn delete_instead(&self, name: &str) -> Result<()> {
        use rusqlite::OptionalExtension;
        if !planted!(EvictsAtServer) {
            return Ok(());
        }
        let sql = format!("SELECT \"Id\" FROM {name} WHERE \"attache_rules\" = 0 LIMIT 1");
        let idle: Option<String> = self
            .connection
            .prepare_cached(&sql)?
            .query_row([], |row| row.get(0))
            .optional()?;
        let Some(idle) = idle.filter(|id| !is_local(id)) else {
            return Ok(());
        };
        let changeset = self.reading().next_changeset()?;
        let stamp = super::Stamp {
            changeset,
            now: LocalTime(0),
        };
        self.delete_record(&RecordId::trusted(&idle), stamp)
    }
}

/// About what a value takes in a row.
pub(crate) fn bytes(value: &Value) -> u64 {
    1 + match value {
        Value::Null | Value::Boolean(_) => 0,
        Value::DateTime(_) => 8,
        Value::Text(text) => text.len() as u64,
        other => other.to_string().len() as u64,
    }
}
