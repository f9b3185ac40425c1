//! Unsent work leaves one device in a file and is sent by another: nothing is lost, nothing happens twice.

use attache::{Attache, ErrorKind, Keep, RecordId, Resolution, Value};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::World;
use attache_tests::{
    agrees, all, at_org, briefcase, colleague, create, decide, edit, field_sales, first, org_says,
    prime, server_id, settle, sync, value,
};

const ANY: &str = "SELECT Id FROM Account ORDER BY Id LIMIT 1";
const NO_KEY: &str = r#"{"version": 1, "rules": [{"object": "Account", "scope": "mine"}]}"#;

/// A world with two devices of one user that hold the same.
fn two(seed: u64) -> (World, Attache, Attache) {
    let world = World::new(seed, 400);
    let (a, b) = (
        prime(&world, 0, &field_sales()),
        prime(&world, 0, &field_sales()),
    );
    (world, a, b)
}

fn carry(from: &Attache, to: &Attache) -> attache::Imported {
    let file = from.export_unsent(None).expect("an export");
    to.import_unsent(&file, None).expect("an import")
}

fn named(world: &World, name: &str) -> usize {
    let soql = format!("SELECT Id FROM Account WHERE Name = '{name}'");
    world
        .rows(world.boss(), &soql)
        .expect("a valid query")
        .len()
}

fn phone(device: &Attache, id: &RecordId) -> Value {
    value(device, id, "Phone")
}

#[test]
fn the_work_of_a_lost_device_is_sent_by_another() {
    let (world, a, b) = two(1);
    let account = create(&a, "Account", [("Name", "Carried")]);
    let contact = create(
        &a,
        "Contact",
        [
            ("LastName", Value::from("Child")),
            ("AccountId", Value::from(&account)),
        ],
    );
    let edited = first(&a, ANY);
    edit(&a, &edited, "Phone", "+49 1");
    let gone = first(&a, "SELECT Id FROM Task ORDER BY Id LIMIT 1");
    a.delete(&gone).expect("a task may be deleted");
    let imported = carry(&a, &b);
    assert_eq!(
        (
            imported.mutations,
            imported.already_there,
            imported.conflicts
        ),
        (4, 0, 0)
    );
    assert_eq!(phone(&b, &edited), Value::from("+49 1"));
    assert!(b.get(&gone).expect("a read").is_none());
    drop(a);
    settle(&world, &b);
    agrees(&world, 0, &b);
    assert_eq!(
        value(&b, &contact, "AccountId"),
        Value::from(server_id(&b, &account))
    );
    assert_eq!(at_org(&world, "Task", gone.as_str(), "Id"), None);
    org_says(&world, edited.as_str(), "Phone", "+49 1");
}

#[test]
fn importing_twice_is_harmless_before_and_after_the_work_was_sent() {
    let (world, a, b) = two(2);
    create(&a, "Account", [("Name", "Once")]);
    edit(&a, &first(&a, ANY), "Phone", "once");
    let file = a.export_unsent(None).expect("an export");
    b.import_unsent(&file, None).expect("an import");
    let again = b.import_unsent(&file, None).expect("an import");
    assert_eq!((again.mutations, again.already_there), (0, 2));
    settle(&world, &b);
    let late = b.import_unsent(&file, None).expect("an import");
    assert_eq!((late.mutations, late.already_there), (0, 2));
    assert!(b.pending().expect("a read").is_empty());
    assert_eq!(named(&world, "Once"), 1);
}

#[test]
fn work_that_comes_home_is_already_there() {
    let (_world, a, b) = two(3);
    create(&a, "Account", [("Name", "Home")]);
    carry(&a, &b);
    let home = carry(&b, &a);
    assert_eq!((home.mutations, home.already_there), (0, 1));
}

#[test]
fn a_create_with_a_client_key_that_both_devices_send_is_one_record() {
    let (world, a, b) = two(4);
    let id = create(&a, "Account", [("Name", "Both")]);
    carry(&a, &b);
    settle(&world, &b);
    settle(&world, &a);
    assert_eq!(named(&world, "Both"), 1);
    assert_eq!(server_id(&a, &id), server_id(&b, &id));
    agrees(&world, 0, &a);
    agrees(&world, 0, &b);
}

