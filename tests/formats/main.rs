//! Stores of every format that was ever written open, hold what they held, and settle.

mod dump;
mod held;
mod story;

use attache::{Attache, ConflictKind, ErrorKind, Keep, Resolution, Value};
use attache_sim::{World, wait};
use attache_tests::{agrees, settle};
use held::{fixture, format_of, holds, load};
use rusqlite::Connection;
use std::path::Path;

/// The format that this library writes.
fn current() -> i32 {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("new.db");
    drop(Attache::open(&path).expect("a new store"));
    format_of(&path)
}

/// Every fixture, laid out as a file.
fn each(work: impl Fn(i32, &Path)) {
    let mut tried = 0;
    for format in 1..=current() {
        let Some(sql) = fixture(format) else { continue };
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("store.db");
        load(&sql, &path).expect("a fixture is SQL");
        assert_eq!(format_of(&path), format);
        work(format, &path);
        tried += 1;
    }
    assert!(tried > 0, "no fixture was found");
}

/// What a person decides of what is left, so that all of it can settle.
fn decide(device: &Attache) {
    for conflict in device.conflicts().expect("a read") {
        let resolution = match conflict.kind {
            ConflictKind::Fields => Resolution::per_field([("Phone", Keep::Mine)]),
            ConflictKind::DeletedAtRemote | ConflictKind::DeletedHere => Resolution::Theirs,
        };
        device.resolve(conflict.id, resolution).expect("a decision");
    }
    let mut rows = device
        .query("SELECT Id FROM Account WHERE Name = 'Refused'")
        .expect("a query");
    let refused = rows.next().and_then(|row| row.id().cloned());
    let refused = refused.expect("the refused record");
    device
        .update(&refused, [("NumberOfEmployees", Value::from(1))])
        .expect("an edit");
}

/// Checks that a store lives on: it syncs, a person decides what is left, and all of it settles.
fn lives_on(world: &World, device: &Attache) {
    wait(device.sync()).expect("a session");
    decide(device);
    settle(world, device);
    assert_eq!(device.pending().expect("a read"), []);
    for (object, field, text) in [
        ("Contact", "LastName", "In doubt"),
        ("Contact", "LastName", "Blocked"),
        ("Contact", "LastName", "Waits below"),
        ("Account", "Name", "Waits"),
        ("Account", "Name", "Refused"),
        ("Account", "Site", "made again"),
        ("Account", "Phone", "on the wire"),
        ("Account", "Phone", "mine"),
    ] {
        assert_eq!(world.times(object, field, text), Ok(1), "{text}");
    }
    agrees(world, story::ME, device);
}

#[test]
fn every_format_before_this_one_has_a_fixture() {
    let current = current();
    for format in 1..current {
        assert!(
            fixture(format).is_some(),
            "the format is {current} now, and nothing holds what a store of format {format} is like: \
             check out the last commit of that format and run \
             `cargo run -p attache-tests --bin attache-format-fixture`"
        );
    }
    assert!(fixture(current + 1).is_none(), "a fixture of no format");
}

#[test]
fn a_store_of_every_format_opens_whole_and_settles() {
    each(|_, path| {
        let world = story::world();
        story::live(&world, &story::device(&world, None));
        let device = story::device(&world, Some(path));
        holds(&device);
        assert_eq!(format_of(path), current());
        // Nothing is left to be brought up by the next open.
        drop(device);
        let device = story::device(&world, Some(path));
        holds(&device);
        lives_on(&world, &device);
    });
}

#[test]
fn an_inspection_reads_every_format_without_bringing_it_up() {
    each(|format, path| {
        let found = attache::inspect(path).expect("an inspection");
        assert_eq!((found.format, found.unsent.len()), (format, 17));
        assert_eq!(found.conflicts.len(), 2, "format {format}");
        assert_eq!(found.damage, Vec::<String>::new());
        assert_eq!(format_of(path), format);
    });
}

#[test]
fn a_migration_that_fails_leaves_the_store_as_it_was() {
    each(|format, path| {
        // Something stands in the way of a later step.
        let table = match format {
            1..=3 => "attache_missing",
            4 | 5 => "attache_text",
            _ => return,
        };
        let file = Connection::open(path).expect("a SQLite file");
        file.execute_batch(&format!("CREATE TABLE {table} (x, y)"))
            .expect("a table");
        let before = dump::dump(path).expect("a dump");
        let error = Attache::open(path).err().expect("a step that fails");
        assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
        assert_eq!(dump::dump(path).expect("a dump"), before, "format {format}");
        file.execute_batch(&format!("DROP TABLE {table}"))
            .expect("a table");
        holds(&Attache::open(path).expect("it opens"));
    });
}

#[test]
fn many_that_open_a_store_at_once_bring_it_up_once() {
    each(|_, path| {
        std::thread::scope(|scope| {
            let openers: Vec<_> = (0..6)
                .map(|_| scope.spawn(|| holds(&Attache::open(path).expect("it opens"))))
                .collect();
            for opener in openers {
                opener.join().expect("nobody fails");
            }
        });
        assert_eq!(format_of(path), current());
    });
}

#[test]
fn a_reader_at_work_sees_the_old_format_to_its_end() {
    each(|format, path| {
        let mut file = Connection::open(path).expect("a SQLite file");
        let reader = file.transaction().expect("a transaction");
        let version = |reader: &Connection| -> i32 {
            reader
                .pragma_query_value(None, "user_version", |row| row.get(0))
                .expect("a number")
        };
        let count = "SELECT count(*) FROM attache_mutation";
        let mutations = |reader: &Connection| -> i64 {
            reader
                .query_row(count, [], |row| row.get(0))
                .expect("a count")
        };
        assert_eq!((version(&reader), mutations(&reader)), (format, 17));
        holds(&Attache::open(path).expect("it opens"));
        assert_eq!((version(&reader), mutations(&reader)), (format, 17));
        drop(reader);
        assert_eq!(version(&file), current());
    });
}

/// A file that may not grow stands for a disk that is full: each write fails.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_leaves_the_store_as_it_was() {
    each(|format, path| {
        if format == current() {
            return;
        }
        let before = dump::dump(path).expect("a dump");
        let device = env!("CARGO_BIN_EXE_attache-crash-device");
        let limited = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";
        let status = std::process::Command::new("sh")
            .args(["-c", limited, device])
            .arg(path)
            .args(["http://127.0.0.1:1", "token"])
            .status()
            .expect("a shell");
        assert!(!status.success());
        assert_eq!(format_of(path), format);
        assert_eq!(dump::dump(path).expect("a dump"), before);
        holds(&Attache::open(path).expect("it opens"));
    });
}
