//! The store: one SQLite file per user and org. The only module that names rusqlite.
//!
//! One connection writes, a pool of others reads; in WAL mode a reader never
//! waits for the writer and sees the last commit before it began.

mod build;
mod catalogue;
mod checked;
mod cipher;
mod conflict;
mod covered;
mod drift;
mod edit;
pub(crate) mod file;
pub(crate) mod files;
mod forms;
mod holds;
mod incoming;
mod index;
mod journal;
mod knock;
mod load;
pub(crate) mod look;
mod merges;
mod merging;
mod notice;
mod open;
pub(crate) mod query;
mod referring;
mod rekey;
mod relate;
mod reopen;
mod resolve;
mod restored;
mod rows;
mod rules;
mod search;
mod settle;
mod signal;
mod standing;
mod steps;
mod turn;
mod unsent;
pub(crate) mod value;
mod wipe;

pub(crate) use build::Stop;
pub(crate) use catalogue::{Catalogue, Table};
pub(crate) use checked::Given;
pub(crate) use drift::Missing;
pub(crate) use edit::Stamp;
pub(crate) use forms::ListView;
pub(crate) use holds::{Evicting, Hold, bytes};
pub(crate) use incoming::{Arrived, Origin};
pub(crate) use index::Wish;
pub(crate) use journal::{Entry, NewEntry, State};
pub(crate) use load::LoadOf;
pub(crate) use notice::Count;
pub(crate) use relate::Relation;
pub(crate) use rules::{RuleState, SweepRange, WantedRule};
pub(crate) use settle::Settlement;
pub(crate) use signal::Signal;
pub(crate) use unsent::Document;

use crate::error::{Error, ErrorKind, Result};
use crate::filter::{Context, Select};
use crate::merge::Merger;
use crate::options::{Limits, Options};
use crate::record::ServerTime;
use crate::schema::Schema;
use cipher::Spec;
use file::Held;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

/// `ATCH`: says that a SQLite file is ours.
const APPLICATION_ID: i32 = 0x4154_4348;
/// The format that this library writes; each step up has its migration.
const FORMAT: i32 = 14;
const MIGRATIONS: [&str; FORMAT as usize] = [
    include_str!("sql/001_engine.sql"),
    include_str!("sql/002_copies.sql"),
    include_str!("sql/003_holds.sql"),
    include_str!("sql/004_missing.sql"),
    include_str!("sql/005_tally.sql"),
    include_str!("sql/006_text.sql"),
    include_str!("sql/007_resolutions.sql"),
    include_str!("sql/008_mention.sql"),
    include_str!("sql/009_saves.sql"),
    include_str!("sql/010_base.sql"),
    include_str!("sql/011_forms.sql"),
    include_str!("sql/012_files.sql"),
    include_str!("sql/013_shape.sql"),
    include_str!("sql/014_loads.sql"),
];
/// What SQLite says where the system refuses to let a file grow, but for a full disk.
const CANNOT_GROW: [i32; 2] = [
    rusqlite::ffi::SQLITE_IOERR_WRITE,
    rusqlite::ffi::SQLITE_IOERR_SHMSIZE,
];
/// Readers kept open at most.
const READERS_MAX: usize = 4;

/// What a commit is worth: the loss of power may take back what was only ordered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// On the disk when the call returns: edits, intents, answers.
    Durable,
    /// On the disk soon: pages that can be pulled again.
    Ordered,
}

/// The connection that writes, and the durability it is set to.
struct Writer {
    connection: Connection,
    durability: Option<Durability>,
    touched: signal::Touched,
}

impl Writer {
    fn new(mut connection: Connection) -> Result<Writer> {
        // Otherwise SQLite prepares some statements anew at each row, to look at what is bound to them:
        // a third of the time of a load.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(Writer {
            touched: signal::Touched::of(&mut connection)?,
            connection,
            durability: None,
        })
    }
}

