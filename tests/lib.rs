//! The tests of Attaché; see README.md. Here is what they share.

mod case;

pub use case::Case;

use attache::{Attache, Briefcase, Fields, RecordId, Report, Resolution, Value};
use attache_sim::{Moment, Watcher, World, wait};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Sessions after which a device without troubles must have settled.
pub const SESSIONS_MAX: usize = 8;

/// The user of a test that has one device.
pub const ME: usize = 0;

/// The briefcase of most tests: four kinds of rules, and a key for accounts only.
pub fn field_sales() -> Briefcase {
    briefcase(
        r#"{"version": 1, "objects": {"Account": {"client_key": "External_Id__c"}}, "rules": [
            {"name": "My Accounts", "object": "Account", "scope": "mine", "related": [
                {"children": "Contact.AccountId"}, {"children": "Opportunity.AccountId"}, {"children": "Task.WhatId"}]},
            {"name": "Soon", "object": "Opportunity", "scope": "mine", "where": "CloseDate = NEXT_N_DAYS:90",
             "related": [{"parent": "AccountId"}]},
            {"name": "This week", "object": "Task", "scope": "mine", "where": "ActivityDate = THIS_WEEK"}]}"#,
    )
}

/// Reads a briefcase that is known to be good.
pub fn briefcase(json: &str) -> Briefcase {
    Briefcase::from_json(json).expect("a valid briefcase")
}

/// Gives a device a briefcase and its first session.
pub fn prime(world: &World, user: usize, briefcase: &Briefcase) -> Attache {
    let device = world.device(user).expect("a store in memory opens");
    device
        .set_briefcase(briefcase.clone())
        .expect("a briefcase is stored");
    let report = wait(device.sync()).expect("a first session runs");
    assert!(report.inserted > 0, "{report:?}");
    device
}

/// A primed device of [`ME`] with the briefcase of most tests, and the first account it holds.
pub fn primed(seed: u64) -> (World, Attache, RecordId) {
    let world = World::new(seed, 600);
    let device = prime(&world, ME, &field_sales());
    let id = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    world.sandbox.advance(60);
    (world, device, id)
}

/// Runs a session that must succeed.
pub fn sync(device: &Attache) -> Report {
    wait(device.sync()).expect("a session runs")
}

/// Lets time pass and runs sessions until nothing is left to send, ask or decide.
pub fn settle(world: &World, device: &Attache) -> Report {
    for _ in 0..SESSIONS_MAX {
        world.sandbox.advance(700);
        let report = sync(device);
        if report.is_settled() {
            return report;
        }
    }
    panic!(
        "does not settle in {SESSIONS_MAX} sessions: {:?}",
        device.pending()
    );
}

