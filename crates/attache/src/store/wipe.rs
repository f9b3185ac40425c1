//! Destroys a store's files.

use super::knock::WAITING;
use super::open::REKEYED;
use super::{Reading, Store, lock, rekey};
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
        let mut writer = self.turn()?;
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
            self.signal.close();
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
        rekey::seclude(&writer.connection)?;
        *open = false;
        drop(open);
        self.signal.close();
        *self
            .catalogue
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Default::default();
        let connection = std::mem::replace(&mut writer.connection, Connection::open_in_memory()?);
        let destroyed = destroy(path, log, connection);
        *lock(&self.held) = None;
        destroyed.map_err(|error| {
            Error::new(
                ErrorKind::StorageUnavailable,
                "the store is closed, but its files could not all be destroyed: delete them",
            )
            .with_source(error)
        })
    }
}

/// Deletes the files, and overwrites what was in them.
fn destroy(path: &Path, log: Option<File>, connection: Connection) -> io::Result<()> {
    let main = writable(path)?;
    let copy = writable(&beside(path, REKEYED))?;
    // Whoever opens the file meanwhile waits for its lock, and finds that it is gone. Elsewhere
    // than on Unix a file that is open cannot be deleted.
    let locked = cfg!(unix).then_some(connection);
    // Deleted first: a loss of power must not leave half a store under this name.
    for ending in ["", "-wal", "-shm", REKEYED, WAITING] {
        match std::fs::remove_file(beside(path, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    drop(locked);
    main.into_iter()
        .chain(log)
        .chain(copy)
        .try_for_each(overwrite)
}

pub(super) fn overwrite(mut file: File) -> io::Result<()> {
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

pub(super) fn writable(path: &Path) -> io::Result<Option<File>> {
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

pub(super) fn busy() -> Error {
    Error::new(
        ErrorKind::StorageBusy,
        "the store is also open elsewhere: close it there first",
    )
}
