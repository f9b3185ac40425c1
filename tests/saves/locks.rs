//! Locks, approvals, converted leads, triggers that fail for others: who has to wait, and who is told.

use super::{device, refusal};
use attache::Value;
use attache_sim::{Moment, Watcher};
use attache_tests::{ME, at_org, create, edit, server_id, settle, sync, value};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_row_lock_is_waited_for_and_not_told_to_anybody() {
    let (world, device) = device(1);
    let account = create(&device, "Account", [("Name", "Acme")]);
    settle(&world, &device);
    let id = server_id(&device, &account);
    edit(&device, &account, "Site", "Bern");
    let now = world.sandbox.now();
    world
        .sandbox
        .with_org(|org| org.lock("Account", &id, now + 100_000));
    let before = world.sandbox.requests();
    let report = sync(&device);
    assert!(report.rejected.is_empty(), "{report:?}");
    assert_eq!(report.pending, 1, "{report:?}");
    let tries = world.sandbox.requests() - before;
    assert!(tries < 40, "bounded: {tries} requests");
    world.sandbox.advance(100_001);
    settle(&world, &device);
    assert_eq!(
        at_org(&world, "Account", &id, "Site").as_deref(),
        Some("\"Bern\"")
    );
}

#[test]
fn a_lock_of_a_parent_delays_its_children_only() {
    // The lock is told of the one row, or of all rows that travel with it.
    for whole in [false, true] {
        let (world, device) = device(2);
        let parents: Vec<_> = ["Free", "Locked"]
            .map(|name| create(&device, "Account", [("Name", name)]))
            .into();
        settle(&world, &device);
        world
            .sandbox
            .with_switches(|switches| switches.locks_fail_chunks = whole);
        let now = world.sandbox.now();
        let locked = server_id(&device, &parents[1]);
        world.sandbox.with_org(|org| {
            org.config_mut().switches.writes_lock_parents = true;
            org.lock("Account", &locked, now + 100_000);
        });
        let contacts: Vec<_> = parents
            .iter()
            .map(|parent| {
                let fields = [
                    ("LastName", Value::from("X")),
                    ("AccountId", Value::from(parent)),
                ];
                create(&device, "Contact", fields)
            })
            .collect();
        let report = sync(&device);
        assert_eq!(report.pushed_creates, 1, "{report:?}");
        assert_eq!((report.pending, report.rejected.len()), (1, 0));
        server_id(&device, &contacts[0]);
        world.sandbox.advance(100_001);
        settle(&world, &device);
        server_id(&device, &contacts[1]);
    }
}

