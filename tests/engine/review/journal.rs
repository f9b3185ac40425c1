//! What a person takes back, and what waits while fields and rules come and go.

use super::liar::{Liar, Push, Tricks};
use attache::{Attache, Keep, MutationKind, RecordId, Resolution, Value, WriteOutcome};
use attache_sim::World;
use attache_tests::{agrees, at_org, briefcase, create, edit, first, prime, settle, sync, value};
use std::sync::Arc;

const ACCOUNTS: &str = r#"{"version": 1, "rules": ["Account"]}"#;

fn an_account(device: &Attache) -> RecordId {
    first(device, "SELECT Id FROM Account ORDER BY Id LIMIT 1")
}

/// Somebody else writes where we do.
fn dispute(world: &World, device: &Attache, id: &RecordId) {
    edit(device, id, "Phone", "mine");
    world.sandbox.advance(60);
    world
        .change("Account", id.as_str(), &[("Phone", "\"theirs\"")])
        .expect("the boss may");
    world.sandbox.advance(60);
    assert_eq!(sync(device).conflicts, 1);
}

#[test]
fn a_text_that_begins_like_a_local_key_is_sent() {
    let world = World::new(1, 300);
    let device = prime(&world, 0, &briefcase(ACCOUNTS));
    let id = an_account(&device);
    edit(&device, &id, "Name", "local-brewery & sons");
    assert!(sync(&device).is_settled(), "{:?}", device.pending());
    agrees(&world, 0, &device);
}

#[test]
fn taking_one_edit_back_leaves_the_conflict_of_another() {
    let world = World::new(2, 300);
    let device = prime(&world, 0, &briefcase(ACCOUNTS));
    let id = an_account(&device);
    edit(&device, &id, "Fax", "1");
    dispute(&world, &device, &id);
    let fax = device.pending().expect("a read").remove(0);
    assert!(fax.fields.contains("Fax"));
    device.discard(fax.seq).expect("it waits");
    assert_eq!(sync(&device).conflicts, 1);
    let phone = at_org(&world, "Account", id.as_str(), "Phone");
    assert_eq!(phone.as_deref(), Some("\"theirs\""));
    // And taking back what is in conflict ends it.
    let phone = device.pending().expect("a read").remove(0);
    device.discard(phone.seq).expect("it waits");
    assert!(device.conflicts().expect("a read").is_empty());
    assert_eq!(value(&device, &id, "Phone"), Value::from("theirs"));
    assert!(sync(&device).is_settled());
    agrees(&world, 0, &device);
}

#[test]
fn an_edit_of_a_new_record_taken_back_is_not_shown() {
    let world = World::new(3, 300);
    let device = prime(&world, 0, &briefcase(ACCOUNTS));
    let id = create(&device, "Account", [("Name", "New")]);
    edit(&device, &id, "Phone", "1");
    let update = device.pending().expect("a read").remove(1);
    assert_eq!(update.kind, MutationKind::Update);
    device.discard(update.seq).expect("it waits");
    assert_eq!(value(&device, &id, "Phone"), Value::Null);
    assert_eq!(value(&device, &id, "Name"), Value::from("New"));
    assert!(sync(&device).is_settled());
    agrees(&world, 0, &device);
}

#[test]
fn a_deletion_taken_back_leaves_the_record_in_its_rules() {
    let world = World::new(4, 300);
    let tricks = Arc::new(Tricks::default());
    let remote = Liar(world.remote(0).expect("a remote"), Arc::clone(&tricks));
    let device = prime(&world, 0, &briefcase(ACCOUNTS)).with_remote(remote);
    let id = an_account(&device);
    edit(&device, &id, "Phone", "mine");
    world
        .change("Account", id.as_str(), &[("Fax", "\"1\"")])
        .expect("the boss may");
    world.sandbox.advance(60);
    let refused = Push::Instead(WriteOutcome::Refused(Vec::new()));
    tricks.push.lock().expect("one thread").push_back(refused);
    assert_eq!(sync(&device).rejected.len(), 1);
    world.sandbox.advance(1_500);
    sync(&device);
    device.delete(&id).expect("it may be deleted");
    for mutation in device.pending().expect("a read").iter().rev() {
        device.discard(mutation.seq).expect("it waits");
    }
    sync(&device);
    assert!(device.get(&id).expect("a read").is_some());
    agrees(&world, 0, &device);
}

