//! A store's files: looked into without a trace, saved from damage, destroyed.

use attache::{Attache, ErrorKind, Unsent, Value, inspect, salvage};
use attache_sim::World;
use attache_tests::{agrees, create, edit, field_sales, first, prime, settle, sync, value};
use std::fs;
use std::path::{Path, PathBuf};

const ANY: &str = "SELECT Id FROM Account ORDER BY Id LIMIT 1";
const SECRET: &[u8] = b"Geheimwerk";

/// A store in a file with two edits, one of them in conflict.
fn worked(seed: u64, folder: &Path) -> (World, Attache, PathBuf) {
    let world = World::new(seed, 400);
    let path = folder.join("jo.db");
    let device = world.device_at(0, &path).expect("a store");
    device.set_briefcase(field_sales()).expect("a briefcase");
    sync(&device);
    let id = first(&device, ANY);
    edit(&device, &id, "Phone", "mine");
    world.sandbox.advance(60);
    world
        .change("Account", id.as_str(), &[("Phone", "\"theirs\"")])
        .expect("a change");
    world.sandbox.advance(60);
    sync(&device);
    create(&device, "Account", [("Name", "Geheimwerk")]);
    (world, device, path)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a file")))
        .collect();
    files.sort();
    files
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// Copies a store as it would be found after a crash: the log beside it, no index.
fn crashed(path: &Path, to: &Path) -> PathBuf {
    let copy = to.join("copy.db");
    fs::copy(path, &copy).expect("a copy");
    fs::copy(path.with_extension("db-wal"), to.join("copy.db-wal")).expect("a log");
    copy
}

#[test]
fn an_inspection_tells_what_a_store_holds_and_was_not_sent() {
    let place = folder();
    let (_world, device, path) = worked(1, place.path());
    let found = inspect(&path).expect("an inspection");
    let status = device.status().expect("a status");
    assert_eq!(found.records, status.records);
    let file = rusqlite::Connection::open(&path).expect("a SQLite file");
    let format = file.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0));
    assert_eq!(found.format, format.expect("a number"));
    assert_eq!(found.username, status.username);
    assert_eq!(found.unsent, device.pending().expect("a read"));
    assert_eq!(found.conflicts, device.conflicts().expect("a read"));
    assert_eq!(
        (
            found.unsent.len(),
            found.conflicts.len(),
            found.damage.len()
        ),
        (2, 1, 0)
    );
}

#[test]
fn an_inspection_leaves_a_closed_store_and_its_folder_as_they_were() {
    let place = folder();
    let (_world, device, path) = worked(2, place.path());
    drop(device);
    let before = files(place.path());
    assert_eq!(before.len(), 1, "a closed store is one file");
    assert_eq!(inspect(&path).expect("an inspection").unsent.len(), 2);
    assert_eq!(files(place.path()), before);
}

#[test]
fn an_inspection_reads_the_log_that_a_crash_left_and_makes_nothing_beside_it() {
    let (place, after) = (folder(), folder());
    let (_world, _device, path) = worked(3, place.path());
    let copy = crashed(&path, after.path());
    let before = files(after.path());
    assert_eq!(inspect(&copy).expect("an inspection").unsent.len(), 2);
    assert_eq!(files(after.path()), before);
}

#[cfg(unix)]
#[test]
fn an_inspection_needs_no_right_to_write() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("rights")
    };
    let (place, after) = (folder(), folder());
    let (_world, device, path) = worked(4, place.path());
    let copy = crashed(&path, after.path());
    drop(device);
    for file in [&path, &copy] {
        mode(file, 0o400);
        mode(file.parent().expect("a folder"), 0o500);
        let found = inspect(file);
        mode(file.parent().expect("a folder"), 0o700);
        assert_eq!(found.expect("an inspection").unsent.len(), 2);
    }
}

#[test]
fn what_is_no_store_is_said_to_be_none() {
    let place = folder();
    let path = place.path().join("x.db");
    assert_eq!(
        inspect(&path).expect_err("no file").kind(),
        ErrorKind::StorageUnavailable
    );
    assert!(!path.exists());
    fs::write(&path, b"hello, this is a text file and no store at all").expect("a file");
    assert_eq!(
        inspect(&path).expect_err("a text").kind(),
        ErrorKind::StorageCorrupt
    );
    assert_eq!(
        salvage(&path).expect_err("a text").kind(),
        ErrorKind::StorageCorrupt
    );
}

#[test]
fn what_is_salvaged_is_sent_by_another_device() {
    let place = folder();
    let (world, device, path) = worked(5, place.path());
    let id = first(&device, ANY);
    drop(device);
    let other = prime(&world, 0, &field_sales());
    let saved = salvage(&path).expect("a salvage");
    let imported = other.import_unsent(&saved, None).expect("an import");
    assert_eq!((imported.mutations, imported.conflicts), (2, 1));
    assert_eq!(value(&other, &id, "Phone"), Value::from("mine"));
    assert_eq!(
        other
            .import_unsent(&saved, None)
            .expect("an import")
            .already_there,
        2
    );
    let conflict = other.conflicts().expect("a read").remove(0);
    other
        .resolve(conflict.id, attache::Resolution::Mine)
        .expect("a resolution");
    settle(&world, &other);
    agrees(&world, 0, &other);
}