#[test]
fn a_create_without_a_client_key_is_looked_for_before_the_second_device_sends_it() {
    let world = World::new(5, 400);
    let rules = briefcase(NO_KEY);
    let (a, b) = (prime(&world, 0, &rules), prime(&world, 0, &rules));
    let id = create(
        &a,
        "Account",
        [
            ("Name", Value::from("Keyless")),
            ("Phone", Value::from("+49 5")),
        ],
    );
    carry(&a, &b);
    settle(&world, &b);
    settle(&world, &a);
    assert_eq!(named(&world, "Keyless"), 1);
    assert_eq!(server_id(&a, &id), server_id(&b, &id));
}

#[test]
fn an_edit_made_after_the_export_is_sent_on_top() {
    let (world, a, b) = two(6);
    let id = create(&a, "Account", [("Name", "On top")]);
    carry(&a, &b);
    edit(&a, &id, "Phone", "later");
    settle(&world, &b);
    settle(&world, &a);
    assert_eq!(named(&world, "On top"), 1);
    org_says(&world, &server_id(&a, &id), "Phone", "later");
}

#[test]
fn a_record_that_the_other_device_does_not_hold_comes_with_the_file() {
    let world = World::new(7, 400);
    let a = prime(&world, 0, &field_sales());
    let none =
        r#"{"version": 1, "rules": [{"object": "Account", "where": "Name = 'nobody'"}, "User"]}"#;
    let b = prime(&world, 0, &briefcase(none));
    let id = first(&a, ANY);
    edit(&a, &id, "Phone", "carried");
    assert!(b.get(&id).expect("a read").is_none());
    carry(&a, &b);
    assert_eq!(value(&b, &id, "Name"), value(&a, &id, "Name"));
    settle(&world, &b);
    org_says(&world, id.as_str(), "Phone", "carried");
}

#[test]
fn a_record_that_comes_with_the_file_is_known_by_the_name_that_hosts_hold() {
    let world = World::new(24, 400);
    let a = prime(&world, 0, &field_sales());
    let made = create(&a, "Account", [("Name", "Known by its key")]);
    settle(&world, &a);
    edit(&a, &made, "Phone", "carried");
    let none =
        r#"{"version": 1, "rules": [{"object": "Account", "where": "Name = 'nobody'"}, "User"]}"#;
    let b = prime(&world, 0, &briefcase(none));
    carry(&a, &b);
    let listed = all(&b, "SELECT Id FROM Account");
    assert_eq!(listed, std::slice::from_ref(&made));
    assert_eq!(value(&b, &made, "Phone"), Value::from("carried"));
    settle(&world, &b);
    org_says(&world, server_id(&a, &made).as_str(), "Phone", "carried");
}

#[test]
fn edits_of_different_fields_on_two_devices_are_joined() {
    let (world, a, b) = two(8);
    let id = first(&a, ANY);
    edit(&a, &id, "Phone", "from a");
    edit(&b, &id, "Fax", "from b");
    assert_eq!(carry(&a, &b).conflicts, 0);
    assert_eq!(
        (phone(&b, &id), value(&b, &id, "Fax")),
        ("from a".into(), "from b".into())
    );
    settle(&world, &b);
    agrees(&world, 0, &b);
}

/// Asserts the two values of the first field in conflict.
#[track_caller]
fn differs(device: &Attache, local: &str, remote: &str) {
    let field = device
        .conflicts()
        .expect("a read")
        .remove(0)
        .fields
        .remove(0);
    assert_eq!((field.local, field.remote), (local.into(), remote.into()));
}

/// A phone is edited on a, and then by a colleague.
fn overtaken(seed: u64) -> (World, Attache, Attache, RecordId) {
    let (world, a, b) = two(seed);
    let id = first(&a, ANY);
    edit(&a, &id, "Phone", "from a");
    colleague(&world, id.as_str(), "Phone", "theirs");
    (world, a, b, id)
}

