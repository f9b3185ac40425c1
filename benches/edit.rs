//! Edits a record durably, and compares with bare SQLite transactions of the same bytes in the same run.
//!
//! `cargo bench -p attache-benches --bench edit -- [EDITS]`
//!
//! The bare part: on a copy of the same store (so with the same triggers and
//! indexes), one transaction at `synchronous=FULL` in WAL mode that updates the
//! same column of the same row and appends the same line to the journal. It reads
//! nothing: no checks, no identity, no value before. Each record is edited twice
//! on both sides, as the first edit of a record writes more:
//!
//! - a later edit: the column, and the line of the journal;
//! - a first edit: also the base (all fields as JSON), and a note for the search.
//!
//! The ratios are those to the later bare transaction, the least that an edit can
//! be; the one with a base says how much of a first edit is writing alone.
//!
//! In pages, which a busy machine does not change: a later edit writes four (the row,
//! the journal, its index and its sequence), on both sides. A first one writes two more
//! for the base and its index, and some where pages are full: 6.2 for records of sixty
//! fields of which twelve are filled, which tests in store/standing.rs count; and one
//! for the search, where somebody has searched. So a first edit has up to three pages
//! that the transaction it is held against has not.
//!
//! Beside it stands what a disk asks of anything that is to outlive a loss of power:
//! a file to which 4 KiB are appended, with `fdatasync`.
//!
//! The times are for a machine with nothing else to do: with more work than cores
//! the same binary gave ratios of a first edit from 1.1 to 3.1, run by run.
//!
//! Then edits are made while another thread pulls, and their waits are printed.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use attache::{Attache, Briefcase, RecordId};
use attache_sim::{World, wait};
use rusqlite::{Connection, TransactionBehavior, params};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Edits in a row before the other side has its turn: what else the machine does meets both.
const ROUND: usize = 50;

/// What is appended to a file and synced, for comparison.
const PAGE: [u8; 4096] = [1; 4096];

fn main() {
    let edits = attache_benches::argument(3_000);
    let world = attache_benches::world(20_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("jo.db");
    let device = Attache::open(&path)
        .expect("a store opens")
        .with_remote(world.remote(0).expect("a remote"));
    device
        .set_briefcase(Briefcase::everything(["Account", "Contact"]))
        .expect("a briefcase is stored");
    wait(device.sync()).expect("a first session");
    drop(device);
    let copy = folder.path().join("bare.db");
    std::fs::copy(&path, &copy).expect("a copy");

    let device = Attache::open(&path).expect("a store opens");
    let ids = ids(&device);
    // The base of a record is kept at its first edit: that is measured by itself.
    let (mut engine, mut bare, mut again) = (Vec::new(), Vec::new(), Vec::new());
    let (mut based, mut plain) = (Vec::new(), Bare::open(&copy));
    let mut synced = Vec::new();
    let mut log = File::create(folder.path().join("log")).expect("a file");
    let store = Connection::open(&path).expect("the store opens beside");
    for (round, ids) in ids.chunks(ROUND).take(edits / ROUND).enumerate() {
        for (times, text) in [(&mut engine, "a"), (&mut again, "b")] {
            for id in ids {
                let phone = format!("{text}{round:08}");
                times.push(timed(|| {
                    device
                        .update(id, [("Phone", phone.as_str())])
                        .expect("an edit");
                }));
            }
        }
        for _ in ids {
            synced.push(timed(|| {
                log.write_all(&PAGE)
                    .and_then(|()| log.sync_data())
                    .expect("an append");
            }));
        }
        for (times, text) in [(&mut based, "a"), (&mut bare, "b")] {
            for id in ids {
                let phone = format!("{text}{round:08}");
                let base = (text == "a").then(|| base(&store, id));
                times.push(timed(|| plain.edit(id, &phone, base.as_deref())));
            }
        }
    }
    report("4 KiB and fdatasync", &mut synced);
    report("bare transaction", &mut bare);
    report("bare, with a base", &mut based);
    report("first edit of a record", &mut engine);
    report("later edit of a record", &mut again);
    let ratio = |times: &[Duration], to: &[Duration]| {
        median(times).as_secs_f64() / median(to).as_secs_f64()
    };
    println!(
        "later / fdatasync {:.2}, first / fdatasync {:.2} (medians)",
        ratio(&again, &synced),
        ratio(&engine, &synced),
    );
    println!(
        "later / bare {:.2}, first / bare {:.2}, first / bare with a base {:.2} (medians)",
        ratio(&again, &bare),
        ratio(&engine, &bare),
        ratio(&engine, &based),
    );
    drop(store);
    drop(device);
    beside_a_pull(&world, folder.path());
}

/// Edits while a first load runs, and prints how long each took.
fn beside_a_pull(world: &World, folder: &Path) {
    let device = Attache::open(folder.join("beside.db"))
        .expect("a store opens")
        .with_remote(world.remote(0).expect("a remote"));
    device
        .set_briefcase(Briefcase::everything(["Account"]))
        .expect("a briefcase is stored");
    wait(device.sync()).expect("a first session");
    let ids = ids(&device);
    device
        .set_briefcase(Briefcase::everything([
            "Account",
            "Contact",
            "Opportunity",
            "Lead",
            "Task",
            "Event",
        ]))
        .expect("a briefcase is stored");
    let pulling = AtomicBool::new(true);
    let (mut waits, mut reads) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            wait(device.sync()).expect("a session");
            pulling.store(false, Ordering::Release);
        });
        for (n, id) in ids.iter().cycle().enumerate() {
            if !pulling.load(Ordering::Acquire) {
                break;
            }
            let phone = format!("{n:09}");
            waits.push(timed(|| {
                device
                    .update(id, [("Phone", phone.as_str())])
                    .expect("an edit");
            }));
            reads.push(timed(|| {
                device.get(id).expect("a read");
            }));
        }
    });
    report("edit during a pull", &mut waits);
    report("read during a pull", &mut reads);
}

