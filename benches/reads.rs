//! What a person waits for when reading: a list, a parent, a search, a record, the opening of the store.
//!
//! `cargo bench -p attache-benches --bench reads -- [CONTACTS]` (100,000 unless told otherwise)
//!
//! The store is made by a small first session; the contacts are then put into its table by SQL, so
//! that a million of them take seconds. The index of words is made by the engine.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use attache::{Attache, RecordId};
use attache_benches::contacts::{FIRST, LAST, fill, id, mail, name, names, phone, scatter};
use std::time::Instant;

const RUNS: u64 = 200;
const OPENINGS: u64 = 20;

fn main() {
    let contacts: u64 = attache_benches::argument(100_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("reads.db");
    let (store, accounts) = fill(&path, contacts);
    for field in ["LastName", "AccountId"] {
        store.add_index("Contact", [field]).expect("an index");
    }
    let bytes = std::fs::metadata(&path).map_or(0, |meta| meta.len());
    println!(
        "machine: {}, {contacts} contacts, {RUNS} runs each",
        attache_benches::machine()
    );

    let begun = Instant::now();
    while store.index_words(100_000).expect("the index moves on") > 0 {}
    let seconds = begun.elapsed().as_secs_f64();
    drop(store);
    let indexed = std::fs::metadata(&path).map_or(0, |meta| meta.len());
    println!(
        "index of words    {:8.0} records/s, {:.0} of {:.0} bytes a record",
        contacts as f64 / seconds,
        indexed.saturating_sub(bytes) as f64 / contacts as f64,
        indexed as f64 / contacts as f64,
    );

    measure("open", OPENINGS, |_| {
        Attache::open(&path).expect("the store opens");
        1
    });
    let store = Attache::open(&path).expect("the store opens");
    let rows = |soql: &str| store.query(soql).expect("a query").len();
    measure("list of 50", RUNS, |nr| {
        let names = "SELECT Id, Name, Email FROM Contact";
        let from = LAST[(nr % 16) as usize].replace('\'', "\\'");
        rows(&format!(
            "{names} WHERE LastName >= '{from}' ORDER BY LastName LIMIT 50"
        ))
    });
    measure("list, by parent", RUNS, |nr| {
        let account = &accounts[nr as usize % accounts.len()];
        rows(&format!(
            "SELECT Id, Name, Account.Name, Account.Parent.Name FROM Contact WHERE AccountId = '{account}' LIMIT 50"
        ))
    });
    measure("record by id", RUNS, |nr| {
        let id = RecordId::parse(&id(scatter(nr) % contacts)).expect("an id of ours");
        store.get(&id).expect("a read").map_or(0, |_| 1)
    });
    let search = |words: &str| {
        let found = store.search(words).run().expect("a search");
        assert_eq!(found.waiting, 0);
        found.hits.len()
    };
    measure("search, name", RUNS, |nr| {
        let row = scatter(nr) % contacts;
        search(&name(row))
    });
    measure("search, as typed", RUNS, |nr| {
        let row = scatter(nr) % contacts;
        let (first, last) = names(row);
        let typed: String = last.chars().take(3).collect();
        search(&format!("{first} {typed}"))
    });
    measure("search, e-mail", RUNS, |nr| {
        search(&mail(scatter(nr) % contacts))
    });
    measure("search, number", RUNS, |nr| {
        let number = phone(scatter(nr) % contacts);
        search(&number.split_at(3).1.replace(' ', ""))
    });
    measure("search, 2 letters", RUNS / 10, |nr| {
        let typed: String = FIRST[(nr % 16) as usize].chars().take(2).collect();
        search(&typed)
    });
}

/// Prints how long something takes.
fn measure(what: &str, runs: u64, mut run: impl FnMut(u64) -> usize) {
    let mut times = Vec::new();
    let mut found = 0;
    for nr in 0..runs {
        let begun = Instant::now();
        found += run(nr);
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    assert!(found > 0, "{what} finds something");
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!(
        "{what:<17} {:8.2} ms p50 {:8.2} ms p99, {:.1} found",
        at(0.5),
        at(0.99),
        found as f64 / runs as f64
    );
}