/// Both devices edit one field; b imports the work of a.
fn disputed(seed: u64) -> (World, Attache, RecordId) {
    let (world, a, b) = two(seed);
    let id = first(&a, ANY);
    edit(&a, &id, "Phone", "from a");
    edit(&a, &id, "Website", "https://a.example");
    edit(&b, &id, "Phone", "from b");
    assert_eq!(carry(&a, &b).conflicts, 1);
    (world, b, id)
}

#[test]
fn a_field_edited_on_two_devices_is_a_conflict_and_nothing_is_sent() {
    let (_world, b, id) = disputed(9);
    let conflict = b.conflicts().expect("a read").remove(0);
    let field = &conflict.fields[0];
    assert_eq!(
        (field.name.as_str(), &field.local, &field.remote),
        ("Phone", &"from b".into(), &"from a".into())
    );
    assert_eq!(value(&b, &id, "Website"), Value::from("https://a.example"));
    let report = sync(&b);
    assert_eq!((report.pushed_updates, report.conflicts), (0, 1));
}

#[test]
fn the_imported_value_of_a_conflict_may_be_taken() {
    let (world, b, id) = disputed(10);
    decide(&b, Resolution::Theirs);
    settle(&world, &b);
    org_says(&world, id.as_str(), "Phone", "from a");
    org_says(&world, id.as_str(), "Website", "https://a.example");
    agrees(&world, 0, &b);
}

#[test]
fn the_value_of_this_device_may_be_kept_against_an_imported_one() {
    let (world, b, id) = disputed(11);
    decide(&b, Resolution::per_field([("Phone", Keep::Mine)]));
    settle(&world, &b);
    org_says(&world, id.as_str(), "Phone", "from b");
    agrees(&world, 0, &b);
}

#[test]
fn what_the_server_changed_during_a_conflict_with_imported_work_is_not_overwritten() {
    let (world, b, id) = disputed(12);
    colleague(&world, id.as_str(), "Phone", "theirs");
    assert_eq!(sync(&b).conflicts, 1);
    decide(&b, Resolution::Theirs);
    let report = sync(&b);
    assert_eq!(
        report.conflicts, 1,
        "the server's value is news: {report:?}"
    );
    differs(&b, "from a", "theirs");
    org_says(&world, id.as_str(), "Phone", "theirs");
}

#[test]
fn a_newer_server_value_on_the_other_device_is_a_conflict_with_the_import() {
    let (_world, a, b, _) = overtaken(13);
    sync(&b);
    assert_eq!(carry(&a, &b).conflicts, 1);
    differs(&b, "from a", "theirs");
}

#[test]
fn an_open_conflict_travels() {
    let (_world, a, b, _) = overtaken(14);
    assert_eq!(sync(&a).conflicts, 1);
    let imported = carry(&a, &b);
    assert_eq!(imported.conflicts, 1, "{imported:?}");
    let (here, there) = (
        a.conflicts().expect("a read"),
        b.conflicts().expect("a read"),
    );
    assert_eq!(here[0].fields, there[0].fields);
}

#[test]
fn a_deletion_gives_way_to_an_edit_on_the_other_device() {
    let (world, a, b) = two(15);
    let id = first(&a, ANY);
    a.delete(&id).expect("a deletion");
    edit(&b, &id, "Phone", "kept");
    assert_eq!(carry(&a, &b).withdrawn, std::slice::from_ref(&id));
    settle(&world, &b);
    org_says(&world, id.as_str(), "Phone", "kept");
}

#[test]
fn an_imported_edit_brings_back_what_was_deleted_here() {
    let (world, a, b) = two(16);
    let id = first(&a, ANY);
    edit(&a, &id, "Phone", "kept");
    b.delete(&id).expect("a deletion");
    assert_eq!(carry(&a, &b).withdrawn, std::slice::from_ref(&id));
    assert_eq!(phone(&b, &id), Value::from("kept"));
    settle(&world, &b);
    agrees(&world, 0, &b);
}

