//! Brings the index of words into step with the record tables.

use super::{DOCS_PER_OBJECT, Indexed, RecordText, Searched, searched, select, shape};
use crate::error::Result;
use crate::store::{Durability, Store, Writing, quote};
use rusqlite::{OptionalExtension, params};

/// Records that are read up in one transaction: it holds the writer for about 20 ms.
const STEP_ROWS_MAX: u64 = 2_000;

impl Store {
    /// Reads up changed records, at most so many, and gives about how many are left.
    pub(crate) fn index(&self, rows_max: u64) -> Result<u64> {
        let mut budget = rows_max;
        loop {
            let left = self.read(|r| r.unindexed())?;
            if left == 0 || budget == 0 {
                return Ok(left);
            }
            let step = budget.min(STEP_ROWS_MAX);
            let done = self.write(Durability::Ordered, |w| w.index_step(step))?;
            budget -= done.min(budget);
        }
    }
}

impl Writing<'_> {
    /// Reads up changed records, at most so many, and gives how many steps of work that were.
    fn index_step(&self, rows_max: u64) -> Result<u64> {
        let shaped = self.shape_index()?;
        let mut done = shaped + self.drop_old_documents(rows_max)?;
        let indexed = self.reading().indexed()?;
        if done < rows_max {
            done += self.index_stale(&indexed, rows_max - done)?;
        }
        for own in &indexed {
            if done < rows_max {
                done += self.index_new(own, rows_max - done)?;
            }
        }
        Ok(done.max(1))
    }

    /// Has the index know the objects that are carried now, by the fields that are searched now.
    fn shape_index(&self) -> Result<u64> {
        let reading = self.reading();
        let good: Vec<i64> = reading.indexed()?.iter().map(|own| own.nr).collect();
        let mut statement = self
            .connection
            .prepare_cached("SELECT nr, object FROM attache_indexed WHERE object IS NOT NULL")?;
        let known: rusqlite::Result<Vec<(i64, String)>> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect();
        let mut done = 0;
        for (nr, object) in known? {
            if !good.contains(&nr) {
                self.unindex(&object)?;
                done += 1;
            }
        }
        for table in self.catalogue().tables() {
            let fields = searched(table);
            let known = reading.indexed()?;
            if fields.is_empty()
                || known
                    .iter()
                    .any(|own| own.table.object.name == table.object.name)
            {
                continue;
            }
            self.connection
                .prepare_cached("INSERT INTO attache_indexed (object, fields) VALUES (?1, ?2)")?
                .execute([&table.object.name, &shape(&fields)?])?;
            self.note_changes(
                &table.object.name,
                &fields,
                self.connection.last_insert_rowid(),
            )?;
            done += 1;
        }
        Ok(done)
    }

    /// Has changes and deletions of an object's records noted.
    fn note_changes(&self, object: &str, fields: &[Searched], nr: i64) -> Result<()> {
        let list = |with: &dyn Fn(&str) -> String, between: &str| {
            let each: Vec<String> = fields
                .iter()
                .map(|field| with(&quote(&field.name)))
                .collect();
            each.join(between)
        };
        let note = |row: &str| {
            format!(
                "BEGIN INSERT INTO attache_stale VALUES ({row}.\"attache_row\" + {}) ON CONFLICT DO NOTHING; END",
                nr * DOCS_PER_OBJECT
            )
        };
        let table = quote(object);
        let [came, changed, gone] = trigger_names(object);
        // SQLite gives the rows of records that went to others: those are not behind the mark.
        self.connection.execute_batch(&format!(
            "CREATE TRIGGER {came} AFTER INSERT ON {table} \
             WHEN new.\"attache_row\" <= (SELECT upto FROM attache_indexed WHERE nr = {nr}) {}; \
             CREATE TRIGGER {changed} AFTER UPDATE OF {} ON {table} WHEN {} {}; \
             CREATE TRIGGER {gone} AFTER DELETE ON {table} {};",
            note("new"),
            list(&str::to_owned, ", "),
            list(&|name| format!("old.{name} IS NOT new.{name}"), " OR "),
            note("new"),
            note("old"),
        ))?;
        Ok(())
    }

    /// Lets go of a field that is about to leave its table: no trigger may name it then.
    pub(in crate::store) fn unindex_field(&self, object: &str, field: &str) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT object FROM attache_indexed WHERE object = ?1 COLLATE NOCASE AND instr(fields, ?2) > 0",
        )?;
        let searched: Option<String> = statement
            .query_row([object, &quote(field)], |row| row.get(0))
            .optional()?;
        searched.map_or(Ok(()), |object| self.unindex(&object))
    }

    /// Forgets what the index has of an object.
    fn unindex(&self, object: &str) -> Result<()> {
        for trigger in trigger_names(object) {
            self.connection
                .execute_batch(&format!("DROP TRIGGER IF EXISTS {trigger}"))?;
        }
        self.connection
            .prepare_cached("UPDATE attache_indexed SET object = NULL WHERE object = ?1")?
            .execute([object])?;
        Ok(())
    }

    /// Takes out documents that were made from other fields than are wanted now.
    fn drop_old_documents(&self, rows_max: u64) -> Result<u64> {
        let mut statement = self.connection.prepare_cached(
            "SELECT nr FROM attache_indexed WHERE object IS NULL ORDER BY nr LIMIT 1",
        )?;
        let Some(nr) = statement
            .query_row([], |row| row.get::<_, i64>(0))
            .optional()?
        else {
            return Ok(0);
        };
        let (first, last) = (nr * DOCS_PER_OBJECT, (nr + 1) * DOCS_PER_OBJECT - 1);
        let mut statement = self.connection.prepare_cached(
            "DELETE FROM attache_text WHERE rowid IN
             (SELECT rowid FROM attache_text WHERE rowid BETWEEN ?1 AND ?2 LIMIT ?3)",
        )?;
        let gone = statement.execute(params![first, last, rows(rows_max)])? as u64;
        if gone < rows_max {
            self.connection
                .prepare_cached("DELETE FROM attache_stale WHERE doc BETWEEN ?1 AND ?2")?
                .execute([first, last])?;
            self.connection
                .prepare_cached("DELETE FROM attache_indexed WHERE nr = ?1")?
                .execute([nr])?;
        }
        Ok(gone + 1)
    }

    /// Reads up records that changed or went.
    fn index_stale(&self, indexed: &[Indexed], rows_max: u64) -> Result<u64> {
        let mut statement = self
            .connection
            // The newest records first: a person's own are among them.
            .prepare_cached("SELECT doc FROM attache_stale ORDER BY doc DESC LIMIT ?1")?;
        let docs: rusqlite::Result<Vec<i64>> = statement
            .query_map([rows(rows_max)], |row| row.get(0))?
            .collect();
        let docs = docs?;
        for doc in &docs {
            let own = indexed.iter().find(|own| own.nr == doc / DOCS_PER_OBJECT);
            let record = match own {
                Some(own) => self.reading().text_of(own, doc % DOCS_PER_OBJECT)?,
                None => None,
            };
            match (own, record) {
                (Some(own), Some(record)) if record.row <= own.upto => {
                    self.put_document(own, &record)?
                }
                _ => {
                    self.connection
                        .prepare_cached("DELETE FROM attache_text WHERE rowid = ?1")?
                        .execute([doc])?;
                }
            }
            self.connection
                .prepare_cached("DELETE FROM attache_stale WHERE doc = ?1")?
                .execute([doc])?;
        }
        Ok(docs.len() as u64)
    }

    /// Reads up records behind the last one that was read.
    fn index_new(&self, own: &Indexed, rows_max: u64) -> Result<u64> {
        let sql = format!(
            "{} WHERE \"attache_row\" > ?1 ORDER BY \"attache_row\" LIMIT ?2",
            select(own)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut found = statement.query([own.upto, rows(rows_max)])?;
        let (mut done, mut upto) = (0, None);
        while let Some(row) = found.next()? {
            let record = RecordText::of(row, own.fields.len())?;
            self.put_document(own, &record)?;
            upto = Some(record.row);
            done += 1;
        }
        if let Some(upto) = upto {
            self.set_upto(own, upto)?;
        }
        Ok(done)
    }

    fn set_upto(&self, own: &Indexed, upto: i64) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE attache_indexed SET upto = ?2 WHERE nr = ?1")?
            .execute([own.nr, upto])?;
        Ok(())
    }

    fn put_document(&self, own: &Indexed, record: &RecordText) -> Result<()> {
        let mut columns: [String; 4] = Default::default();
        for (field, read) in own.fields.iter().zip(record.read(own)) {
            read.index_into(&mut columns[field.class as usize]);
        }
        let [name, mail, phone, text] = columns;
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO attache_text (rowid, name, mail, phone, text) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![own.first_doc() + record.row, name, mail, phone, text])?;
        Ok(())
    }
}

fn rows(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn trigger_names(object: &str) -> [String; 3] {
    ["came", "changed", "gone"].map(|what| quote(&format!("attache_{what}_{object}")))
}
