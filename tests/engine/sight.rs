//! What goes out of a user's sight without being deleted, and what must not be taken for it.

use attache::{Attache, Briefcase, Resolution, Value};
use attache_sandbox::org::Rights;
use attache_sim::{World, wait};

const SECONDS_A_DAY: u32 = 86_400;

fn primed(world: &World) -> Attache {
    let device = world.device(0).expect("a store in memory opens");
    let rules = r#"{"version": 1, "rules": [
        {"object": "Account", "scope": "mine", "related": [{"children": "Contact.AccountId"}]},
        {"object": "Opportunity", "scope": "mine", "related": [{"parent": "AccountId"}]}]}"#;
    device
        .set_briefcase(Briefcase::from_json(rules).expect("a valid briefcase"))
        .expect("it is stored");
    wait(device.sync()).expect("a first session");
    device
}

/// What somebody who may do anything does at the org.
fn by_the_boss(world: &World, act: impl FnOnce(&mut attache_sandbox::org::Org, &str)) {
    let boss = world.users.last().expect("there are users").id.clone();
    world.sandbox.advance(60);
    world.sandbox.with_org(|org| {
        org.set_rights(
            &boss,
            Rights {
                view_all: true,
                modify_all: true,
            },
        );
        act(org, &boss);
    });
    world.sandbox.advance(120);
}

fn set(
    org: &mut attache_sandbox::org::Org,
    boss: &str,
    object: &str,
    id: &str,
    field: &str,
    value: &str,
) {
    let value =
        serde_json::value::RawValue::from_string(format!("\"{value}\"")).expect("valid JSON");
    org.update(boss, object, id, &[(field.to_owned(), value)], None)
        .expect("the boss may");
}

/// A contact of mine under an account of mine: (contact, account).
fn a_contact(device: &Attache) -> (String, String) {
    let mut rows = device
        .query("SELECT Id, AccountId FROM Contact WHERE AccountId != null ORDER BY Id")
        .expect("a query");
    let row = rows.next().expect("there are contacts");
    let text = |name| {
        row.get(name)
            .and_then(Value::as_text)
            .expect("an id")
            .to_owned()
    };
    (text("Id"), text("AccountId"))
}

fn has(device: &Attache, object: &str, id: &str) -> bool {
    let found = device
        .query(&format!("SELECT Id FROM {object} WHERE Id = '{id}'"))
        .expect("a query");
    found.len() == 1
}

#[test]
fn a_record_given_to_somebody_else_leaves_with_its_children() {
    let world = World::new(1, 1_000);
    let device = primed(&world);
    let (contact, account) = a_contact(&device);
    let other = world.users[1].id.clone();
    by_the_boss(&world, |org, boss| {
        set(org, boss, "Account", &account, "OwnerId", &other);
        set(org, boss, "Contact", &contact, "OwnerId", &other);
    });
    world.sandbox.advance(SECONDS_A_DAY);
    wait(device.sync()).expect("a session");
    assert!(!has(&device, "Account", &account));
    assert!(!has(&device, "Contact", &contact));
}

#[test]
fn a_child_hung_where_nobody_here_may_look_leaves() {
    let world = World::new(2, 1_000);
    let device = primed(&world);
    let (contact, account) = a_contact(&device);
    let other = world.users[1].id.clone();
    by_the_boss(&world, |org, boss| {
        let name = serde_json::value::RawValue::from_string("\"Elsewhere\"".to_owned())
            .expect("valid JSON");
        let elsewhere = org
            .create(boss, "Account", &[("Name".to_owned(), name)])
            .expect("the boss may");
        set(org, boss, "Contact", &contact, "OwnerId", &other);
        set(org, boss, "Contact", &contact, "AccountId", &elsewhere);
    });
    world.sandbox.advance(SECONDS_A_DAY);
    wait(device.sync()).expect("a session");
    assert!(has(&device, "Account", &account));
    assert!(!has(&device, "Contact", &contact));
}

#[test]
fn a_record_made_again_is_not_asked_about_twice() {
    let world = World::new(3, 1_000);
    let device = primed(&world);
    let (contact, account) = a_contact(&device);
    let id = attache::RecordId::parse(&contact).expect("an id");
    device
        .update(&id, [("Title", "Keeper")])
        .expect("a valid edit");
    by_the_boss(&world, |org, boss| {
        org.delete(boss, "Contact", &contact).expect("the boss may")
    });
    assert_eq!(wait(device.sync()).expect("a session").conflicts, 1);
    let conflict = device.conflicts().expect("a read").remove(0);
    device
        .resolve(conflict.id, Resolution::Mine)
        .expect("a valid resolution");
    // Something moves near it, so that relations are looked at anew.
    by_the_boss(&world, |org, boss| {
        set(org, boss, "Account", &account, "Phone", "+49 30 1")
    });
    world.sandbox.advance(SECONDS_A_DAY);
    let report = wait(device.sync()).expect("a session");
    assert_eq!(
        (report.conflicts, report.pushed_creates),
        (0, 1),
        "{report:?}"
    );
    let record = device
        .get(&id)
        .expect("a read")
        .expect("the identity still holds");
    assert_eq!(record.fields.get("Title"), Some(&Value::from("Keeper")));
    assert_ne!(
        record.fields.get("Id"),
        Some(&Value::from(contact.as_str()))
    );
}

#[test]
fn what_hung_under_a_record_that_was_let_go_leaves_with_it() {
    let world = World::new(4, 1_000);
    let device = world.device(0).expect("a store in memory opens");
    let rules = r#"{"version": 1, "rules": [
        {"object": "Account", "scope": "mine", "related": [{"children": "Task.WhatId"}]}]}"#;
    device
        .set_briefcase(Briefcase::from_json(rules).expect("a valid briefcase"))
        .expect("it is stored");
    wait(device.sync()).expect("a first session");
    let mut rows = device
        .query("SELECT Id, WhatId FROM Task ORDER BY Id")
        .expect("a query");
    let row = rows.next().expect("there are tasks");
    let text = |name| row.get(name).and_then(Value::as_text).expect("an id");
    let (task, account) = (text("Id").to_owned(), text("WhatId").to_owned());
    let id = attache::RecordId::parse(&account).expect("an id");
    device
        .update(&id, [("Site", "mine")])
        .expect("a valid edit");
    let (me, other) = (world.users[0].id.clone(), world.users[1].id.clone());
    by_the_boss(&world, |org, boss| {
        set(org, boss, "Account", &account, "OwnerId", &other);
        // The task stays in sight, but not in the briefcase.
        org.grant("Task", &task, &me);
    });
    assert_eq!(wait(device.sync()).expect("a session").conflicts, 1);
    assert_eq!(wait(device.sync()).expect("a session").conflicts, 1);
    let conflict = device.conflicts().expect("a read").remove(0);
    device
        .resolve(conflict.id, Resolution::Theirs)
        .expect("a valid resolution");
    wait(device.sync()).expect("a session");
    assert!(!has(&device, "Account", &account));
    assert!(!has(&device, "Task", &task));
}
