//! Stores of every format that was ever written open, hold what they held, and settle.

mod dump;
mod story;

use attache::{Attache, ConflictKind, ErrorKind, Keep, MutationState, RecordId, Resolution, Value};
use attache_sim::{World, wait};
use attache_tests::{agrees, all, server_id, settle, value};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("formats")
}

fn fixture(format: i32) -> Option<String> {
    std::fs::read_to_string(folder().join(format!("format-{format}.sql"))).ok()
}

/// Makes a file of what `dump` wrote.
fn load(sql: &str, path: &Path) -> rusqlite::Result<()> {
    let file = Connection::open(path)?;
    file.execute_batch(sql)?;
    file.pragma_update(None, "journal_mode", "WAL")
}

fn format_of(path: &Path) -> i32 {
    let file = Connection::open(path).expect("a SQLite file");
    file.pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("a number")
}

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

fn states(device: &Attache) -> BTreeMap<&'static str, usize> {
    let mut states = BTreeMap::new();
    for mutation in device.pending().expect("a read") {
        let name = match mutation.state {
            MutationState::Pending => "pending",
            MutationState::Sending => "sending",
            MutationState::InDoubt { .. } => "in doubt",
            MutationState::Rejected(_) => "rejected",
            MutationState::Conflicted => "in conflict",
        };
        *states.entry(name).or_default() += 1;
    }
    states
}

/// Checks that a store holds what the story left in it.
fn holds(device: &Attache) {
    let expected = [
        ("in conflict", 2),
        ("in doubt", 2),
        ("pending", 11),
        ("rejected", 1),
        ("sending", 1),
    ];
    assert_eq!(states(device), BTreeMap::from(expected));
    let status = device.status().expect("a count");
    let expected = [
        ("Account", 12),
        ("Contact", 6),
        ("Opportunity", 3),
        ("Task", 2),
    ];
    let expected = expected.map(|(object, count)| (object.to_owned(), count));
    assert_eq!(status.records, expected);
    assert!(status.username.is_some() && status.last_sync.is_some());
    let address = device.host_value("address").expect("a read");
    assert_eq!(address.as_deref(), Some("https://acme"));
    let briefcase = device.briefcase().expect("a read").expect("a briefcase");
    assert!(briefcase.to_json().contains("\"Formats\""));

    let conflicts = device.conflicts().expect("a read");
    let kinds: Vec<_> = conflicts.iter().map(|conflict| conflict.kind).collect();
    assert_eq!(kinds, [ConflictKind::Fields, ConflictKind::DeletedAtRemote]);
    let phone = &conflicts[0].fields[0];
    assert_eq!(
        (&phone.base, &phone.local, &phone.remote),
        (&Value::Null, &"mine".into(), &"theirs".into())
    );

    // Values of every kind, with the edits on top.
    let third = story::account(device, 3);
    let shown = |field| value(device, &third, field).to_json();
    assert_eq!(shown("AnnualRevenue"), "-876543210987654321");
    assert_eq!(shown("Regions__c"), "\"APAC;LATAM\"");
    assert_eq!(shown("Renewal_Date__c"), "\"2028-02-29\"");
    assert_eq!(
        (shown("Active__c"), shown("Site")),
        ("true".into(), "null".into())
    );
    assert_eq!(shown("Description"), "\"Zürich, O'Neil \\\\ 100 %_\"");
    let deal = "SELECT Name FROM Opportunity WHERE Amount = 1234567890123456.70";
    assert_eq!(all(device, deal).len(), 1);
    let children =
        "SELECT Id FROM Contact WHERE Account.Name = 'Waits' AND LastName = 'Waits below'";
    assert_eq!(all(device, children).len(), 1);
    assert!(all(device, "SELECT Id FROM Account WHERE Name = 'Account 4'").is_empty());
    // Both identities of a record that was made here lead to it.
    let sent = all(
        device,
        "SELECT Id FROM Account WHERE Name = 'Made and sent'",
    );
    assert!(sent[0].is_local());
    let by_id = RecordId::parse(&server_id(device, &sent[0])).expect("an id");
    let found = device.get(&by_id).expect("a read").expect("the record");
    assert_eq!(found.id, sent[0]);
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
