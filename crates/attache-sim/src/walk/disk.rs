//! What a process that is gone leaves of a store.
//!
//! The files are copied as they lie on the disk, with SQLite's log and without the memory that its processes share, and
//! read again by a new process. A disk that loses what it promised to keep is not modelled.

use std::fs;
use std::io;
use std::path::Path;

/// Copies the files of a folder as a process that dies now leaves them.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        // The index of the log is memory that processes share: it is not on the disk.
        if entry.file_type()?.is_file() && !name.to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

/// Puts a copy where the store was.
pub(super) fn restore(copy: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(to)? {
        let path = entry?.path();
        if path.is_file() {
            fs::remove_file(path)?;
        }
    }
    self::copy(copy, to)
}
