//! A store's file: who may read it, what becomes of it, and what is told where it is none.

mod file;
mod full;
mod owners;
#[cfg(any(feature = "sqlcipher", feature = "sqlcipher-vendored"))]
mod sealed;
mod waits;

use attache::{Attache, ErrorKind, Options};
use attache_sim::World;
use attache_tests::{create, edit, field_sales, first, sync};
use std::fs;
use std::path::{Path, PathBuf};

/// The first record of an order that does not change.
const ANY: &str = "SELECT Id FROM Account ORDER BY Id LIMIT 1";
/// A name and a value that no file of an encrypted store may hold.
const CANARIES: [&str; 2] = ["Geheimwerk", "+49 30 0815-4711"];

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A world, a folder, and the path of a store that is not yet in it.
fn home(seed: u64, rows: usize) -> (World, tempfile::TempDir, PathBuf) {
    let place = folder();
    let path = place.path().join("jo.db");
    (World::new(seed, rows), place, path)
}

/// A store that has seen its org and holds two edits that were not sent.
fn worked(world: &World, path: &Path, options: Options) -> Attache {
    let store = Attache::open_with(path, options).expect("a store");
    let device = world.equip(store, 0).expect("a device");
    device.set_briefcase(field_sales()).expect("a briefcase");
    sync(&device);
    let id = first(&device, ANY);
    edit(&device, &id, "Phone", CANARIES[1]);
    create(&device, "Account", [("Name", CANARIES[0])]);
    device
}

/// Every file of a folder with its bytes, in order of their names.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read(path).expect("a file")))
        .collect();
    files.sort();
    files
}

/// Asserts that a file is not opened, for which reason, and that nothing beside it changes.
#[track_caller]
fn refused(path: &Path, options: Options, kind: ErrorKind, words: &str) {
    let folder = path.parent().expect("a folder");
    let before = folder.exists().then(|| files(folder));
    let Err(error) = Attache::open_with(path, options) else {
        panic!("{} opens", path.display());
    };
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    let after = folder.exists().then(|| files(folder));
    assert!(before == after, "the folder of {} changed", path.display());
}
