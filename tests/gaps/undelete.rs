//! Records that are deleted at the org and come back, whether or not the list of deletions goes on naming them.

use crate::{by_the_boss, holds, id, rows};
use attache::{Attache, Briefcase, ConflictKind, Resolution, Value};
use attache_sim::World;
use attache_tests::{
    ME, agrees, all, at_org, create, decide, edit, org_says, prime, server_id, settle, sync, value,
};

fn device(seed: u64, stay_in_log: bool) -> (World, Attache) {
    let world = World::new(seed, 300);
    by_the_boss(&world, |org, _| {
        org.config_mut().switches.restored_rows_stay_in_delete_log = stay_in_log;
    });
    let carried = Briefcase::everything(["Account", "Contact", "Opportunity"]);
    let device = prime(&world, ME, &carried);
    world.sandbox.advance(1_200);
    (world, device)
}

fn undelete(world: &World, object: &str, record: &str) {
    by_the_boss(world, |org, boss| org.undelete(boss, object, record)).expect("it is in the bin");
}

/// An account with contacts that this device has seen.
fn family(world: &World, device: &Attache) -> (String, Vec<String>) {
    let account = create(device, "Account", [("Name", "Family")]);
    for n in 0..3 {
        let fields = [
            ("LastName", Value::from(format!("Child {n}"))),
            ("AccountId", Value::from(&account)),
        ];
        create(device, "Contact", fields);
    }
    settle(world, device);
    let account = server_id(device, &account);
    let children = rows(
        world,
        &format!("SELECT Id FROM Contact WHERE AccountId = '{account}' ORDER BY Id"),
    );
    assert_eq!(children.len(), 3);
    (account, children)
}

#[test]
fn a_record_that_was_purged_comes_back_and_stays() {
    // How long it lies in the bin: within a window, and over several sessions.
    for (seed, stays, seconds) in [
        (1, true, 1),
        (2, true, 60),
        (3, true, 3_000),
        (4, false, 1),
        (5, false, 3_000),
    ] {
        let (world, device) = device(seed, stays);
        let (account, children) = family(&world, &device);
        world.remove("Account", &account).expect("the boss may");
        world.sandbox.advance(120);
        let report = sync(&device);
        assert_eq!(report.deleted, 4, "{report:?}");
        assert!(!holds(&device, &account));
        world.sandbox.advance(seconds);
        undelete(&world, "Account", &account);
        // The list names it for two weeks: each session must see that it lives.
        for pause in [0, 61, 301, 599, 700, 4_000, 90_000] {
            world.sandbox.advance(pause);
            sync(&device);
            assert!(holds(&device, &account), "{seed}: {pause} s later");
            assert!(children.iter().all(|child| holds(&device, child)));
        }
        agrees(&world, ME, &device);
    }
}

#[test]
fn what_is_deleted_and_restored_between_two_sessions_never_goes() {
    for (seed, stays, seconds) in [
        (11, true, 0),
        (12, true, 1),
        (13, true, 200),
        (14, false, 0),
    ] {
        let (world, device) = device(seed, stays);
        let (account, children) = family(&world, &device);
        world.remove("Account", &account).expect("the boss may");
        world.sandbox.advance(seconds);
        undelete(&world, "Account", &account);
        for pause in [0, 30, 700, 90_000] {
            world.sandbox.advance(pause);
            let report = sync(&device);
            assert_eq!(report.deleted, 0, "{seed}, {pause} s later: {report:?}");
            assert!(holds(&device, &account));
            assert!(children.iter().all(|child| holds(&device, child)));
        }
        agrees(&world, ME, &device);
    }
}

#[test]
fn what_is_deleted_again_goes_again() {
    for (seed, stays) in [(21, true), (22, false)] {
        let (world, device) = device(seed, stays);
        let (account, _) = family(&world, &device);
        for _ in 0..3 {
            world.remove("Account", &account).expect("the boss may");
            world.sandbox.advance(90);
            sync(&device);
            assert!(!holds(&device, &account));
            undelete(&world, "Account", &account);
            world.sandbox.advance(90);
            sync(&device);
            assert!(holds(&device, &account));
        }
        world.remove("Account", &account).expect("the boss may");
        settle(&world, &device);
        assert!(!holds(&device, &account));
        agrees(&world, ME, &device);
    }
}

