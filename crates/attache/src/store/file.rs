//! The store's file: what it is, before SQLite touches it, and who may read it.

use super::turn::Queue;
use super::wipe::beside;
use super::{APPLICATION_ID, FORMAT, too_new};
use crate::error::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a plain SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The page size that SQLite and SQLCipher choose, and so ours.
const PAGE_BYTES: usize = 4096;
/// Different bytes on a page of an encrypted file: all 256 but for a few. Text has some 100.
const DISTINCT_MIN: usize = 240;

/// The first bytes of an encrypted file: not secret, and its own.
pub(super) type Salt = [u8; 16];

/// What a file's first page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// Nothing was written yet.
    Empty,
    /// A store that is not encrypted, or will be one when its log was read.
    Plain {
        /// Whether pages that it counts are missing.
        cut_short: bool,
    },
    /// An encrypted file; whose, only its key can tell.
    Sealed(Salt),
}

impl Head {
    /// Reads a file's head, or recalls that of a file that is open.
    ///
    /// # Errors
    /// Says what the file is if it is no store that this version can read.
    pub(super) fn of(path: &Path) -> Result<Head> {
        let known = identity(path).and_then(|identity| {
            let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
            held.get(&identity).map(|opened| opened.head)
        });
        known.map_or_else(|| Head::read(path), Ok)
    }

    pub(super) fn read(path: &Path) -> Result<Head> {
        let mut page = Vec::with_capacity(PAGE_BYTES);
        let (file, bytes) = File::open(path)
            .and_then(|file| file.metadata().map(|meta| (file, meta.len())))
            .map_err(|error| unavailable(path, "cannot read", error))?;
        file.take(PAGE_BYTES as u64)
            .read_to_end(&mut page)
            .map_err(|error| unavailable(path, "cannot read", error))?;
        if page.is_empty() {
            return Ok(Head::Empty);
        }
        if !page.starts_with(MAGIC) {
            return sealed(&page).ok_or_else(foreign);
        }
        let number = |at: usize| -> Option<u32> {
            let bytes = page.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_be_bytes(bytes))
        };
        let (Some(pages), Some(format), Some(application)) = (number(28), number(60), number(68))
        else {
            return Err(cut_short());
        };
        // A store's first page can be older than its log, and then says nothing.
        if application != APPLICATION_ID.cast_unsigned() && (application != 0 || pages > 1) {
            return Err(of_another_program());
        }
        if format > FORMAT.cast_unsigned() {
            return Err(too_new(format.into()));
        }
        let page_bytes = match u16::from_be_bytes([page[16], page[17]]) {
            1 => 1 << 16,
            bytes => u64::from(bytes),
        };
        // Not so where a checkpoint was cut off: the log has the rest.
        let logged = fs::metadata(beside(path, "-wal")).is_ok_and(|meta| meta.len() > 0);
        let counted = number(24) == number(92);
        Ok(Head::Plain {
            cut_short: counted && !logged && bytes < u64::from(pages) * page_bytes,
        })
    }

    /// Compares with whether a key was given.
    pub(super) fn suits(self, keyed: bool) -> Result<()> {
        match (self, keyed) {
            (Head::Plain { .. }, true) => Err(wrong_key(
                "the store is not encrypted: open it without a key, then give it one",
            )),
            (Head::Sealed(_), false) => {
                Err(wrong_key("the store is encrypted: open it with its key"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a file that only a salvage can read in part.
    pub(super) fn whole(self) -> Result<()> {
        match self {
            Head::Plain { cut_short: true } => Err(cut_short()),
            _ => Ok(()),
        }
    }

    pub(super) fn salt(self) -> Option<Salt> {
        match self {
            Head::Sealed(salt) => Some(salt),
            _ => None,
        }
    }
}

/// The stores that this process has open, and how often.
///
/// A file that is open must not be opened and closed beside SQLite: that takes away the locks
/// that this process has on it (POSIX), whichever handle they were taken with.
static HELD: Mutex<BTreeMap<Identity, Opened>> = Mutex::new(BTreeMap::new());

/// Keeps others of this process from opening a file while one is being opened: between a look at
/// it and SQLite's first lock nothing may come.
pub(super) fn one_at_a_time() -> MutexGuard<'static, ()> {
    static OPENING: Mutex<()> = Mutex::new(());
    OPENING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that handles of this process have open.
struct Opened {
    head: Head,
    handles: usize,
    queue: Arc<Queue>,
}

/// Says that a store is open, for as long as this lives.
pub(super) struct Held {
    identity: Option<Identity>,
    queue: Arc<Queue>,
}

impl Held {
    /// Those who wait to write wait together with others who have the file open, and in `queue` if nobody has.
    pub(super) fn new(path: &Path, salt: Option<Salt>, queue: Arc<Queue>) -> Held {
        let head = salt.map_or(Head::Plain { cut_short: false }, Head::Sealed);
        let Some(identity) = identity(path) else {
            return Held {
                identity: None,
                queue,
            };
        };
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = held.entry(identity).or_insert(Opened {
            head,
            handles: 0,
            queue,
        });
        opened.handles += 1;
        Held {
            identity: Some(identity),
            queue: Arc::clone(&opened.queue),
        }
    }

    /// Who waits to write to the file.
    pub(super) fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.queue)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(identity) = self.identity
            && let Some(opened) = held.get_mut(&identity)
        {
            opened.handles -= 1;
            if opened.handles == 0 {
                held.remove(&identity);
            }
        }
    }
}

/// An encrypted page looks like chance, and a file of pages is as long as they are.
fn sealed(page: &[u8]) -> Option<Head> {
    let mut seen = [false; 256];
    for byte in page {
        seen[usize::from(*byte)] = true;
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    let salt = page.first_chunk::<16>()?;
    (page.len() == PAGE_BYTES && distinct >= DISTINCT_MIN).then_some(Head::Sealed(*salt))
}

/// Finds or makes the file at a path, for this user alone, and gives its full path.
pub(super) fn prepare(path: &Path) -> Result<PathBuf> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    private(&mut options);
    match options.open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(unavailable(path, "there is no folder for", error));
        }
        Err(error) => return Err(unavailable(path, "cannot make", error)),
    }
    let path = path
        .canonicalize()
        .map_err(|error| unavailable(path, "cannot open", error))?;
    let meta = fs::metadata(&path).map_err(|error| unavailable(&path, "cannot open", error))?;
    if meta.is_dir() {
        return Err(Error::new(
            ErrorKind::StorageUnavailable,
            format!("{} is a folder, not a store", path.display()),
        ));
    }
    if meta.permissions().readonly() {
        return Err(read_only(&path));
    }
    Ok(path)
}

