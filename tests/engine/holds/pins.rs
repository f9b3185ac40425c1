//! Pinned records.

use super::{an_hour, dropped, holds, id, outside, pinned, small};
use attache::{Briefcase, Report, Value};
use attache_sim::World;
use attache_tests::{ME, create, edit, prime, server_id, settle, sync, value};

#[test]
fn a_pinned_record_that_is_not_here_is_fetched_by_the_next_session() {
    let world = World::new(201, 1_500);
    let device = prime(&world, ME, &small(&world));
    let account = outside(&world);
    assert!(!holds(&device, &account));
    device.pin(&id(&account)).expect("a pin");
    let pins = device.pins().expect("a read");
    assert_eq!((pins.len(), pins[0].here), (1, false));
    assert_eq!(pins[0].object.as_deref(), Some("Account"));
    let report = sync(&device);
    assert_eq!(report.inserted, 1, "{report:?}");
    assert!(holds(&device, &account) && device.pins().expect("a read")[0].here);
    // Nothing is asked for twice.
    let calls = sync(&device).api_calls;
    device.unpin(&id(&account)).expect("an end of it");
    assert_eq!(sync(&device).evicted, 1);
    assert!(!holds(&device, &account));
    assert_eq!(sync(&device).api_calls, calls);
    assert_eq!(
        world.times("Account", "Id", &account),
        Ok(1),
        "an eviction is no deletion"
    );
}

#[test]
fn a_record_can_be_pinned_before_the_first_session() {
    let world = World::new(202, 1_500);
    let device = world.device(ME).expect("a store");
    let (account, stray) = (outside(&world), "500000000000001AAA");
    device.pin(&id(&account)).expect("a pin");
    device.pin(&id(stray)).expect("a pin");
    device.set_briefcase(small(&world)).expect("stored");
    sync(&device);
    assert!(holds(&device, &account));
    let pins = device.pins().expect("a read");
    let waiting = pins
        .iter()
        .find(|pin| pin.record == id(stray))
        .expect("the pin");
    assert_eq!((waiting.object.as_deref(), waiting.here), (None, false));
}

#[test]
fn a_pinned_record_stays_when_its_rules_drop_it_and_follows_the_org() {
    let (world, device, account) = dropped(203);
    settle(&world, &device);
    assert_eq!(value(&device, &id(&account), "Site"), Value::from("Away"));
    world.sandbox.advance(60);
    world
        .change("Account", &account, &[("Site", "\"Later\"")])
        .expect("the boss may");
    settle(&world, &device);
    assert_eq!(value(&device, &id(&account), "Site"), Value::from("Later"));
}

#[test]
fn a_pin_survives_a_briefcase_that_no_longer_names_its_object() {
    let (world, device, account) = pinned(204);
    device
        .set_briefcase(Briefcase::everything(["Lead"]))
        .expect("stored");
    assert!(sync(&device).evicted > 0);
    assert!(holds(&device, &account));
    world.sandbox.advance(60);
    world
        .change("Account", &account, &[("Site", "\"Still\"")])
        .expect("the boss may");
    settle(&world, &device);
    assert_eq!(value(&device, &id(&account), "Site"), Value::from("Still"));
    device.unpin(&id(&account)).expect("an end of it");
    sync(&device);
    assert!(!holds(&device, &account));
}

#[test]
fn a_pin_follows_a_new_record_to_its_id_at_the_org() {
    let world = World::new(205, 1_500);
    let device = prime(&world, ME, &small(&world));
    let new = create(&device, "Account", [("Name", "Zeta")]);
    device.pin(&new).expect("a pin");
    settle(&world, &device);
    let at_org = server_id(&device, &new);
    let pins = device.pins().expect("a read");
    assert_eq!((pins[0].record.clone(), pins[0].here), (new.clone(), true));
    // The org's id means the same pin.
    device.unpin(&id(&at_org)).expect("an end of it");
    sync(&device);
    assert!(!holds(&device, &at_org));
}