#[test]
fn an_unsent_edit_waits_for_its_record_and_goes_out_when_it_is_back() {
    for (seed, stays) in [(31, true), (32, false)] {
        let (world, device) = device(seed, stays);
        let (account, children) = family(&world, &device);
        edit(&device, &id(&account), "Site", "Bern");
        edit(&device, &id(&children[0]), "Title", "Mate");
        world.remove("Account", &account).expect("the boss may");
        world.sandbox.advance(120);
        let report = sync(&device);
        assert_eq!(report.conflicts, 2, "{report:?}");
        for conflict in device.conflicts().expect("a read") {
            assert_eq!(conflict.kind, ConflictKind::DeletedAtRemote);
        }
        world.sandbox.advance(300);
        undelete(&world, "Account", &account);
        world.sandbox.advance(60);
        settle(&world, &device);
        assert_eq!(device.conflicts().expect("a read"), []);
        org_says(&world, &account, "Site", "Bern");
        let title = at_org(&world, "Contact", &children[0], "Title");
        assert_eq!(title.as_deref(), Some("\"Mate\""));
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_deletion_of_ours_that_somebody_takes_back_stays_taken_back() {
    for (seed, stays) in [(41, true), (42, false)] {
        let (world, device) = device(seed, stays);
        let (account, children) = family(&world, &device);
        device.delete(&id(&account)).expect("it may be deleted");
        settle(&world, &device);
        assert!(!holds(&device, &account) && !holds(&device, &children[0]));
        undelete(&world, "Account", &account);
        settle(&world, &device);
        assert!(holds(&device, &account) && children.iter().all(|child| holds(&device, child)));
        edit(&device, &id(&account), "Site", "Bern");
        settle(&world, &device);
        org_says(&world, &account, "Site", "Bern");
        agrees(&world, ME, &device);
    }
}

/// A record is deleted at the org, kept here as a new one, and then restored there: these are two records.
fn kept_and_restored(seed: u64) -> (World, Attache, String, String) {
    let (world, device) = device(seed, true);
    let (account, _) = family(&world, &device);
    edit(&device, &id(&account), "Site", "Mine");
    world.remove("Account", &account).expect("the boss may");
    world.sandbox.advance(120);
    sync(&device);
    decide(&device, Resolution::Mine);
    settle(&world, &device);
    let again = server_id(&device, &id(&account));
    assert_ne!(again, account);
    world.sandbox.advance(300);
    undelete(&world, "Account", &account);
    settle(&world, &device);
    (world, device, account, again)
}

#[test]
fn a_record_that_was_kept_and_its_restored_original_are_two() {
    let (world, device, original, again) = kept_and_restored(51);
    let soql = "SELECT Id, Site FROM Account WHERE Name = 'Family' ORDER BY Site";
    let here = all(&device, soql);
    assert_eq!(here.len(), 2, "{here:?}");
    assert_ne!(here[0], here[1], "each has an identity of its own");
    for record in &here {
        let found = device.get(record).expect("a read").expect("it is listed");
        assert_eq!(&found.id, record);
    }
    // The old id means the old record again, as it does in every lookup; what was kept has a name of its own.
    let restored = id(&original);
    assert_eq!(server_id(&device, &restored), original);
    assert_eq!(value(&device, &restored, "Site"), Value::Null);
    let kept = here.iter().find(|one| **one != restored).expect("two");
    assert_eq!(server_id(&device, kept), again);
    assert_eq!(value(&device, kept, "Site"), Value::from("Mine"));
    agrees(&world, ME, &device);
}

#[test]
fn edits_of_a_kept_record_and_of_its_original_go_to_each() {
    let (world, device, original, again) = kept_and_restored(52);
    let restored = id(&original);
    let both = all(&device, "SELECT Id FROM Account WHERE Name = 'Family'");
    let mine = both.into_iter().find(|one| *one != restored);
    let mine = mine.expect("two");
    edit(&device, &mine, "Fax", "1");
    edit(&device, &restored, "Fax", "2");
    settle(&world, &device);
    org_says(&world, &again, "Fax", "1");
    org_says(&world, &original, "Fax", "2");
    // They may be deleted one by one, and what hangs on the original is found with it.
    let children = format!("SELECT Id FROM Contact WHERE AccountId = '{original}'");
    assert_eq!(all(&device, &children).len(), 3);
    device.delete(&restored).expect("it may be deleted");
    settle(&world, &device);
    assert_eq!(at_org(&world, "Account", &original, "Id"), None);
    org_says(&world, &again, "Fax", "1");
    assert!(device.get(&mine).expect("a read").is_some());
    agrees(&world, ME, &device);
}

#[test]
fn an_original_that_is_restored_before_the_kept_one_was_sent_is_another_record() {
    let (world, device) = device(53, true);
    let (account, _) = family(&world, &device);
    edit(&device, &id(&account), "Site", "Mine");
    world.remove("Account", &account).expect("the boss may");
    world.sandbox.advance(120);
    sync(&device);
    decide(&device, Resolution::Mine);
    undelete(&world, "Account", &account);
    world.sandbox.advance(60);
    settle(&world, &device);
    assert_eq!(world.times("Account", "Name", "Family"), Ok(2));
    assert_eq!(value(&device, &id(&account), "Site"), Value::Null);
    assert_eq!(device.conflicts().expect("a read"), []);
    agrees(&world, ME, &device);
}

#[test]
fn a_merged_record_that_somebody_restores_has_its_id_again() {
    let (world, device) = device(54, true);
    let (goes, _) = family(&world, &device);
    let stays = create(&device, "Account", [("Name", "Stays")]);
    settle(&world, &device);
    let stays = server_id(&device, &stays);
    edit(&device, &id(&goes), "Fax", "9");
    by_the_boss(&world, |org, boss| {
        org.merge(boss, "Account", &stays, &[&goes])
    })
    .expect("a merge");
    settle(&world, &device);
    org_says(&world, &stays, "Fax", "9");
    assert_eq!(value(&device, &id(&goes), "Name"), Value::from("Stays"));
    undelete(&world, "Account", &goes);
    settle(&world, &device);
    assert_eq!(value(&device, &id(&goes), "Name"), Value::from("Family"));
    agrees(&world, ME, &device);
}
