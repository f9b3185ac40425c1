//! The comparison finds what differs: a check that cannot fail proves nothing.

use attache::{Attache, Briefcase};
use attache_sim::{World, wait};

const BRIEFCASE: &str = r#"{"version": 1, "rules": [
    {"object": "Account", "scope": "mine", "related": [{"children": "Contact.AccountId"}]},
    {"object": "Opportunity", "where": "CloseDate = NEXT_N_DAYS:90", "related": [{"parent": "AccountId"}]},
    {"object": "Lead", "order_by": "Company DESC", "limit": 5}]}"#;

fn primed(world: &World) -> Attache {
    let device = world.device(0).expect("a store in memory opens");
    let briefcase = Briefcase::from_json(BRIEFCASE).expect("a valid briefcase");
    device
        .set_briefcase(briefcase)
        .expect("a briefcase is stored");
    wait(device.sync()).expect("a first session runs");
    device
}

fn differences(world: &World, device: &Attache) -> Vec<String> {
    world.differences(0, device).expect("a comparison")
}

fn my_account(world: &World) -> String {
    let me = &world.users[0].id;
    let soql = format!("SELECT Id FROM Account WHERE OwnerId = '{me}' ORDER BY Id LIMIT 1");
    let rows = world.rows(me, &soql).expect("a valid query");
    rows[0].text("Id").expect("an id")
}

#[test]
fn a_device_that_was_just_primed_agrees() {
    let world = World::new(11, 600);
    let device = primed(&world);
    assert_eq!(differences(&world, &device), Vec::<String>::new());
}

#[test]
fn a_value_that_moved_on_is_found() {
    let world = World::new(12, 600);
    let device = primed(&world);
    world.sandbox.advance(60);
    let id = my_account(&world);
    world
        .change("Account", &id, &[("Phone", "\"+1 moved on\"")])
        .expect("the boss may");
    let found = differences(&world, &device);
    let phone = format!("Account {id} Phone: ");
    assert!(
        found.iter().any(|line| line.starts_with(&phone)),
        "{found:?}"
    );
}

#[test]
fn a_record_too_few_and_one_too_many_are_found() {
    let world = World::new(13, 600);
    let device = primed(&world);
    let me = world.users[0].id.clone();
    let new = world
        .add(
            "Account",
            &[("Name", "New"), ("OwnerId", &format!("\"{me}\""))],
        )
        .expect("the boss may");
    let old = my_account(&world);
    world.remove("Account", &old).expect("the boss may");
    let found = differences(&world, &device);
    for line in [
        format!("Account {new} belongs on the device and is not there"),
        format!("Account {old} does not belong on the device"),
    ] {
        assert!(found.contains(&line), "{found:?}");
    }
}

#[test]
fn a_record_that_the_org_never_saw_is_found() {
    let world = World::new(14, 600);
    let device = primed(&world);
    let id = device
        .create("Account", [("Name", "Unsent")])
        .expect("a valid account");
    let found = differences(&world, &device);
    assert_eq!(found, [format!("Account {id} never reached the org")]);
}

#[test]
fn a_record_made_twice_counts_twice_even_if_one_is_deleted() {
    let world = World::new(15, 600);
    for _ in 0..2 {
        world
            .add("Account", &[("Name", "Twin")])
            .expect("the boss may");
    }
    assert_eq!(world.times("Account", "Name", "Twin"), Ok(2));
    let soql = "SELECT Id FROM Account WHERE Name = 'Twin'";
    let rows = world.rows(world.boss(), soql).expect("a valid query");
    let id = rows[0].text("Id").expect("an id");
    world.remove("Account", &id).expect("the boss may");
    assert_eq!(world.times("Account", "Name", "Twin"), Ok(2));
}
