//! Builds indexes beside people's edits: whoever waits to write goes first.
//!
//! SQLite makes an index in one transaction, which takes a second for a million
//! records. While it does, it asks after every few steps whether somebody waits
//! for the turn; then it stops, what it had made is rolled back, and it begins
//! anew once they are through. It asks itself, so no other statement can be hit.
//! That somebody waits in another process it hears by their knock (`knock.rs`): they do not
//! tell when they are through, so the index is left to a later look or the next session.

use super::catalogue::Table;
use super::index::Wish;
use super::knock::Door;
use super::{Durability, Store, Writing, kibibytes, lock};
use crate::error::Result;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often an index is begun before it is left to the next session: a host that never stops
/// writing is not to have the same work begun for ever.
const ATTEMPTS_MAX: usize = 3;
/// SQLite's steps from one look at the queue to the next: far below a millisecond.
const STEPS: i32 = 1_000;
/// One of so many looks is also one for other processes, which costs calls of the system.
const LOOKS_PER_DOOR: u32 = 8;
/// What is sorted at a time. It is sorted at one go, without a look at the queue: 1 MiB takes some ten
/// milliseconds, and is as fast as any more.
const SORTED_BYTES: u64 = 1 << 20;

/// What became of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Built {
    /// It stands.
    Made,
    /// Others went first each time, or it was to stop: there is nothing of it.
    GaveWay,
}

/// Where SQLite sorts what it cannot sort at one go.
#[derive(Clone, Copy)]
enum Sorting {
    /// In a file of this user's folder for temporary ones, which has no name: nobody else can open it.
    File,
    /// In memory: all at once, so the queue is not looked at for as long as that takes.
    Memory,
}

/// Says whether a build is to end, whoever waits.
pub(crate) type Stop = Arc<dyn Fn() -> bool + Send + Sync>;

impl Store {
    /// Makes an index by its statement, unless it stands, others go first or it is to stop.
    pub(crate) fn build_index(&self, table: &Table, sql: &str, stop: &Stop) -> Result<Built> {
        for _ in 0..ATTEMPTS_MAX {
            let built = self.try_build(table, sql, stop)?;
            if built == Built::Made || stop() {
                return Ok(built);
            }
            self.queue.let_in();
        }
        tracing::debug!(object = %table.object.name, "an index is left to the next session");
        Ok(Built::GaveWay)
    }

    /// Makes the index of a wish, unless it stands or others go first.
    pub(crate) fn build_wish(&self, table: &Table, wish: &Wish) -> Result<Built> {
        let never: Stop = Arc::new(|| false);
        match self.read(|r| r.unmade(table, wish))? {
            Some(sql) => self.build_index(table, &sql, &never),
            None => Ok(Built::Made),
        }
    }

    fn try_build(&self, table: &Table, sql: &str, stop: &Stop) -> Result<Built> {
        // What is encrypted must not be written anywhere else.
        let is_open = self.path.is_some() && lock(&self.key).is_none();
        if is_open && let Ok(built) = self.build_sorting_in(Sorting::File, table, sql, stop) {
            return Ok(built);
        }
        // Some systems have no folder for temporary files, or a full one.
        self.build_sorting_in(Sorting::Memory, table, sql, stop)
    }

