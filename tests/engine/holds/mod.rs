//! What holds a record on a device: rules, pins, views, unsent edits, and how one finds out.

mod dry_run;
mod fetch;
mod limits;
mod pins;
mod recents;
mod related;
mod scopes;
mod why;

use attache::{Attache, Briefcase, RecordId};
use attache_sim::World;
use attache_tests::{ME, prime, sync};

fn id(text: &str) -> RecordId {
    RecordId::parse(text).expect("an id")
}

fn holds(device: &Attache, id: &str) -> bool {
    let id = RecordId::parse(id).expect("an id");
    device.get(&id).expect("a read").is_some()
}

/// A briefcase that holds four accounts of this user, and names contacts without a rule.
fn small(world: &World) -> Briefcase {
    for account in &mine(world)[..4] {
        let kept = [("Site", "\"Kept\"")];
        world
            .change("Account", account, &kept)
            .expect("the boss may");
    }
    attache_tests::briefcase(
        r#"{"version": 1, "objects": {"Contact": {}}, "rules": [
            {"name": "Kept", "object": "Account", "where": "Site = 'Kept'"},
            {"name": "Mine and kept", "object": "Account", "scope": "mine", "where": "Site = 'Kept'"}]}"#,
    )
}

/// What takes an account out of the small briefcase.
const AWAY: [(&str, &str); 1] = [("Site", "\"Away\"")];

/// A device with the small briefcase and a pin of an account outside, which it has fetched.
fn pinned(seed: u64) -> (World, Attache, String) {
    let world = World::new(seed, 1_500);
    let device = prime(&world, ME, &small(&world));
    let account = outside(&world);
    device.pin(&id(&account)).expect("a pin");
    sync(&device);
    (world, device, account)
}

/// A device with the small briefcase and a pin of an account that its rules have dropped since.
fn dropped(seed: u64) -> (World, Attache, String) {
    let world = World::new(seed, 1_500);
    let device = prime(&world, ME, &small(&world));
    let account = mine(&world).swap_remove(0);
    device.pin(&id(&account)).expect("a pin");
    world.sandbox.advance(60);
    world
        .change("Account", &account, &AWAY)
        .expect("the boss may");
    (world, device, account)
}

/// The accounts of this user. The first four are in the small briefcase, the others are not.
fn mine(world: &World) -> Vec<String> {
    at_org(
        world,
        "Account",
        &format!("OwnerId = '{}'", world.users[ME].id),
    )
}

/// Ids of records at the org that a user sees and a condition matches.
fn at_org(world: &World, object: &str, condition: &str) -> Vec<String> {
    let soql = format!("SELECT Id FROM {object} WHERE {condition} ORDER BY Id");
    let rows = world
        .rows(&world.users[ME].id, &soql)
        .expect("a valid query");
    rows.iter().filter_map(|row| row.text("Id")).collect()
}

/// An account of this user that the small briefcase leaves out.
fn outside(world: &World) -> String {
    mine(world).swap_remove(4)
}

/// Has an hour and a bit go by, so that looks at what nobody changed are due.
fn an_hour(world: &World) {
    world.sandbox.advance(3_700);
}
