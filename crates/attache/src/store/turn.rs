//! The turn to write: one thread at a time has it, and none waits for itself.

use super::{Store, Writer, lock};
use crate::error::{Error, Result};
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard};
use std::thread::{self, ThreadId};

/// The writer, for as long as a thread has its turn.
pub(super) struct Turn<'a> {
    writer: MutexGuard<'a, Writer>,
    holder: &'a Mutex<Option<ThreadId>>,
}

impl Store {
    /// Waits for the turn to write.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if this thread has it: in a changeset.
    pub(super) fn turn(&self) -> Result<Turn<'_>> {
        if self.has_turn() {
            return Err(Error::invalid(
                "a changeset is open on this thread: read and edit through it until it ends",
            ));
        }
        let writer = lock(&self.writer);
        *lock(&self.holder) = Some(thread::current().id());
        Ok(Turn {
            writer,
            holder: &self.holder,
        })
    }

    /// Says whether this thread has the turn to write.
    pub(crate) fn has_turn(&self) -> bool {
        *lock(&self.holder) == Some(thread::current().id())
    }
}

impl Deref for Turn<'_> {
    type Target = Writer;

    fn deref(&self) -> &Writer {
        &self.writer
    }
}

impl DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut Writer {
        &mut self.writer
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *lock(self.holder) = None;
    }
}