/// One connection that does what an edit cannot do without.
struct Bare(Connection);

impl Bare {
    fn open(path: &Path) -> Bare {
        let connection = Connection::open(path).expect("a database opens");
        for (pragma, value) in [("journal_mode", "WAL"), ("synchronous", "FULL")] {
            connection
                .pragma_update(None, pragma, value)
                .expect("a pragma");
        }
        Bare(connection)
    }

    fn edit(&mut self, id: &RecordId, phone: &str, base: Option<&str>) {
        let transaction = self
            .0
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .expect("a transaction");
        let object = if id.as_str().starts_with("003") {
            "Contact"
        } else {
            "Account"
        };
        transaction
            .prepare_cached(&format!("UPDATE {object} SET Phone = ?2 WHERE Id = ?1"))
            .and_then(|mut update| update.execute(params![id.as_str(), phone]))
            .expect("an update");
        transaction
            .prepare_cached(
                "INSERT INTO attache_mutation (changeset, object, record, kind, fields, made_at)
                 VALUES (1, ?1, ?2, 2, ?3, 0)",
            )
            .and_then(|mut insert| {
                let fields = format!(r#"{{"Phone":"{phone}"}}"#);
                insert.execute(params![object, id.as_str(), fields])
            })
            .expect("an insert");
        if let Some(base) = base {
            transaction
                .prepare_cached(
                    "INSERT INTO attache_base (record, object, fields) VALUES (?1, ?2, ?3)",
                )
                .and_then(|mut insert| insert.execute(params![id.as_str(), object, base]))
                .expect("an insert");
        }
        transaction.commit().expect("a commit");
    }
}

/// What the engine has kept as the base of a record.
fn base(store: &Connection, id: &RecordId) -> String {
    store
        .prepare_cached("SELECT fields FROM attache_base WHERE record = ?1")
        .and_then(|mut base| base.query_row([id.as_str()], |row| row.get(0)))
        .expect("a base")
}

fn ids(device: &Attache) -> Vec<RecordId> {
    ["Account", "Contact"]
        .into_iter()
        .filter_map(|object| device.query(&format!("SELECT Id FROM {object}")).ok())
        .flatten()
        .filter_map(|row| row.id().cloned())
        .collect()
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_micros();
    println!(
        "{what:24} {:6} times, p50 {:6} us, p99 {:6} us, max {:6} us",
        times.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