pub(crate) struct Store {
    path: Option<PathBuf>,
    pub(crate) limits: Limits,
    /// What new connections are opened with.
    key: Mutex<Option<Spec>>,
    writer: Mutex<Writer>,
    /// Who waits to write, through this handle or another of the process.
    queue: Arc<turn::Queue>,
    /// The thread that writes now.
    holder: Mutex<Option<std::thread::ThreadId>>,
    readers: Mutex<Vec<Connection>>,
    /// With the version of SQLite's schema that it was read at.
    catalogue: RwLock<(i64, Arc<Catalogue>)>,
    /// Held by readers at work; false once the store is wiped.
    open: RwLock<bool>,
    views: holds::Views,
    pub(crate) signal: signal::Sender,
    /// After the connections: it goes last.
    held: Mutex<Option<Held>>,
}

impl Store {
    pub(crate) fn open(path: &Path, options: Options) -> Result<Store> {
        let opened = open::open(path, &options)?;
        let mut store = Store::with(opened.connection, options.limits)?;
        store.path = Some(opened.path);
        store.key = Mutex::new(opened.key);
        store.queue = opened.held.queue();
        store.held = Mutex::new(Some(opened.held));
        Ok(store)
    }

    pub(crate) fn open_in_memory(options: Options) -> Result<Store> {
        if let Some(key) = &options.key {
            key.check()?;
            return Err(Error::invalid(
                "a store in memory has no file to encrypt: open it without a key",
            ));
        }
        let mut connection = Connection::open_in_memory()?;
        configure(&connection, options.limits.page_cache_bytes)?;
        migrate(&mut connection)?;
        Store::with(connection, options.limits)
    }

    fn with(connection: Connection, limits: Limits) -> Result<Store> {
        let catalogue = (
            schema_version(&connection)?,
            Arc::new(catalogue::load(&connection, &Catalogue::default())?),
        );
        Ok(Store {
            path: None,
            limits,
            key: Mutex::default(),
            writer: Mutex::new(Writer::new(connection)?),
            queue: Arc::default(),
            holder: Mutex::default(),
            readers: Mutex::default(),
            catalogue: RwLock::new(catalogue),
            open: RwLock::new(true),
            views: holds::Views::default(),
            signal: signal::Sender::default(),
            held: Mutex::default(),
        })
    }