#[test]
fn a_record_in_conflict_here_waits_and_can_be_imported_after_the_decision() {
    let (world, a, b) = two(17);
    let id = first(&a, ANY);
    edit(&a, &id, "Fax", "from a");
    edit(&b, &id, "Phone", "from b");
    colleague(&world, id.as_str(), "Phone", "theirs");
    assert_eq!(sync(&b).conflicts, 1);
    assert_eq!(carry(&a, &b).waiting, std::slice::from_ref(&id));
    decide(&b, Resolution::Mine);
    assert_eq!(carry(&a, &b).mutations, 1);
    settle(&world, &b);
    org_says(&world, id.as_str(), "Fax", "from a");
}

#[test]
fn the_work_of_another_user_is_refused() {
    let world = World::new(18, 400);
    let (a, b) = (
        prime(&world, 0, &field_sales()),
        prime(&world, 1, &field_sales()),
    );
    create(&a, "Account", [("Name", "Not yours")]);
    let file = a.export_unsent(None).expect("an export");
    let error = b.import_unsent(&file, None).expect_err("another user");
    assert_eq!(error.kind(), ErrorKind::WrongOwner);
    assert!(b.pending().expect("a read").is_empty());
}

#[test]
fn an_object_that_is_not_carried_stops_the_whole_import() {
    let world = World::new(19, 400);
    let a = prime(&world, 0, &field_sales());
    let b = prime(&world, 0, &briefcase(NO_KEY));
    edit(&a, &first(&a, ANY), "Phone", "x");
    create(&a, "Contact", [("LastName", "Unknown")]);
    let file = a.export_unsent(None).expect("an export");
    let error = b.import_unsent(&file, None).expect_err("no contacts here");
    assert_eq!(error.kind(), ErrorKind::UnknownObject);
    assert!(b.pending().expect("a read").is_empty());
}

#[test]
fn a_sealed_file_and_a_damaged_one_change_nothing() {
    let (_world, a, b) = two(20);
    create(&a, "Account", [("Name", "Sealed")]);
    let mut file = a.export_unsent(Some("open")).expect("an export");
    let kind = |file: &[u8], word| b.import_unsent(file, word).expect_err("no work").kind();
    assert_eq!(kind(&file, Some("shut")), ErrorKind::StorageCorrupt);
    assert_eq!(kind(&file, None), ErrorKind::InvalidArgument);
    assert_eq!(
        b.import_unsent(&file, Some("open"))
            .expect("an import")
            .mutations,
        1
    );
    let last = file.len() - 1;
    file[last] ^= 1;
    assert_eq!(kind(&file, Some("open")), ErrorKind::StorageCorrupt);
    assert_eq!(b.pending().expect("a read").len(), 1);
}

#[test]
fn a_store_that_nobody_owns_neither_exports_nor_imports() {
    let (world, a, _b) = two(21);
    let new = world.device(0).expect("a store");
    assert_eq!(
        new.export_unsent(None).expect_err("no owner").kind(),
        ErrorKind::NotReady
    );
    let file = a.export_unsent(None).expect("an empty export");
    assert_eq!(
        new.import_unsent(&file, None).expect_err("no owner").kind(),
        ErrorKind::NotReady
    );
    assert!(all(&a, "SELECT Id FROM Account").len() > 1);
}

#[test]
fn a_create_that_is_found_late_keeps_what_was_pulled_and_edited_here() {
    let (world, a, b) = two(22);
    create(&a, "Account", [("Name", "Found late")]);
    let file = a.export_unsent(None).expect("an export");
    settle(&world, &a);
    settle(&world, &b);
    let pulled = first(&b, "SELECT Id FROM Account WHERE Name = 'Found late'");
    edit(&b, &pulled, "Phone", "upon it");
    world.sandbox.advance(7_200);
    b.import_unsent(&file, None).expect("an import");
    settle(&world, &b);
    assert_eq!(named(&world, "Found late"), 1);
    let id = server_id(&b, &pulled);
    org_says(&world, &id, "Phone", "upon it");
    agrees(&world, 0, &b);
}

