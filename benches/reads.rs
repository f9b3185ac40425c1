//! What a person waits for when reading: a list, a parent, a search, a record, the opening of the store.
//!
//! `cargo bench -p attache-benches --bench reads -- [CONTACTS]` (100,000 unless told otherwise)
//!
//! The store is made by a small first session; the contacts are then put into its table by SQL, so
//! that a million of them take seconds. The index of words is made by the engine.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use attache::{Attache, Briefcase, RecordId};
use attache_sim::{World, wait};
use rusqlite::{Connection, params};
use std::path::Path;
use std::time::Instant;

const FIRST: [&str; 16] = [
    "James", "Mary", "Jürgen", "Ana", "Zoë", "Li", "Olu", "Kenji", "Priya", "Lars", "Fatima",
    "Igor", "Chloé", "Søren", "Noor", "Diego",
];
const LAST: [&str; 16] = [
    "Smith",
    "Müller",
    "García",
    "O'Brien",
    "Nguyen",
    "Kowalski",
    "Rossi",
    "Yamada",
    "Singh",
    "Andersen",
    "Haddad",
    "Petrov",
    "Dubois",
    "Jensen",
    "Khan",
    "Fernández",
];
const RUNS: u64 = 200;
const OPENINGS: u64 = 20;

fn main() {
    let contacts: u64 = attache_benches::argument(100_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("reads.db");
    let (store, accounts) = fill(&path, contacts);
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

/// Makes a store of so many contacts, and gives the ids of its accounts.
fn fill(path: &Path, contacts: u64) -> (Attache, Vec<String>) {
    let world = World::new(1, 6_000);
    let device = world.device_at(0, path).expect("a store opens");
    device
        .set_briefcase(Briefcase::everything(["Account", "Contact"]))
        .expect("a briefcase is stored");
    wait(device.sync()).expect("a first session");
    let rows = device.query("SELECT Id FROM Account").expect("a query");
    let accounts: Vec<String> = rows
        .filter_map(|row| row.id().map(RecordId::to_string))
        .collect();
    drop(device);
    insert(path, contacts, &accounts).expect("the contacts are stored");
    let device = Attache::open(path).expect("the store opens again");
    for field in ["LastName", "AccountId"] {
        device.add_index("Contact", [field]).expect("an index");
    }
    (device, accounts)
}

fn insert(path: &Path, contacts: u64, accounts: &[String]) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    // Made again by the engine: their order of text is its own.
    let indexes: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'attache\\_on\\_Contact%' ESCAPE '\\'")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for index in indexes {
        connection.execute_batch(&format!("DROP INDEX \"{index}\""))?;
    }
    let transaction = connection.transaction()?;
    transaction.execute("DELETE FROM Contact", [])?;
    let mut insert = transaction.prepare(
        "INSERT INTO Contact (Id, FirstName, LastName, Name, Email, Phone, MailingCity, AccountId, attache_rules)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'Springfield', ?7, 1)",
    )?;
    for row in 0..contacts {
        let (first, last) = names(row);
        let account = &accounts[(scatter(row) % accounts.len() as u64) as usize];
        insert.execute(params![
            id(row),
            first,
            last,
            name(row),
            mail(row),
            phone(row),
            account
        ])?;
    }
    drop(insert);
    transaction.commit()
}

/// A number from 0 upwards, far from that of its neighbours.
fn scatter(row: u64) -> u64 {
    row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16
}

/// Without capitals, the check characters of an id are `AAA`.
fn id(row: u64) -> String {
    format!("003{row:012}AAA")
}

fn names(row: u64) -> (&'static str, String) {
    let chance = scatter(row);
    let last = LAST[(chance >> 4 & 15) as usize];
    // As many surnames as a large country has in daily use.
    (
        FIRST[(chance & 15) as usize],
        format!("{last}{}", chance >> 8 & 1023),
    )
}

fn name(row: u64) -> String {
    let (first, last) = names(row);
    format!("{first} {last}")
}

fn mail(row: u64) -> String {
    let (first, last) = names(row);
    format!("{first}.{last}.{row}@example{}.com", scatter(row) % 5_000)
}

fn phone(row: u64) -> String {
    let chance = scatter(row);
    format!(
        "+1 {} {} {:04}",
        200 + chance % 700,
        200 + (chance >> 20) % 700,
        (chance >> 30) % 10_000
    )
}