#[test]
fn an_edit_waits_unharmed_while_its_field_leaves_the_briefcase() {
    let world = World::new(5, 300);
    let device = prime(&world, 0, &briefcase(ACCOUNTS));
    let id = an_account(&device);
    dispute(&world, &device, &id);
    let narrow =
        r#"{"version": 1, "objects": {"Account": {"fields": ["Name"]}}, "rules": ["Account"]}"#;
    for rules in [narrow, ACCOUNTS] {
        device
            .set_briefcase(briefcase(rules))
            .expect("it is stored");
        assert_eq!(sync(&device).conflicts, 1);
        assert_eq!(value(&device, &id, "Phone"), Value::from("mine"));
    }
    let conflict = device.conflicts().expect("a read").remove(0);
    let mine = Resolution::per_field([("Phone", Keep::Mine)]);
    device.resolve(conflict.id, mine).expect("it is open");
    assert!(sync(&device).is_settled());
    agrees(&world, 0, &device);
}

#[test]
fn an_edit_waits_unharmed_while_its_field_is_hidden() {
    let world = World::new(6, 300);
    let tricks = Arc::new(Tricks::default());
    let device = prime(&world, 0, &briefcase(ACCOUNTS));
    let remote = Liar(world.remote(0).expect("a remote"), Arc::clone(&tricks));
    let device = device.with_remote(remote);
    let id = an_account(&device);
    dispute(&world, &device, &id);
    let hide = |json: String| {
        let mut describe: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let fields = describe["fields"].as_array_mut().expect("a list");
        fields.retain(|field| field["name"] != "Phone");
        describe.to_string()
    };
    *tricks.describe.lock().expect("one thread") = Some(hide);
    world.sandbox.advance(25 * 3600);
    sync(&device);
    *tricks.describe.lock().expect("one thread") = None;
    world.sandbox.advance(25 * 3600);
    sync(&device);
    assert_eq!(value(&device, &id, "Phone"), Value::from("mine"));
    let phone = device.pending().expect("a read").remove(0);
    assert_eq!(phone.fields.get("Phone"), Some(&Value::from("mine")));
    let conflict = device.conflicts().expect("a read").remove(0);
    device
        .resolve(conflict.id, Resolution::Mine)
        .expect("it is open");
    settle(&world, &device);
    agrees(&world, 0, &device);
}

#[test]
fn a_new_field_is_filled_in_for_relatives_and_under_a_limit() {
    let world = World::new(7, 500);
    let rules = |fields: &str| {
        briefcase(&format!(
            r#"{{"version": 1, "objects": {{"Contact": {{"fields": {fields}}}, "Account": {{"fields": {fields}}}}}, "rules": [
            {{"object": "Account", "order_by": "CreatedDate", "limit": 20, "related": [{{"children": "Contact.AccountId"}}]}}]}}"#
        ))
    };
    let device = prime(&world, 0, &rules(r#"["Phone"]"#));
    device
        .set_briefcase(rules(r#"["Phone", "Fax", "Description", "CreatedDate"]"#))
        .expect("it is stored");
    sync(&device);
    agrees(&world, 0, &device);
}

#[test]
fn what_hangs_on_a_parent_follows_a_child_to_another_parent() {
    let world = World::new(8, 800);
    let mut accounts = world
        .rows(
            world.boss(),
            "SELECT Id, AccountId FROM Contact WHERE AccountId != null ORDER BY AccountId",
        )
        .expect("a query")
        .iter()
        .filter_map(|row| {
            row.raw("AccountId")
                .map(|id| id.trim_matches('"').to_owned())
        })
        .collect::<Vec<_>>();
    accounts.dedup();
    let [from, to] = [accounts[0].clone(), accounts[1].clone()];
    let boss = world.users.len() - 1;
    let opportunity = world
        .add(
            "Opportunity",
            &[
                ("Name", "\"Moving\""),
                ("StageName", "\"Prospecting\""),
                ("CloseDate", "\"2027-01-01\""),
                ("AccountId", &format!("\"{from}\"")),
            ],
        )
        .expect("the boss may");
    let device = prime(
        &world,
        boss,
        &briefcase(&format!(
            r#"{{"version": 1, "rules": [
            {{"object": "Account", "where": "Id = '{to}'"}},
            {{"object": "Opportunity", "where": "Name = 'Moving'", "related": [
                {{"parent": "AccountId", "related": [{{"children": "Contact.AccountId"}}]}}]}}]}}"#
        )),
    );
    agrees(&world, boss, &device);
    world.sandbox.advance(60);
    world
        .change(
            "Opportunity",
            &opportunity,
            &[("AccountId", &format!("\"{to}\""))],
        )
        .expect("the boss may");
    world.sandbox.advance(60);
    sync(&device);
    agrees(&world, boss, &device);
}
