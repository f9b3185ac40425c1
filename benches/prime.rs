//! Primes a store, and compares it with the bare parts in the same run.
//!
//! `cargo bench -p attache-benches --bench prime -- [ROWS]`
//!
//! The bare parts: the same pages from the same org, each record split into its
//! fields by serde_json without decoding them, and the texts inserted into a
//! table of as many columns with an index on the id, a transaction a page. No
//! types, no membership, no journal, no resumption: a limit, not an engine.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use attache::{Attache, Briefcase, Remote};
use attache_sim::{World, wait};
use rusqlite::{Connection, params_from_iter};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

const OBJECTS: [&str; 6] = ["Account", "Contact", "Opportunity", "Lead", "Task", "Event"];
const RUNS: usize = 3;

fn main() {
    let rows = attache_benches::argument(100_000);
    let world = attache_benches::world(rows);
    println!(
        "machine: {}, {} rows in the org, best of {RUNS} runs",
        attache_benches::machine(),
        rows
    );

    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut engine, mut bare, mut fetch, mut idle) = (f64::MAX, f64::MAX, f64::MAX, f64::MAX);
    let (mut records, mut calls) = (0, 0);
    for run in 0..RUNS {
        let device = Attache::open(folder.path().join(format!("prime-{run}.db")))
            .expect("a store opens")
            .with_remote(world.remote(0).expect("a remote"));
        device
            .set_briefcase(Briefcase::everything(OBJECTS))
            .expect("a briefcase is stored");
        let begun = Instant::now();
        let report = wait(device.sync()).expect("a first session");
        engine = engine.min(begun.elapsed().as_secs_f64());
        (records, calls) = (report.inserted, report.api_calls);
        let begun = Instant::now();
        let again = wait(device.sync()).expect("a second session");
        idle = idle.min(begun.elapsed().as_secs_f64());
        assert_eq!((again.inserted, again.updated), (0, 0), "nothing changed");

        let begun = Instant::now();
        let fetched = pages(&world, |_, _| {});
        fetch = fetch.min(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        let stored = by_hand(&world, &folder.path().join(format!("bare-{run}.db")));
        bare = bare.min(begun.elapsed().as_secs_f64());
        assert_eq!(
            (fetched, stored),
            (records, records),
            "all did the same work"
        );
    }
    println!("fetch only       {:8.0} records/s", records as f64 / fetch);
    println!(
        "fetch and insert {:8.0} records/s (the bare limit)",
        records as f64 / bare
    );
    println!(
        "engine           {:8.0} records/s, {records} records, {calls} calls",
        records as f64 / engine
    );
    println!("engine / limit   {:8.2}", bare / engine);
    println!("no-change sync   {:8.1} ms", idle * 1000.0);
}

/// Reads every record of the objects, a page at a time, and counts them.
fn pages(world: &World, mut take: impl FnMut(&str, &[Box<RawValue>])) -> u64 {
    let remote = world.remote(0).expect("a remote");
    let mut count = 0;
    for object in OBJECTS {
        let describe = wait(remote.describe(object, None))
            .expect("a describe")
            .expect("it is new");
        let schema =
            attache::ObjectSchema::from_describe(&describe.json).expect("a describe reads");
        let fields: Vec<&str> = schema
            .stored_fields()
            .map(|field| field.name.as_str())
            .collect();
        let mut page = wait(remote.query(&format!(
            "SELECT {} FROM {object} ORDER BY Id",
            fields.join(", ")
        )))
        .expect("a page");
        loop {
            count += page.records.len() as u64;
            take(object, &page.records);
            let Some(next) = page.next else { break };
            page = wait(remote.query_more(&next)).expect("a page");
        }
    }
    count
}

fn by_hand(world: &World, path: &Path) -> u64 {
    let mut connection = Connection::open(path).expect("a database opens");
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .expect("a pragma");
    connection
        .pragma_update(None, "synchronous", "NORMAL")
        .expect("a pragma");
    let mut inserts: BTreeMap<String, String> = BTreeMap::new();
    pages(world, |object, records| {
        let transaction = connection.transaction().expect("a transaction");
        for record in records {
            let fields: BTreeMap<&str, &RawValue> =
                serde_json::from_str(record.get()).expect("a record");
            let insert = inserts.entry(object.to_owned()).or_insert_with(|| {
                let names: Vec<String> = fields.keys().map(|name| format!("\"{name}\"")).collect();
                let marks = vec!["?"; names.len()].join(", ");
                let table = format!(
                    "CREATE TABLE \"{object}\" ({}, UNIQUE (\"Id\"))",
                    names.join(", ")
                );
                transaction.execute_batch(&table).expect("a table");
                format!("INSERT INTO \"{object}\" VALUES ({marks})")
            });
            let mut statement = transaction.prepare_cached(insert).expect("a statement");
            statement
                .execute(params_from_iter(fields.values().map(|value| value.get())))
                .expect("an insert");
        }
        transaction.commit().expect("a commit");
    })
}
