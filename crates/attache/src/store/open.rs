//! Opens a store's file, and leaves any other file as it is.

use super::cipher::{self, Spec};
use super::file::{self, Head, Held};
use super::wipe::beside;
use super::{configure, migrate};
use crate::error::{Error, ErrorKind, Result};
use crate::options::{Limits, Options};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often a file is looked at anew because it was replaced or made meanwhile.
const TRIES_MAX: usize = 4;

/// How long an opening and a reader wait at least: not for who writes, but for another process that just
/// recovers a log after a crash, or closes it as the last one. Either is over in milliseconds, whatever a host
/// thinks of waiting for a writer.
const CLOSING_WAIT: Duration = Duration::from_secs(1);

/// The ending of the copy that a re-keying makes.
pub(super) const REKEYED: &str = "-rekey";

/// A store that is open.
pub(super) struct Opened {
    pub path: PathBuf,
    pub key: Option<Spec>,
    pub connection: Connection,
    pub held: Held,
}

/// Opens a store, creating it if it is missing.
pub(super) fn open(path: &Path, options: &Options) -> Result<Opened> {
    if let Some(key) = &options.key {
        // Before a file is made.
        cipher::check(key)?;
    }
    let _alone = file::one_at_a_time();
    let path = file::prepare(path)?;
    for _ in 1..TRIES_MAX {
        if let Some(opened) = try_open(&path, options)? {
            return Ok(opened);
        }
    }
    Err(Error::new(
        ErrorKind::StorageBusy,
        "another process makes, encrypts or wipes the store: try again",
    ))
}

/// Opens what is at a path now; `None` if something else is there afterwards.
fn try_open(path: &Path, options: &Options) -> Result<Option<Opened>> {
    let identity = file::identity(path);
    let head = Head::of(path)?;
    head.suits(options.key.is_some())?;
    head.whole()?;
    let key = options
        .key
        .as_ref()
        .map(|key| Spec::new(key, head.salt()))
        .transpose()?;
    let limits = &options.limits;
    let opened = connect(path, key.as_ref(), limits, limits.page_cache_bytes)
        .and_then(|connection| adopt(path, connection, limits));
    match opened {
        Ok(connection) if file::identity(path) == identity => {
            file::tighten(path)?;
            // What a re-keying left that was cut off. None runs now: it would not let us in.
            let _ = std::fs::remove_file(beside(path, REKEYED));
            Ok(Some(Opened {
                path: path.to_owned(),
                held: Held::new(path, key.as_ref().map(|key| key.salt), Arc::default()),
                key,
                connection,
            }))
        }
        Err(error)
            if file::identity(path) == identity && Head::of(path).is_ok_and(|now| now == head) =>
        {
            Err(error)
        }
        // Replaced by a re-keyed one, wiped, or made by another process with a salt of its own.
        _ => Ok(None),
    }
}

/// Makes sure that it is a store, of this version's format.
pub(super) fn adopt(
    path: &Path,
    mut connection: Connection,
    limits: &Limits,
) -> Result<Connection> {
    if connection.is_readonly(MAIN_DB)? {
        return Err(file::read_only(path));
    }
    // Until it is known for a store, its log stays as it is.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    if let Some(bytes) = limits.store_bytes {
        let page_bytes: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        // SQLite's own limit is what a number of pages fits into.
        let pages = u32::try_from(bytes / u64::from(page_bytes.max(1))).unwrap_or(u32::MAX - 1);
        connection.pragma_update(None, "max_page_count", pages.max(1))?;
    }
    migrate(&mut connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    connection.busy_timeout(limits.busy_wait)?;
    Ok(connection)
}

/// Opens a connection to a file that is there.
pub(super) fn connect(
    path: &Path,
    key: Option<&Spec>,
    limits: &Limits,
    cache_bytes: u64,
) -> Result<Connection> {
    // Not created here: that would be with the rights of everybody.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| cannot_open(path, error))?;
    prepare(&connection, key, limits, cache_bytes)?;
    Ok(connection)
}

/// Gives a connection its key and its settings.
pub(super) fn prepare(
    connection: &Connection,
    key: Option<&Spec>,
    limits: &Limits,
    cache_bytes: u64,
) -> Result<()> {
    // First of all, so that nothing below fails while another process recovers the log.
    connection.busy_timeout(limits.busy_wait.max(CLOSING_WAIT))?;
    if let Some(key) = key {
        key.unlock(connection)?;
        // Page 1 tells whether the key is right.
        connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
            .map_err(|error| match error.sqlite_error_code() {
                Some(ErrorCode::NotADatabase) => file::wrong_key(
                    "the key does not open the store: it is another one, or the first page is damaged",
                )
                .with_source(error),
                _ => error.into(),
            })?;
    }
    configure(connection, cache_bytes)
}

fn cannot_open(path: &Path, error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Error::new(
            ErrorKind::StorageUnavailable,
            format!("cannot open the store {}", path.display()),
        )
        .with_source(error),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::error::{Error, ErrorKind, Retry};
    use rusqlite::ffi;

    #[test]
    fn whoever_is_in_the_way_makes_a_store_busy() {
        for code in [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_BUSY_RECOVERY,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_PROTOCOL,
        ] {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let error = Error::from(failure);
            assert_eq!(error.kind(), ErrorKind::StorageBusy, "{code}");
            assert!(matches!(error.retry(), Retry::After(_)));
        }
    }
}
