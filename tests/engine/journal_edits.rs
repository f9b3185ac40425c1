//! Edits as one, taken back, and discarded one by one.

use attache::{Attache, ErrorKind, Fields, MutationKind, MutationState, RecordId, Value};
use attache_sim::World;
use attache_tests::{
    agrees, all, at_org, create, edit, field_sales, first, prime, settle, sync, value,
};

const ANY: &str = "SELECT Id FROM Account ORDER BY Id LIMIT 1";

fn device(seed: u64) -> (World, Attache, RecordId) {
    let world = World::new(seed, 400);
    let device = prime(&world, 0, &field_sales());
    let id = first(&device, ANY);
    (world, device, id)
}

/// A record with two edits, of which one is in conflict.
fn half_in_conflict(seed: u64) -> (World, Attache, RecordId) {
    let (world, device, id) = device(seed);
    edit(&device, &id, "Phone", "mine");
    edit(&device, &id, "Fax", "mine too");
    world.sandbox.advance(60);
    world
        .change("Account", id.as_str(), &[("Phone", "\"theirs\"")])
        .expect("a change");
    world.sandbox.advance(60);
    assert_eq!(sync(&device).conflicts, 1);
    (world, device, id)
}

#[test]
fn a_changeset_is_one_and_may_point_at_what_it_creates() {
    let (world, device, id) = device(1);
    let account = device
        .changeset(|edits| {
            let account = edits.create("Account", [("Name", "Together")])?;
            let contact = [
                ("LastName", Value::from("Child")),
                ("AccountId", Value::from(&account)),
            ];
            edits.create("Contact", contact)?;
            edits.update(&id, [("Phone", "together")])?;
            assert!(edits.get(&account)?.is_some());
            Ok(account)
        })
        .expect("a changeset");
    let pending = device.pending().expect("a read");
    assert_eq!(pending.len(), 3);
    assert!(
        pending
            .iter()
            .all(|mutation| mutation.changeset == pending[0].changeset)
    );
    settle(&world, &device);
    agrees(&world, 0, &device);
    assert!(device.get(&account).expect("a read").is_some());
}

#[test]
fn a_refusal_in_a_changeset_takes_all_of_it_back() {
    let (_world, device, id) = device(2);
    let before = device.get(&id).expect("a read");
    let error = device
        .changeset(|edits| {
            edits.update(&id, [("Phone", "half")])?;
            edits.create("Contact", Fields::new())
        })
        .expect_err("a contact needs a name");
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    assert!(device.pending().expect("a read").is_empty());
    assert_eq!(device.get(&id).expect("a read"), before);
}

#[test]
fn undo_takes_back_the_last_changeset_and_then_the_one_before() {
    let (_world, device, id) = device(3);
    let phone = value(&device, &id, "Phone");
    edit(&device, &id, "Phone", "first");
    device
        .changeset(|edits| {
            edits.update(&id, [("Phone", "second")])?;
            let account = edits.create("Account", [("Name", "Undone")])?;
            edits.update(&account, [("Phone", "undone")])
        })
        .expect("a changeset");
    let undone = device.undo().expect("an undo");
    let kinds: Vec<MutationKind> = undone.iter().map(|mutation| mutation.kind).collect();
    assert_eq!(
        kinds,
        [
            MutationKind::Update,
            MutationKind::Create,
            MutationKind::Update
        ]
    );
    assert_eq!(value(&device, &id, "Phone"), Value::from("first"));
    assert!(all(&device, "SELECT Id FROM Account WHERE Name = 'Undone'").is_empty());
    assert_eq!(device.undo().expect("an undo").len(), 1);
    assert_eq!(value(&device, &id, "Phone"), phone);
    assert!(device.undo().expect("an undo").is_empty());
}

#[test]
fn undo_brings_back_what_was_deleted() {
    let (world, device, id) = device(4);
    let before = device.get(&id).expect("a read");
    device.delete(&id).expect("a deletion");
    device.undo().expect("an undo");
    assert_eq!(device.get(&id).expect("a read"), before);
    assert!(sync(&device).is_settled());
    agrees(&world, 0, &device);
}

#[test]
fn undo_refuses_as_a_whole_what_a_later_edit_needs() {
    let (_world, device, id) = device(5);
    let parent = create(&device, "Account", [("Name", "Parent")]);
    edit(&device, &id, "ParentId", &parent);
    let seq = device.pending().expect("a read")[0].seq;
    let error = device.discard(seq).expect_err("a child points at it");
    assert_eq!(error.kind(), ErrorKind::UnsentWork);
    assert_eq!(device.pending().expect("a read").len(), 2);
}

#[test]
fn discarding_another_edit_leaves_a_conflict_open() {
    let (world, device, id) = half_in_conflict(6);
    let fax = device
        .pending()
        .expect("a read")
        .into_iter()
        .find(|m| m.fields.contains("Fax"))
        .expect("the edit");
    device.discard(fax.seq).expect("a discard");
    let report = sync(&device);
    assert_eq!(
        (report.conflicts, report.pushed_updates),
        (1, 0),
        "{report:?}"
    );
    assert_eq!(
        at_org(&world, "Account", id.as_str(), "Phone").as_deref(),
        Some("\"theirs\"")
    );
}

#[test]
fn discarding_the_edit_in_conflict_settles_it() {
    let (world, device, id) = half_in_conflict(7);
    let phone = device
        .pending()
        .expect("a read")
        .into_iter()
        .find(|m| m.fields.contains("Phone"))
        .expect("the edit");
    device.discard(phone.seq).expect("a discard");
    assert!(device.conflicts().expect("a read").is_empty());
    assert_eq!(value(&device, &id, "Phone"), Value::from("theirs"));
    assert!(
        device
            .pending()
            .expect("a read")
            .iter()
            .all(|m| m.state == MutationState::Pending)
    );
    settle(&world, &device);
    agrees(&world, 0, &device);
}
