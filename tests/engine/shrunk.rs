//! What random walks have found, each shrunk to the few steps that show it.

use attache::{Attache, Briefcase, ErrorKind, MutationState, RecordId, Resolution, Value};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, wait};
use attache_tests::{
    agrees, all, at_org, briefcase, create, decide, edit, first, prime, quoted, server_id, settle,
    sync, value,
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
        .resolve(conflict.id, Resolution::Theirs)
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

/// A person made a deleted lead again; then somebody took the old one out of the recycle bin.
#[test]
fn a_record_that_is_back_is_not_the_one_that_was_made_in_its_place() {
    let world = World::new(404, 300);
    let mine = briefcase(r#"{"version": 1, "rules": [{"object": "Lead", "scope": "mine"}]}"#);
    let device = prime(&world, ME, &mine);
    let lead = first(&device, "SELECT Id FROM Lead ORDER BY Id LIMIT 1");
    edit(&device, &lead, "Fax", "mine");
    let old = lead.as_str().to_owned();
    world.remove("Lead", &old).expect("the boss may");
    world.sandbox.advance(60);
    assert_eq!(sync(&device).conflicts, 1);
    decide(&device, Resolution::Mine);
    settle(&world, &device);
    let new = server_id(&device, &lead);
    assert_ne!(new, old);
    let boss = world.boss().to_owned();
    let back = |org: &mut attache_sandbox::org::Org| org.undelete(&boss, "Lead", &old);
    world.sandbox.with_org(back).expect("it is in the bin");
    settle(&world, &device);
    // The old id is the old record's again, as it is in every lookup.
    assert_eq!(server_id(&device, &lead), old);
    let ids: Vec<String> = all(&device, "SELECT Id FROM Lead")
        .iter()
        .map(|id| server_id(&device, id))
        .collect();
    for id in [&old, &new] {
        assert_eq!(ids.iter().filter(|it| *it == id).count(), 1, "{id}");
    }
    agrees(&world, ME, &device);
    // The one that was made in its place is edited and sent under an identity of its own.
    let found = all(&device, "SELECT Id FROM Lead");
    let own = found.iter().find(|id| server_id(&device, id) == new);
    let own = own.expect("it is listed").clone();
    edit(&device, &own, "Title", "made again");
    settle(&world, &device);
    let title = at_org(&world, "Lead", &new, "Title");
    assert_eq!(title.as_deref(), Some("\"made again\""));
    agrees(&world, ME, &device);
}

/// The rule that held it was dropped while its deletion waited.
#[test]
fn a_deletion_that_is_taken_back_does_not_bring_a_membership_back() {
    let world = World::new(405, 300);
    let with_tasks = briefcase(r#"{"version": 1, "rules": ["Account", "Task"]}"#);
    let device = prime(&world, ME, &with_tasks);
    let task = first(&device, "SELECT Id FROM Task ORDER BY Id LIMIT 1");
    device.delete(&task).expect("it is here");
    let without = r#"{"version": 1, "objects": {"Task": {}}, "rules": ["Account"]}"#;
    device
        .set_briefcase(briefcase(without))
        .expect("a briefcase is stored");
    wait(device.prepare()).expect("the rules are known");
    let deletion = device.pending().expect("a read").remove(0);
    device.discard(deletion.seq).expect("it was not sent");
    assert!(device.get(&task).expect("a read").is_some());
    settle(&world, &device);
    assert_eq!(device.get(&task).expect("a read"), None);
    agrees(&world, ME, &device);
}

/// Records share stages, dates and accounts; what they are called tells them apart.
#[test]
fn a_create_in_doubt_is_not_taken_for_a_record_of_another_name() {
    let world = World::new(406, 300);
    let everything = briefcase(r#"{"version": 1, "rules": ["Account", "Opportunity"]}"#);
    let device = prime(&world, ME, &everything);
    let account = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    // The same person, at a desk.
    let at_the_desk = attache_sim::fields(&[
        ("Name", "At the desk"),
        ("StageName", "Prospecting"),
        ("CloseDate", "2026-12-24"),
        ("AccountId", &quoted(account.as_str())),
    ]);
    let me = world.users[ME].id.clone();
    world
        .sandbox
        .with_org(|org| org.create(&me, "Opportunity", &at_the_desk))
        .expect("a valid row");
    let fields = [
        ("Name", Value::from("In the field")),
        ("StageName", "Prospecting".into()),
        ("CloseDate", Value::Date(jiff::civil::date(2026, 12, 24))),
        ("AccountId", (&account).into()),
    ];
    let mine = create(&device, "Opportunity", fields);
    let lost = Fault::new(FaultKind::LoseRequest).method("POST");
    world.sandbox.fail_next(lost.path("/composite/sobjects"));
    let _ = wait(device.sync());
    for _ in 0..3 {
        world.sandbox.advance(700);
        sync(&device);
    }
    // It waits for a person, who sends it once more.
    let pending = device.pending().expect("a read").remove(0);
    assert!(
        matches!(pending.state, MutationState::InDoubt(_)),
        "{pending:?}"
    );
    assert_eq!(value(&device, &mine, "Name"), "In the field".into());
    device.retry(pending.seq).expect("nobody can find it out");
    settle(&world, &device);
    for name in ["At the desk", "In the field"] {
        assert_eq!(world.times("Opportunity", "Name", name), Ok(1), "{name}");
    }
    agrees(&world, ME, &device);
}