    /// Runs one write transaction: all of it or nothing.
    pub(crate) fn write<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T>,
    ) -> Result<T> {
        // Until the transaction has begun: for the turn, and for another handle's.
        let waiting = self.queue.stand();
        let mut turn = self.turn()?;
        self.transact(&mut turn, durability, |w| {
            drop(waiting);
            work(w)
        })
    }

    fn transact<T>(
        &self,
        writer: &mut Writer,
        durability: Durability,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T>,
    ) -> Result<T> {
        self.check_open()?;
        if writer.durability != Some(durability) {
            let level = if durability == Durability::Durable {
                "FULL"
            } else {
                "NORMAL"
            };
            writer
                .connection
                .pragma_update(None, "synchronous", level)?;
            writer.durability = Some(durability);
        }
        let rows = writer.connection.total_changes();
        let touched = writer.touched.clone();
        touched.take(); // of a transaction that was rolled back
        let transaction = self.begin(&writer.connection)?;
        let mut writing = Writing {
            connection: &writer.connection,
            catalogue: self.catalogue_of(&writer.connection)?,
            changed: false,
            mergers: RefCell::default(),
        };
        let done = work(&mut writing)?;
        let changed = match writing.changed {
            true => Some((schema_version(&writer.connection)?, writing.catalogue)),
            false => None,
        };
        transaction.commit()?;
        tracing::trace!(rows = writer.connection.total_changes() - rows, "committed");
        self.signal.touch(touched.take());
        if let Some((version, catalogue)) = changed {
            self.set_catalogue(version, catalogue);
            self.signal.touch_all();
        }
        Ok(done)
    }

    /// Begins a transaction of the writer, and lets another process that writes now know that somebody waits.
    fn begin<'c>(&self, connection: &'c Connection) -> Result<Transaction<'c>> {
        let Some(path) = &self.path else {
            return Transaction::begin(connection);
        };
        connection.busy_timeout(Duration::ZERO)?;
        let begun = Transaction::begin(connection);
        connection.busy_timeout(self.limits.busy_wait)?;
        match begun {
            Err(error) if error.kind() == ErrorKind::StorageBusy => {
                let _knock = knock::Knock::at(path);
                Transaction::begin(connection)
            }
            begun => begun,
        }
    }

    /// Reads a consistent state, beside any writer.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Reading<'_>) -> Result<T>) -> Result<T> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        if !*open {
            return Err(wipe::closed());
        }
        let Some(path) = &self.path else {
            // A database in memory has one connection.
            let writer = self.turn()?;
            return work(&Reading {
                connection: &writer.connection,
                catalogue: &*self.catalogue_of(&writer.connection)?,
            });
        };
        let pooled = lock(&self.readers).pop();
        let mut connection = match pooled {
            Some(connection) => connection,
            None => {
                let cache_bytes = self.limits.page_cache_bytes / 4;
                let connection =
                    open::connect(path, lock(&self.key).as_ref(), &self.limits, cache_bytes)?;
                connection.pragma_update(None, "query_only", true)?;
                connection
            }
        };
        let transaction = connection.transaction()?;
        let done = self.catalogue_of(&transaction).and_then(|catalogue| {
            work(&Reading {
                connection: &transaction,
                catalogue: &catalogue,
            })
        });
        drop(transaction);
        let mut readers = lock(&self.readers);
        if readers.len() < READERS_MAX {
            readers.push(connection);
        }
        done
    }

    fn check_open(&self) -> Result<()> {
        match *self.open.read().unwrap_or_else(PoisonError::into_inner) {
            true => Ok(()),
            false => Err(wipe::closed()),
        }
    }

    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        let known = self
            .catalogue
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&known.1)
    }

    /// The catalogue that a transaction sees: another handle of the file may have changed the tables.
    fn catalogue_of(&self, connection: &Connection) -> Result<Arc<Catalogue>> {
        let version = schema_version(connection)?;
        let known = self
            .catalogue
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if known.0 == version {
            return Ok(known.1);
        }
        // Another process may have a newer version of this library, and have brought the store up.
        let format = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if format > i64::from(FORMAT) {
            return Err(too_new(format));
        }
        let catalogue = Arc::new(catalogue::load(connection, &known.1)?);
        self.set_catalogue(version, Arc::clone(&catalogue));
        Ok(catalogue)
    }

    fn set_catalogue(&self, version: i64, catalogue: Arc<Catalogue>) {
        let mut known = self
            .catalogue
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // A reader that began before the last commit must not bring an older one back.
        if version >= known.0 {
            *known = (version, catalogue);
        }
    }

    /// Where the store is; `None` in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Bytes of the file, without its log.
    pub(crate) fn bytes(&self) -> u64 {
        self.path
            .as_deref()
            .and_then(|path| std::fs::metadata(path).ok())
            .map_or(0, |meta| meta.len())
    }
}

/// A transaction of the writer, which is rolled back unless it is committed.
///
/// That of rusqlite has its two statements compiled anew for each edit.
struct Transaction<'a>(&'a Connection);

impl Transaction<'_> {
    fn begin(connection: &Connection) -> Result<Transaction<'_>> {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Transaction(connection))
    }

    fn commit(self) -> Result<()> {
        self.0.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // What cannot be rolled back now is when the connection is closed or its file is opened again.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}

/// An open write transaction.
pub(crate) struct Writing<'a> {
    connection: &'a Connection,
    catalogue: Arc<Catalogue>,
    changed: bool,
    /// By object, as they are first needed.
    mergers: RefCell<HashMap<String, Arc<Merger>>>,
}

/// An open read transaction.
pub(crate) struct Reading<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) catalogue: &'a Catalogue,
}

impl Writing<'_> {
    /// The same transaction, for what only reads.
    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading {
            connection: self.connection,
            catalogue: &self.catalogue,
        }
    }

    pub(crate) fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    pub(crate) fn set_setting(&self, key: &str, value: &str) -> Result<()> {
        self.connection
            .prepare_cached("INSERT INTO attache_setting VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value WHERE value <> excluded.value")?
            .execute([key, value])?;
        Ok(())
    }
}

