//! Deletions that take others along, and children that were elsewhere by then.

use crate::{holds, id, rows};
use attache::{Attache, Value};
use attache_sim::World;
use attache_tests::{
    ME, agrees, at_org, briefcase, create, edit, prime, server_id, settle, sync, value,
};

/// Contacts by their accounts, and contacts by themselves.
const TWO_RULES: &str = r#"{"version": 1, "rules": [
    {"object": "Account", "where": "Name LIKE 'Keep %'", "related": [{"children": "Contact.AccountId"}]},
    {"object": "Contact", "where": "Title = 'Held twice'"},
    {"object": "Opportunity", "where": "Name != null"}]}"#;

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn device(seed: u64) -> (World, Attache) {
    let world = World::new(seed, 300);
    let device = prime(&world, ME, &briefcase(TWO_RULES));
    world.sandbox.advance(1_200);
    (world, device)
}

fn add(world: &World, object: &str, fields: &[(&str, &str)]) -> String {
    let me = quoted(&world.users[ME].id);
    let mut all = vec![("OwnerId", me.as_str())];
    all.extend(fields);
    world.add(object, &all).expect("the boss may")
}

/// Two accounts, and a child of the first that both rules hold.
fn family(world: &World) -> (String, String, String) {
    let one = add(world, "Account", &[("Name", "\"Keep one\"")]);
    let two = add(world, "Account", &[("Name", "\"Keep two\"")]);
    let child = add(
        world,
        "Contact",
        &[
            ("LastName", "\"Child\""),
            ("Title", "\"Held twice\""),
            ("AccountId", &quoted(&one)),
        ],
    );
    (one, two, child)
}

#[test]
fn a_child_that_a_second_rule_holds_goes_with_its_parent() {
    let (world, device) = device(600);
    let (one, _, child) = family(&world);
    settle(&world, &device);
    assert_eq!(device.why(&id(&child)).expect("a read").len(), 2);
    world.remove("Account", &one).expect("the boss may");
    world.sandbox.advance(90);
    sync(&device);
    assert!(!holds(&device, &one) && !holds(&device, &child));
    agrees(&world, ME, &device);
}

#[test]
fn a_child_that_was_edited_here_is_asked_about_when_its_parent_takes_it_along() {
    let (world, device) = device(601);
    let (one, _, child) = family(&world);
    settle(&world, &device);
    edit(&device, &id(&child), "Department", "Deck");
    let new = [
        ("LastName", Value::from("New")),
        ("AccountId", Value::from(one.as_str())),
    ];
    let new = create(&device, "Contact", new);
    world.remove("Account", &one).expect("the boss may");
    world.sandbox.advance(90);
    let report = sync(&device);
    assert_eq!(report.conflicts, 1, "{report:?}");
    assert_eq!(
        value(&device, &id(&child), "Department"),
        Value::from("Deck")
    );
    // What hangs on it and was never sent is told, and not thrown away.
    assert!(device.get(&new).expect("a read").is_some());
    assert_eq!(report.rejected.len(), 1, "{report:?}");
}

#[test]
fn a_child_whose_lookup_is_emptied_stays_for_its_other_rule() {
    let (world, device) = device(602);
    let boss = add(
        &world,
        "Contact",
        &[("LastName", "\"Boss\""), ("Title", "\"Held twice\"")],
    );
    let child = add(
        &world,
        "Contact",
        &[
            ("LastName", "\"Report\""),
            ("Title", "\"Held twice\""),
            ("ReportsToId", &quoted(&boss)),
        ],
    );
    settle(&world, &device);
    world.remove("Contact", &boss).expect("the boss may");
    world.sandbox.advance(90);
    sync(&device);
    assert!(!holds(&device, &boss));
    assert_eq!(value(&device, &id(&child), "ReportsToId"), Value::Null);
    agrees(&world, ME, &device);
}

#[test]
fn a_child_that_moved_in_the_second_of_its_parents_deletion_stays() {
    for (seed, titled) in [(610, true), (611, false)] {
        let (world, device) = device(seed);
        let (one, two, child) = family(&world);
        if !titled {
            world
                .change("Contact", &child, &[("Title", "null")])
                .expect("the boss may");
        }
        settle(&world, &device);
        world.sandbox.advance(1_200);
        world
            .change("Contact", &child, &[("AccountId", &quoted(&two))])
            .expect("the boss may");
        world.remove("Account", &one).expect("the boss may");
        world.sandbox.advance(90);
        let report = sync(&device);
        assert_eq!(report.deleted, 1, "{report:?}");
        assert_eq!(
            value(&device, &id(&child), "AccountId"),
            Value::from(two.as_str())
        );
        settle(&world, &device);
        assert!(holds(&device, &child));
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_child_that_moved_to_a_parent_elsewhere_in_that_second_leaves_and_lives() {
    for (seed, titled) in [(620, true), (621, false)] {
        let (world, device) = device(seed);
        let (one, _, child) = family(&world);
        let elsewhere = add(&world, "Account", &[("Name", "\"Not carried\"")]);
        let title = if titled { "\"Held twice\"" } else { "null" };
        world
            .change("Contact", &child, &[("Title", title)])
            .expect("the boss may");
        settle(&world, &device);
        world.sandbox.advance(1_200);
        world
            .change("Contact", &child, &[("AccountId", &quoted(&elsewhere))])
            .expect("the boss may");
        world.remove("Account", &one).expect("the boss may");
        world.sandbox.advance(90);
        sync(&device);
        assert_eq!(holds(&device, &child), titled, "its other rule holds it");
        assert!(at_org(&world, "Contact", &child, "Id").is_some());
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_new_parent_and_its_child_may_be_deleted_before_they_were_ever_read() {
    let (world, device) = device(630);
    let (one, two, child) = family(&world);
    world
        .change("Contact", &child, &[("AccountId", &quoted(&two))])
        .expect("the boss may");
    world.remove("Account", &two).expect("the boss may");
    world.sandbox.advance(90);
    let report = sync(&device);
    assert_eq!(report.deleted, 0, "{report:?}");
    assert!(holds(&device, &one) && !holds(&device, &two) && !holds(&device, &child));
    agrees(&world, ME, &device);
}

#[test]
fn a_record_that_this_device_hangs_elsewhere_while_its_parent_goes_follows_the_edit() {
    let (world, device) = device(640);
    let (one, two, child) = family(&world);
    settle(&world, &device);
    edit(&device, &id(&child), "AccountId", two.as_str());
    sync(&device);
    world.remove("Account", &one).expect("the boss may");
    world.sandbox.advance(90);
    settle(&world, &device);
    assert_eq!(server_id(&device, &id(&child)), child);
    assert_eq!(
        value(&device, &id(&child), "AccountId"),
        Value::from(two.as_str())
    );
    let opportunities = rows(&world, "SELECT Id FROM Opportunity LIMIT 1");
    assert!(!opportunities.is_empty(), "the other rules go on");
    agrees(&world, ME, &device);
}