#[test]
fn a_pin_ends_with_its_record_and_the_report_says_so() {
    let (world, device, account) = pinned(206);
    world.sandbox.advance(60);
    world.remove("Account", &account).expect("the boss may");
    let report = settle(&world, &device);
    assert_eq!(report.unpinned, [(id(&account), "Account".to_owned())]);
    assert!(!holds(&device, &account) && device.pins().expect("a read").is_empty());
    assert_eq!(sync(&device).unpinned, []);
}

#[test]
fn a_pin_of_a_record_that_never_was_is_told() {
    let world = World::new(207, 1_500);
    let device = prime(&world, ME, &small(&world));
    device.pin(&id("001000000000000AAA")).expect("a pin");
    let report = sync(&device);
    assert_eq!(report.unpinned.len(), 1, "{report:?}");
    let nobody = id("local-00000000-0000-7000-8000-00000000000a");
    let error = device.pin(&nobody).expect_err("nothing to pin");
    assert_eq!(error.kind(), attache::ErrorKind::RecordNotFound);
}

#[test]
fn a_pin_of_a_record_out_of_sight_ends_within_the_hour() {
    let world = World::new(208, 1_500);
    let device = prime(&world, ME, &small(&world));
    let boss = world.boss().to_owned();
    let account = world
        .add(
            "Account",
            &[("Name", "\"Zeta\""), ("OwnerId", &format!("{boss:?}"))],
        )
        .expect("the boss may");
    world
        .sandbox
        .with_org(|org| org.grant("Account", &account, &world.users[ME].id));
    device.pin(&id(&account)).expect("a pin");
    sync(&device);
    assert!(holds(&device, &account));
    world
        .sandbox
        .with_org(|org| org.revoke("Account", &account, &world.users[ME].id));
    an_hour(&world);
    let told: Report = sync(&device);
    assert_eq!(told.unpinned.len(), 1, "{told:?}");
    assert!(!holds(&device, &account));
}

#[test]
fn a_person_who_deletes_a_pinned_record_is_not_told_of_it() {
    let (world, device, account) = pinned(209);
    device.delete(&id(&account)).expect("a deletion");
    let seq = device.pending().expect("a read")[0].seq;
    device.discard(seq).expect("taken back");
    assert!(
        sync(&device).evicted == 0 && holds(&device, &account),
        "the pin is as it was"
    );
    device.delete(&id(&account)).expect("a deletion");
    let report = settle(&world, &device);
    assert_eq!(
        (report.pushed_deletes, report.unpinned.len()),
        (1, 0),
        "{report:?}"
    );
    assert!(device.pins().expect("a read").is_empty());
}

#[test]
fn a_pin_and_an_edit_of_it_outlive_a_gap_that_the_org_has_forgotten() {
    let (world, device, account) = pinned(210);
    edit(&device, &id(&account), "Site", "Mine");
    world.sandbox.advance(60);
    world
        .change("Account", &account, &[("Phone", "\"1\"")])
        .expect("the boss may");
    world.sandbox.advance(45 * 86_400);
    settle(&world, &device);
    assert_eq!(value(&device, &id(&account), "Phone"), Value::from("1"));
    assert_eq!(value(&device, &id(&account), "Site"), Value::from("Mine"));
    assert_eq!(
        attache_tests::at_org(&world, "Account", &account, "Site").as_deref(),
        Some("\"Mine\"")
    );
}

#[test]
fn a_new_field_of_a_pinned_record_is_filled() {
    let world = World::new(211, 1_500);
    let few = |fields: &str| {
        attache_tests::briefcase(&format!(
            r#"{{"version": 1, "objects": {{"Account": {{"fields": [{fields}]}}}},
                "rules": [{{"object": "Account", "where": "Name LIKE 'A%'"}}]}}"#
        ))
    };
    let device = prime(&world, ME, &few("\"Site\""));
    let account = outside(&world);
    world
        .change("Account", &account, &[("Phone", "\"7\"")])
        .expect("the boss may");
    device.pin(&id(&account)).expect("a pin");
    sync(&device);
    device
        .set_briefcase(few("\"Site\", \"Phone\""))
        .expect("stored");
    sync(&device);
    assert_eq!(value(&device, &id(&account), "Phone"), Value::from("7"));
}
