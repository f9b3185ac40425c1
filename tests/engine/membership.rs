//! Who belongs into the briefcase: what enters and leaves, and how.

use attache::{Attache, Briefcase, ErrorKind, RecordId, Value};
use attache_sim::{Moment, Watcher, World, wait};
use attache_tests::{
    ME, agrees, all, briefcase, create, edit, field_sales, first, me, prime, quoted, server_id,
    settle, sync,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn mine(device: &Attache, world: &World, object: &str) -> RecordId {
    let me = &world.users[ME].id;
    first(
        device,
        &format!("SELECT Id FROM {object} WHERE OwnerId = '{me}' ORDER BY Id LIMIT 1"),
    )
}

fn holds(device: &Attache, id: &str) -> bool {
    let id = RecordId::parse(id).expect("an id");
    device.get(&id).expect("a read").is_some()
}

#[test]
fn a_record_that_two_rules_share_stays_while_one_of_them_holds_it() {
    let world = World::new(101, 600);
    let both = briefcase(
        r#"{"version": 1, "rules": [{"object": "Account", "scope": "mine"},
            {"object": "Account", "where": "Site = 'Shared'"}]}"#,
    );
    let device = prime(&world, ME, &both);
    let id = server_id(&device, &mine(&device, &world, "Account"));
    world.sandbox.advance(60);
    let shared = [("Site", "\"Shared\"")];
    world.change("Account", &id, &shared).expect("the boss may");
    world
        .sandbox
        .with_org(|org| org.grant("Account", &id, &world.users[ME].id));
    settle(&world, &device);
    let boss = quoted(world.boss());
    world
        .change("Account", &id, &[("OwnerId", &boss)])
        .expect("the boss may");
    settle(&world, &device);
    assert!(holds(&device, &id), "the second rule holds it");
    world
        .change("Account", &id, &[("Site", "null")])
        .expect("the boss may");
    settle(&world, &device);
    assert!(!holds(&device, &id), "no rule holds it");
    agrees(&world, ME, &device);
}

#[test]
fn a_record_leaves_with_its_owner_and_takes_its_children_along() {
    let world = World::new(102, 600);
    let device = prime(&world, ME, &field_sales());
    let me = &world.users[ME].id;
    let soql = format!(
        "SELECT Id FROM Account WHERE OwnerId = '{me}' AND Id NOT IN (SELECT AccountId FROM Opportunity WHERE OwnerId = '{me}')"
    );
    let rows = world.rows(me, &soql).expect("a valid query");
    let id = rows[0].text("Id").expect("an id");
    assert!(holds(&device, &id));
    world.sandbox.advance(60);
    let boss = quoted(world.boss());
    world
        .change("Account", &id, &[("OwnerId", &boss)])
        .expect("the boss may");
    // Nothing tells of what went out of sight: the look of the next day does.
    world.sandbox.advance(86_400);
    settle(&world, &device);
    assert!(!holds(&device, &id));
    agrees(&world, ME, &device);
}

#[test]
fn a_record_enters_with_its_new_owner_and_brings_its_children() {
    let world = World::new(103, 600);
    let device = prime(&world, ME, &field_sales());
    let soql = format!(
        "SELECT Id FROM Account WHERE OwnerId != '{}' ORDER BY Id",
        world.users[ME].id
    );
    let rows = world.rows(world.boss(), &soql).expect("a valid query");
    let id = rows[0].text("Id").expect("an id");
    world.sandbox.advance(60);
    world
        .change("Account", &id, &[("OwnerId", &me(&world))])
        .expect("the boss may");
    settle(&world, &device);
    assert!(holds(&device, &id));
    agrees(&world, ME, &device);
}

#[test]
fn a_child_follows_its_new_parent_in_and_out() {
    let world = World::new(104, 600);
    let device = prime(&world, ME, &field_sales());
    let child = first(
        &device,
        "SELECT Id FROM Contact WHERE AccountId != null ORDER BY Id LIMIT 1",
    );
    let home = attache_tests::value(&device, &child, "AccountId").to_string();
    let id = server_id(&device, &child);
    let away = world
        .add("Account", &[("Name", "\"Away\"")])
        .expect("the boss may");
    world.sandbox.advance(60);
    world
        .sandbox
        .with_org(|org| org.grant("Contact", &id, &world.users[ME].id));
    world
        .change("Contact", &id, &[("AccountId", &quoted(&away))])
        .expect("the boss may");
    settle(&world, &device);
    assert!(!holds(&device, &id));
    agrees(&world, ME, &device);
    world
        .change("Contact", &id, &[("AccountId", &quoted(&home))])
        .expect("the boss may");
    settle(&world, &device);
    assert!(holds(&device, &id));
    agrees(&world, ME, &device);
}

