//! What a person who edits waits for while an index is built.
//!
//! `cargo bench -p attache-benches --bench builds -- [CONTACTS]` (1,000,000 unless told otherwise)
//!
//! A thread asks for an index; at moments spread over the time that building one takes, edits are made
//! beside it. Printed are the time of the build alone, that of the build with the edits, and the waits of
//! the edits, beside those of the same edits when nothing is built. The worst wait is the figure: it is to
//! be that of a short transaction, not of a build.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use attache::{Attache, RecordId};
use attache_benches::contacts::{fill, id, scatter};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Builds that are edited beside, each edit at another moment of it.
const BUILDS: u32 = 10;

fn main() {
    let contacts: u64 = attache_benches::argument(1_000_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("builds.db");
    let (store, _) = fill(&path, contacts);
    println!(
        "machine: {}, {contacts} contacts, {BUILDS} builds",
        attache_benches::machine()
    );
    let mut alone: Vec<Duration> = (0..2).map(|_| build(&store, &path)).collect();
    // The first one also reads the file into the system's cache.
    let built = alone.pop().expect("two builds");
    println!("build alone            {:8.1} ms", ms(built));
    let mut nr = 0..contacts;
    let mut edit = || {
        let row = scatter(nr.next().unwrap_or_default()) % contacts;
        let begun = Instant::now();
        let id = RecordId::parse(&id(row)).expect("an id of ours");
        let phone = format!("+1 {}", begun.elapsed().as_nanos());
        store.update(&id, [("Phone", phone)]).expect("an edit");
        begun.elapsed()
    };
    let mut quiet: Vec<Duration> = (0..BUILDS).map(|_| edit()).collect();
    let (mut waits, mut builds) = (Vec::new(), Vec::new());
    for at in 0..BUILDS {
        let begin = Barrier::new(2);
        std::thread::scope(|scope| {
            let building = scope.spawn(|| {
                begin.wait();
                build(&store, &path)
            });
            begin.wait();
            // In the middle of each tenth of the build.
            let (begun, moment) = (Instant::now(), built * (2 * at + 1) / (2 * BUILDS));
            while begun.elapsed() < moment {
                std::thread::yield_now();
            }
            waits.push(edit());
            builds.push(building.join().expect("a build ends"));
        });
    }
    println!(
        "build, with an edit    {:8.1} ms p50",
        ms(median(&mut builds))
    );
    for (what, times) in [
        ("edit alone", &mut quiet),
        ("edit during a build", &mut waits),
    ] {
        let p50 = median(times);
        let max = times.last().copied().unwrap_or_default();
        println!("{what:<22} {:8.1} ms p50 {:8.1} ms max", ms(p50), ms(max));
    }
}

/// Has an index made, waits for it, and has it dropped.
fn build(store: &Attache, path: &Path) -> Duration {
    let begun = Instant::now();
    store.add_index("Contact", ["LastName"]).expect("a wish");
    let built = begun.elapsed();
    assert!(store.indexes().expect("a read")[0].built, "it stands");
    store
        .remove_index("Contact", ["LastName"])
        .expect("no wish");
    let beside = Connection::open(path).expect("the store opens beside");
    beside
        .execute_batch("DROP INDEX attache_on_Contact_LastName")
        .expect("the index goes");
    built
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}
