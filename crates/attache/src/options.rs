//! What a store is opened with.

use crate::engine::Attache;
use crate::error::Result;
use crate::key::Key;
use crate::store::Store;
use std::path::Path;
use std::time::Duration;

const MIB: u64 = 1 << 20;

/// What a store is opened with, beside its path.
///
/// # Examples
/// ```
/// use attache::{Attache, Limits, Options};
///
/// # fn main() -> attache::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("acme-jo.db");
/// let limits = Limits { recent_records: 500, ..Limits::default() };
/// let attache = Attache::open_with(path, Options::new().limits(limits))?;
/// assert_eq!(attache.limits().recent_records, 500);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(crate) key: Option<Key>,
    pub(crate) limits: Limits,
}

impl Options {
    /// Makes the options that [`Attache::open`](crate::Attache::open) uses: no key, and the default limits.
    pub fn new() -> Options {
        Options::default()
    }

    /// Encrypts a new store with this key, or opens an encrypted one. Needs the cargo feature `sqlcipher`.
    #[must_use]
    pub fn key(mut self, key: Key) -> Options {
        self.key = Some(key);
        self
    }

    /// Sets how much the store may take.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Options {
        self.limits = limits;
        self
    }
}

/// How much of a device a store may take, and what it leaves alone.
///
/// Versions to come may know more limits: end a literal with `..Limits::default()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Records kept only because they were viewed recently, at most; those viewed longest ago
    /// are evicted first. 1,000 by default: the org itself remembers 200 of an object
    /// (SOQL's `RecentlyViewed`), and a person works on five objects or so.
    pub recent_records: u64,
    /// Bytes of such records, at most, as they lie in their tables. 32 MiB by default: 1,000
    /// records of 32 KiB, a fifth of the longest text field there is.
    pub recent_bytes: u64,
    /// Bytes of the disk that a download leaves free; one that would take more is not begun.
    /// 256 MiB by default: half of the 500 MB below which Android speaks of low storage
    /// (`StorageManager`). 0 asks nothing.
    pub free_bytes: u64,
    /// Bytes that the store's file may grow to; what would make it larger fails with
    /// [`ErrorKind::StorageFull`](crate::ErrorKind::StorageFull), as on a full disk, and leaves
    /// the store as it was. An edit, too: leave room for them. `None` by default.
    pub store_bytes: Option<u64>,
    /// Bytes of memory for pages of the file, at most, for the one connection that writes; each
    /// of up to four that read has a quarter. 32 MiB by default, enough for the indexes that
    /// a first load of 100,000 records touches (`benches/prime.rs`).
    pub page_cache_bytes: u64,
    /// Bytes of files, at most, that are kept beside the records because the server has them as well; what was
    /// attached here and not sent does not count. Those used longest ago give way. 256 MiB by default: a
    /// hundred photos of a phone.
    pub file_bytes: u64,
    /// Bytes of files that one session downloads because the briefcase wants them, at most. 64 MiB by default:
    /// some minutes on a slow mobile network.
    pub session_file_bytes: u64,
    /// Bytes that a file may have to be attached. 2,000,000,000 by default: Salesforce takes files of 2 GB, and
    /// a part of one is in memory while it is sent. Work that was not sent is exported with its files, all of them
    /// in memory: a host that exports may allow less.
    pub attach_bytes: u64,
    /// How long a call waits for another process that writes to the same file before it fails
    /// with [`ErrorKind::StorageBusy`](crate::ErrorKind::StorageBusy). 5 seconds by default:
    /// many times a page, which is what most transactions of a session are. The making of an index gives way
    /// within a tenth of a second: it hears that somebody waits by a lock on an empty file beside the store,
    /// named as the store with `-waiting` behind. Where the system knows no locks of files, as on some network
    /// drives, they wait until it is made: two to four seconds for a million records.
    ///
    /// A newer version of this library brings the store up to its format in one transaction as it opens it, which
    /// takes milliseconds. An older one that has the store open then fails with
    /// [`ErrorKind::StorageTooNew`](crate::ErrorKind::StorageTooNew) from there on.
    ///
    /// Who opens a store or reads waits for no writer. Only where another process just recovers the store's log
    /// after a crash, or closes or re-keys the store, do they wait too: for this long, and a second at least.
    pub busy_wait: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            recent_records: 1_000,
            recent_bytes: 32 * MIB,
            free_bytes: 256 * MIB,
            store_bytes: None,
            page_cache_bytes: 32 * MIB,
            file_bytes: 256 * MIB,
            session_file_bytes: 64 * MIB,
            attach_bytes: 2_000_000_000,
            busy_wait: Duration::from_secs(5),
        }
    }
}

impl Attache {
    /// Opens a store with options, creating the file if it is missing.
    ///
    /// # Errors
    /// Those of [`open`](Attache::open); [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument)
    /// for a key where this library was built without encryption.
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Attache> {
        Ok(Attache::with_store(Store::open(path.as_ref(), options)?))
    }

    /// Opens a store with options that lives as long as its handles.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a key: there is no file to encrypt.
    pub fn open_in_memory_with(options: Options) -> Result<Attache> {
        Ok(Attache::with_store(Store::open_in_memory(options)?))
    }

    /// Encrypts the store with another key, or for the first time; `None` decrypts it.
    ///
    /// Calls on this handle wait until it is done, and go on with the new key. Whenever it is cut
    /// off, the store is whole and opens with one of the two keys. What was in the old file is
    /// overwritten, which promises no more than [`wipe`](Attache::wipe) does.
    ///
    /// # Errors
    /// [`ErrorKind::StorageBusy`](crate::ErrorKind::StorageBusy) while a session runs, or if the file is also open elsewhere;
    /// [`ErrorKind::StorageFull`](crate::ErrorKind::StorageFull); [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) where this library was built
    /// without encryption. The store is as it was then.
    ///
    /// # Cost
    /// Writes the store anew: it takes its size on the disk once more meanwhile.
    pub fn rekey(&self, key: Option<Key>) -> Result<()> {
        let _alone = self.begin()?;
        self.store.rekey(key.as_ref())
    }

    /// What the store may take of this device.
    pub fn limits(&self) -> Limits {
        self.store.limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn refused(options: Options) -> String {
        let Err(error) = Attache::open_in_memory_with(options) else {
            panic!("a key has no use in memory");
        };
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        error.to_string()
    }

    #[test]
    fn a_store_knows_its_limits() {
        let limits = Limits {
            recent_records: 7,
            ..Limits::default()
        };
        let store = Attache::open_in_memory_with(Options::new().limits(limits)).expect("a store");
        assert_eq!(store.limits(), limits);
        let plain = Attache::open_in_memory().expect("a store");
        assert_eq!(plain.limits(), Limits::default());
    }

    #[test]
    fn a_key_that_protects_nothing_is_refused() {
        assert!(refused(Options::new().key(Key::passphrase(""))).contains("empty passphrase"));
        assert!(refused(Options::new().key(Key::raw([0; 32]))).contains("key of zeros"));
    }

    #[test]
    fn a_key_is_not_printed() {
        let options = Options::new().key(Key::passphrase("hunter2"));
        assert!(!format!("{options:?}").contains("hunter2"));
        assert!(!format!("{:?}", Key::raw([7; 32])).contains('7'));
    }
}
