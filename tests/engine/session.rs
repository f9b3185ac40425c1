//! A session end to end: pull, edit offline, push, merge, conflict, resolve.

use attache::{Attache, Fields, Keep, Resolution, Value};
use attache_sim::{World, wait};
use attache_tests::{agrees, field_sales, first, prime};

fn primed(world: &World, user: usize) -> Attache {
    prime(world, user, &field_sales())
}

fn colleague(world: &World, object: &str, id: &str, fields: &[(&str, &str)]) {
    world.sandbox.advance(5);
    world
        .change(object, id, fields)
        .expect("a colleague may change the record");
    world.sandbox.advance(120);
}

#[test]
fn a_second_session_reads_and_writes_nothing() {
    let world = World::new(1, 1_000);
    let device = primed(&world, 0);
    let report = wait(device.sync()).expect("a second session runs");
    assert_eq!(
        (
            report.inserted,
            report.updated,
            report.evicted,
            report.deleted
        ),
        (0, 0, 0, 0)
    );
    assert!(report.is_settled());
    agrees(&world, 0, &device);
}

#[test]
fn a_family_created_offline_arrives_in_order_and_keeps_its_identities() {
    let world = World::new(2, 1_000);
    let device = primed(&world, 0);
    let account = device
        .create("Account", [("Name", "Offline & Söhne")])
        .expect("a valid account");
    let contact = device
        .create(
            "Contact",
            [
                ("LastName", Value::from("Öz")),
                ("AccountId", Value::from(&account)),
            ],
        )
        .expect("a valid contact");
    let report = wait(device.sync()).expect("a session runs");
    assert_eq!(report.pushed_creates, 2, "{report:?}");
    assert!(report.is_settled(), "{report:?}");
    let account = device
        .get(&account)
        .expect("a read")
        .expect("the identity still leads to the record");
    let contact = device
        .get(&contact)
        .expect("a read")
        .expect("the identity still leads to the record");
    assert_eq!(contact.fields.get("AccountId"), account.fields.get("Id"));
    assert!(
        !account
            .fields
            .get("Id")
            .and_then(Value::as_text)
            .expect("an id")
            .starts_with("local-")
    );
}

#[test]
fn fields_edited_on_both_sides_apart_merge_by_themselves() {
    let world = World::new(3, 1_000);
    let device = primed(&world, 0);
    let id = first(
        &device,
        "SELECT Id FROM Account WHERE OwnerId != null ORDER BY Id LIMIT 1",
    );
    device
        .update(&id, [("Phone", "+49 30 1234")])
        .expect("a valid edit");
    colleague(&world, "Account", id.as_str(), &[("Fax", "\"+49 30 99\"")]);
    let report = wait(device.sync()).expect("a session runs");
    assert_eq!(
        (report.merged.len(), report.conflicts),
        (1, 0),
        "{report:?}"
    );
    let record = device.get(&id).expect("a read").expect("the record");
    assert_eq!(
        record.fields.get("Phone"),
        Some(&Value::from("+49 30 1234"))
    );
    assert_eq!(record.fields.get("Fax"), Some(&Value::from("+49 30 99")));
    assert!(report.is_settled());
    agrees(&world, 0, &device);
}

#[test]
fn a_field_edited_on_both_sides_is_a_conflict_until_somebody_decides() {
    let world = World::new(4, 1_000);
    let device = primed(&world, 0);
    let id = first(
        &device,
        "SELECT Id FROM Account WHERE OwnerId != null ORDER BY Id LIMIT 1",
    );
    let base = device
        .get(&id)
        .expect("a read")
        .expect("the record")
        .fields
        .get("Phone")
        .cloned();
    device
        .update(&id, [("Phone", "mine")])
        .expect("a valid edit");
    colleague(&world, "Account", id.as_str(), &[("Phone", "\"theirs\"")]);
    let report = wait(device.sync()).expect("a session runs");
    assert_eq!(
        (report.conflicts, report.pushed_updates),
        (1, 0),
        "{report:?}"
    );
    let conflict = device.conflicts().expect("a read").remove(0);
    let field = &conflict.fields[0];
    assert_eq!(
        (
            field.name.as_str(),
            Some(&field.base),
            &field.local,
            &field.remote
        ),
        (
            "Phone",
            base.as_ref(),
            &Value::from("mine"),
            &Value::from("theirs")
        )
    );
    assert!(conflict.changed_by.is_some() && conflict.changed_at.is_some());
    // Nothing is decided by waiting.
    assert_eq!(wait(device.sync()).expect("a session runs").conflicts, 1);
    device
        .resolve(conflict.id, Resolution::per_field([("Phone", Keep::Mine)]))
        .expect("a valid resolution");
    let report = wait(device.sync()).expect("a session runs");
    assert_eq!(
        (report.conflicts, report.pushed_updates),
        (0, 1),
        "{report:?}"
    );
    assert!(report.is_settled());
    agrees(&world, 0, &device);
}

#[test]
fn a_local_refusal_names_every_problem_and_changes_nothing() {
    let world = World::new(5, 1_000);
    let device = primed(&world, 0);
    let long = "x".repeat(300);
    let error = device
        .create("Opportunity", Fields::from([("Name", long.as_str())]))
        .expect_err("an invalid record");
    let codes: Vec<&str> = error
        .problems()
        .iter()
        .map(|problem| problem.code.as_str())
        .collect();
    assert!(
        codes.contains(&"STRING_TOO_LONG") && codes.contains(&"REQUIRED_FIELD_MISSING"),
        "{codes:?}"
    );
    assert!(device.pending().expect("a read").is_empty());
}
