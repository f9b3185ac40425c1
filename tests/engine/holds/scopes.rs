//! Scopes: what the device can tell by itself, and what only the org can.

use super::{at_org, holds, id};
use attache::{Attache, ErrorKind};
use attache_sim::{World, wait};
use attache_tests::{ME, briefcase, edit, prime, settle, sync};
use std::collections::BTreeSet;

const COLLEAGUE: usize = 1;

/// A day and a bit: sweeps of what nobody changed are due.
fn a_day(world: &World) {
    world.sandbox.advance(90_000);
}

/// The queue of the org.
fn queue(world: &World) -> String {
    let soql = "SELECT Id FROM Group WHERE Type = 'Queue'";
    let rows = world.rows(world.boss(), soql).expect("a valid query");
    rows[0].text("Id").expect("an id")
}

/// Puts a user into the queue, and gives the id of the membership.
fn join(world: &World, user: usize) -> String {
    let fields = [
        ("GroupId", queue(world)),
        ("UserOrGroupId", world.users[user].id.clone()),
    ];
    let fields = fields.each_ref().map(|(name, id)| (*name, id.as_str()));
    world.add("GroupMember", &fields).expect("the boss may")
}

fn give(world: &World, lead: &str, owner: &str) {
    world
        .change("Lead", lead, &[("OwnerId", owner)])
        .expect("the boss may");
}

/// The leads of a device, by the names the org gave them.
fn leads(device: &Attache) -> BTreeSet<String> {
    let found = attache_tests::all(device, "SELECT Id FROM Lead");
    found.iter().map(ToString::to_string).collect()
}

fn of_queue(world: &World) -> BTreeSet<String> {
    let condition = format!("OwnerId = '{}'", queue(world));
    at_org(world, "Lead", &condition).into_iter().collect()
}

const QUEUE: &str = r#"{"version": 1, "rules": [{"object": "Lead", "scope": "queue"}]}"#;

/// A lead owned by its colleague, whom the user does not see.
fn elsewhere(world: &World) -> String {
    let theirs = format!("OwnerId = '{}'", world.users[COLLEAGUE].id);
    let soql = format!("SELECT Id FROM Lead WHERE {theirs} AND IsConverted = false ORDER BY Id");
    let rows = world.rows(world.boss(), &soql).expect("a valid query");
    rows[0].text("Id").expect("an id")
}

#[test]
fn the_leads_of_a_queue_come_and_those_taken_out_of_it_go() {
    let world = World::new(281, 1_500);
    join(&world, ME);
    let device = prime(&world, ME, &briefcase(QUEUE));
    let before = of_queue(&world);
    assert!(before.len() > 1, "{before:?}");
    assert_eq!(leads(&device), before);

    let taken = before.first().expect("a lead").clone();
    give(&world, &taken, &world.users[COLLEAGUE].id);
    let put = elsewhere(&world);
    assert!(!holds(&device, &put));
    give(&world, &put, &queue(&world));
    settle(&world, &device);
    assert!(holds(&device, &put), "its stamp moved");
    a_day(&world);
    sync(&device);
    assert!(!holds(&device, &taken));
    assert_eq!(leads(&device), of_queue(&world));
    assert_eq!(world.times("Lead", "Id", &taken), Ok(1), "no deletion");
}

#[test]
fn who_is_not_in_the_queue_gets_none_of_it() {
    let world = World::new(282, 1_500);
    join(&world, COLLEAGUE);
    let device = world.device(ME).expect("a store");
    device.set_briefcase(briefcase(QUEUE)).expect("stored");
    sync(&device);
    assert!(of_queue_as_boss(&world) > 0);
    assert_eq!(leads(&device), BTreeSet::new());
    join(&world, ME);
    a_day(&world);
    sync(&device);
    assert_eq!(leads(&device), of_queue(&world), "no lead was changed");
}

#[test]
fn a_membership_taken_away_takes_the_leads_at_the_next_sweep() {
    let world = World::new(283, 1_500);
    let membership = join(&world, ME);
    let device = prime(&world, ME, &briefcase(QUEUE));
    let all = leads(&device);
    world
        .remove("GroupMember", &membership)
        .expect("the boss may");
    a_day(&world);
    let report = sync(&device);
    assert_eq!(report.evicted as usize, all.len(), "{report:?}");
    assert_eq!(leads(&device), BTreeSet::new());
    assert_eq!(of_queue_as_boss(&world), all.len(), "no deletion");
}

fn of_queue_as_boss(world: &World) -> usize {
    let soql = format!("SELECT Id FROM Lead WHERE OwnerId = '{}'", queue(world));
    let rows = world.rows(world.boss(), &soql).expect("a valid query");
    rows.len()
}

#[test]
fn what_is_given_away_is_no_longer_mine() {
    let world = World::new(284, 1_500);
    let rules = r#"{"version": 1, "rules": [{"object": "Account", "scope": "mine"}]}"#;
    let device = prime(&world, ME, &briefcase(rules));
    let account = super::mine(&world).swap_remove(0);
    edit(
        &device,
        &id(&account),
        "OwnerId",
        world.users[COLLEAGUE].id.as_str(),
    );
    settle(&world, &device);
    assert!(!holds(&device, &account));
}

#[test]
fn a_team_is_asked_for_by_its_scope() {
    let world = World::new(285, 1_500);
    let rules = r#"{"version": 1, "rules": [{"object": "Account", "scope": "team"}]}"#;
    let theirs = at_org_of(&world, COLLEAGUE);
    world
        .sandbox
        .with_org(|org| org.grant("Account", &theirs, &world.users[ME].id));
    let device = prime(&world, ME, &briefcase(rules));
    let asked = world.sandbox.log();
    assert!(
        asked
            .iter()
            .any(|one| format!("{one:?}").contains("USING+SCOPE+team")
                || format!("{one:?}").contains("USING%20SCOPE%20team")
                || format!("{one:?}").contains("USING SCOPE team")),
        "{:?}",
        asked.last()
    );
    assert!(holds(&device, &theirs));
    world
        .sandbox
        .with_org(|org| org.revoke("Account", &theirs, &world.users[ME].id));
    a_day(&world);
    sync(&device);
    assert!(!holds(&device, &theirs));
}

/// An account of a user.
fn at_org_of(world: &World, user: usize) -> String {
    let soql = format!(
        "SELECT Id FROM Account WHERE OwnerId = '{}' ORDER BY Id",
        world.users[user].id
    );
    let rows = world.rows(world.boss(), &soql).expect("a valid query");
    rows[0].text("Id").expect("an id")
}

#[test]
fn a_scope_that_the_object_lacks_is_refused_by_name() {
    for (object, scope, told) in [
        (
            "Account",
            "my_territory",
            "Account has no scope \"my_territory\"; it has everything, mine, team",
        ),
        (
            "Account",
            "queue",
            "records of Account are never owned by a queue",
        ),
    ] {
        let world = World::new(286, 300);
        let device = world.device(ME).expect("a store");
        let rules = format!(
            r#"{{"version": 1, "rules": [{{"name": "R", "object": "{object}", "scope": "{scope}"}}]}}"#
        );
        device.set_briefcase(briefcase(&rules)).expect("stored");
        let error = wait(device.sync()).expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(told), "{error}");
        assert!(error.to_string().contains("\"R\""), "{error}");
    }
}
