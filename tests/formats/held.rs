//! The fixtures, and what each of them holds.

use super::story;
use attache::{Attache, ConflictKind, MutationState, RecordId, Value};
use attache_tests::{all, server_id, value};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("formats")
}

/// The dump of a store of a format, if there is one.
pub fn fixture(format: i32) -> Option<String> {
    std::fs::read_to_string(folder().join(format!("format-{format}.sql"))).ok()
}

/// Makes a file of what `dump` wrote.
pub fn load(sql: &str, path: &Path) -> rusqlite::Result<()> {
    let file = Connection::open(path)?;
    file.execute_batch(sql)?;
    file.pragma_update(None, "journal_mode", "WAL")
}

/// The format of a file.
pub fn format_of(path: &Path) -> i32 {
    let file = Connection::open(path).expect("a SQLite file");
    file.pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("a number")
}

fn states(device: &Attache) -> BTreeMap<&'static str, usize> {
    let mut states = BTreeMap::new();
    for mutation in device.pending().expect("a read") {
        let name = match mutation.state {
            MutationState::Pending => "pending",
            MutationState::Sending => "sending",
            MutationState::InDoubt { .. } => "in doubt",
            MutationState::Rejected(_) => "rejected",
            MutationState::Conflicted => "in conflict",
        };
        *states.entry(name).or_default() += 1;
    }
    states
}

/// Checks that a store holds what the story left in it.
pub fn holds(device: &Attache) {
    let expected = [
        ("in conflict", 2),
        ("in doubt", 2),
        ("pending", 11),
        ("rejected", 1),
        ("sending", 1),
    ];
    assert_eq!(states(device), BTreeMap::from(expected));
    let status = device.status().expect("a count");
    let expected = [
        ("Account", 12),
        ("Contact", 6),
        ("Opportunity", 3),
        ("Task", 2),
    ];
    let expected = expected.map(|(object, count)| (object.to_owned(), count));
    assert_eq!(status.records, expected);
    assert!(status.username.is_some() && status.last_sync.is_some());
    let address = device.host_value("address").expect("a read");
    assert_eq!(address.as_deref(), Some("https://acme"));
    let briefcase = device.briefcase().expect("a read").expect("a briefcase");
    assert!(briefcase.to_json().contains("\"Formats\""));

    let conflicts = device.conflicts().expect("a read");
    let kinds: Vec<_> = conflicts.iter().map(|conflict| conflict.kind).collect();
    assert_eq!(kinds, [ConflictKind::Fields, ConflictKind::DeletedAtRemote]);
    let phone = &conflicts[0].fields[0];
    assert_eq!(
        (&phone.base, &phone.local, &phone.remote),
        (&Value::Null, &"mine".into(), &"theirs".into())
    );

    // Values of every kind, with the edits on top.
    let third = story::account(device, 3);
    let shown = |field| value(device, &third, field).to_json();
    assert_eq!(shown("AnnualRevenue"), "-876543210987654321");
    assert_eq!(shown("Regions__c"), "\"APAC;LATAM\"");
    assert_eq!(shown("Renewal_Date__c"), "\"2028-02-29\"");
    assert_eq!(
        (shown("Active__c"), shown("Site")),
        ("true".into(), "null".into())
    );
    assert_eq!(shown("Description"), "\"Zürich, O'Neil \\\\ 100 %_\"");
    let deal = "SELECT Name FROM Opportunity WHERE Amount = 1234567890123456.70";
    assert_eq!(all(device, deal).len(), 1);
    let children =
        "SELECT Id FROM Contact WHERE Account.Name = 'Waits' AND LastName = 'Waits below'";
    assert_eq!(all(device, children).len(), 1);
    assert!(all(device, "SELECT Id FROM Account WHERE Name = 'Account 4'").is_empty());
    // Both identities of a record that was made here lead to it.
    let sent = all(
        device,
        "SELECT Id FROM Account WHERE Name = 'Made and sent'",
    );
    assert!(sent[0].is_local());
    let by_id = RecordId::parse(&server_id(device, &sent[0])).expect("an id");
    let found = device.get(&by_id).expect("a read").expect("the record");
    assert_eq!(found.id, sent[0]);
}
