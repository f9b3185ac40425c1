//! Files of records: what they are, where they hang, and their bytes in pieces.

use super::{Reading, Table, Writing, quote};
use crate::env::LocalTime;
use crate::error::{Error, ErrorKind, Result};
use crate::remote::BodyPart;
use md5::{Digest, Md5};
use rusqlite::{OptionalExtension, Row, params};
use std::collections::BTreeSet;

/// The object that stands for a file in the journal: a state of it, with its bytes.
pub(crate) const FILE: &str = "ContentVersion";
/// The field that names the record a file is attached to.
pub(crate) const PARENT: &str = "FirstPublishLocationId";
/// Bytes of a piece at most. A row of this size lies on pages of its own, which nobody reads for its neighbours.
pub(crate) const PIECE_BYTES: usize = 256 << 10;
/// How long a file that was never finished being attached stays: somebody may still be at it.
const UNFINISHED_MILLIS: i64 = 24 * 3_600_000;

/// A file as the store knows it.
#[derive(Clone, Debug)]
pub(crate) struct StoredFile {
    pub nr: i64,
    pub key: String,
    pub version: Option<String>,
    pub title: String,
    pub extension: Option<String>,
    pub bytes: u64,
    pub checksum: Option<String>,
    pub got: u64,
    pub problem: Option<String>,
}

impl StoredFile {
    pub(crate) fn is_whole(&self) -> bool {
        self.got == self.bytes && self.problem.is_none()
    }

    /// Says whether it was attached here and the server has not confirmed it.
    pub(crate) fn is_queued(&self) -> bool {
        self.version.is_none()
    }
}

/// A file of a record, as the server tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub record: String,
    pub document: String,
    pub version: String,
    pub title: String,
    pub extension: Option<String>,
    pub bytes: u64,
    pub checksum: Option<String>,
}

/// What became of a stretch of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// There is more to come.
    Part,
    /// All of it is here and is what the server described.
    Whole,
    /// It is not what the server described; nothing was kept.
    Unfit,
    /// The file has another version by now, or is gone.
    Outdated,
}

const COLUMNS: &str =
    "f.nr, f.key, f.version, f.title, f.extension, f.bytes, f.checksum, f.got, f.problem";

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredFile> {
    let count = |at| Ok::<u64, rusqlite::Error>(row.get::<_, i64>(at)?.max(0) as u64);
    Ok(StoredFile {
        nr: row.get(0)?,
        key: row.get(1)?,
        version: row.get(2)?,
        title: row.get(3)?,
        extension: row.get(4)?,
        bytes: count(5)?,
        checksum: row.get(6)?,
        got: count(7)?,
        problem: row.get(8)?,
    })
}