#[test]
fn an_approval_is_told_to_a_person_and_sent_when_they_say_so() {
    let (world, device) = device(3);
    let account = create(&device, "Account", [("Name", "Acme")]);
    settle(&world, &device);
    let id = server_id(&device, &account);
    world
        .sandbox
        .with_org(|org| org.submit_for_approval("Account", &id));
    edit(&device, &account, "Site", "Bern");
    sync(&device);
    let (seq, problems) = refusal(&device, &account);
    assert_eq!(problems[0].code, "ENTITY_IS_LOCKED");
    // Nobody knocks at a locked door for ever.
    let writes: Arc<AtomicUsize> = Arc::default();
    let count = Arc::clone(&writes);
    // A watcher is told of the parts of a call that only reads, each a GET.
    let watcher: Watcher = Arc::new(move |moment, method, target| {
        let is_write = method == "PATCH" || method == "POST";
        if moment == Moment::Sent && is_write && target.ends_with("/composite") {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let remote = world.watched_remote(ME, watcher).expect("a remote");
    sync(&device.clone().with_remote(remote));
    assert_eq!(writes.load(Ordering::SeqCst), 0);
    world
        .sandbox
        .with_org(|org| org.release_approval("Account", &id));
    device.retry(seq).expect("a retry");
    settle(&world, &device);
    assert_eq!(
        at_org(&world, "Account", &id, "Site").as_deref(),
        Some("\"Bern\"")
    );
}

#[test]
fn an_edit_of_a_converted_lead_is_told_with_its_reason() {
    let (world, device) = device(4);
    let lead = create(&device, "Lead", [("LastName", "Öz"), ("Company", "Acme")]);
    settle(&world, &device);
    let id = server_id(&device, &lead);
    edit(&device, &lead, "Title", "Boss");
    world
        .sandbox
        .with_org(|org| org.convert_lead(world.boss(), &id, true))
        .expect("a conversion");
    sync(&device);
    let (seq, problems) = refusal(&device, &lead);
    assert_eq!(problems[0].code, "CANNOT_UPDATE_CONVERTED_LEAD");
    assert_eq!(value(&device, &lead, "IsConverted"), Value::from(true));
    assert_eq!(
        value(&device, &lead, "Title"),
        Value::from("Boss"),
        "still here"
    );
    device.discard(seq).expect("let go");
    settle(&world, &device);
}

#[test]
fn a_trigger_that_fails_for_one_fails_for_no_other() {
    for whole in [false, true] {
        let (world, device) = device(5);
        world
            .sandbox
            .with_switches(|switches| switches.trigger_errors_fail_chunks = whole);
        let rules = r#"{"version": 1, "rules": [
            {"object": "Account", "if": "Name = 'Bad'", "throw": "NullPointerException"}]}"#;
        world
            .sandbox
            .with_org(|org| org.add_rules(rules))
            .expect("rules");
        let good: Vec<_> = (0..30)
            .map(|n| create(&device, "Account", [("Name", format!("Good {n}"))]))
            .collect();
        let bad = create(&device, "Account", [("Name", "Bad")]);
        let report = sync(&device);
        assert_eq!(report.pushed_creates, 30, "{report:?}");
        assert_eq!(report.rejected.len(), 1, "the culprit alone: {report:?}");
        let (_, problems) = refusal(&device, &bad);
        assert_eq!(problems[0].code, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");
        good.iter().for_each(|id| {
            server_id(&device, id);
        });
        edit(&device, &bad, "Name", "Better");
        settle(&world, &device);
    }
}

#[test]
fn an_owner_change_that_costs_access_is_done() {
    let (world, device) = device(6);
    let account = create(&device, "Account", [("Name", "Given away")]);
    settle(&world, &device);
    world.sandbox.advance(5);
    let id = server_id(&device, &account);
    edit(&device, &account, "OwnerId", world.users[1].id.as_str());
    let report = settle(&world, &device);
    assert!(report.is_settled());
    assert!(
        device.get(&account).expect("a read").is_none(),
        "out of sight"
    );
    let owner = format!("\"{}\"", world.users[1].id);
    assert_eq!(at_org(&world, "Account", &id, "OwnerId"), Some(owner));
}

#[test]
fn messages_in_another_language_change_nothing() {
    let (world, device) = device(7);
    world
        .sandbox
        .with_switches(|switches| switches.speaks_test_language = true);
    let account = create(&device, "Account", [("Name", "Acme")]);
    let contact = create(&device, "Contact", [("LastName", "Öz")]);
    settle(&world, &device);
    world.sandbox.advance(5);
    // Refused by a rule, out of date, gone: told apart by codes alone.
    edit(&device, &contact, "Birthdate", "2199-01-01");
    edit(&device, &account, "Site", "Bern");
    let id = server_id(&device, &account);
    world.remove("Account", &id).expect("a deletion");
    let report = sync(&device);
    assert_eq!(
        (report.conflicts, report.rejected.len()),
        (1, 1),
        "{report:?}"
    );
    let (_, problems) = refusal(&device, &contact);
    assert_eq!(problems[0].fields, ["Birthdate"]);
    assert!(problems[0].message.contains('ë'), "{}", problems[0].message);
}
