//! Remotes that lie or lose: a typed error, no loop without end, nothing twice and nothing overwritten.

use super::liar::{Liar, Push, Tricks};
use attache::{Attache, Briefcase, ErrorKind, Page, WriteOutcome};
use attache_sim::{World, wait};
use attache_tests::{
    agrees, all, at_org, briefcase, create, edit, first, prime, settle, sync, value,
};
use std::sync::Arc;

fn contacts() -> Briefcase {
    briefcase(r#"{"version": 1, "rules": ["Contact"]}"#)
}

fn lied_to(world: &World, briefcase: &Briefcase) -> (Attache, Arc<Tricks>) {
    let tricks = Arc::new(Tricks::default());
    let remote = Liar(world.remote(0).expect("a remote"), Arc::clone(&tricks));
    (prime(world, 0, briefcase).with_remote(remote), tricks)
}

fn next(tricks: &Tricks, push: Push) {
    tricks.push.lock().expect("one thread").push_back(push);
}

fn at_org_named(world: &World, name: &str) -> usize {
    let soql = format!("SELECT Id FROM Contact WHERE LastName = '{name}'");
    world.rows(world.boss(), &soql).expect("a query").len()
}

#[test]
fn answers_behind_one_that_cannot_be_stored_are_looked_for() {
    let world = World::new(1, 300);
    let (device, tricks) = lied_to(&world, &contacts());
    for _ in 0..3 {
        create(&device, "Contact", [("LastName", "Once")]);
    }
    let nonsense = WriteOutcome::Done {
        id: "nonsense".into(),
    };
    next(&tricks, Push::Tell(vec![(0, nonsense)]));
    let error = wait(device.sync()).expect_err("the answer is none");
    assert_eq!(error.kind(), ErrorKind::NotARemote);
    settle(&world, &device);
    assert_eq!(at_org_named(&world, "Once"), 3);
    agrees(&world, 0, &device);
}

#[test]
fn writes_without_an_outcome_are_looked_for() {
    let world = World::new(2, 300);
    let (device, tricks) = lied_to(&world, &contacts());
    create(&device, "Contact", [("LastName", "Once")]);
    next(&tricks, Push::Tell(Vec::new()));
    sync(&device);
    settle(&world, &device);
    assert_eq!(at_org_named(&world, "Once"), 1);
    agrees(&world, 0, &device);
}

#[test]
fn an_answer_told_twice_counts_once() {
    let world = World::new(3, 300);
    let (device, tricks) = lied_to(&world, &contacts());
    let id = create(&device, "Contact", [("LastName", "Once")]);
    next(&tricks, Push::Twice);
    // A remote that does so may be refused, but must not cost the record.
    let _ = wait(device.sync());
    assert!(device.get(&id).expect("a read").is_some());
    settle(&world, &device);
    assert_eq!(at_org_named(&world, "Once"), 1);
    agrees(&world, 0, &device);
}

#[test]
fn each_attempt_of_a_create_has_ten_minutes() {
    let world = World::new(4, 300);
    let (device, tricks) = lied_to(&world, &contacts());
    create(&device, "Contact", [("LastName", "Late")]);
    next(&tricks, Push::Instead(WriteOutcome::Unknown));
    sync(&device);
    world.sandbox.advance(700);
    // The second attempt is lost as well, and may still arrive.
    next(&tricks, Push::Instead(WriteOutcome::Unknown));
    assert_eq!(sync(&device).in_doubt, 1);
    world.sandbox.advance(60);
    assert_eq!(sync(&device).in_doubt, 1);
    assert_eq!(*tricks.pushes.lock().expect("one thread"), 2);
    settle(&world, &device);
    assert_eq!(at_org_named(&world, "Late"), 1);
}

#[test]
fn a_client_key_named_later_does_not_hide_a_create_sent_without_one() {
    let world = World::new(5, 300);
    let plain = briefcase(r#"{"version": 1, "rules": ["Account"]}"#);
    let (device, tricks) = lied_to(&world, &plain);
    create(&device, "Account", [("Name", "Once")]);
    next(&tricks, Push::Tell(vec![(0, WriteOutcome::Unknown)]));
    sync(&device);
    let keyed = r#"{"version": 1, "objects": {"Account": {"client_key": "External_Id__c"}}, "rules": ["Account"]}"#;
    device
        .set_briefcase(briefcase(keyed))
        .expect("it is stored");
    settle(&world, &device);
    let rows = world
        .rows(world.boss(), "SELECT Id FROM Account WHERE Name = 'Once'")
        .expect("a query");
    assert_eq!(rows.len(), 1);
}

fn without_end(page: Page) -> Page {
    Page {
        next: page.next.or_else(|| Some("/again".to_owned())),
        ..page
    }
}

fn empty_without_end(page: Page) -> Page {
    Page {
        records: Vec::new(),
        total: page.total,
        next: Some("/again".to_owned()),
    }
}

#[test]
fn pages_without_end_are_an_error() {
    for lie in [without_end as fn(Page) -> Page, empty_without_end] {
        for rules in [
            r#"["Contact"]"#,
            r#"[{"object": "Contact", "order_by": "LastName", "limit": 5}]"#,
            r#"[{"object": "Account", "limit": 5, "related": [{"children": "Contact.AccountId"}]}]"#,
        ] {
            let world = World::new(6, 300);
            let (device, tricks) = lied_to(&world, &contacts());
            let document = format!(r#"{{"version": 1, "rules": {rules}}}"#);
            device
                .set_briefcase(briefcase(&document))
                .expect("it is stored");
            world.sandbox.advance(90_000);
            *tricks.page.lock().expect("one thread") = Some(lie);
            let error = wait(device.sync()).expect_err("there is no end");
            assert!(
                matches!(
                    error.kind(),
                    ErrorKind::NotARemote | ErrorKind::CursorExpired | ErrorKind::RemoteRefused
                ),
                "{error:?}"
            );
        }
    }
}

#[test]
fn a_record_other_than_the_one_asked_for_is_an_error() {
    let world = World::new(7, 300);
    let (device, tricks) = lied_to(&world, &contacts());
    let [one, other] = {
        let ids = all(&device, "SELECT Id FROM Contact ORDER BY Id LIMIT 2");
        [ids[0].clone(), ids[1].clone()]
    };
    edit(&device, &one, "Title", "one");
    edit(&device, &other, "Title", "other");
    *tricks.retrieved.lock().expect("one thread") = Some(|mut answers| {
        answers.reverse();
        answers
    });
    let error = wait(device.sync()).expect_err("the answers are not those asked for");
    assert_eq!(error.kind(), ErrorKind::NotARemote);
    *tricks.retrieved.lock().expect("one thread") = Some(|mut answers| {
        answers.pop();
        answers
    });
    edit(&device, &one, "Title", "once more");
    wait(device.sync()).expect_err("there is an answer too few");
    *tricks.retrieved.lock().expect("one thread") = None;
    settle(&world, &device);
    let title = at_org(&world, "Contact", one.as_str(), "Title");
    assert_eq!(title.as_deref(), Some("\"once more\""));
    agrees(&world, 0, &device);
}

#[test]
fn a_record_without_a_stamp_is_not_written_blindly() {
    let world = World::new(8, 300);
    let accounts = briefcase(r#"{"version": 1, "rules": ["Account"]}"#);
    let tricks = Arc::new(Tricks::default());
    *tricks.page.lock().expect("one thread") = Some(|page| Page {
        records: page
            .records
            .iter()
            .map(|record| {
                let mut row: serde_json::Value = serde_json::from_str(record.get()).expect("JSON");
                row["SystemModstamp"] = serde_json::Value::Null;
                serde_json::value::to_raw_value(&row).expect("JSON")
            })
            .collect(),
        ..page
    });
    let remote = Liar(world.remote(0).expect("a remote"), Arc::clone(&tricks));
    let device = world.device(0).expect("a store").with_remote(remote);
    device.set_briefcase(accounts).expect("it is stored");
    sync(&device);
    let id = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    // Somebody writes at the last moment, when the session has pulled already.
    edit(&device, &id, "Phone", "mine");
    world.sandbox.advance(60);
    let (org, record) = (world.sandbox.clone(), id.clone());
    let boss = world.boss().to_owned();
    let armed = std::sync::Mutex::new(true);
    let watcher = move |moment, method: &str, target: &str| {
        let write = method != "GET" && !target.contains("/query");
        let mut armed = armed.lock().expect("one thread");
        if moment == attache_sim::Moment::Sent && write && std::mem::take(&mut *armed) {
            let theirs = serde_json::value::RawValue::from_string("\"theirs\"".into());
            let fields = [("Phone".to_owned(), theirs.expect("JSON"))];
            org.with_org(|org| org.update(&boss, "Account", record.as_str(), &fields, None))
                .expect("the boss may");
        }
    };
    let watched = world
        .watched_remote(0, Arc::new(watcher))
        .expect("a remote");
    let device = device.with_remote(watched);
    assert_eq!(sync(&device).conflicts, 1);
    assert_eq!(value(&device, &id, "Phone"), "mine".into());
    let phone = at_org(&world, "Account", id.as_str(), "Phone");
    assert_eq!(phone.as_deref(), Some("\"theirs\""));
}

#[test]
fn a_record_that_comes_back_into_sight_is_not_made_again() {
    let world = World::new(9, 300);
    let accounts = briefcase(r#"{"version": 1, "rules": ["Account"]}"#);
    let (device, tricks) = lied_to(&world, &accounts);
    let id = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    edit(&device, &id, "Phone", "mine");
    next(&tricks, Push::Instead(WriteOutcome::Unknown));
    assert_eq!(sync(&device).in_doubt, 1);
    *tricks.retrieved.lock().expect("one thread") =
        Some(|answers| answers.iter().map(|_| None).collect());
    assert_eq!(sync(&device).conflicts, 1);
    *tricks.retrieved.lock().expect("one thread") = None;
    world.sandbox.advance(90_000);
    let report = settle(&world, &device);
    assert_eq!(report.conflicts, 0);
    let phone = at_org(&world, "Account", id.as_str(), "Phone");
    assert_eq!(phone.as_deref(), Some("\"mine\""));
    agrees(&world, 0, &device);
}

#[test]
fn a_store_opened_twice_is_one_store() {
    let world = World::new(10, 300);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("twice.db");
    let early = world.device_at(0, &path).expect("a store");
    let device = world.device_at(0, &path).expect("a store");
    device.set_briefcase(contacts()).expect("it is stored");
    sync(&device);
    let id = first(&early, "SELECT Id FROM Contact ORDER BY Id LIMIT 1");
    edit(&early, &id, "Title", "early");
    assert!(sync(&early).is_settled());
    agrees(&world, 0, &device);
}
