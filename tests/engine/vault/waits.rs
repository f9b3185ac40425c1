//! Who waits for whom: readers for nobody, a writer for another no longer than it was told.

use super::{ANY, home};
use attache::{Attache, ErrorKind, Limits, Options};
use attache_tests::{ME, create, edit, first, sync};
use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

#[test]
fn a_reader_is_answered_while_another_process_writes_and_a_writer_writes_when_that_is_done() {
    let (world, _place, path) = home(53, 300);
    drop(super::worked(&world, &path, Options::new()));
    let limits = Limits {
        busy_wait: Duration::from_millis(20),
        ..Limits::default()
    };
    let store = Attache::open_with(&path, Options::new().limits(limits)).expect("a store");
    let device = world.equip(store, ME).expect("a device");
    world.sandbox.advance(1);
    let id = first(&device, ANY);
    let other = Connection::open(&path).expect("another process");
    other
        .execute_batch("BEGIN IMMEDIATE; DELETE FROM Account")
        .expect("its lock");
    // What is not committed is not seen, and nobody waits for it.
    assert_eq!(first(&device, ANY), id);
    let before = device.pending().expect("a read");
    let refused = [
        device.update(&id, [("Phone", "1")]).expect_err("an edit"),
        device
            .create("Account", [("Name", "New")])
            .expect_err("a create"),
        device.delete(&id).expect_err("a delete"),
        attache_sim::wait(device.sync()).expect_err("a session"),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::StorageBusy, "{error}");
        assert!(matches!(error.retry(), attache::Retry::After(_)));
    }
    assert_eq!(device.pending().expect("a read"), before);
    other.execute_batch("ROLLBACK").expect("unlocked");
    edit(&device, &id, "Phone", "2");
    create(&device, "Account", [("Name", "New")]);
    sync(&device);
}

/// An index of a million records takes seconds: its builder has to hear of those who wait.
#[test]
fn who_waits_for_another_process_can_be_heard_by_it_until_they_write() {
    let (world, _place, path) = home(57, 300);
    drop(super::worked(&world, &path, Options::new()));
    let limits = Limits {
        busy_wait: Duration::from_mins(5),
        ..Limits::default()
    };
    let store = Attache::open_with(&path, Options::new().limits(limits)).expect("a store");
    let id = first(&store, ANY);
    let bell = path.with_file_name(format!(
        "{}-waiting",
        path.file_name().expect("a name").display()
    ));
    edit(&store, &id, "Phone", "1");
    assert!(!bell.exists(), "nobody had to wait");
    let other = Connection::open(&path).expect("another process");
    other.execute_batch("BEGIN IMMEDIATE").expect("its lock");
    let is_rung = || {
        let file = std::fs::OpenOptions::new().write(true).open(&bell);
        file.is_ok_and(|file| file.try_lock().is_err())
    };
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| edit(&store, &id, "Phone", "2"));
        while !is_rung() {
            assert!(!waiting.is_finished(), "it did not wait");
            std::thread::yield_now();
        }
        other.execute_batch("ROLLBACK").expect("unlocked");
        waiting.join().expect("it is made");
    });
    assert!(!is_rung());
    assert_eq!(attache_tests::value(&store, &id, "Phone"), "2".into());
    drop(other);
    store.wipe(attache::Unsent::Discard).expect("it is wiped");
    assert!(!bell.exists());
}

#[test]
fn a_store_that_a_newer_version_brings_up_meanwhile_is_left_to_it() {
    let (world, _place, path) = home(58, 300);
    let store = super::worked(&world, &path, Options::new());
    let id = first(&store, ANY);
    let newer = Connection::open(&path).expect("another process");
    let format: i32 = newer
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("a number");
    newer
        .execute_batch(&format!(
            "BEGIN; CREATE TABLE attache_news (x); PRAGMA user_version = {}; COMMIT",
            format + 1
        ))
        .expect("a migration");
    let refused = [
        store.update(&id, [("Phone", "1")]).expect_err("an edit"),
        store.pending().expect_err("a read"),
        attache_sim::wait(store.sync()).expect_err("a session"),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::StorageTooNew, "{error}");
    }
}