    fn build_sorting_in(
        &self,
        sorting: Sorting,
        table: &Table,
        sql: &str,
        stop: &Stop,
    ) -> Result<Built> {
        // Not in the queue itself: two that build would stop each other by turns.
        let mut turn = self.turn_unqueued()?;
        let (armed, gave_way) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicBool::new(false)),
        );
        let door = self.path.as_deref().map(Door::of);
        let mut looks = 0_u32;
        let mut is_knocked_at = move || {
            looks = looks.wrapping_add(1);
            looks.is_multiple_of(LOOKS_PER_DOOR) && door.as_ref().is_some_and(Door::is_knocked_at)
        };
        let look = {
            let (queue, stop) = (Arc::clone(&self.queue), Arc::clone(stop));
            let (armed, gave_way) = (Arc::clone(&armed), Arc::clone(&gave_way));
            move || {
                let leave = armed.load(Ordering::Relaxed)
                    && (stop() || queue.is_awaited() || is_knocked_at());
                gave_way.fetch_or(leave, Ordering::Relaxed);
                leave
            }
        };
        turn.connection.progress_handler(STEPS, Some(look))?;
        let made = sort_in(&turn.connection, sorting, SORTED_BYTES).and_then(|()| {
            self.transact(&mut turn, Durability::Ordered, |w| {
                w.make(table, sql, &armed)
            })
        });
        turn.connection.progress_handler(0, None::<fn() -> bool>)?;
        let cache_bytes = self.limits.page_cache_bytes;
        sort_in(&turn.connection, Sorting::Memory, cache_bytes)?;
        match made {
            Err(_) if gave_way.load(Ordering::Relaxed) => Ok(Built::GaveWay),
            made => made.map(|()| Built::Made),
        }
    }
}

/// SQLite sorts as much at a time as it may keep of the file in memory.
fn sort_in(connection: &Connection, sorting: Sorting, bytes: u64) -> Result<()> {
    let place = match sorting {
        Sorting::File => "FILE",
        Sorting::Memory => "MEMORY",
    };
    connection.pragma_update(None, "temp_store", place)?;
    connection.pragma_update(None, "cache_size", -kibibytes(bytes))?;
    Ok(())
}