/// Asserts that a settled device holds what the org says it should, and nothing else.
#[track_caller]
pub fn agrees(world: &World, user: usize, device: &Attache) {
    let differences = world.differences(user, device).expect("a comparison");
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// Asserts that SQLite finds nothing wrong with a store's file, after what a crash left in its log.
#[track_caller]
pub fn integrity(file: &Path) {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let store = rusqlite::Connection::open_with_flags(file, flags).expect("a SQLite file");
    let answer: String = store
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("an answer");
    assert_eq!(answer, "ok");
}

/// Finds the first record of a query on a device.
#[track_caller]
pub fn first(device: &Attache, soql: &str) -> RecordId {
    let mut rows = device.query(soql).expect("a valid query");
    rows.next()
        .and_then(|row| row.id().cloned())
        .expect("the query finds a record")
}

/// Finds all records of a query on a device.
pub fn all(device: &Attache, soql: &str) -> Vec<RecordId> {
    let rows = device.query(soql).expect("a valid query");
    rows.filter_map(|row| row.id().cloned()).collect()
}

/// Reads one value of a record on a device.
#[track_caller]
pub fn value(device: &Attache, id: &RecordId, field: &str) -> Value {
    let record = device.get(id).expect("a read").expect("the record");
    record.fields.get(field).cloned().unwrap_or(Value::Null)
}

/// The id by which the org knows a record of a device.
#[track_caller]
pub fn server_id(device: &Attache, id: &RecordId) -> String {
    match value(device, id, "Id") {
        Value::Text(id) if !id.starts_with("local-") => id,
        other => panic!("the org does not know {id} yet: {other:?}"),
    }
}

/// Reads one value of a row at the org as JSON; `None` if the row is deleted.
#[track_caller]
pub fn at_org(world: &World, object: &str, id: &str, field: &str) -> Option<String> {
    let fields = if field == "Id" { "" } else { field };
    let comma = if fields.is_empty() { "" } else { ", " };
    let soql = format!("SELECT Id{comma}{fields} FROM {object} WHERE Id = '{id}'");
    let rows = world.rows(world.boss(), &soql).expect("a valid query");
    rows.first()
        .and_then(|row| row.raw(field).map(str::to_owned))
}

/// Asserts what text a field of an account holds at the org.
#[track_caller]
pub fn org_says(world: &World, id: &str, field: &str, text: &str) {
    let there = at_org(world, "Account", id, field);
    assert_eq!(there, Some(format!("{text:?}")), "{field}");
}

/// Asserts that a session sent no update and asks about one record.
#[track_caller]
pub fn asks(report: &Report) {
    let told = (report.pushed_updates, report.conflicts);
    assert_eq!(told, (0, 1), "{report:?}");
}

/// Decides the first conflict there is.
#[track_caller]
pub fn decide(device: &Attache, resolution: Resolution) {
    let conflict = device.conflicts().expect("a read").remove(0);
    device
        .resolve(conflict.id, resolution)
        .expect("a valid resolution");
}

/// A text as JSON, as the org takes it.
pub fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// The id of [`ME`] as JSON.
pub fn me(world: &World) -> String {
    quoted(&world.users[ME].id)
}

/// A colleague writes a text into an account, a few seconds away from what was before and comes after.
#[track_caller]
pub fn colleague(world: &World, id: &str, field: &str, text: &str) {
    world.sandbox.advance(5);
    world
        .change("Account", id, &[(field, &quoted(text))])
        .expect("the boss may");
    world.sandbox.advance(5);
}

/// A colleague's write of texts into an account, for [`meanwhile`].
pub fn colleague_at_once<const N: usize>(
    world: &World,
    id: &RecordId,
    texts: [(&'static str, &'static str); N],
) -> impl Fn() + Send + Sync + 'static {
    let (sandbox, boss, id) = (world.sandbox.clone(), world.boss().to_owned(), id.clone());
    move || {
        let fields = attache_sim::fields(&texts);
        sandbox
            .with_org(|org| org.update(&boss, "Account", id.as_str(), &fields, None))
            .expect("the boss may");
    }
}

/// Creates a record on a device.
#[track_caller]
pub fn create(device: &Attache, object: &str, fields: impl Into<Fields>) -> RecordId {
    device.create(object, fields).expect("a valid record")
}

/// Edits a record on a device.
#[track_caller]
pub fn edit(device: &Attache, id: &RecordId, field: &str, value: impl Into<Value>) {
    device.update(id, [(field, value)]).expect("a valid edit");
}

/// Another handle of the device of [`ME`], whose person acts once, at the first request that fits.
///
/// # Panics
/// If the remote cannot be made, which the simulation's own tests exclude.
pub fn meanwhile(
    world: &World,
    device: &Attache,
    at: (Moment, &'static str, &'static str),
    act: impl Fn(&Attache) + Send + Sync + 'static,
) -> Attache {
    let (done, host) = (AtomicBool::new(false), device.clone());
    let watcher: Watcher = Arc::new(move |moment, method, target| {
        let fits = (moment, method) == (at.0, at.1) && target.contains(at.2);
        if fits && !done.swap(true, Ordering::SeqCst) {
            act(&host);
        }
    });
    let remote = world.watched_remote(ME, watcher).expect("a remote");
    device.clone().with_remote(remote)
}