impl Reading<'_> {
    /// Finds a file by its key, its document or its version.
    pub(crate) fn file(&self, id: &str) -> Result<Option<StoredFile>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM attache_file f WHERE key = ?1 OR document = ?1 OR version = ?1"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([id], stored).optional()?)
    }

    /// Finds the file that a mutation makes, if it makes one.
    pub(crate) fn file_of(&self, object: &str, record: &str) -> Result<Option<StoredFile>> {
        match object == FILE {
            true => self.file(record),
            false => Ok(None),
        }
    }

    /// Says whether anything is known of any file.
    pub(crate) fn has_files(&self) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM attache_file")?
            .exists([])?)
    }

    /// How many files there are whose bytes came and were not kept.
    pub(crate) fn unfit_files(&self) -> Result<u64> {
        self.number("SELECT count(*) FROM attache_file WHERE problem IS NOT NULL")
    }

    /// Says whether the server's version is known to be one that was sent from here.
    pub(crate) fn is_known_version(&self, version: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM attache_file WHERE version = ?1 AND key LIKE 'local-%'";
        Ok(self.connection.prepare_cached(sql)?.exists([version])?)
    }

    /// The files of a record, by its current id, in order of their titles.
    pub(crate) fn files_of(&self, record: &str) -> Result<Vec<StoredFile>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM attache_file_link l JOIN attache_file f ON f.nr = l.file
             WHERE l.record = ?1 ORDER BY f.title, f.nr"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let files: rusqlite::Result<Vec<StoredFile>> =
            statement.query_map([record], stored)?.collect();
        Ok(files?)
    }

    /// The files that are not whole of an object's records, those that were begun first, then the smaller ones.
    pub(crate) fn files_to_fetch(&self, table: &Table) -> Result<Vec<StoredFile>> {
        let sql = format!(
            "SELECT DISTINCT {COLUMNS} FROM {} t JOIN attache_file_link l ON l.record = t.\"Id\"
             JOIN attache_file f ON f.nr = l.file
             WHERE f.got < f.bytes AND f.problem IS NULL AND f.version IS NOT NULL
             ORDER BY f.got = 0, f.bytes, f.nr",
            quote(&table.object.name)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let files: rusqlite::Result<Vec<StoredFile>> = statement.query_map([], stored)?.collect();
        Ok(files?)
    }

    /// The keys of files that were attached here and that the server has not confirmed.
    pub(crate) fn queued_files(&self) -> Result<BTreeSet<String>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT key FROM attache_file WHERE version IS NULL")?;
        let keys: rusqlite::Result<BTreeSet<String>> =
            statement.query_map([], |row| row.get(0))?.collect();
        Ok(keys?)
    }

    /// Bytes here of files that the server has as well.
    pub(crate) fn cached_file_bytes(&self) -> Result<u64> {
        self.number("SELECT coalesce(sum(got), 0) FROM attache_file WHERE version IS NOT NULL")
    }

    /// What a statement counts.
    fn number(&self, sql: &str) -> Result<u64> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let number: i64 = statement.query_row([], |row| row.get(0))?;
        Ok(number.max(0) as u64)
    }

    /// Reads bytes of a file from a place on, into a part of a buffer at least.
    pub(crate) fn file_bytes(&self, nr: i64, start: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut statement = self.connection.prepare_cached(
            "SELECT start, bytes FROM attache_file_piece WHERE file = ?1 AND start <= ?2 ORDER BY start DESC LIMIT 1",
        )?;
        let place = i64::try_from(start).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![nr, place])?;
        let Some(row) = rows.next()? else {
            return Ok(0);
        };
        let begin: i64 = row.get(0)?;
        let piece = row
            .get_ref(1)?
            .as_blob()
            .map_err(|_| super::damaged("a file"))?;
        let skip = usize::try_from(place - begin).unwrap_or(usize::MAX);
        let rest = piece.get(skip..).unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    /// Records of an object whose files were not listed since a local time, as far as the server knows them.
    pub(crate) fn unlisted(&self, table: &Table, since: LocalTime) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT t.\"Id\" FROM {} t LEFT JOIN attache_file_listed l ON l.record = t.\"Id\"
             WHERE t.\"Id\" NOT LIKE 'local-%' AND (l.listed_at IS NULL OR l.listed_at < ?1) ORDER BY t.\"Id\"",
            quote(&table.object.name)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let ids: rusqlite::Result<Vec<String>> =
            statement.query_map([since.0], |row| row.get(0))?.collect();
        Ok(ids?)
    }

    /// Records of an object whose files were listed, up to a number of them and one more.
    pub(crate) fn listed(&self, table: &Table, most: usize) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT t.\"Id\" FROM {} t JOIN attache_file_listed l ON l.record = t.\"Id\" ORDER BY t.\"Id\" LIMIT ?1",
            quote(&table.object.name)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        let ids: rusqlite::Result<Vec<String>> =
            statement.query_map([most], |row| row.get(0))?.collect();
        Ok(ids?)
    }
}