/// Has the file alone, as the last handle does that closes a store, and as a wipe and a re-keying do.
fn alone(path: &Path) -> Connection {
    let alone = Connection::open(path).expect("another process");
    alone
        .execute_batch(
            "PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT",
        )
        .expect("nobody else is there");
    alone
}

/// Without patience for a writer, the opening of a store failed while another process closed it.
#[test]
fn an_opening_waits_for_who_has_the_file_alone_and_says_so_if_that_lasts() {
    let (world, _place, path) = home(54, 300);
    drop(super::worked(&world, &path, Options::new()));
    let limits = Limits {
        busy_wait: Duration::ZERO,
        ..Limits::default()
    };
    let options = Options::new().limits(limits);
    let other = alone(&path);
    let Err(error) = Attache::open_with(&path, options.clone()) else {
        panic!("the file is another's alone");
    };
    assert_eq!(error.kind(), ErrorKind::StorageBusy, "{error}");
    assert!(error.to_string().contains("another process"), "{error}");
    assert!(matches!(error.retry(), attache::Retry::After(_)));
    drop(other);
    for round in 0..30 {
        let other = alone(&path);
        let (begun, begins) = mpsc::channel();
        let opening = std::thread::spawn({
            let (path, options) = (path.clone(), options.clone());
            move || {
                begun.send(()).expect("somebody waits for it");
                Attache::open_with(&path, options)
            }
        });
        begins.recv().expect("it begins");
        drop(other);
        let store = opening.join().expect("no panic");
        let store = store.unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(store.pending().expect("a read").len(), 2);
    }
}

/// A process that has left the index of the log torn and holds SQLite's locks.
#[cfg(unix)]
struct Torn(std::process::Child);

#[cfg(unix)]
impl Torn {
    fn new(path: &Path, held: &str) -> Torn {
        use std::io::BufRead;
        use std::process::{Command, Stdio};
        let mut child = Command::new(env!("CARGO_BIN_EXE_attache-crash-device"))
            .arg(path)
            .arg(held)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the process starts");
        let mut said = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().expect("a pipe"));
        out.read_line(&mut said).expect("it speaks");
        assert_eq!(said.trim(), "torn");
        Torn(child)
    }

    /// Ends it, and its locks with it.
    fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().expect("it ends").success());
    }
}

/// A store whose user waits for no writer, with its pending edits.
#[cfg(unix)]
fn impatient(path: &Path) -> Attache {
    let limits = Limits {
        busy_wait: Duration::ZERO,
        ..Limits::default()
    };
    Attache::open_with(path, Options::new().limits(limits)).expect("a store")
}

#[cfg(unix)]
#[test]
fn a_reader_waits_for_another_process_that_recovers_the_log() {
    let (world, _place, path) = home(55, 300);
    drop(super::worked(&world, &path, Options::new()));
    let store = impatient(&path);
    for held in ["recover", "write"].into_iter().cycle().take(10) {
        // The log is to hold something to recover.
        edit(&store, &first(&store, ANY), "Phone", held);
        let before = store.pending().expect("a read");
        let torn = Torn::new(&path, held);
        let (begun, begins) = mpsc::channel();
        let read = std::thread::scope(|scope| {
            let reading = scope.spawn(|| {
                begun.send(()).expect("somebody waits for it");
                store.pending()
            });
            begins.recv().expect("it begins");
            torn.end();
            reading.join().expect("no panic")
        });
        assert_eq!(
            read.unwrap_or_else(|error| panic!("{held}: {error}")),
            before
        );
    }
}

#[cfg(unix)]
#[test]
fn a_recovery_that_lasts_is_told_and_the_store_goes_on_after_it() {
    let (world, _place, path) = home(56, 300);
    drop(super::worked(&world, &path, Options::new()));
    let store = impatient(&path);
    let id = first(&store, ANY);
    let before = store.pending().expect("a read");
    let torn = Torn::new(&path, "recover");
    let refused = [
        store.pending().expect_err("a read"),
        store.update(&id, [("Phone", "1")]).expect_err("an edit"),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::StorageBusy, "{error}");
        assert!(matches!(error.retry(), attache::Retry::After(_)));
    }
    torn.end();
    assert_eq!(store.pending().expect("a read"), before);
    edit(&store, &id, "Phone", "2");
}