/// A create of whose answer was lost, and an edit upon it, are in a file. The record came to b meanwhile.
fn found_on_another_device(rules: &str, seed: u64) -> (World, Attache, RecordId, Vec<u8>) {
    let world = World::new(seed, 400);
    let rules = briefcase(rules);
    let (a, b) = (prime(&world, 0, &rules), prime(&world, 0, &rules));
    // One value may change before it is looked for: the others tell that it is the one.
    let values = [
        ("Name", "Found late"),
        ("Phone", "as it was made"),
        ("Fax", "the fax"),
        ("Site", "the site"),
        ("Website", "https://late.example"),
    ];
    let id = create(&a, "Account", values);
    let lost = Fault::new(FaultKind::LoseAnswer).path("/composite/sobjects");
    world.sandbox.fail_next(lost);
    assert_eq!(sync(&a).in_doubt, 1);
    edit(&a, &id, "Phone", "upon the create");
    let file = a.export_unsent(None).expect("an export");
    settle(&world, &b);
    let pulled = first(&b, "SELECT Id FROM Account WHERE Name = 'Found late'");
    (world, b, pulled, file)
}

/// With a client key the create is sent again, without one it is looked for.
const WITH_AND_WITHOUT_KEY: [&str; 2] = [
    NO_KEY,
    r#"{"version": 1, "rules": [{"object": "Account", "scope": "mine"}],
        "objects": {"Account": {"client_key": "External_Id__c"}}}"#,
];

#[test]
fn a_field_edited_of_a_create_and_of_the_record_that_it_is_found_to_be_is_a_conflict() {
    for rules in WITH_AND_WITHOUT_KEY {
        let (world, b, pulled, file) = found_on_another_device(rules, 24);
        edit(&b, &pulled, "Phone", "upon what came");
        b.import_unsent(&file, None).expect("an import");
        let report = sync(&b);
        assert_eq!((report.conflicts, report.pushed_updates), (1, 0));
        differs(&b, "upon what came", "upon the create");
        decide(&b, Resolution::Theirs);
        settle(&world, &b);
        assert_eq!(named(&world, "Found late"), 1);
        let id = server_id(&b, &pulled);
        org_says(&world, &id, "Phone", "upon the create");
        agrees(&world, 0, &b);
    }
}

#[test]
fn an_edit_of_a_create_does_not_go_over_what_came_with_the_record_that_it_is_found_to_be() {
    for rules in WITH_AND_WITHOUT_KEY {
        let (world, b, pulled, file) = found_on_another_device(rules, 25);
        colleague(&world, pulled.as_str(), "Phone", "theirs");
        sync(&b);
        // Nothing of the create is on its way by now.
        world.sandbox.advance(7_200);
        b.import_unsent(&file, None).expect("an import");
        let report = sync(&b);
        assert_eq!((report.conflicts, report.pushed_updates), (1, 0));
        differs(&b, "upon the create", "theirs");
        org_says(&world, &server_id(&b, &pulled), "Phone", "theirs");
    }
}

/// The edit was sent with the create, and the file says nothing of that.
#[test]
fn an_edit_that_the_org_has_already_does_not_go_over_one_that_was_made_upon_it() {
    let (world, b, pulled, file) = found_on_another_device(NO_KEY, 26);
    colleague(&world, pulled.as_str(), "Phone", "upon the create");
    sync(&b);
    edit(&b, &pulled, "Phone", "upon what came");
    world.sandbox.advance(7_200);
    b.import_unsent(&file, None).expect("an import");
    settle(&world, &b);
    org_says(&world, &server_id(&b, &pulled), "Phone", "upon what came");
    assert_eq!(named(&world, "Found late"), 1);
}

#[test]
fn a_conflict_that_travels_onto_an_edited_record_is_still_asked() {
    let (world, a, b, id) = overtaken(23);
    assert_eq!(sync(&a).conflicts, 1);
    edit(&b, &id, "Fax", "from b");
    assert_eq!(carry(&a, &b).conflicts, 1);
    assert_eq!(sync(&b).conflicts, 1);
    org_says(&world, id.as_str(), "Phone", "theirs");
}
