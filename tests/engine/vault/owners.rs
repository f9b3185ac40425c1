//! Several users and orgs beside each other.

use super::{ANY, files, folder, home, worked};
use attache::{Attache, CallBudget, ErrorKind, Options};
use attache_sim::{World, wait};
use attache_tests::{agrees, edit, field_sales, first, settle, sync};
use rusqlite::Connection;

#[test]
fn another_users_credentials_read_and_write_nothing() {
    let (world, place, path) = home(11, 300);
    let device = worked(&world, &path, Options::new());
    let (pending, records) = (
        device.pending().expect("a read"),
        device.status().expect("a status").records,
    );
    drop(device);
    // A day of its own, so that nothing of it was counted yet.
    world.sandbox.advance(86_400);
    let before = files(place.path());
    let other = world
        .equip(Attache::open(&path).expect("a store"), 1)
        .expect("a device");
    let capped = CallBudget {
        day_calls: Some(50),
        ..CallBudget::default()
    };
    for _ in 0..2 {
        let error = wait(other.sync()).expect_err("another user");
        assert_eq!(error.kind(), ErrorKind::WrongOwner);
        let error = wait(other.sync().budget(capped)).expect_err("another user");
        assert_eq!(error.kind(), ErrorKind::WrongOwner);
        assert_eq!(
            wait(other.prepare()).expect_err("another user").kind(),
            ErrorKind::WrongOwner
        );
    }
    assert_eq!(other.pending().expect("a read"), pending);
    assert_eq!(other.status().expect("a status").records, records);
    drop(other);
    assert!(files(place.path()) == before, "the store changed");
    let own = world
        .equip(Attache::open(&path).expect("a store"), 0)
        .expect("a device");
    settle(&world, &own);
    agrees(&world, 0, &own);
}

#[test]
fn two_users_in_one_folder_do_not_see_each_other() {
    let world = World::new(12, 300);
    let place = folder();
    let devices: Vec<Attache> = (0..2)
        .map(|user| {
            let path = place.path().join(format!("user-{user}.db"));
            let store = Attache::open(path).expect("a store");
            let device = world.equip(store, user).expect("a device");
            device.set_briefcase(field_sales()).expect("a briefcase");
            sync(&device);
            device
        })
        .collect();
    let id = first(&devices[0], ANY);
    edit(&devices[0], &id, "Phone", "only mine");
    assert_eq!(devices[0].pending().expect("a read").len(), 1);
    assert!(devices[1].pending().expect("a read").is_empty());
    for (user, device) in devices.iter().enumerate() {
        settle(&world, device);
        agrees(&world, user, device);
    }
    let unsent = devices[0].export_unsent(None).expect("an export");
    assert_eq!(
        devices[1]
            .import_unsent(&unsent, None)
            .expect_err("another user's work")
            .kind(),
        ErrorKind::WrongOwner
    );
}

#[test]
fn the_store_of_an_org_that_was_refreshed_is_not_synced_with_the_new_one() {
    let (world, place, path) = home(13, 300);
    let device = worked(&world, &path, Options::new());
    let records = device.status().expect("a status").records;
    drop(device);
    // A sandbox that is made anew keeps its users and their ids, and gets an id of its own.
    let raw = Connection::open(&path).expect("a database");
    raw.execute(
        "UPDATE attache_setting SET value = '00DHx000000000aMAA' WHERE key = 'org_id'",
        [],
    )
    .expect("the id of the old one");
    raw.close().expect("closed");
    let refreshed = world
        .equip(Attache::open(&path).expect("a store"), 0)
        .expect("a device");
    let error = wait(refreshed.sync()).expect_err("another org");
    assert_eq!(error.kind(), ErrorKind::WrongOwner, "{error}");
    assert_eq!(refreshed.pending().expect("a read").len(), 2);
    assert_eq!(refreshed.status().expect("a status").records, records);
    // The same person's store of the new org lies beside it.
    let beside = Attache::open(place.path().join("jo-new.db")).expect("a store");
    let beside = world.equip(beside, 0).expect("a device");
    beside.set_briefcase(field_sales()).expect("a briefcase");
    sync(&beside);
    agrees(&world, 0, &beside);
    assert!(beside.pending().expect("a read").is_empty());
    let unsent = refreshed.export_unsent(None).expect("an export");
    assert_eq!(
        beside
            .import_unsent(&unsent, None)
            .expect_err("the work of another org")
            .kind(),
        ErrorKind::WrongOwner
    );
}
