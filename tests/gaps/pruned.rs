//! The org's list of deletions is shorter than the device was away: everything is looked at anew, and nothing is lost.

use crate::{by_the_boss, holds, id, rows};
use attache::{Attache, ConflictKind, RecordId, Resolution, Value};
use attache_sim::{World, abandon};
use attache_tests::{
    ME, agrees, all, briefcase, create, decide, edit, org_says, prime, server_id, settle, sync,
    value,
};

const RULES: &str = r#"{"version": 1,
    "objects": {"Account": {"files": {}}},
    "rules": [{"object": "Account", "scope": "mine", "related": [{"children": "Contact.AccountId"}]}]}"#;

/// A device that was away while the org forgot what was deleted.
struct Away {
    world: World,
    device: Attache,
    gone: String,
    edited_and_gone: String,
    edited: String,
    pinned: String,
    file: RecordId,
}

fn away(seed: u64) -> Away {
    let world = World::new(seed, 600);
    let device = prime(&world, ME, &briefcase(RULES));
    let me = &world.users[ME].id;
    let mine = rows(
        &world,
        &format!("SELECT Id FROM Account WHERE OwnerId = '{me}' ORDER BY Id"),
    );
    let [gone, edited_and_gone, edited, with_file, ..] = mine.as_slice() else {
        panic!("four accounts")
    };
    // A pinned record that no rule holds.
    let theirs = rows(
        &world,
        &format!("SELECT Id FROM Account WHERE OwnerId != '{me}' ORDER BY Id LIMIT 1"),
    );
    let pinned = theirs[0].clone();
    by_the_boss(&world, |org, _| org.grant("Account", &pinned, me));
    device.pin(&id(&pinned)).expect("it may be pinned");
    let file = device
        .attach(&id(with_file), "plan.txt", &b"the plan"[..])
        .expect("a file");
    settle(&world, &device);
    assert!(holds(&device, &pinned));
    edit(&device, &id(edited_and_gone), "Site", "Kept");
    edit(&device, &id(edited), "Site", "Bern");
    create(&device, "Account", [("Name", "Unsent")]);
    world.sandbox.advance(3_000);
    for record in [gone, edited_and_gone] {
        world.remove("Account", record).expect("the boss may");
    }
    world.sandbox.advance(3 * 86_400);
    let now = world.sandbox.now();
    by_the_boss(&world, |org, _| org.prune_delete_log(now - 3_600));
    Away {
        gone: gone.clone(),
        edited_and_gone: edited_and_gone.clone(),
        edited: edited.clone(),
        world,
        device,
        pinned,
        file,
    }
}

fn is_right(away: &Away) {
    let Away { world, device, .. } = away;
    assert!(!holds(device, &away.gone), "what was deleted went");
    assert!(holds(device, &away.pinned), "a pin holds");
    org_says(world, &away.edited, "Site", "Bern");
    assert_eq!(world.times("Account", "Name", "Unsent"), Ok(1));
    let mut bytes = Vec::new();
    device
        .read_file(&away.file, &mut bytes)
        .expect("its bytes are here");
    assert_eq!(bytes, b"the plan");
    let conflict = device.conflicts().expect("a read").remove(0);
    assert_eq!(conflict.kind, ConflictKind::DeletedAtRemote);
    let kept = value(device, &id(&away.edited_and_gone), "Site");
    assert_eq!(kept, Value::from("Kept"));
}

#[test]
fn a_device_that_was_away_for_longer_than_the_list_reaches_finds_what_went() {
    let away = away(301);
    sync(&away.device);
    is_right(&away);
    decide(&away.device, Resolution::Theirs);
    // What should be here knows of no pins.
    away.device.unpin(&id(&away.pinned)).expect("it may be");
    settle(&away.world, &away.device);
    agrees(&away.world, ME, &away.device);
    // The window that begins now is a good one: the next deletion is told by the list.
    let next = all(&away.device, "SELECT Id FROM Account WHERE Site = 'Bern'").remove(0);
    let next = server_id(&away.device, &next);
    away.world.remove("Account", &next).expect("the boss may");
    away.world.sandbox.advance(90);
    let report = sync(&away.device);
    assert!(report.deleted > 0, "{report:?}");
    assert!(!holds(&away.device, &next));
}