#[test]
fn an_export_and_a_salvage_of_one_store_are_the_same_work() {
    let place = folder();
    let (world, device, path) = worked(6, place.path());
    let exported = device.export_unsent(None).expect("an export");
    drop(device);
    let other = prime(&world, 0, &field_sales());
    other.import_unsent(&exported, None).expect("an import");
    let saved = salvage(&path).expect("a salvage");
    assert_eq!(
        other
            .import_unsent(&saved, None)
            .expect("an import")
            .mutations,
        0
    );
}

#[test]
fn of_a_truncated_or_flipped_file_is_saved_what_is_whole() {
    let place = folder();
    let (_world, device, path) = worked(7, place.path());
    drop(device);
    let sound = fs::read(&path).expect("a file");
    let pages = sound.len() / 4096;
    let (mut told, mut saved, mut lost) = (0, 0, 0);
    for page in 1..pages {
        let mut damaged = sound.clone();
        // The header of a page: its kind and the places of its cells.
        damaged[page * 4096..page * 4096 + 16].fill(0xa5);
        fs::write(&path, &damaged).expect("a file");
        match inspect(&path) {
            Ok(found) => {
                told += usize::from(!found.damage.is_empty());
                saved += usize::from(found.unsent.len() == 2 && salvage(&path).is_ok());
            }
            // Where the tables are is written on the first pages only.
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StorageCorrupt);
                lost += 1;
            }
        }
    }
    // Free pages hold nothing that could be damaged.
    assert!(
        told * 4 >= pages * 3,
        "damage was told for {told} of {pages} pages"
    );
    assert!(
        lost <= 4,
        "nothing could be read for {lost} of {pages} pages"
    );
    assert!(
        saved + lost + 4 >= pages,
        "work was saved for {saved} of {pages} pages"
    );
    fs::write(&path, &sound[..sound.len() / 2]).expect("a file");
    assert!(!inspect(&path).expect("an inspection").damage.is_empty());
    salvage(&path).expect("the journal is in the first half");
    assert_eq!(fs::read_dir(place.path()).expect("a folder").count(), 1);
}

#[test]
fn a_store_with_unsent_work_is_not_wiped_unless_told() {
    let place = folder();
    let (_world, device, path) = worked(8, place.path());
    let error = device
        .clone()
        .wipe(Unsent::Refuse)
        .expect_err("unsent work");
    assert_eq!(error.kind(), ErrorKind::UnsentWork);
    assert!(
        error.to_string().contains("2 edits") && error.to_string().contains("1 in conflict"),
        "{error}"
    );
    assert_eq!(device.pending().expect("the store is as it was").len(), 2);
    device.wipe(Unsent::Discard).expect("a wipe");
    assert!(files(place.path()).is_empty() && !path.exists());
}

#[test]
fn nothing_of_a_wiped_store_can_be_read_in_its_files() {
    let place = folder();
    let (_world, device, path) = worked(9, place.path());
    // Other names of the same files, as an undelete tool would find them.
    let names = [
        (path.clone(), "kept"),
        (path.with_extension("db-wal"), "kept-wal"),
    ];
    let kept: Vec<PathBuf> = names
        .iter()
        .map(|(file, name)| {
            fs::hard_link(file, place.path().join(name)).expect("a link");
            place.path().join(name)
        })
        .collect();
    assert!(
        kept.iter()
            .any(|file| holds(&fs::read(file).expect("a file"), SECRET))
    );
    device.wipe(Unsent::Discard).expect("a wipe");
    for file in &kept {
        assert!(
            fs::read(file).expect("a file").is_empty(),
            "{}",
            file.display()
        );
    }
}

#[test]
fn other_handles_of_a_wiped_store_are_closed() {
    let place = folder();
    let (world, device, path) = worked(10, place.path());
    let other = device.clone();
    device.wipe(Unsent::Discard).expect("a wipe");
    let kinds = [
        other.status().expect_err("closed").kind(),
        other
            .create("Account", [("Name", "x")])
            .expect_err("closed")
            .kind(),
        attache_sim::wait(other.sync()).expect_err("closed").kind(),
        other
            .clone()
            .wipe(Unsent::Discard)
            .expect_err("closed")
            .kind(),
    ];
    assert_eq!(kinds, [ErrorKind::Closed; 4]);
    assert!(!path.exists());
    let new = world.device_at(0, &path).expect("a new store");
    assert!(new.pending().expect("a read").is_empty());
}

#[test]
fn a_store_that_is_open_elsewhere_is_not_wiped() {
    let place = folder();
    let (_world, device, path) = worked(11, place.path());
    let elsewhere = Attache::open(&path).expect("a second handle");
    assert_eq!(elsewhere.pending().expect("a read").len(), 2);
    assert_eq!(
        device
            .clone()
            .wipe(Unsent::Discard)
            .expect_err("open")
            .kind(),
        ErrorKind::StorageBusy
    );
    assert_eq!(device.pending().expect("a read").len(), 2);
    drop(elsewhere);
    device.wipe(Unsent::Discard).expect("a wipe");
}

#[test]
fn a_store_in_memory_is_wiped_as_well() {
    let world = World::new(12, 400);
    let device = prime(&world, 0, &field_sales());
    let other = device.clone();
    device.wipe(Unsent::Refuse).expect("nothing is unsent");
    assert_eq!(
        other.pending().expect_err("closed").kind(),
        ErrorKind::Closed
    );
}
