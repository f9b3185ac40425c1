//! What random walks have found, each shrunk to the few steps that show it.

use attache::{Attache, Briefcase, RecordId};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, wait};
use attache_tests::{at_org, briefcase, create, edit, prime, server_id, sync};

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
