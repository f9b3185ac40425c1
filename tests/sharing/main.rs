//! Who sees what: records that come and go without being changed, and rights that come and go under a device.

mod formulas;
mod owners;
mod rights;
mod scopes;
mod sweep;

use attache::{Attache, RecordId, Report};
use attache_sim::World;
use attache_tests::sync;

/// The place of a colleague among the users.
const COLLEAGUE: usize = 1;

fn id(text: &str) -> RecordId {
    RecordId::parse(text).expect("an id")
}

fn holds(device: &Attache, record: &str) -> bool {
    device.get(&id(record)).expect("a read").is_some()
}

/// The session of the next day: all sweeps and describes are due.
#[track_caller]
fn next_day(world: &World, device: &Attache) -> Report {
    world.sandbox.advance(90_000);
    sync(device)
}

/// The ids of an object's rows that a user owns and that fulfil a condition, oldest id first.
fn owned(world: &World, user: usize, object: &str, condition: &str) -> Vec<String> {
    let owner = &world.users[user].id;
    let soql =
        format!("SELECT Id FROM {object} WHERE OwnerId = '{owner}' AND {condition} ORDER BY Id");
    let rows = world.rows(world.boss(), &soql).expect("a valid query");
    rows.iter().filter_map(|row| row.text("Id")).collect()
}

/// When a row was last touched, as the org tells.
fn stamp(world: &World, object: &str, record: &str) -> String {
    let soql = format!("SELECT SystemModstamp FROM {object} WHERE Id = '{record}'");
    let rows = world.rows(world.boss(), &soql).expect("a valid query");
    rows[0].text("SystemModstamp").expect("a stamp")
}

/// Does something at the org that must leave a row untouched.
#[track_caller]
fn untouched<T>(world: &World, object: &str, record: &str, act: impl FnOnce() -> T) -> T {
    let before = stamp(world, object, record);
    world.sandbox.advance(60);
    let done = act();
    assert_eq!(stamp(world, object, record), before, "the row itself stays");
    done
}
