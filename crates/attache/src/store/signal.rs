//! Tells those who watch that something was committed. The writer counts and wakes, and does no more.

use super::Store;
use event_listener::{Event, EventListener};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was committed, as numbers that grow.
#[derive(Default)]
pub(crate) struct Signal {
    event: Event,
    versions: Mutex<Versions>,
}

#[derive(Default)]
struct Versions {
    last: u64,
    /// The last commit that touched each object, by the name of its table.
    objects: BTreeMap<String, u64>,
    /// The last commit of which it is not known what it touched.
    all: u64,
    /// SQLite's count of the commits of others, as the writing connection saw it last.
    foreign: Option<i64>,
    closed: bool,
}

impl Signal {
    fn versions(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next commit. What was committed before is not waited for: ask after this.
    pub(crate) fn listen(&self) -> EventListener {
        self.event.listen()
    }

    /// The number of the last commit.
    pub(crate) fn last(&self) -> u64 {
        self.versions().last
    }

    /// Says whether a commit after that one may have changed records of these objects.
    pub(crate) fn touched(&self, objects: &[String], since: u64) -> bool {
        let versions = self.versions();
        let mut touched = objects.iter().filter_map(|name| versions.objects.get(name));
        versions.all > since || touched.any(|commit| *commit > since)
    }

    pub(super) fn touch(&self, tables: BTreeSet<String>) {
        if tables.is_empty() {
            return;
        }
        let mut versions = self.versions();
        versions.last += 1;
        let last = versions.last;
        versions
            .objects
            .extend(tables.into_iter().map(|table| (table, last)));
        drop(versions);
        self.event.notify(usize::MAX);
    }

    pub(super) fn touch_all(&self) {
        let mut versions = self.versions();
        versions.last += 1;
        versions.all = versions.last;
        drop(versions);
        self.event.notify(usize::MAX);
    }

    /// Says that there will be nothing more.
    pub(super) fn close(&self) {
        self.versions().closed = true;
        self.event.notify(usize::MAX);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.versions().closed
    }
}

/// The tables whose rows the transaction at work has changed.
#[derive(Clone, Default)]
pub(super) struct Touched(Arc<Mutex<BTreeSet<String>>>);

impl Touched {
    /// Is told of each row that a connection changes.
    pub(super) fn of(connection: &mut Connection) -> rusqlite::Result<Touched> {
        let touched = Touched::default();
        let tables = Arc::clone(&touched.0);
        // Most rows are of the table of the row before.
        let mut last = String::new();
        connection.update_hook(Some(move |_, _: &str, table: &str, _| {
            let mut tables = tables.lock().unwrap_or_else(PoisonError::into_inner);
            if table != last || tables.is_empty() {
                tables.insert(table.to_owned());
                table.clone_into(&mut last);
            }
        }))?;
        Ok(touched)
    }

    /// The tables so far; begins anew.
    pub(super) fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store {
    /// Looks whether another process, or another handle of the file, has committed.
    ///
    /// While the writer is at work it is not disturbed: its commit wakes everybody anyway.
    pub(crate) fn notice_others(&self) {
        let Ok(writer) = self.writer.try_lock() else {
            return;
        };
        let count = writer
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0));
        drop(writer);
        // What cannot be read now is asked again the next time.
        let Ok(count) = count else { return };
        let before = self.signal.versions().foreign.replace(count);
        if before.is_some_and(|before| before != count) {
            self.signal.touch_all();
        }
    }
}

/// The store's end of a signal: there is nothing more to tell when it is gone.
#[derive(Default)]
pub(crate) struct Sender(Arc<Signal>);

impl std::ops::Deref for Sender {
    type Target = Arc<Signal>;

    fn deref(&self) -> &Arc<Signal> {
        &self.0
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.close();
    }
}