#[test]
fn the_calendar_moves_records_in_and_out() {
    let world = World::new(105, 1_500);
    let device = prime(&world, ME, &field_sales());
    for days in [1, 6, 30, 70] {
        world.sandbox.advance(days * 86_400);
        settle(&world, &device);
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_share_that_touches_no_row_is_found_within_a_day() {
    let world = World::new(106, 600);
    let everything = Briefcase::everything(["Account", "Lead"]);
    let device = prime(&world, ME, &everything);
    let soql = format!(
        "SELECT Id FROM Lead WHERE OwnerId != '{}' ORDER BY Id",
        world.users[ME].id
    );
    let rows = world.rows(world.boss(), &soql).expect("a valid query");
    let id = rows[0].text("Id").expect("an id");
    world
        .sandbox
        .with_org(|org| org.grant("Lead", &id, &world.users[ME].id));
    world.sandbox.advance(86_400);
    settle(&world, &device);
    assert!(holds(&device, &id));
    agrees(&world, ME, &device);
    world
        .sandbox
        .with_org(|org| org.revoke("Lead", &id, &world.users[ME].id));
    world.sandbox.advance(86_400);
    settle(&world, &device);
    assert!(!holds(&device, &id));
    agrees(&world, ME, &device);
}

#[test]
fn a_record_deleted_at_the_org_goes_and_its_children_with_it() {
    let world = World::new(107, 600);
    let device = prime(&world, ME, &field_sales());
    let id = server_id(&device, &mine(&device, &world, "Account"));
    world.sandbox.advance(60);
    world.remove("Account", &id).expect("the boss may");
    settle(&world, &device);
    assert!(!holds(&device, &id));
    agrees(&world, ME, &device);
}

#[test]
fn a_device_that_was_away_longer_than_deletions_are_kept_agrees() {
    let world = World::new(108, 600);
    let device = prime(&world, ME, &field_sales());
    let id = server_id(&device, &mine(&device, &world, "Account"));
    world.sandbox.advance(60);
    world.remove("Account", &id).expect("the boss may");
    world.sandbox.advance(45 * 86_400);
    settle(&world, &device);
    assert!(!holds(&device, &id));
    agrees(&world, ME, &device);
}

#[test]
fn a_row_that_appears_behind_younger_rows_is_not_missed() {
    let world = World::new(109, 600);
    let device = prime(&world, ME, &field_sales());
    let id = server_id(&device, &mine(&device, &world, "Account"));
    world.sandbox.advance(60);
    let (boss, until) = (world.boss().to_owned(), world.sandbox.now() + 500);
    let late = attache_sim::fields(&[("Site", "\"Late\"")]);
    world
        .sandbox
        .with_org(|org| {
            let write = |org: &mut attache_sandbox::org::Org| {
                org.update(&boss, "Account", &id, &late, None)
            };
            org.hold_open(until, write)
        })
        .expect("the boss may");
    world.sandbox.advance(60);
    sync(&device);
    let early = RecordId::parse(&id).expect("an id");
    assert_ne!(
        attache_tests::value(&device, &early, "Site"),
        Value::from("Late")
    );
    settle(&world, &device);
    assert_eq!(
        attache_tests::value(&device, &early, "Site"),
        Value::from("Late")
    );
    agrees(&world, ME, &device);
}

#[test]
fn rows_that_share_one_second_come_over_short_pages_whole() {
    let world = World::new(110, 300);
    let device = prime(&world, ME, &field_sales());
    world
        .sandbox
        .with_switches(|switches| switches.page_rows_max = 2);
    let owner = me(&world);
    for n in 0..23 {
        let name = format!("\"Same second {n}\"");
        world
            .add("Account", &[("Name", &name), ("OwnerId", &owner)])
            .expect("the boss may");
    }
    let report = sync(&device);
    assert_eq!(report.inserted, 23, "{report:?}");
    agrees(&world, ME, &device);
}

#[test]
fn a_first_load_survives_locators_that_die_between_pages() {
    let world = World::new(111, 900);
    world.sandbox.with_switches(|switches| {
        switches.page_rows_max = 20;
        switches.locators_max = Some(1);
        switches.locator_life_s = 5;
    });
    let clock = world.sandbox.clone();
    let slow = move |_, _: &str, target: &str| {
        if target.contains("/query/") && !target.contains("-20") {
            clock.advance(6);
        }
    };
    let device = world.device(ME).expect("a store in memory opens");
    let remote = world.watched_remote(ME, Arc::new(slow)).expect("a remote");
    let device = device.with_remote(remote);
    device
        .set_briefcase(Briefcase::everything(["Account", "Contact", "Task"]))
        .expect("stored");
    let mut last = None;
    for _ in 0..20 {
        match wait(device.sync()) {
            Ok(report) => {
                last = Some(report);
                break;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::CursorExpired, "{error:?}"),
        }
    }
    assert!(last.is_some(), "the load never ends");
    agrees(&world, ME, &device);
}

#[test]
fn a_store_refuses_the_credentials_of_another_user_and_keeps_what_it_holds() {
    let world = World::new(112, 300);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("device.db");
    let device = world.device_at(ME, &file).expect("the store opens");
    device
        .set_briefcase(field_sales())
        .expect("a briefcase is stored");
    sync(&device);
    let id = create(&device, "Account", [("Name", "Mine alone")]);
    drop(device);
    let stranger = world.device_at(1, &file).expect("the store opens");
    let error = wait(stranger.sync()).expect_err("another user");
    assert_eq!(error.kind(), ErrorKind::WrongOwner);
    assert_eq!(stranger.pending().expect("a read").len(), 1);
    assert_eq!(world.times("Account", "Name", "Mine alone"), Ok(0));
    drop(stranger);
    let device = world.device_at(ME, &file).expect("the store opens");
    settle(&world, &device);
    server_id(&device, &id);
    agrees(&world, ME, &device);
}

/// A sweep asked the org for a parent that the org had never seen, and no later session came through.
#[test]
fn a_parent_that_was_refused_does_not_stop_the_sweep() {
    let world = World::new(113, 1_500);
    let device = prime(&world, ME, &field_sales());
    let me = &world.users[ME].id;
    let soon = format!(
        "SELECT Id FROM Opportunity WHERE OwnerId = '{me}' AND CloseDate = NEXT_N_DAYS:60 ORDER BY Id LIMIT 1"
    );
    let opportunity = first(&device, &soon);
    let refused = [
        ("Name", Value::from("Refused")),
        ("NumberOfEmployees", Value::from(-1)),
    ];
    let account = create(&device, "Account", refused);
    edit(&device, &opportunity, "AccountId", &account);
    let report = sync(&device);
    assert_eq!(
        (report.rejected.len(), report.blocked),
        (1, 1),
        "{report:?}"
    );
    // Another change of an account has the relation looked at again.
    world.sandbox.advance(60);
    let other = first(
        &device,
        "SELECT Id FROM Account WHERE Name != 'Refused' ORDER BY Id LIMIT 1",
    );
    let other = server_id(&device, &other);
    world
        .change("Account", &other, &[("Site", "\"Seen\"")])
        .expect("the boss may");
    sync(&device);
    world.sandbox.advance(86_400 + 60);
    sync(&device);
    edit(&device, &account, "NumberOfEmployees", 1);
    world.sandbox.advance(86_400 + 60);
    settle(&world, &device);
    agrees(&world, ME, &device);
    assert!(!all(&device, "SELECT Id FROM Account WHERE Name = 'Refused'").is_empty());
}

/// A child is moved to a parent outside its rule, and moved back at each request of the session in turn.
#[test]
fn an_edit_that_is_taken_back_at_any_moment_of_a_pull_leaves_its_record_in_the_briefcase() {
    let mut moments = 0;
    loop {
        let world = World::new(130, 900);
        let accounts = r#"{"version": 1, "rules": [{"object": "Account", "scope": "mine"}, {"name": "Near",
            "object": "Account", "where": "Site = 'Near'", "related": [{"children": "Contact.AccountId"}]}]}"#;
        let device = prime(&world, ME, &briefcase(accounts));
        let mine = all(&device, "SELECT Id FROM Account ORDER BY Id");
        let (near, elsewhere) = (&mine[0], &mine[1]);
        let comes_near = |account: &RecordId| {
            let site = [("Site", "\"Near\"")];
            world
                .change("Account", account.as_str(), &site)
                .expect("the boss may");
        };
        comes_near(near);
        world.sandbox.advance(60);
        let child = create(
            &device,
            "Contact",
            [("LastName", "Ohm"), ("AccountId", near.as_str())],
        );
        settle(&world, &device);
        // The session has to ask for the children of another, too, once it has looked where the edit leads.
        comes_near(&mine[2]);
        world.sandbox.advance(60);
        edit(&device, &child, "AccountId", elsewhere.as_str());
        let (host, count) = (device.clone(), AtomicUsize::new(0));
        let (at, taken_back) = (moments, Arc::new(AtomicBool::new(false)));
        let done = Arc::clone(&taken_back);
        let watcher: Watcher = Arc::new(move |moment, _, _| {
            if moment == Moment::Sent && count.fetch_add(1, Ordering::SeqCst) == at {
                let pending = host.pending().expect("the journal is read");
                // Once it was sent there is nothing to take back.
                let discarded = pending.first().map(|it| host.discard(it.seq));
                done.store(matches!(discarded, Some(Ok(()))), Ordering::SeqCst);
            }
        });
        let remote = world.watched_remote(ME, watcher).expect("a remote");
        sync(&device.clone().with_remote(remote));
        if !taken_back.load(Ordering::SeqCst) {
            break;
        }
        let held = device.get(&child).expect("a read");
        assert!(held.is_some(), "taken back at request {at}");
        settle(&world, &device);
        agrees(&world, ME, &device);
        moments += 1;
    }
    assert!(moments > 5, "only {moments} requests before the push");
}
