//! The journal by record and by changeset: discard, retry, undo.

use attache::{Attache, Briefcase, ErrorKind, MutationState, RecordId, Value};
use attache_sim::World;
use attache_tests::{agrees, at_org, create, edit, first, prime, settle, sync, value};

const ANY: &str = "SELECT Id FROM Account ORDER BY Id LIMIT 1";

fn device(seed: u64) -> (World, Attache, RecordId) {
    let world = World::new(seed, 300);
    let device = prime(&world, 0, &Briefcase::everything(["Account", "Contact"]));
    let id = first(&device, ANY);
    (world, device, id)
}

fn refuse(device: &Attache) -> RecordId {
    let refused = [
        ("Name", Value::from("Refused")),
        ("NumberOfEmployees", Value::from(-1)),
    ];
    create(device, "Account", refused)
}

#[test]
fn all_edits_of_a_record_are_taken_back_at_once() {
    let (world, device, id) = device(1);
    let before = device.get(&id).expect("a read");
    edit(&device, &id, "Site", "one");
    edit(&device, &id, "Phone", "two");
    let other = create(&device, "Account", [("Name", "Stays")]);
    device.delete(&id).expect("a deletion");
    let taken = device.discard_record(&id).expect("a discard");
    assert_eq!(taken.len(), 3);
    assert_eq!(device.get(&id).expect("a read"), before);
    assert_eq!(device.pending().expect("a read").len(), 1);
    assert!(device.discard_record(&id).expect("nothing").is_empty());
    settle(&world, &device);
    assert!(device.get(&other).expect("a read").is_some());
    agrees(&world, 0, &device);
}

#[test]
fn a_record_made_here_goes_with_its_edits_unless_others_point_at_it() {
    let (_world, device, _) = device(2);
    let parent = create(&device, "Account", [("Name", "Parent")]);
    edit(&device, &parent, "Site", "x");
    let child = [
        ("LastName", Value::from("Child")),
        ("AccountId", Value::from(&parent)),
    ];
    let child = create(&device, "Contact", child);
    let error = device
        .discard_record(&parent)
        .expect_err("a child is there");
    assert_eq!(error.kind(), ErrorKind::UnsentWork);
    assert_eq!(device.pending().expect("a read").len(), 3);
    device.discard_record(&child).expect("a discard");
    device.discard_record(&parent).expect("a discard");
    assert!(device.pending().expect("a read").is_empty());
    assert!(device.get(&parent).expect("a read").is_none());
}

#[test]
fn to_discard_a_record_in_conflict_is_to_take_theirs() {
    let (world, device, id) = device(3);
    edit(&device, &id, "Phone", "mine");
    edit(&device, &id, "Fax", "mine too");
    world.sandbox.advance(60);
    world
        .change("Account", id.as_str(), &[("Phone", "\"theirs\"")])
        .expect("the boss may");
    assert_eq!(sync(&device).conflicts, 1);
    assert_eq!(device.discard_record(&id).expect("a discard").len(), 2);
    assert!(device.conflicts().expect("a read").is_empty());
    assert_eq!(value(&device, &id, "Phone"), "theirs".into());
    assert!(sync(&device).is_settled());
    agrees(&world, 0, &device);
}

#[test]
fn what_was_refused_is_sent_once_more_by_record_or_all_together() {
    let (world, device, _) = device(4);
    let (one, two) = (refuse(&device), refuse(&device));
    assert_eq!(sync(&device).rejected.len(), 2);
    device.retry_record(&one).expect("a retry");
    let waits = |id: &RecordId| {
        let pending = device.pending().expect("a read");
        let found = pending.into_iter().find(|mutation| mutation.record == *id);
        found.expect("a mutation").state == MutationState::Pending
    };
    assert!(waits(&one) && !waits(&two));
    let error = device.retry_record(&one).expect_err("it was not refused");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(device.retry_all().expect("a retry"), 1);
    assert_eq!(device.retry_all().expect("a retry"), 0);
    assert!(waits(&one) && waits(&two));
    let report = sync(&device);
    assert_eq!(report.rejected.len(), 2, "{report:?}");
    for id in [&one, &two] {
        edit(&device, id, "NumberOfEmployees", 1);
    }
    settle(&world, &device);
    agrees(&world, 0, &device);
}

#[test]
fn a_changeset_is_undone_by_its_number() {
    let (world, device, id) = device(5);
    let site = value(&device, &id, "Site");
    device
        .changeset(|edits| {
            edits.update(&id, [("Site", "first")])?;
            edits.create("Account", [("Name", "First")])
        })
        .expect("a changeset");
    edit(&device, &id, "Phone", "second");
    let first = device.pending().expect("a read")[0].changeset;
    let undone = device.undo_changeset(first).expect("an undo");
    assert_eq!(undone.len(), 2);
    assert_eq!(value(&device, &id, "Site"), site);
    assert_eq!(value(&device, &id, "Phone"), "second".into());
    assert!(device.undo_changeset(first).expect("nothing").is_empty());
    settle(&world, &device);
    assert_eq!(world.times("Account", "Name", "First"), Ok(0));
    assert_eq!(
        at_org(&world, "Account", id.as_str(), "Phone").as_deref(),
        Some("\"second\"")
    );
}

#[test]
fn a_record_that_is_made_edited_and_deleted_here_is_never_sent() {
    let (world, device, _) = device(6);
    let id = create(&device, "Account", [("Name", "Never")]);
    edit(&device, &id, "Site", "x");
    device.delete(&id).expect("a deletion");
    assert!(device.pending().expect("a read").is_empty());
    assert_eq!(sync(&device).pushed_creates, 0);
    assert_eq!(world.times("Account", "Name", "Never"), Ok(0));
}

#[test]
fn a_new_record_moves_from_one_new_parent_to_another() {
    let (world, device, _) = device(7);
    let old = create(&device, "Account", [("Name", "Old")]);
    let new = create(&device, "Account", [("Name", "New")]);
    let child = [
        ("LastName", Value::from("Moves")),
        ("AccountId", Value::from(&old)),
    ];
    let child = create(&device, "Contact", child);
    edit(&device, &child, "AccountId", &new);
    // Its create still names the old one, which therefore cannot go yet.
    settle(&world, &device);
    assert_eq!(
        value(&device, &child, "AccountId"),
        value(&device, &new, "Id")
    );
    agrees(&world, 0, &device);
}
