//! Records that people looked at, and what unsent edits need.

use super::{AWAY, holds, id, mine, small};
use attache::Value;
use attache_sim::World;
use attache_tests::{ME, create, edit, prime, settle, sync, value};

#[test]
fn a_record_that_was_looked_at_stays_when_its_rule_drops_it() {
    let world = World::new(221, 1_500);
    let device = prime(&world, ME, &small(&world));
    let mine = mine(&world);
    let (seen, unseen) = (&mine[0], &mine[1]);
    device.viewed(&id(seen)).expect("noted");
    world.sandbox.advance(60);
    for account in [seen, unseen] {
        world
            .change("Account", account, &AWAY)
            .expect("the boss may");
    }
    settle(&world, &device);
    assert!(holds(&device, seen) && !holds(&device, unseen));
    assert_eq!(value(&device, &id(seen), "Site"), Value::from("Away"));
    let recents = device.recents().expect("a read");
    assert_eq!(recents.len(), 1);
    assert_eq!(
        (&recents[0].record, recents[0].object.as_str()),
        (&id(seen), "Account")
    );
    assert!(recents[0].bytes > 100, "{recents:?}");
}

#[test]
fn recents_are_listed_newest_first_and_know_what_is_not_here() {
    let world = World::new(222, 1_500);
    let device = prime(&world, ME, &small(&world));
    let mine = mine(&world);
    for account in [&mine[0], &mine[1], &mine[0]] {
        world.sandbox.advance(1);
        device.viewed(&id(account)).expect("noted");
    }
    device
        .viewed(&id("001000000000000AAA"))
        .expect("nothing to note");
    let listed: Vec<_> = device
        .recents()
        .expect("a read")
        .into_iter()
        .map(|recent| recent.record)
        .collect();
    assert_eq!(listed, [id(&mine[0]), id(&mine[1])]);
}

#[test]
fn views_are_written_when_the_store_is_closed() {
    let world = World::new(223, 1_500);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("device.db");
    let device = world.device_at(ME, &file).expect("the store opens");
    device.set_briefcase(small(&world)).expect("stored");
    sync(&device);
    let account = attache_tests::first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    device.viewed(&account).expect("noted");
    drop(device);
    let device = world.device_at(ME, &file).expect("the store opens");
    assert_eq!(device.recents().expect("a read").len(), 1);
}

#[test]
fn what_an_unsent_edit_points_at_stays_until_it_is_sent() {
    let world = World::new(224, 1_500);
    let device = prime(&world, ME, &small(&world));
    let account = mine(&world).swap_remove(0);
    let fields = [
        ("Name", Value::from("Needs it")),
        ("ParentId", Value::from(account.as_str())),
        // The org refuses it.
        ("NumberOfEmployees", Value::from(-1)),
    ];
    let child = create(&device, "Account", fields);
    assert_eq!(sync(&device).rejected.len(), 1);
    world.sandbox.advance(60);

    world
        .change("Account", &account, &AWAY)
        .expect("the boss may");
    world.sandbox.advance(700);
    sync(&device);
    assert!(holds(&device, &account), "the unsent record's parent");
    edit(&device, &child, "NumberOfEmployees", 1);
    settle(&world, &device);
    assert!(!holds(&device, &account));
}

#[test]
fn what_a_person_viewed_at_the_org_comes_along() {
    let world = World::new(225, 1_500);
    let mine = mine(&world);
    let user = &world.users[ME].id;
    let look = |account: &str| {
        world.sandbox.advance(60);
        world.sandbox.with_org(|org| org.look(user, account));
    };
    let boss = world.boss().to_owned();
    world.sandbox.with_org(|org| org.look(&boss, &mine[5]));
    mine[..3].iter().for_each(|account| look(account));
    let rules = r#"{"version": 1, "rules": [], "recent": {"objects": ["Account"], "limit": 2}}"#;
    let device = prime(&world, ME, &attache_tests::briefcase(rules));
    let here = |device: &attache::Attache| -> Vec<bool> {
        mine[..6]
            .iter()
            .map(|account| holds(device, account))
            .collect()
    };
    assert_eq!(here(&device), [false, true, true, false, false, false]);
    assert_eq!(
        sync(&device).truncated,
        [],
        "a list of the last two is no loss"
    );
    // No change tells of a view: the look of the next hour does.
    look(&mine[0]);
    world.sandbox.advance(3_700);
    settle(&world, &device);
    assert_eq!(here(&device), [true, false, true, false, false, false]);
    let name = attache::Holder::Rule("Recently viewed Account".into());
    assert_eq!(device.why(&id(&mine[0])).expect("a read"), [name]);
    let none = r#"{"version": 1, "rules": [], "recent": {"objects": ["Task"]}}"#;
    device
        .set_briefcase(attache_tests::briefcase(none))
        .expect("stored");
    let report = sync(&device);
    let told: Vec<&str> = report
        .unfollowed
        .iter()
        .map(|rule| rule.rule.as_str())
        .collect();
    assert_eq!(told, ["Recently viewed Task"], "nobody keeps that");
    assert!(report.unfollowed[0].reason.contains("LastViewedDate"));
}
