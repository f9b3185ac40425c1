//! A store of many contacts, made in seconds: by a small first session, and by SQL for the rest.

use attache::{Attache, Briefcase, RecordId};
use attache_sim::{World, wait};
use rusqlite::{Connection, params};
use std::path::Path;

/// First names.
pub const FIRST: [&str; 16] = [
    "James", "Mary", "Jürgen", "Ana", "Zoë", "Li", "Olu", "Kenji", "Priya", "Lars", "Fatima",
    "Igor", "Chloé", "Søren", "Noor", "Diego",
];
/// What last names begin with.
pub const LAST: [&str; 16] = [
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
/// Makes a store of so many contacts without an index, and gives the ids of its accounts.
///
/// # Panics
/// Where that fails.
pub fn fill(path: &Path, contacts: u64) -> (Attache, Vec<String>) {
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
pub fn scatter(row: u64) -> u64 {
    row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16
}

/// Without capitals, the check characters of an id are `AAA`.
pub fn id(row: u64) -> String {
    format!("003{row:012}AAA")
}

/// The first and the last name of a row.
pub fn names(row: u64) -> (&'static str, String) {
    let chance = scatter(row);
    let last = LAST[(chance >> 4 & 15) as usize];
    // As many surnames as a large country has in daily use.
    (
        FIRST[(chance & 15) as usize],
        format!("{last}{}", chance >> 8 & 1023),
    )
}

/// The whole name of a row.
pub fn name(row: u64) -> String {
    let (first, last) = names(row);
    format!("{first} {last}")
}

/// The e-mail address of a row.
pub fn mail(row: u64) -> String {
    let (first, last) = names(row);
    format!("{first}.{last}.{row}@example{}.com", scatter(row) % 5_000)
}

/// The telephone number of a row.
pub fn phone(row: u64) -> String {
    let chance = scatter(row);
    format!(
        "+1 {} {} {:04}",
        200 + chance % 700,
        200 + (chance >> 20) % 700,
        (chance >> 30) % 10_000
    )
}