pub(super) fn read_only(path: &Path) -> Error {
    Error::new(
        ErrorKind::StorageUnavailable,
        format!(
            "the store {} is read-only: make it writable, or copy it to where it is",
            path.display()
        ),
    )
}

/// Makes files private to this user from the moment they are made.
pub(crate) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Takes the rights of others on the store's files away. SQLite makes new ones as the main one is.
pub(super) fn tighten(path: &Path) -> Result<()> {
    #[cfg(unix)]
    for name in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        use std::os::unix::fs::PermissionsExt;
        let Ok(meta) = fs::metadata(&name) else {
            continue;
        };
        let mode = meta.permissions().mode();
        if mode & 0o077 != 0 {
            fs::set_permissions(&name, fs::Permissions::from_mode(mode & 0o700)).map_err(
                |error| unavailable(&name, "cannot take the rights of others on", error),
            )?;
        }
    }
    Ok(())
}

/// Tells one file from another of the same name.
pub(super) type Identity = (u64, u64);

pub(super) fn identity(path: &Path) -> Option<Identity> {
    let meta = fs::metadata(path).ok()?;
    Some(identity_of(&meta))
}

#[cfg(unix)]
fn identity_of(meta: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (meta.dev(), meta.ino())
}

/// Where an open file cannot be replaced, its name is identity enough.
#[cfg(not(unix))]
fn identity_of(_: &Metadata) -> Identity {
    (0, 0)
}

fn unavailable(path: &Path, what: &str, error: io::Error) -> Error {
    Error::new(
        ErrorKind::StorageUnavailable,
        format!("{what} the store {}", path.display()),
    )
    .with_source(error)
}

pub(super) fn wrong_key(message: &str) -> Error {
    Error::new(ErrorKind::StorageWrongKey, message)
}

pub(super) fn foreign() -> Error {
    Error::new(ErrorKind::StorageCorrupt, "the file is not a store")
}

pub(super) fn of_another_program() -> Error {
    Error::new(
        ErrorKind::StorageCorrupt,
        "this is a SQLite file of another program, not a store",
    )
}

fn cut_short() -> Error {
    Error::new(
        ErrorKind::StorageCorrupt,
        "the store's file was cut short: salvage what was not sent",
    )
}
