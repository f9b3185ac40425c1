//! Reads a store's file that must not change, or is damaged.

use super::cipher::{self, Spec};
use super::file::{self, Head};
use super::unsent::Document;
use super::wipe::beside;
use super::{APPLICATION_ID, Catalogue, Entry, FORMAT, Reading, catalogue, open, quote, too_new};
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;
use crate::options::Limits;
use crate::outcome::{Conflict, JournalSeq, Mutation};
use crate::record::RecordId;
use rusqlite::{Connection, OpenFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How many findings of SQLite's own check are told.
const FINDINGS_MAX: usize = 20;

/// A file that is looked at.
pub(crate) struct Look {
    pub format: i32,
    connection: Connection,
    place: Place,
    key: Option<Spec>,
    catalogue: Catalogue,
    /// Whether all objects could be read.
    described: bool,
    /// Where the copy is, if one had to be made. Goes after the connection.
    _copy: Option<tempfile::TempDir>,
}

impl Look {
    /// Opens a file so that neither it nor its folder changes.
    pub(crate) fn open(path: &Path, key: Option<&Key>) -> Result<Look> {
        key.map_or(Ok(()), cipher::check)?;
        let alone = file::one_at_a_time();
        let head = Head::of(path)?;
        drop(alone);
        if head == Head::Empty {
            return Err(file::foreign());
        }
        head.suits(key.is_some())?;
        let key = key.map(|key| Spec::new(key, head.salt())).transpose()?;
        let (place, copy) = reach(path)?;
        let connection = place.connect(key.as_ref())?;
        let application: i32 =
            connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let format: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if application != APPLICATION_ID {
            return Err(file::foreign());
        }
        if format > FORMAT {
            return Err(too_new(format.into()));
        }
        let catalogue = catalogue::load(&connection, &Catalogue::default());
        let mut look = Look {
            format,
            described: catalogue.is_ok(),
            catalogue: catalogue.unwrap_or_default(),
            connection,
            place,
            key,
            _copy: copy,
        };
        look.renew();
        Ok(look)
    }

    /// Lets an encrypted file be read on behind a page that is damaged: SQLCipher gives a
    /// connection up that met one.
    fn renew(&mut self) {
        if self.key.is_some()
            && let Ok(connection) = self.place.connect(self.key.as_ref())
        {
            self.connection = connection;
        }
    }

    fn reading(&self) -> Reading<'_> {
        Reading {
            connection: &self.connection,
            catalogue: &self.catalogue,
        }
    }

    /// What SQLite finds wrong with the file.
    pub(crate) fn damage(&mut self) -> Vec<String> {
        let quick = format!("quick_check({FINDINGS_MAX})");
        let mut damage = self
            .check(&quick)
            .unwrap_or_else(|error| vec![error.to_string()]);
        damage.retain(|finding| finding != "ok");
        self.renew();
        if self.key.is_some() {
            let pages = self.check("cipher_integrity_check");
            damage.extend(pages.unwrap_or_else(|error| vec![error.to_string()]));
            damage.truncate(FINDINGS_MAX);
            self.renew();
        }
        if !self.described {
            damage.push("the descriptions of the objects cannot be read".into());
        }
        damage
    }

    fn check(&self, pragma: &str) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare(&format!("PRAGMA {pragma}"))?;
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
    pub(crate) fn counts(&mut self) -> Vec<(String, Option<u64>)> {
        let tables = self.catalogue.tables();
        let objects: Vec<String> = tables.map(|table| table.object.name.clone()).collect();
        let mut counts = Vec::new();
        for object in objects {
            // The smallest index would do, but it may be whole where the table is not.
            let sql = format!("SELECT count(*) FROM {} NOT INDEXED", quote(&object));
            let count: rusqlite::Result<i64> =
                self.connection.query_row(&sql, [], |row| row.get(0));
            if count.is_err() {
                self.renew();
            }
            counts.push((
                object,
                count.ok().and_then(|count| u64::try_from(count).ok()),
            ));
        }
        counts
    }

    pub(crate) fn conflicts(&mut self) -> Result<Vec<Conflict>> {
        let conflicts = self.reading().conflicts();
        if conflicts.is_err() {
            self.renew();
        }
        conflicts
    }

    /// The mutations that can be read, in order, and whether that is all.
    ///
    /// A damaged page ends a walk through the journal, so a second one comes from the other end.
    pub(crate) fn entries(&mut self) -> (Vec<Entry>, bool) {
        let mut found = BTreeMap::new();
        let mut whole = true;
        for order in ["ASC", "DESC"] {
            let (seqs, complete) = self.seqs(order);
            whole &= complete;
            if !complete {
                self.renew();
            }
            for seq in seqs {
                match self.reading().entry(JournalSeq(seq)) {
                    Ok(entry) => {
                        found.insert(seq, entry);
                    }
                    Err(_) => {
                        whole = false;
                        self.renew();
                    }
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
    pub(crate) fn document(&mut self) -> (Document, bool) {
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
            if !whole {
                // Of each a part may be on a page that is damaged.
                self.renew();
            }
            let reading = self.reading();
            if seen.insert(entry.record.clone()) {
                document.records.push(reading.held_as_far_as_read(entry));
            }
            document
                .mutations
                .push(reading.copied_as_far_as_read(entry));
            document
                .files
                .extend(reading.copied_file(entry).ok().flatten());
        }
        (document, whole)
    }
}

/// Where a file is read, and how.
struct Place {
    path: PathBuf,
    how: &'static str,
}

impl Place {
    fn connect(&self, key: Option<&Spec>) -> Result<Connection> {
        let connection = connect(&self.path, self.how)?;
        // Nothing is written; but with it SQLite reads on where a file is too short or a schema incomplete.
        connection.pragma_update(None, "writable_schema", true)?;
        let limits = Limits::default();
        open::prepare(&connection, key, &limits, limits.page_cache_bytes)?;
        Ok(connection)
    }
}

/// How to reach a file without leaving a trace; a copy of it, if there is no other way.
fn reach(path: &Path) -> Result<(Place, Option<tempfile::TempDir>)> {
    let unavailable = |error: std::io::Error| {
        Error::new(
            ErrorKind::StorageUnavailable,
            format!("cannot read the store {}", path.display()),
        )
        .with_source(error)
    };
    let at = |path: &Path, how| Place {
        path: path.to_owned(),
        how,
    };
    let (log, index) = (beside(path, "-wal"), beside(path, "-shm"));
    let logged = std::fs::metadata(&log).is_ok_and(|meta| meta.len() > 0);
    match (logged, index.exists()) {
        // Nobody has it open and all of it is in the one file.
        (false, _) => Ok((at(path, "immutable=1"), None)),
        (true, true) => Ok((at(path, "mode=ro"), None)),
        // SQLite would make an index of the log beside it.
        (true, false) => {
            let folder = tempfile::tempdir().map_err(unavailable)?;
            let copy = folder.path().join("store.db");
            std::fs::copy(path, &copy).map_err(unavailable)?;
            std::fs::copy(&log, beside(&copy, "-wal")).map_err(unavailable)?;
            Ok((at(&copy, "mode=rw"), Some(folder)))
        }
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
