//! What random walks have found, each shrunk to the few steps that show it.

use attache::{Attache, Briefcase, ErrorKind, RecordId, Value};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, wait};
use attache_tests::{
    agrees, at_org, briefcase, create, edit, first, prime, server_id, settle, sync,
};

const ME: usize = 0;
/// Longer than the org remembers what changed.
const LONG: u32 = 20 * 86_400;

/// What a person in the field takes: a task of theirs without a date is in no rule.
fn in_the_field() -> Briefcase {
    briefcase(
        r#"{"version": 1, "rules": [{"object": "Account", "scope": "mine"},
            {"object": "Task", "scope": "mine", "where": "ActivityDate = THIS_WEEK"}]}"#,
    )
}

/// Creates a record whose read-back is lost: the org has it, and the device has not seen what became of it.
fn unread(device: &Attache, world: &World, object: &str, name: (&str, &str)) -> RecordId {
    let id = create(device, object, [name]);
    let path = format!("/composite/sobjects/{object}");
    let lost = Fault::new(FaultKind::LoseAnswer).method("POST").path(&path);
    world.sandbox.fail_next(lost);
    wait(device.sync()).expect_err("the read-back is lost");
    id
}

#[test]
fn a_record_that_was_never_read_back_is_not_overwritten_unseen() {
    let world = World::new(400, 300);
    let device = prime(&world, ME, &in_the_field());
    let task = unread(&device, &world, "Task", ("Subject", "Unread"));
    let there = server_id(&device, &task);
    edit(&device, &task, "CallDisposition", "mine");
    world.sandbox.advance(LONG);
    let theirs = [("CallDisposition", "theirs")];
    world.change("Task", &there, &theirs).expect("the boss may");
    world.sandbox.advance(60);
    let report = sync(&device);
    assert_eq!((report.conflicts, report.pushed_updates), (1, 0));
    let now = at_org(&world, "Task", &there, "CallDisposition");
    assert_eq!(now.as_deref(), Some("\"theirs\""));
}

#[test]
fn a_record_in_conflict_is_not_deleted_although_its_edit_was_refused() {
    let world = World::new(401, 300);
    let device = prime(&world, ME, &in_the_field());
    let account = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    let edits = [
        ("NumberOfEmployees", Value::from(-1)),
        ("Fax", "mine".into()),
    ];
    device.update(&account, edits).expect("a valid edit");
    assert_eq!(sync(&device).rejected.len(), 1);
    world.sandbox.advance(60);
    let theirs = [("Fax", "theirs")];
    world
        .change("Account", account.as_str(), &theirs)
        .expect("the boss may");
    assert_eq!(sync(&device).conflicts, 1);
    let error = device.delete(&account).expect_err("it is in conflict");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let conflict = device.conflicts().expect("a read").remove(0);
    device
        .resolve(conflict.id, attache::Resolution::Theirs)
        .expect("a valid resolution");
    device.delete(&account).expect("nothing is in the way");
}

/// The org clears lookups to a record that is deleted, and no stamp tells of that.
#[test]
fn a_lookup_that_the_org_cleared_does_not_withdraw_a_deletion() {
    let world = World::new(402, 300);
    let device = prime(&world, ME, &in_the_field());
    let parent = create(&device, "Account", [("Name", "Parent")]);
    let child = [
        ("Name", Value::from("Child")),
        ("ParentId", (&parent).into()),
    ];
    let child = create(&device, "Account", child);
    settle(&world, &device);
    let there = server_id(&device, &child);
    world
        .remove("Account", &server_id(&device, &parent))
        .expect("the boss may");
    device.delete(&child).expect("it is here");
    let report = settle(&world, &device);
    assert_eq!((report.pushed_deletes, &*report.merged), (1, &[][..]));
    assert_eq!(at_org(&world, "Account", &there, "Id"), None);
    agrees(&world, ME, &device);
}

/// Our own write moved the stamps of a version that this device has never read.
#[test]
fn a_record_deleted_before_its_update_was_read_back_is_deleted() {
    let world = World::new(403, 300);
    let device = prime(&world, ME, &in_the_field());
    let account = create(&device, "Account", [("Name", "Brief")]);
    settle(&world, &device);
    let there = server_id(&device, &account);
    world.sandbox.advance(60);
    edit(&device, &account, "Site", "mine");
    let lost = Fault::new(FaultKind::LoseAnswer)
        .method("POST")
        .path("/composite/sobjects/Account");
    world.sandbox.fail_next(lost);
    wait(device.sync()).expect_err("the read-back is lost");
    let site = at_org(&world, "Account", &there, "Site");
    assert_eq!(site.as_deref(), Some("\"mine\""));
    device.delete(&account).expect("it is here");
    let report = settle(&world, &device);
    assert_eq!((report.pushed_deletes, &*report.merged), (1, &[][..]));
    assert_eq!(at_org(&world, "Account", &there, "Id"), None);
}