impl Reading<'_> {
    pub(crate) fn setting(&self, key: &str) -> Result<Option<String>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT value FROM attache_setting WHERE key = ?1")?;
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    }
}

/// A number that grows with each change of the tables, whoever makes it.
fn schema_version(connection: &Connection) -> Result<i64> {
    let mut statement = connection.prepare_cached("PRAGMA schema_version")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic in a transaction rolled it back: what the mutex guards is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn configure(connection: &Connection, cache_bytes: u64) -> Result<()> {
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -kibibytes(cache_bytes))?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.set_prepared_statement_cache_capacity(128);
    query::register(connection)?;
    Ok(())
}

fn kibibytes(bytes: u64) -> i64 {
    i64::try_from(bytes >> 10).unwrap_or(i64::MAX)
}

/// Takes a store up to the format of this version, in one transaction.
fn migrate(connection: &mut Connection) -> Result<()> {
    let format: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (tables > 0 || format != 0) {
        return Err(file::of_another_program());
    }
    if format > FORMAT {
        return Err(too_new(format.into()));
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    if format == FORMAT {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it while we waited for the lock.
    let format: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for step in format..FORMAT {
        let at = usize::try_from(step).map_err(|_| {
            Error::new(
                ErrorKind::StorageCorrupt,
                "the store has a format below zero",
            )
        })?;
        transaction.execute_batch(MIGRATIONS[at])?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()?;
    Ok(())
}

fn too_new(format: i64) -> Error {
    Error::new(
        ErrorKind::StorageTooNew,
        format!(
            "the store has format {format}, and this version reads formats up to {FORMAT}: update the application"
        ),
    )
}

/// Checks a statement against objects that need not have tables here.
pub(crate) fn check(select: &Select, schema: &Schema) -> Result<()> {
    let context = Context::new("", jiff::tz::TimeZone::UTC, ServerTime(0));
    query::compile(select, &query::Everything(schema), &context).map(|_| ())
}

/// Quotes an identifier.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Says that something is not as it was written.
fn damaged(what: &str) -> Error {
    Error::new(
        ErrorKind::StorageCorrupt,
        format!("the store's file is damaged: {what} cannot be read"),
    )
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        use rusqlite::ErrorCode;
        if matches!(
            error,
            rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::Utf8Error(..)
        ) {
            return damaged("a value").with_source(error);
        }
        // SQLite has no code for a first page that tells of a format of its own to come.
        if matches!(&error, rusqlite::Error::SqliteFailure(_, Some(said)) if said == "unsupported file format")
        {
            return damaged("the first page").with_source(error);
        }
        let extended = error.sqlite_error().map(|error| error.extended_code);
        let (kind, message) = match error.sqlite_error_code() {
            // A quota or a file system's largest file: for SQLite a failure of the disk.
            Some(ErrorCode::SystemIoFailure)
                if extended.is_some_and(|code| CANNOT_GROW.contains(&code)) =>
            {
                (
                    ErrorKind::StorageFull,
                    "the store's files cannot grow: make room on the disk or raise the quota; nothing was written",
                )
            }
            Some(ErrorCode::DiskFull) => (
                ErrorKind::StorageFull,
                "the disk is full, or the store has reached the limit of its size: make room; nothing was written",
            ),
            Some(ErrorCode::NotADatabase) => (
                ErrorKind::StorageCorrupt,
                "the file is not a store, or its first page is damaged",
            ),
            Some(ErrorCode::DatabaseCorrupt) => {
                (ErrorKind::StorageCorrupt, "the store's file is damaged")
            }
            // The last one: the index of the log was torn, and another process wrote for as long as SQLite waits.
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed,
            ) => (ErrorKind::StorageBusy, "another process is using the store"),
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure,
            ) => (
                ErrorKind::StorageUnavailable,
                "the store's file cannot be read or written",
            ),
            _ => (ErrorKind::Internal, "a statement on the store failed"),
        };
        Error::new(kind, message).with_source(error)
    }
}
