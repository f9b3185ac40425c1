//! Rights, and what is not a store.

use super::{files, folder, home, refused, worked};
use attache::{Attache, ErrorKind, Limits, Options, inspect, salvage};
use attache_sim::World;
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use std::time::Duration;

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("rights");
}

#[cfg(unix)]
#[test]
fn a_store_and_the_files_beside_it_are_the_users_alone() {
    let place = folder();
    let path = place.path().join("jo.db");
    let store = Attache::open(&path).expect("a store");
    store.set_host_value("a", "b").expect("a note");
    store.host_value("a").expect("a reader");
    let beside = files(place.path());
    assert_eq!(beside.len(), 3, "the store, its log and the log's index");
    for (file, _) in beside {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[cfg(unix)]
#[test]
fn the_rights_of_others_on_an_older_store_are_taken_away() {
    let place = folder();
    let path = place.path().join("jo.db");
    let store = Attache::open(&path).expect("a store");
    store.set_host_value("a", "b").expect("a note");
    for (file, _) in files(place.path()) {
        set_mode(&file, 0o644);
    }
    let again = Attache::open(&path).expect("a store");
    assert_eq!(again.host_value("a").expect("a note").as_deref(), Some("b"));
    for (file, _) in files(place.path()) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[cfg(unix)]
#[test]
fn a_read_only_store_is_told_and_can_be_looked_into() {
    let place = folder();
    let path = place.path().join("jo.db");
    drop(worked(&World::new(1, 300), &path, Options::new()));
    set_mode(&path, 0o444);
    refused(
        &path,
        Options::new(),
        ErrorKind::StorageUnavailable,
        "read-only",
    );
    assert_eq!(mode(&path), 0o444);
    assert_eq!(inspect(&path).expect("a look").unsent.len(), 2);
    assert!(!salvage(&path).expect("a salvage").is_empty());
}

#[test]
fn what_is_not_a_store_is_told_and_left_as_it_was() {
    let place = folder();
    let path = place.path().join("jo.db");
    let plain = Options::new;
    let unavailable = ErrorKind::StorageUnavailable;
    refused(
        &place.path().join("none/jo.db"),
        plain(),
        unavailable,
        "no folder for the store",
    );
    fs::create_dir(&path).expect("a folder");
    refused(&path, plain(), unavailable, "is a folder");
    fs::remove_dir(&path).expect("no folder");
    let texts: [&[u8]; 4] = [
        b"x",
        b"hello, this is a text file and no store at all",
        b"SQLite format 3\0",
        &[b'x'; 3 * 4096],
    ];
    for text in texts {
        fs::write(&path, text).expect("a file");
        let Err(error) = Attache::open(&path) else {
            panic!("{} bytes open", text.len());
        };
        assert_eq!(error.kind(), ErrorKind::StorageCorrupt, "{error}");
        assert_eq!(fs::read(&path).expect("a file"), text);
        assert!(inspect(&path).is_err() && salvage(&path).is_err());
    }
}

#[test]
fn the_database_of_another_program_is_left_as_it_was() {
    let place = folder();
    let path = place.path().join("theirs.db");
    let theirs = Connection::open(&path).expect("a database");
    theirs
        .execute_batch("CREATE TABLE t (a); CREATE TABLE u (a); INSERT INTO t VALUES (1)")
        .expect("a table");
    refused(
        &path,
        Options::new(),
        ErrorKind::StorageCorrupt,
        "another program",
    );
    // With a log that a crash left.
    let after = folder();
    let copy = after.path().join("theirs.db");
    let mode: String = theirs
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .expect("a mode");
    assert_eq!(mode, "wal");
    theirs
        .execute_batch("INSERT INTO t VALUES (2)")
        .expect("a row");
    for (from, to) in [
        ("theirs.db", "theirs.db"),
        ("theirs.db-wal", "theirs.db-wal"),
    ] {
        fs::copy(place.path().join(from), after.path().join(to)).expect("a copy");
    }
    refused(
        &copy,
        Options::new(),
        ErrorKind::StorageCorrupt,
        "another program",
    );
}

#[test]
fn an_empty_file_becomes_a_store_and_is_none_to_look_into() {
    let place = folder();
    let path = place.path().join("jo.db");
    fs::write(&path, b"").expect("a file");
    assert_eq!(
        inspect(&path).expect_err("empty").kind(),
        ErrorKind::StorageCorrupt
    );
    let store = Attache::open(&path).expect("a store");
    assert!(store.pending().expect("a read").is_empty());
}

#[test]
fn a_store_of_a_newer_version_is_left_as_it_was() {
    let place = folder();
    let path = place.path().join("jo.db");
    drop(Attache::open(&path).expect("a store"));
    let raw = Connection::open(&path).expect("a database");
    raw.pragma_update(None, "user_version", 10_000)
        .expect("a version");
    raw.close().expect("closed");
    refused(
        &path,
        Options::new(),
        ErrorKind::StorageTooNew,
        "update the application",
    );
    assert_eq!(
        inspect(&path).expect_err("newer").kind(),
        ErrorKind::StorageTooNew
    );
}

#[test]
fn a_store_that_was_cut_short_is_told_and_its_journal_saved() {
    let place = folder();
    let path = place.path().join("jo.db");
    drop(worked(&World::new(2, 300), &path, Options::new()));
    let sound = fs::read(&path).expect("a file");
    let mut saved = 0;
    for part in 1..16 {
        let length = sound.len() * part / 16;
        fs::write(&path, &sound[..length]).expect("a file");
        refused(
            &path,
            Options::new(),
            ErrorKind::StorageCorrupt,
            "cut short",
        );
        saved += usize::from(salvage(&path).is_ok());
    }
    assert!(saved > 10, "{saved} of 15 lengths gave anything");
}

#[test]
fn a_second_process_waits_no_longer_than_it_was_told() {
    let place = folder();
    let path = place.path().join("jo.db");
    drop(Attache::open(&path).expect("a store"));
    let limits = Limits {
        busy_wait: Duration::from_millis(20),
        ..Limits::default()
    };
    let store = Attache::open_with(&path, Options::new().limits(limits)).expect("a store");
    let other = Connection::open(&path).expect("another process");
    other.execute_batch("BEGIN IMMEDIATE").expect("its lock");
    let error = store.set_host_value("a", "b").expect_err("locked");
    assert_eq!(error.kind(), ErrorKind::StorageBusy);
    assert_eq!(store.host_value("a").expect("a reader does not wait"), None);
    other.execute_batch("COMMIT").expect("unlocked");
    store.set_host_value("a", "b").expect("a note");
}

/// What a person waits for first must not grow with what they carry.
#[cfg(target_os = "linux")]
#[test]
fn a_store_is_opened_by_as_many_bytes_however_many_records_it_holds() {
    let read = || -> u64 {
        let told = fs::read_to_string("/proc/thread-self/io").expect("the kernel counts");
        let first = told.lines().next().and_then(|line| line.split_once(' '));
        first.expect("a count").1.parse().expect("a number")
    };
    let opened = [300, 15_000].map(|records| {
        let (world, _place, path) = home(59, records);
        let all = attache_sandbox::org::Rights {
            view_all: true,
            modify_all: true,
        };
        let me = &world.users[0].id;
        world.sandbox.with_org(|org| org.set_rights(me, all));
        let store = Attache::open(&path).expect("a new store");
        let device = world.equip(store, 0).expect("a device");
        let briefcase = attache::Briefcase::everything(["Account", "Contact"]);
        device.set_briefcase(briefcase).expect("a briefcase");
        attache_tests::sync(&device);
        drop(device);
        let bytes = fs::metadata(&path).expect("the store").len();
        let before = read();
        let store = Attache::open(&path).expect("it opens again");
        let opening = read() - before;
        drop(store);
        (bytes, opening)
    });
    let [(small, few), (large, many)] = opened;
    assert!(large > 4 * small, "{opened:?}");
    assert!(many < few + 16 * 1024, "{opened:?}");
}
