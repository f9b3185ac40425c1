//! Destroys a store's files.

use super::{Reading, Store, lock};
use crate::error::{Error, ErrorKind, Result};
use rusqlite::Connection;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

/// How much is overwritten at a time.
const BLOCK_BYTES: usize = 1 << 16;

impl Store {
    /// Closes the store for all its handles and destroys its files, unless `allow` objects.
    pub(crate) fn wipe(&self, allow: impl FnOnce(&Reading<'_>) -> Result<()>) -> Result<()> {
        let mut writer = lock(&self.writer);
        // Waits for readers at work, and keeps new ones out.
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if !*open {
            return Err(closed());
        }
        allow(&Reading {
            connection: &writer.connection,
            catalogue: &self.catalogue(),
        })?;
        lock(&self.readers).clear();
        let Some(path) = &self.path else {
            writer.connection = Connection::open_in_memory()?;
            *open = false;
            return Ok(());
        };
        // Held open over its deletion by SQLite, which overwrites nothing.
        let log = writable(&beside(path, "-wal")).map_err(|error| {
            Error::new(
                ErrorKind::StorageUnavailable,
                "the store's log cannot be written",
            )
            .with_source(error)
        })?;
        // Only who is alone with the file can change this.
        let mode: String =
            writer
                .connection
                .pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))?;
        if !mode.eq_ignore_ascii_case("delete") {
            return Err(busy());
        }
        writer.connection = Connection::open_in_memory()?;
        *open = false;
        drop(open);
        *self
            .catalogue
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Default::default();
        destroy(path, log).map_err(|error| {
            Error::new(
                ErrorKind::StorageUnavailable,
                "the store is closed, but its files could not all be destroyed: delete them",
            )
            .with_source(error)
        })
    }
}

/// Deletes the files, and overwrites what was in them.
fn destroy(path: &Path, log: Option<File>) -> io::Result<()> {
    let main = writable(path)?;
    // Deleted first: a loss of power must not leave half a store under this name.
    for name in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        match std::fs::remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    main.into_iter().chain(log).try_for_each(overwrite)
}

fn overwrite(mut file: File) -> io::Result<()> {
    let zeros = [0; BLOCK_BYTES];
    let mut left = file.metadata()?.len();
    while left > 0 {
        let bytes = zeros.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        file.write_all(&zeros[..bytes])?;
        left -= bytes as u64;
    }
    // On the disk before the length goes, or the zeros never get there.
    file.sync_all()?;
    file.set_len(0)?;
    file.sync_all()
}

fn writable(path: &Path) -> io::Result<Option<File>> {
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The file that SQLite keeps beside another.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the store was wiped: it is closed")
}

fn busy() -> Error {
    Error::new(
        ErrorKind::StorageBusy,
        "the store is also open elsewhere: close it there first",
    )
}
