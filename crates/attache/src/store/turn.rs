//! The turn to write: one thread at a time has it, and none waits for itself.

use super::{Store, Writer, lock};
use crate::error::{Error, Result};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// Who waits to write to a file, over all handles of this process.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<usize>,
    moved: Condvar,
}

/// A place in the queue, for as long as it lives.
pub(super) struct Waiting(Arc<Queue>);

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, usize> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether anybody waits.
    pub(super) fn is_awaited(&self) -> bool {
        *self.waiting() > 0
    }

    pub(super) fn stand(self: &Arc<Self>) -> Waiting {
        *self.waiting() += 1;
        self.moved.notify_all();
        Waiting(Arc::clone(self))
    }

    /// Waits until nobody waits: they write now, or have written.
    pub(super) fn let_in(&self) {
        let mut waiting = self.waiting();
        while *waiting > 0 {
            let moved = self.moved.wait(waiting);
            waiting = moved.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        *self.0.waiting() -= 1;
        self.0.moved.notify_all();
    }
}

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
        let _waiting = self.queue.stand();
        self.turn_unqueued()
    }

    /// Waits for the turn to write without hurrying anybody who builds an index.
    ///
    /// # Errors
    /// As [`turn`](Store::turn).
    pub(super) fn turn_unqueued(&self) -> Result<Turn<'_>> {
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