impl Writing<'_> {
    /// Makes an index by its statement, and tells the planner what the table's indexes are worth.
    fn make(&self, table: &Table, sql: &str, armed: &AtomicBool) -> Result<()> {
        if self.reading().stands(table, sql)? {
            // Another handle was faster.
            return Ok(());
        }
        armed.store(true, Ordering::Relaxed);
        let made = self.connection.execute_batch(sql);
        armed.store(false, Ordering::Relaxed);
        made?;
        self.analyze(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordId, Value};
    use crate::store::knock::Knock;
    use crate::store::rows::Row;
    use crate::{Error, Options};
    use std::sync::Mutex;
    use std::thread::JoinHandle;

    const CONTACT: &str = r#"{"name": "Contact", "keyPrefix": "003", "fields": [
        {"name": "Id", "type": "id"}, {"name": "Phone", "type": "phone", "length": 40}]}"#;
    /// Enough that SQLite looks at the queue many times.
    const ROWS: usize = 2_000;

    fn wish() -> Wish {
        Wish {
            object: "Contact".into(),
            fields: vec!["Phone".into()],
        }
    }

    fn fill(store: &Store) -> Result<()> {
        store.write(Durability::Ordered, |w| {
            w.define(CONTACT, None, &["Id", "Phone"].map(str::to_owned))?;
            let table = Arc::clone(w.catalogue().known("Contact")?);
            for nr in 0..ROWS {
                let id = RecordId::parse(&format!("003{nr:012}")).unwrap();
                w.insert_row(
                    &table,
                    &Row {
                        values: vec![
                            Value::text(id.as_str()),
                            Value::text((nr * 7919 % ROWS).to_string()),
                        ],
                        rules: 1,
                        key: None,
                    },
                )?;
            }
            Ok::<(), Error>(())
        })
    }

    fn build(store: &Store, stop: Stop) -> Built {
        let table = Arc::clone(store.catalogue().known("Contact").unwrap());
        let sql = store.read(|r| r.unmade(&table, &wish())).unwrap();
        store
            .build_index(&table, &sql.expect("not made yet"), &stop)
            .unwrap()
    }

    fn is_made(store: &Store) -> bool {
        store.read(|r| r.is_made(&wish())).unwrap()
    }

    /// Edits made by other threads while an index is built: each tells whether the index was there.
    #[derive(Clone, Default)]
    struct Editors(Arc<Mutex<Vec<JoinHandle<bool>>>>);

    impl Editors {
        /// Begins an edit, and comes back when it waits, or was made at once: between two attempts nobody builds.
        fn edit(&self, store: &Arc<Store>) {
            let edited = Arc::clone(store);
            let editor = std::thread::spawn(move || {
                let edit = edited.write(Durability::Durable, |w| {
                    w.set_setting("edited", "yes")?;
                    w.reading().is_made(&wish())
                });
                edit.unwrap()
            });
            while !store.queue.is_awaited() && !editor.is_finished() {
                std::thread::yield_now();
            }
            self.0.lock().unwrap().push(editor);
        }

        /// When somebody looks whether the build is to stop, an edit begins, so many times; nobody says stop.
        fn at_each_look(&self, store: &Arc<Store>, times: usize) -> Stop {
            let (store, editors) = (Arc::downgrade(store), self.clone());
            Arc::new(move || {
                if editors.0.lock().unwrap().len() < times {
                    editors.edit(&store.upgrade().unwrap());
                }
                false
            })
        }

        fn found_the_index(self) -> Vec<bool> {
            let editors = std::mem::take(&mut *self.0.lock().unwrap());
            editors
                .into_iter()
                .map(|editor| editor.join().unwrap())
                .collect()
        }
    }

    #[test]
    fn an_edit_that_comes_while_an_index_is_built_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jo.db");
        let on_disk = Store::open(&path, Options::new()).unwrap();
        for store in [on_disk, Store::open_in_memory(Options::new()).unwrap()] {
            let store = Arc::new(store);
            fill(&store).unwrap();
            let editors = Editors::default();
            let built = build(&store, editors.at_each_look(&store, 1));
            assert_eq!(editors.found_the_index(), [false], "it was made before");
            assert_eq!(built, Built::Made);
            assert!(is_made(&store));
        }
    }

    #[test]
    fn an_edit_through_another_handle_goes_first_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jo.db");
        let store = Store::open(&path, Options::new()).unwrap();
        fill(&store).unwrap();
        let other = Arc::new(Store::open(&path, Options::new()).unwrap());
        let editors = Editors::default();
        let built = build(&store, editors.at_each_look(&other, 1));
        assert_eq!(editors.found_the_index(), [false]);
        assert_eq!((built, is_made(&other)), (Built::Made, true));
    }

    #[test]
    fn another_process_that_waits_to_write_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jo.db");
        let store = Store::open(&path, Options::new()).unwrap();
        fill(&store).unwrap();
        let knock = Knock::at(&path).unwrap();
        assert_eq!(build(&store, Arc::new(|| false)), Built::GaveWay);
        assert!(!is_made(&store));
        drop(knock);
        assert_eq!(build(&store, Arc::new(|| false)), Built::Made);
        assert!(is_made(&store));
    }

    #[test]
    fn a_host_that_does_not_stop_editing_is_not_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("jo.db"), Options::new()).unwrap();
        let store = Arc::new(store);
        fill(&store).unwrap();
        let editors = Editors::default();
        let built = build(&store, editors.at_each_look(&store, usize::MAX));
        assert_eq!(built, Built::GaveWay);
        let found = editors.found_the_index();
        assert!(
            found.len() >= ATTEMPTS_MAX && !found.contains(&true),
            "{found:?}"
        );
        assert!(!is_made(&store));
        // Later there is nobody.
        assert_eq!(build(&store, Arc::new(|| false)), Built::Made);
        assert!(is_made(&store));
    }

    #[test]
    fn a_build_that_is_stopped_leaves_the_store_as_it_was() {
        let store = Store::open_in_memory(Options::new()).unwrap();
        fill(&store).unwrap();
        assert_eq!(build(&store, Arc::new(|| true)), Built::GaveWay);
        assert!(!is_made(&store));
        let rows = store.write(Durability::Durable, |w| {
            let count = "SELECT count(*) FROM Contact";
            Ok(w.connection
                .query_row(count, [], |row| row.get::<_, i64>(0))?)
        });
        assert_eq!(rows.unwrap(), ROWS as i64);
    }
}