#[test]
fn such_a_session_may_die_anywhere() {
    for (seed, waits) in (310..).zip([3, 5, 7, 9, 11, 13, 15, 17, 21, 25]) {
        let away = away(seed);
        abandon(away.device.sync(), waits);
        assert!(holds(&away.device, &away.pinned));
        let kept = value(&away.device, &id(&away.edited_and_gone), "Site");
        assert_eq!(kept, Value::from("Kept"));
        for _ in 0..3 {
            away.world.sandbox.advance(700);
            sync(&away.device);
        }
        is_right(&away);
    }
}

#[test]
fn a_child_that_went_while_the_list_was_emptied_goes_at_once() {
    let world = World::new(340, 600);
    let device = prime(&world, ME, &briefcase(RULES));
    world.sandbox.advance(1_200);
    sync(&device);
    let child = all(&device, "SELECT Id FROM Contact ORDER BY Id").remove(0);
    world
        .remove("Contact", child.as_str())
        .expect("the boss may");
    world.sandbox.advance(60);
    let now = world.sandbox.now();
    by_the_boss(&world, |org, _| org.prune_delete_log(now));
    world.sandbox.advance(60);
    sync(&device);
    assert!(device.get(&child).expect("a read").is_none());
    agrees(&world, ME, &device);
}

/// The look at everything that follows is a long one: it must not begin anew each time it is cut off.
#[test]
fn a_look_that_follows_goes_on_where_it_was_cut_off() {
    let world = World::new(350, 1_500);
    let document = r#"{"version": 1, "rules": ["Account"]}"#;
    let device = prime(&world, ME, &briefcase(document));
    world
        .sandbox
        .with_switches(|switches| switches.page_rows_max = 2);
    world.sandbox.advance(4_000);
    let now = world.sandbox.now();
    by_the_boss(&world, |org, _| org.prune_delete_log(now));
    let total = all(&device, "SELECT Id FROM Account").len();
    let mut sessions = 0;
    loop {
        sessions += 1;
        // A few calls a session: each has to bring the look a few pages on.
        let budget = attache::CallBudget {
            session_calls: Some(9),
            ..attache::CallBudget::default()
        };
        let session = device.sync().budget(budget);
        let report = attache_sim::wait(session).expect("a session runs");
        world.sandbox.advance(60);
        if report.stopped.is_none() {
            break;
        }
        assert!(sessions < total, "it gets nowhere");
    }
    assert!(sessions > 2, "{sessions}");
    agrees(&world, ME, &device);
}

#[test]
fn a_list_that_is_emptied_again_and_again_costs_no_record() {
    let world = World::new(330, 600);
    let device = prime(&world, ME, &briefcase(RULES));
    let before = all(&device, "SELECT Id FROM Account ORDER BY Id");
    for _ in 0..4 {
        world.sandbox.advance(2_000);
        let now = world.sandbox.now();
        by_the_boss(&world, |org, _| org.prune_delete_log(now));
        let report = sync(&device);
        assert_eq!((report.deleted, report.evicted), (0, 0), "{report:?}");
        assert_eq!(all(&device, "SELECT Id FROM Account ORDER BY Id"), before);
    }
    agrees(&world, ME, &device);
}

#[test]
fn more_changes_than_an_org_lists_are_found_all_the_same() {
    let world = World::new(1_041, 600);
    let device = prime(&world, ME, &briefcase(RULES));
    settle(&world, &device);
    let me = &world.users[ME].id;
    let mine = rows(
        &world,
        &format!("SELECT Id FROM Account WHERE OwnerId = '{me}' ORDER BY Id"),
    );
    world.sandbox.with_org(|org| {
        org.config_mut().switches.listed_ids_max = 1;
    });
    world.sandbox.advance(7_200);
    let (changed, gone) = mine.split_at(mine.len() - 1);
    assert!(changed.len() > 1, "{} are changed", changed.len());
    for id in changed {
        let site = world.change("Account", id, &[("Site", "\"elsewhere\"")]);
        site.expect("the boss may");
    }
    for id in gone {
        world.remove("Account", id).expect("the boss may");
    }
    world.sandbox.advance(900);
    sync(&device);
    agrees(&world, ME, &device);
    for id in changed {
        let id = RecordId::parse(id).expect("an id");
        assert_eq!(value(&device, &id, "Site"), Value::from("elsewhere"));
    }
    settle(&world, &device);
}
