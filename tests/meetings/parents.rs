//! A parent is deleted, here or at the org, while it has children of which something is unsent.

use attache::{Attache, ConflictKind, ErrorKind, MutationState, RecordId, Resolution, Value};
use attache_sim::World;
use attache_tests::{
    ME, agrees, at_org, create, decide, edit, field_sales, first, prime, primed, server_id, settle,
    sync, value,
};

/// A contact that is new here, below an account.
fn child(device: &Attache, account: &RecordId) -> RecordId {
    let fields = [
        ("LastName", Value::from("Child")),
        ("AccountId", Value::from(account)),
    ];
    create(device, "Contact", fields)
}

/// A device, an account of the org that nobody else hangs anything on, and another one.
fn accounts(seed: u64) -> (World, Attache, RecordId, RecordId) {
    let (world, device, other) = primed(seed);
    let account = create(&device, "Account", [("Name", "Parent")]);
    settle(&world, &device);
    world.sandbox.advance(60);
    (world, device, account, other)
}

#[test]
fn a_parent_is_not_deleted_here_while_a_new_child_hangs_on_it() {
    let (world, device, account, other) = accounts(811);
    let child = child(&device, &account);
    let pending = device.pending().expect("a read");
    let error = device.delete(&account).expect_err("a child hangs on it");
    assert_eq!(error.kind(), ErrorKind::UnsentWork, "{error}");
    assert!(error.to_string().contains("Contact"), "{error}");
    assert_eq!(device.pending().expect("a read"), pending);
    assert!(device.get(&account).expect("a read").is_some());
    // Elsewhere it does not go with its parent.
    edit(&device, &child, "AccountId", &other);
    let there = server_id(&device, &account);
    device.delete(&account).expect("nothing hangs on it");
    settle(&world, &device);
    assert_eq!(at_org(&world, "Account", &there, "Id"), None);
    assert_eq!(world.times("Contact", "LastName", "Child"), Ok(1));
    let there = server_id(&device, &child);
    assert!(at_org(&world, "Contact", &there, "Id").is_some());
    assert_eq!(value(&device, &child, "AccountId"), Value::from(&other));
    agrees(&world, ME, &device);
}

#[test]
fn a_parent_is_not_deleted_here_while_a_record_was_moved_below_it() {
    let (world, device, account, other) = accounts(812);
    let moved = child(&device, &other);
    settle(&world, &device);
    edit(&device, &moved, "AccountId", &account);
    let error = device.delete(&account).expect_err("a record was moved");
    assert_eq!(error.kind(), ErrorKind::UnsentWork, "{error}");
    // Nor is one in the way that is deleted itself.
    let there = server_id(&device, &moved);
    device.delete(&moved).expect("a contact may be deleted");
    device.delete(&account).expect("nothing hangs on it");
    settle(&world, &device);
    assert_eq!(at_org(&world, "Contact", &there, "Id"), None);
    agrees(&world, ME, &device);
}

/// The person deleted both, one after the other, and the org heard of both.
#[test]
fn an_edit_of_a_child_reaches_the_org_before_the_deletion_of_its_parent_takes_it_along() {
    let (world, device, account, _) = accounts(813);
    let child = child(&device, &account);
    settle(&world, &device);
    let there = server_id(&device, &child);
    edit(&device, &child, "Phone", "typed before");
    device.delete(&account).expect("an account may be deleted");
    settle(&world, &device);
    let bin = format!("SELECT Id, Phone, IsDeleted FROM Contact WHERE Id = '{there}'");
    let rows = world.all_rows(&bin).expect("a valid query");
    assert_eq!(rows[0].text("Phone").as_deref(), Some("typed before"));
    assert_eq!(rows[0].raw("IsDeleted"), Some("true"));
    assert_eq!(device.get(&child).expect("a read"), None);
    agrees(&world, ME, &device);
}

#[test]
fn a_new_child_of_a_parent_that_a_colleague_deleted_waits_for_a_person() {
    let (world, device, account, other) = accounts(814);
    let child = child(&device, &account);
    let there = server_id(&device, &account);
    world.remove("Account", &there).expect("the boss may");
    world.sandbox.advance(60);
    for _ in 0..2 {
        let report = sync(&device);
        assert_eq!(report.rejected.len(), 1, "{report:?}");
        assert_eq!(report.rejected[0].record, child);
        assert!(!report.is_settled());
    }
    let pending = device.pending().expect("a read");
    assert!(matches!(pending[0].state, MutationState::Rejected(_)));
    assert_eq!(value(&device, &child, "LastName"), Value::from("Child"));
    let file = device.export_unsent(None).expect("an export");
    assert!(String::from_utf8_lossy(&file).contains("\"Child\""));
    edit(&device, &child, "AccountId", &other);
    settle(&world, &device);
    assert_eq!(world.times("Contact", "LastName", "Child"), Ok(1));
    let there = server_id(&device, &child);
    assert!(at_org(&world, "Contact", &there, "Id").is_some());
    agrees(&world, ME, &device);
}

#[test]
fn an_edit_of_a_child_that_went_with_a_colleagues_deletion_of_its_parent_is_asked_about() {
    let (world, device, account, other) = accounts(815);
    let child = child(&device, &account);
    settle(&world, &device);
    edit(&device, &child, "Phone", "still wanted");
    let there = server_id(&device, &account);
    world.remove("Account", &there).expect("the boss may");
    world.sandbox.advance(60);
    assert_eq!(sync(&device).conflicts, 1);
    let conflict = device.conflicts().expect("a read").remove(0);
    assert_eq!(
        (conflict.kind, &conflict.record),
        (ConflictKind::DeletedAtRemote, &child)
    );
    assert_eq!(value(&device, &child, "Phone"), "still wanted".into());
    decide(&device, Resolution::Mine);
    edit(&device, &child, "AccountId", &other);
    settle(&world, &device);
    assert_eq!(world.times("Contact", "Phone", "still wanted"), Ok(1));
    agrees(&world, ME, &device);
}

/// A text that looks like the id of a record is no lookup to it.
#[test]
fn a_record_that_is_merely_named_in_a_text_is_deleted() {
    let world = World::new(816, 600);
    let device = prime(&world, ME, &field_sales());
    let account = create(&device, "Account", [("Name", "Named")]);
    settle(&world, &device);
    let there = server_id(&device, &account);
    let other = first(
        &device,
        "SELECT Id FROM Account WHERE Name != 'Named' LIMIT 1",
    );
    edit(&device, &other, "Description", format!("see {there}"));
    device.delete(&account).expect("a text holds nothing");
    settle(&world, &device);
    agrees(&world, ME, &device);
}
