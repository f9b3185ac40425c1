//! Writes the fixture of the format that this library writes: `cargo run -p attache-tests --bin attache-format-fixture`.
//!
//! A fixture is written once, when its format is released, and never again: it stands for the files that are out there.

#![allow(clippy::print_stdout, reason = "a command tells what it did")]

mod dump;
mod extras;
mod story;

use std::path::{Path, PathBuf};

fn main() {
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("store.db");
    let world = story::world();
    let device = story::device(&world, Some(&file));
    story::live(&world, &device);
    extras::live(&device);
    drop(device);
    let format: i32 = {
        let store = rusqlite::Connection::open(&file).expect("a SQLite file");
        // As a process leaves it that dies before the answer is here.
        let left = "UPDATE attache_mutation SET state = 1 WHERE fields LIKE '%on the wire%'";
        assert_eq!(store.execute(left, []), Ok(1));
        store
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .expect("a number")
    };
    let target = fixture(format);
    if target.exists() {
        println!("{} is there and stays as it is", target.display());
        return;
    }
    std::fs::write(&target, dump::dump(&file).expect("a dump")).expect("a file");
    println!("wrote {}", target.display());
}

fn fixture(format: i32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("formats/format-{format}.sql"))
}