impl Writing<'_> {
    /// Begins a file that is attached here. It is nobody's until [`finish_file`](Writing::finish_file).
    pub(crate) fn begin_file(
        &self,
        key: &str,
        title: &str,
        extension: Option<&str>,
        now: LocalTime,
    ) -> Result<i64> {
        self.connection
            .prepare_cached(
                "INSERT INTO attache_file (key, title, extension, bytes, used_at) VALUES (?1, ?2, ?3, 0, ?4)",
            )?
            .execute(params![key, title, extension, now.0])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Appends bytes to a file.
    pub(crate) fn append_bytes(&self, nr: i64, start: u64, bytes: &[u8]) -> Result<()> {
        let mut statement = self
            .connection
            .prepare_cached("INSERT OR REPLACE INTO attache_file_piece VALUES (?1, ?2, ?3)")?;
        let mut place = i64::try_from(start).unwrap_or(i64::MAX);
        for piece in bytes.chunks(PIECE_BYTES) {
            statement.execute(params![nr, place, piece])?;
            place += piece.len() as i64;
        }
        self.connection
            .prepare_cached("UPDATE attache_file SET got = ?2 WHERE nr = ?1")?
            .execute(params![nr, place])?;
        Ok(())
    }

    /// Hangs a file that was attached here on its record, with all its bytes.
    pub(crate) fn finish_file(
        &self,
        nr: i64,
        record: &str,
        bytes: u64,
        checksum: &str,
    ) -> Result<()> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.connection
            .prepare_cached(
                "UPDATE attache_file SET bytes = ?2, got = ?2, checksum = ?3 WHERE nr = ?1",
            )?
            .execute(params![nr, bytes, checksum])?;
        self.link(record, nr)
    }

    fn link(&self, record: &str, nr: i64) -> Result<()> {
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO attache_file_link VALUES (?1, ?2)")?
            .execute(params![record, nr])?;
        Ok(())
    }

    /// Forgets a file and its bytes.
    pub(crate) fn drop_file(&self, nr: i64) -> Result<()> {
        for sql in [
            "DELETE FROM attache_file_link WHERE file = ?1",
            "DELETE FROM attache_file_piece WHERE file = ?1",
            "DELETE FROM attache_file WHERE nr = ?1",
        ] {
            self.connection.prepare_cached(sql)?.execute([nr])?;
        }
        Ok(())
    }

    /// Gives the room of a file's bytes back.
    pub(crate) fn drop_bytes(&self, nr: i64, problem: Option<&str>) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM attache_file_piece WHERE file = ?1")?
            .execute([nr])?;
        self.connection
            .prepare_cached("UPDATE attache_file SET got = 0, problem = ?2 WHERE nr = ?1")?
            .execute(params![nr, problem])?;
        Ok(())
    }

    /// Notes that a file's bytes were of use, and lets what was wrong with them be tried again.
    pub(crate) fn touch_file(&self, nr: i64, now: LocalTime) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE attache_file SET used_at = ?2, problem = NULL WHERE nr = ?1")?
            .execute(params![nr, now.0])?;
        Ok(())
    }

    /// Takes in a stretch of a version's bytes.
    pub(crate) fn take_bytes(
        &self,
        nr: i64,
        version: &str,
        part: &BodyPart,
        now: LocalTime,
    ) -> Result<Taken> {
        let sql = format!("SELECT {COLUMNS} FROM attache_file f WHERE nr = ?1");
        let found = self
            .connection
            .prepare_cached(&sql)?
            .query_row([nr], stored)
            .optional()?;
        let Some(file) = found.filter(|file| file.version.as_deref() == Some(version)) else {
            return Ok(Taken::Outdated);
        };
        let count = part.bytes.len() as u64;
        let end = part.start.saturating_add(count);
        if part.total != file.bytes || end > file.bytes || (count == 0 && file.got < file.bytes) {
            let told = format!(
                "the server holds {} bytes of it, where it had told of {}",
                part.total, file.bytes
            );
            self.drop_bytes(nr, Some(&told))?;
            return Ok(Taken::Unfit);
        }
        if part.start == 0 && file.got > 0 {
            // A server that gives whole files only began anew.
            self.drop_bytes(nr, None)?;
        } else if part.start != file.got {
            return Ok(Taken::Outdated);
        }
        self.append_bytes(nr, part.start, &part.bytes)?;
        if end < file.bytes {
            return Ok(Taken::Part);
        }
        let differs = |told: &str| Ok::<bool, Error>(!self.md5(nr)?.eq_ignore_ascii_case(told));
        if file
            .checksum
            .as_deref()
            .map(differs)
            .transpose()?
            .unwrap_or(false)
        {
            self.drop_bytes(
                nr,
                Some("its bytes do not have the checksum that the server tells"),
            )?;
            return Ok(Taken::Unfit);
        }
        self.touch_file(nr, now)?;
        Ok(Taken::Whole)
    }

    fn md5(&self, nr: i64) -> Result<String> {
        let mut statement = self.connection.prepare_cached(
            "SELECT bytes FROM attache_file_piece WHERE file = ?1 ORDER BY start",
        )?;
        let mut rows = statement.query([nr])?;
        let mut sum = Md5::new();
        while let Some(row) = rows.next()? {
            sum.update(
                row.get_ref(0)?
                    .as_blob()
                    .map_err(|_| super::damaged("a file"))?,
            );
        }
        Ok(hex(&sum.finalize()))
    }

    /// Takes in that the server has a version which was sent from here.
    pub(crate) fn confirm_file(&self, nr: i64, version: &str, now: LocalTime) -> Result<()> {
        // A listing may have brought it in before we knew that it is ours.
        let twin: Option<(i64, String)> = self
            .connection
            .prepare_cached(
                "SELECT nr, document FROM attache_file WHERE version = ?1 AND nr <> ?2",
            )?
            .query_row(params![version, nr], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((twin, _)) = &twin {
            self.connection
                .prepare_cached("UPDATE OR IGNORE attache_file_link SET file = ?2 WHERE file = ?1")?
                .execute([twin, &nr])?;
            self.drop_file(*twin)?;
        }
        self.connection
            .prepare_cached(
                "UPDATE attache_file SET version = ?2, document = ?3, used_at = ?4 WHERE nr = ?1",
            )?
            .execute(params![
                nr,
                version,
                twin.map(|(_, document)| document),
                now.0
            ])?;
        Ok(())
    }

    /// Takes in what the server tells of the files of records. With `complete` that is all of their files.
    pub(crate) fn take_listing(
        &self,
        records: &[String],
        listing: &[Listed],
        complete: Option<LocalTime>,
    ) -> Result<()> {
        if let Some(now) = complete {
            for record in records {
                self.connection
                    .prepare_cached(
                        "DELETE FROM attache_file_link WHERE record = ?1
                         AND file IN (SELECT nr FROM attache_file WHERE document IS NOT NULL)",
                    )?
                    .execute([record])?;
                self.connection
                    .prepare_cached("INSERT OR REPLACE INTO attache_file_listed VALUES (?1, ?2)")?
                    .execute(params![record, now.0])?;
            }
        }
        for listed in listing {
            let nr = self.take_listed(listed)?;
            self.link(&listed.record, nr)?;
        }
        Ok(())
    }

    fn take_listed(&self, listed: &Listed) -> Result<i64> {
        let bytes = i64::try_from(listed.bytes).unwrap_or(i64::MAX);
        let known: Option<(i64, Option<String>)> = self
            .connection
            .prepare_cached(
                "SELECT nr, version FROM attache_file WHERE document = ?1 OR (document IS NULL AND version = ?2)",
            )?
            .query_row([&listed.document, &listed.version], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((nr, version)) = known else {
            self.connection
                .prepare_cached(
                    "INSERT INTO attache_file (key, document, version, title, extension, bytes, checksum)
                     VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    listed.document,
                    listed.version,
                    listed.title,
                    listed.extension,
                    bytes,
                    listed.checksum
                ])?;
            return Ok(self.connection.last_insert_rowid());
        };
        if version.as_deref() != Some(&listed.version) {
            self.drop_bytes(nr, None)?;
        }
        self.connection
            .prepare_cached(
                "UPDATE attache_file SET document = ?2, version = ?3, title = ?4, extension = ?5, bytes = ?6, checksum = ?7
                 WHERE nr = ?1",
            )?
            .execute(params![
                nr,
                listed.document,
                listed.version,
                listed.title,
                listed.extension,
                bytes,
                listed.checksum
            ])?;
        Ok(nr)
    }

    /// Lets go of what hangs on no record of this device any more, and of what was never finished being attached.
    pub(crate) fn tidy_files(&self, now: LocalTime) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT record FROM attache_file_link UNION SELECT record FROM attache_file_listed",
        )?;
        let records: rusqlite::Result<Vec<String>> =
            statement.query_map([], |row| row.get(0))?.collect();
        for record in records? {
            let mut here = false;
            for table in self.reading().candidates(&record)? {
                here |= self.reading().row(&table, &record)?.is_some();
            }
            if here {
                continue;
            }
            for sql in [
                "DELETE FROM attache_file_link WHERE record = ?1 AND file IN (SELECT nr FROM attache_file WHERE version IS NOT NULL)",
                "DELETE FROM attache_file_listed WHERE record = ?1",
            ] {
                self.connection.prepare_cached(sql)?.execute([&record])?;
            }
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT nr FROM attache_file f WHERE NOT EXISTS (SELECT 1 FROM attache_file_link WHERE file = f.nr)
             AND (version IS NOT NULL OR used_at < ?1)
             AND NOT EXISTS (SELECT 1 FROM attache_mutation WHERE record = f.key)",
        )?;
        let gone: rusqlite::Result<Vec<i64>> = statement
            .query_map([now.0 - UNFINISHED_MILLIS], |row| row.get(0))?
            .collect();
        gone?.into_iter().try_for_each(|nr| self.drop_file(nr))
    }

    /// Makes room for bytes of files, from those that were of use longest ago. Gives whether there is enough.
    ///
    /// What was attached here and not sent is nobody's to give up.
    pub(crate) fn make_room(
        &self,
        bytes: u64,
        most: u64,
        spare: impl Fn(&StoredFile) -> bool,
    ) -> Result<bool> {
        let mut used = self.reading().cached_file_bytes()?;
        if used.saturating_add(bytes) <= most {
            return Ok(true);
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM attache_file f WHERE version IS NOT NULL AND got > 0 ORDER BY used_at, nr"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let files: rusqlite::Result<Vec<StoredFile>> = statement.query_map([], stored)?.collect();
        for file in files? {
            if used.saturating_add(bytes) <= most {
                break;
            }
            if !spare(&file) {
                self.drop_bytes(file.nr, None)?;
                used = used.saturating_sub(file.got);
            }
        }
        Ok(used.saturating_add(bytes) <= most)
    }
}

/// Prints a checksum.
pub(crate) fn hex(sum: &[u8]) -> String {
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Says that there is no such file.
pub(crate) fn no_file(id: &str) -> Error {
    Error::new(
        ErrorKind::RecordNotFound,
        format!("there is no file {id} on this device"),
    )
}
