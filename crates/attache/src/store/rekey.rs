//! Gives a store another key, its first one, or none.
//!
//! The file is copied under the new key, the copy is checked, and takes the
//! file's place: whenever the power fails, there is one whole store.

use super::cipher::{self, Spec};
use super::file::{self, Held};
use super::open::{self, REKEYED};
use super::wipe::{beside, busy, closed, overwrite, writable};
use super::{Store, Writer, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;
use rusqlite::Connection;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};

/// What must be the same in the copy: counts of the engine's tables, and where the journal goes on.
const FINGERPRINT: &str = "SELECT (SELECT count(*) FROM {}.sqlite_schema),
    (SELECT count(*) FROM {}.attache_mutation), (SELECT count(*) FROM {}.attache_base),
    (SELECT count(*) FROM {}.attache_setting), (SELECT count(*) FROM {}.sqlite_sequence),
    (SELECT max(seq) FROM {}.sqlite_sequence WHERE name = 'attache_mutation')";

impl Store {
    /// Encrypts the file with another key; `None`: not at all.
    pub(crate) fn rekey(&self, key: Option<&Key>) -> Result<()> {
        key.map_or(Ok(()), cipher::check)?;
        let Some(path) = &self.path else {
            return Err(Error::invalid("a store in memory has no file to encrypt"));
        };
        let _alone = file::one_at_a_time();
        let mut writer = self.turn()?;
        // Waits for readers at work, and keeps new ones out.
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if !*open {
            return Err(closed());
        }
        let mut current = lock(&self.key);
        if key.is_none() && current.is_none() {
            return Ok(());
        }
        let new = key.map(|key| Spec::new(key, None)).transpose()?;
        lock(&self.readers).clear();
        seclude(&writer.connection)?;
        let away = Connection::open_in_memory()?;
        let connection = std::mem::replace(&mut writer.connection, away);
        writer.durability = None;
        let exchanged =
            copy(&connection, path, new.as_ref()).and_then(|()| exchange(path, connection));
        if exchanged.is_ok() {
            *current = new;
            let salt = current.as_ref().map(|key| key.salt);
            *lock(&self.held) = Some(Held::new(path, salt, Arc::clone(&self.queue)));
        } else {
            let _ = std::fs::remove_file(beside(path, REKEYED));
        }
        let cache_bytes = self.limits.page_cache_bytes;
        match open::connect(path, current.as_ref(), &self.limits, cache_bytes)
            .and_then(|connection| open::adopt(path, connection, &self.limits))
            .and_then(Writer::new)
        {
            Ok(anew) => *writer = anew,
            Err(_) => {
                *open = false;
                self.signal.close();
            }
        }
        exchanged
    }
}

/// Locks everybody else out of the file until the connection is closed. There is no log then.
pub(super) fn seclude(connection: &Connection) -> Result<()> {
    // Only who is alone with the file can change this.
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("delete") {
        return Err(busy());
    }
    let locked = connection
        .pragma_update(None, "locking_mode", "EXCLUSIVE")
        .and_then(|()| connection.execute_batch("BEGIN EXCLUSIVE; COMMIT"));
    if let Err(error) = locked {
        // Somebody came in between: the log comes back.
        connection.pragma_update(None, "locking_mode", "NORMAL")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        return Err(error.into());
    }
    Ok(())
}

/// Copies the store into a file beside it, under another key, and compares the two.
fn copy(connection: &Connection, path: &Path, key: Option<&Spec>) -> Result<()> {
    let copy = beside(path, REKEYED);
    let _ = std::fs::remove_file(&copy);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    file::private(&mut options);
    options.open(&copy).map_err(unwritten)?;
    let name = copy
        .to_str()
        .ok_or_else(|| Error::invalid("the path of the store is not UTF-8"))?;
    match key {
        Some(key) => key.attach(connection, name)?,
        None => {
            connection.execute("ATTACH ?1 AS copy KEY ''", [name])?;
        }
    }
    // Nobody needs half a copy; it is on the disk before it takes the store's place.
    connection.execute_batch("PRAGMA copy.journal_mode = OFF; PRAGMA copy.synchronous = OFF")?;
    connection.query_row("SELECT sqlcipher_export('copy')", [], |_| Ok(()))?;
    for setting in ["application_id", "user_version"] {
        let value: i32 = connection.pragma_query_value(None, setting, |row| row.get(0))?;
        connection.execute_batch(&format!("PRAGMA copy.{setting} = {value}"))?;
    }
    compare(connection)?;
    connection.execute_batch("DETACH copy")?;
    File::options()
        .write(true)
        .open(&copy)
        .and_then(|file| file.sync_all())
        .map_err(unwritten)
}

fn compare(connection: &Connection) -> Result<()> {
    type Print = (i64, i64, i64, i64, i64, Option<i64>);
    let print = |database: &str| -> rusqlite::Result<Print> {
        connection.query_row(&FINGERPRINT.replace("{}", database), [], |row| {
            row.try_into()
        })
    };
    let found: String =
        connection.query_row("PRAGMA copy.integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" || print("main")? != print("copy")? {
        return Err(Error::new(
            ErrorKind::StorageCorrupt,
            "the store cannot be copied as it is: salvage what was not sent",
        ));
    }
    Ok(())
}

/// Puts the copy in the file's place, and overwrites what was there.
fn exchange(path: &Path, connection: Connection) -> Result<()> {
    let old = writable(path).map_err(unwritten)?;
    // Whoever opens the file meanwhile waits for its lock, and finds that it was replaced.
    // Elsewhere than on Unix a file that is open cannot be replaced, by anybody.
    let (locked, old) = if cfg!(unix) {
        (Some(connection), old)
    } else {
        (None, None)
    };
    std::fs::rename(beside(path, REKEYED), path).map_err(unwritten)?;
    sync_folder(path);
    drop(locked);
    // These pages are no longer the store: that they cannot be overwritten is no failure of it.
    let _ = old.map_or(Ok(()), overwrite);
    Ok(())
}

/// Makes a change of names durable, where a folder can be synced.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().filter(|_| cfg!(unix)) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

fn unwritten(error: io::Error) -> Error {
    Error::new(
        ErrorKind::StorageUnavailable,
        "the re-keyed copy of the store cannot be written: the store is as it was",
    )
    .with_source(error)
}
