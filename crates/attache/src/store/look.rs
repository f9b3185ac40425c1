//! Reads a store's file that must not change, or is damaged.

use super::unsent::Document;
use super::wipe::beside;
use super::{APPLICATION_ID, Catalogue, Entry, FORMAT, Reading, catalogue, configure, quote};
use crate::error::{Error, ErrorKind, Result};
use crate::options::Limits;
use crate::outcome::{Conflict, JournalSeq, Mutation};
use crate::record::RecordId;
use rusqlite::{Connection, OpenFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How many findings of SQLite's own check are told.
const FINDINGS_MAX: u32 = 20;

/// A file that is looked at.
pub(crate) struct Look {
    pub format: i32,
    connection: Connection,
    catalogue: Catalogue,
    /// Whether all objects could be read.
    described: bool,
    /// Where the copy is, if one had to be made. Goes after the connection.
    _copy: Option<tempfile::TempDir>,
}

impl Look {
    /// Opens a file so that neither it nor its folder changes.
    pub(crate) fn open(path: &Path) -> Result<Look> {
        let unavailable = |error: std::io::Error| {
            Error::new(
                ErrorKind::StorageUnavailable,
                format!("cannot read the store {}", path.display()),
            )
            .with_source(error)
        };
        std::fs::File::open(path).map_err(unavailable)?;
        let (log, index) = (beside(path, "-wal"), beside(path, "-shm"));
        let logged = std::fs::metadata(&log).is_ok_and(|meta| meta.len() > 0);
        let (connection, copy) = match (logged, index.exists()) {
            // Nobody has it open and all of it is in the one file.
            (false, _) => (connect(path, "immutable=1")?, None),
            (true, true) => (connect(path, "mode=ro")?, None),
            // SQLite would make an index of the log beside it.
            (true, false) => {
                let folder = tempfile::tempdir().map_err(unavailable)?;
                let copy = folder.path().join("store.db");
                std::fs::copy(path, &copy).map_err(unavailable)?;
                std::fs::copy(&log, beside(&copy, "-wal")).map_err(unavailable)?;
                (connect(&copy, "mode=rw")?, Some(folder))
            }
        };
        // Nothing is written; but with it SQLite reads on where a file is too short or a schema incomplete.
        connection.pragma_update(None, "writable_schema", true)?;
        let limits = Limits::default();
        configure(&connection, &limits, limits.page_cache_bytes)?;
        let application: i32 =
            connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let format: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if application != APPLICATION_ID {
            return Err(Error::new(
                ErrorKind::StorageCorrupt,
                "the file is not a store",
            ));
        }
        if format > FORMAT {
            return Err(Error::new(
                ErrorKind::StorageTooNew,
                format!(
                    "the store has format {format}, and this version reads formats up to {FORMAT}: update the application"
                ),
            ));
        }
        let catalogue = catalogue::load(&connection);
        Ok(Look {
            format,
            described: catalogue.is_ok(),
            catalogue: catalogue.unwrap_or_default(),
            connection,
            _copy: copy,
        })
    }

    fn reading(&self) -> Reading<'_> {
        Reading {
            connection: &self.connection,
            catalogue: &self.catalogue,
        }
    }

    /// What SQLite finds wrong with the file.
    pub(crate) fn damage(&self) -> Vec<String> {
        let mut damage = self.check().unwrap_or_else(|error| vec![error.to_string()]);
        damage.retain(|finding| finding != "ok");
        if !self.described {
            damage.push("the descriptions of the objects cannot be read".into());
        }
        damage
    }

    fn check(&self) -> Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare(&format!("PRAGMA quick_check({FINDINGS_MAX})"))?;
        let findings: rusqlite::Result<Vec<String>> =
            statement.query_map([], |row| row.get(0))?.collect();
        // One finding may have several lines.
        Ok(findings?
            .iter()
            .flat_map(|finding| finding.lines().map(str::to_owned))
            .collect())
    }

    pub(crate) fn setting(&self, key: &str) -> Result<Option<String>> {
        self.reading().setting(key)
    }

    /// How many records each object has; `None` where they cannot be counted.
    pub(crate) fn counts(&self) -> Vec<(String, Option<u64>)> {
        let count = |object: &str| {
            // The smallest index would do, but it may be whole where the table is not.
            let sql = format!("SELECT count(*) FROM {} NOT INDEXED", quote(object));
            let count: rusqlite::Result<i64> =
                self.connection.query_row(&sql, [], |row| row.get(0));
            count.ok().and_then(|count| u64::try_from(count).ok())
        };
        self.catalogue
            .tables()
            .iter()
            .map(|table| (table.object.name.clone(), count(&table.object.name)))
            .collect()
    }

    pub(crate) fn conflicts(&self) -> Result<Vec<Conflict>> {
        self.reading().conflicts()
    }

    /// The mutations that can be read, in order, and whether that is all.
    ///
    /// A damaged page ends a walk through the journal, so a second one comes from the other end.
    pub(crate) fn entries(&self) -> (Vec<Entry>, bool) {
        let mut found = BTreeMap::new();
        let mut whole = true;
        for order in ["ASC", "DESC"] {
            let (seqs, complete) = self.seqs(order);
            whole &= complete;
            for seq in seqs {
                match self.reading().entry(JournalSeq(seq)) {
                    Ok(entry) => {
                        found.insert(seq, entry);
                    }
                    Err(_) => whole = false,
                }
            }
            if whole {
                break;
            }
        }
        (found.into_values().collect(), whole)
    }

    fn seqs(&self, order: &str) -> (Vec<i64>, bool) {
        let mut seqs = Vec::new();
        let sql = format!("SELECT seq FROM attache_mutation NOT INDEXED ORDER BY seq {order}");
        let walked: rusqlite::Result<()> = (|| {
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                seqs.push(row.get(0)?);
            }
            Ok(())
        })();
        (seqs, walked.is_ok())
    }

    /// A mutation as a host sees it.
    pub(crate) fn mutation(&self, entry: &Entry) -> Mutation {
        let reading = self.reading();
        entry
            .mutation(&reading)
            .unwrap_or_else(|_| entry.mutation_of(RecordId::trusted(&entry.record)))
    }

    /// The unsent work that can be read, and whether that is all of it.
    pub(crate) fn document(&self) -> (Document, bool) {
        let reading = self.reading();
        let owner = |key| self.setting(key).ok().flatten();
        let mut document = Document {
            org: owner("org_id").unwrap_or_default(),
            user: owner("user_id").unwrap_or_default(),
            username: owner("username"),
            ..Document::default()
        };
        let (entries, whole) = self.entries();
        let mut seen = BTreeSet::new();
        for entry in &entries {
            if seen.insert(entry.record.clone()) {
                document.records.push(reading.held_as_far_as_read(entry));
            }
            document
                .mutations
                .push(reading.copied_as_far_as_read(entry));
        }
        (document, whole)
    }
}

fn connect(path: &Path, how: &str) -> Result<Connection> {
    // The path becomes part of a URI, in which these have a meaning.
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'%' | b'?' | b'#' => uri.push_str(&format!("%{byte:02x}")),
            byte if byte.is_ascii() => uri.push(char::from(*byte)),
            byte => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri.push('?');
    uri.push_str(how);
    let access = if how == "mode=rw" {
        OpenFlags::SQLITE_OPEN_READ_WRITE
    } else {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    };
    Ok(Connection::open_with_flags(
        uri,
        access | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?)
}
