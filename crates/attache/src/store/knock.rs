//! How a process that builds an index hears that another one waits to write.
//!
//! SQLite makes an index in one transaction, and tells it of nobody who waits for its end. So who
//! finds the store taken holds a lock on an empty file beside it for as long as they wait, and who
//! builds an index tries that lock now and then. A lock goes with its process, however that ends.
//! Where the system knows no such locks, who waits for another process waits until it is done.

use super::file::private;
use super::wipe::beside;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// The ending of the file whose lock says that somebody waits.
pub(super) const WAITING: &str = "-waiting";

/// Says that somebody waits to write, for as long as it lives.
pub(super) struct Knock {
    _locked: File,
}

impl Knock {
    /// Knocks at a store. `None` if that cannot be heard.
    pub(super) fn at(store: &Path) -> Option<Knock> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        private(&mut options);
        let file = options.open(beside(store, WAITING)).ok()?;
        // Not waited for: who listens has the lock for an instant, and nobody else takes it alone.
        file.try_lock_shared().ok()?;
        Some(Knock { _locked: file })
    }
}

/// Where knocks at a store are heard.
pub(super) struct Door(PathBuf);

impl Door {
    pub(super) fn of(store: &Path) -> Door {
        Door(beside(store, WAITING))
    }

    /// Says whether somebody waits.
    ///
    /// # Cost
    /// A few calls of the system; one where nobody ever waited, as there is no file then.
    pub(super) fn is_knocked_at(&self) -> bool {
        let file = OpenOptions::new().write(true).open(&self.0);
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knock_is_heard_while_it_lasts_and_several_are_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("jo.db");
        let door = Door::of(&store);
        assert!(!door.is_knocked_at());
        let first = Knock::at(&store).unwrap();
        let second = Knock::at(&store).unwrap();
        assert!(door.is_knocked_at());
        drop(first);
        assert!(door.is_knocked_at());
        drop(second);
        assert!(!door.is_knocked_at());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(beside(&store, WAITING)).unwrap();
            assert_eq!(mode.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_store_without_a_folder_is_not_knocked_at() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("none").join("jo.db");
        assert!(Knock::at(&store).is_none());
        assert!(!Door::of(&store).is_knocked_at());
    }
}
