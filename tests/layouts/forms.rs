//! Layouts, record types and picklists by record type.

use crate::{A_DAY, accounts, asked, device, page, world};
use attache::{ErrorKind, LayoutItem};
use attache_sandbox::org::{LayoutDef, LayoutItem as Item};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, wait};
use attache_tests::{ME, agrees, briefcase, prime, sync};

fn items(device: &attache::Attache, record_type: Option<&str>) -> Vec<LayoutItem> {
    let layout = device
        .layout("Account", record_type)
        .expect("a read")
        .expect("a layout");
    let sections = layout.view.into_iter();
    sections
        .flat_map(|section| section.rows.into_iter().flatten())
        .collect()
}

fn names(items: &[LayoutItem]) -> Vec<&str> {
    items
        .iter()
        .flat_map(|item| item.fields.iter().map(String::as_str))
        .collect()
}

#[test]
fn a_form_is_drawn_offline() {
    let world = world(901);
    let device = device(&world);
    world.sandbox.offline(true);
    let layout = device
        .layout("account", None)
        .expect("a read")
        .expect("a layout");
    let section = &layout.view[0];
    assert_eq!(
        (section.heading.as_deref(), section.columns),
        (Some("Who"), 2)
    );
    assert_eq!(section.rows.len(), 2);
    let (name, phone) = (&section.rows[0][0], &section.rows[0][1]);
    assert!(name.required && phone.required && phone.editable_for_new);
    assert!(!section.rows[1][0].required && section.rows[1][0].fields == ["Rating"]);
    let rest = &layout.view[1];
    assert_eq!((rest.heading.as_deref(), rest.columns), (None, 1));
    assert_eq!(rest.rows[0][0].fields, ["BillingAddress"]);
    assert!(rest.rows[1][0].is_read_only());
    assert!(
        layout.edit[1].rows[1][0].is_blank(),
        "nothing to edit there"
    );
    let contacts = &layout.related_lists[0];
    assert_eq!(contacts.object.as_deref(), Some("Contact"));
    assert_eq!(contacts.field.as_deref(), Some("AccountId"));
    assert_eq!(contacts.columns[1].1, "Email");
    assert_eq!(
        device.compact_layout("Account", None).expect("a read"),
        ["Name", "Rating"]
    );

    let types = device.record_types("Account").expect("a read");
    let known: Vec<_> = types
        .iter()
        .map(|one| (one.name.as_str(), one.default, one.master))
        .collect();
    let expected = [
        ("Household", true, false),
        ("Partner", false, false),
        ("Master", false, true),
    ];
    assert_eq!(known, expected);
    // By its id as by its name; a record type without a layout of its own has the master's.
    assert_eq!(
        device
            .layout("Account", Some(&types[0].id))
            .expect("a read"),
        Some(layout.clone())
    );
    assert_ne!(
        device.layout("Account", Some("partner")).expect("a read"),
        Some(layout)
    );
}

#[test]
fn picklists_offer_what_the_record_type_leaves_of_them() {
    let world = world(902);
    let device = device(&world);
    let values = |record_type: Option<&str>, field: &str| -> Vec<(String, bool)> {
        let entries = device
            .picklist_values("Account", record_type, field)
            .expect("a read");
        entries
            .into_iter()
            .map(|entry| (entry.value, entry.default))
            .collect()
    };
    let cold = [("Hot".to_owned(), false), ("Cold".to_owned(), true)];
    assert_eq!(values(None, "Rating"), cold);
    assert_eq!(values(Some("Master"), "rating").len(), 3);
    assert!(
        values(None, "Industry").len() > 5,
        "all of it, where nothing is left out"
    );
    assert_eq!(values(None, "Phone"), [], "no list at all");

    // Dependent ones tell what they go with, with layouts as without.
    let other = prime(
        &world,
        ME,
        &briefcase(
            r#"{"version": 1, "objects": {"Visit__c": {"layouts": true}}, "rules": ["Visit__c", "Account"]}"#,
        ),
    );
    let dependent = other
        .picklist_values("Visit__c", None, "Outcome__c")
        .expect("a read");
    let schema = other.schema().expect("a read");
    let field = schema
        .object("Visit__c")
        .and_then(|visit| visit.field("Outcome__c"))
        .expect("described");
    assert!(dependent.iter().any(|entry| entry.valid_for.is_some()));
    assert_eq!(dependent, field.picklist);
}

#[test]
fn what_is_not_there_is_said() {
    let world = world(903);
    let without = prime(&world, ME, &accounts("{}"));
    assert_eq!(without.layout("Account", None).expect("a read"), None);
    assert_eq!(
        without.compact_layout("Account", None).expect("a read"),
        Vec::<String>::new()
    );
    let all = without
        .picklist_values("Account", None, "Rating")
        .expect("a read");
    assert_eq!(all.len(), 3, "the list of the schema");
    let error = without.layout("Lead", None).expect_err("not described");
    assert_eq!(error.kind(), ErrorKind::UnknownObject);
    let error = without
        .layout("Account", Some("Nope"))
        .expect_err("no such type");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(
        error.to_string().contains("Household, Partner, Master"),
        "{error}"
    );
    let error = without
        .picklist_values("Account", None, "Nope")
        .expect_err("no such field");
    assert_eq!(error.kind(), ErrorKind::UnknownField);
}

#[test]
fn a_session_asks_once_a_day_and_when_told_to() {
    let world = world(904);
    let device = device(&world);
    assert_eq!(asked(&world, "/describe/layouts"), 1);
    assert_eq!(asked(&world, "/describe/compactLayouts"), 1);
    world.sandbox.clear_log();
    world.sandbox.advance(3_000);
    let report = sync(&device);
    assert_eq!(asked(&world, "ayouts"), 0);
    let plain = prime(&world, ME, &accounts("{}"));
    world.sandbox.advance(3_000);
    assert_eq!(
        sync(&plain).api_calls,
        report.api_calls,
        "layouts cost a later session nothing"
    );

    world.sandbox.with_org(|org| {
        org.define_layout(
            "Account",
            Some("Household"),
            page(&["Name", "Phone", "Site"]),
        )
    });
    sync(&device);
    assert_eq!(names(&items(&device, None))[2], "Rating", "not yet");
    device.refresh_layouts().expect("a write");
    sync(&device);
    assert_eq!(names(&items(&device, None))[2], "Site");
    world.sandbox.clear_log();
    world.sandbox.advance(A_DAY);
    sync(&device);
    assert_eq!(asked(&world, "/describe/layouts"), 1);

    // A briefcase that asks for them no more keeps none.
    device.set_briefcase(accounts("{}")).expect("stored");
    sync(&device);
    assert_eq!(device.layout("Account", None).expect("a read"), None);
}

#[test]
fn layouts_that_come_one_by_one_are_put_together() {
    let world = world(905);
    let whole = device(&world);
    world
        .sandbox
        .with_switches(|switches| switches.layouts_come_apart = true);
    let apart = device(&world);
    for record_type in ["Household", "Partner", "Master"] {
        let read = |device: &attache::Attache| {
            device.layout("Account", Some(record_type)).expect("a read")
        };
        assert!(read(&whole).is_some());
        assert_eq!(read(&whole), read(&apart));
    }
}

#[test]
fn a_field_that_is_hidden_leaves_a_gap() {
    for shown in [false, true] {
        let world = world(906);
        world
            .sandbox
            .with_switches(|switches| switches.layouts_show_hidden_fields = shown);
        let user = world.users[ME].id.clone();
        world
            .sandbox
            .with_org(|org| org.hide_field(&user, "Account", "Phone", true));
        let device = device(&world);
        let items = items(&device, None);
        assert_eq!(names(&items)[..2], ["Name", "Rating"]);
        assert!(
            items[1].is_blank() && items[1].label.is_empty(),
            "{:?}",
            items[1]
        );

        // Hidden later: the describe knows before the layout does.
        world
            .sandbox
            .with_org(|org| org.hide_field(&user, "Account", "Rating", true));
        world.sandbox.advance(A_DAY);
        sync(&device);
        assert!(self::items(&device, None)[2].is_blank());
    }
}

#[test]
fn a_huge_layout_is_kept_whole() {
    let world = world(907);
    let items = (0..20_000).map(|nr| Item::field(if nr % 2 == 0 { "Name" } else { "Site" }));
    let layout = LayoutDef::new("Huge").section("All", 2, items);
    world
        .sandbox
        .with_org(|org| org.define_layout("Account", Some("Household"), layout));
    // The describe of a field comes with each of them, so the answer is large, and what is kept of it is not.
    let device = device(&world);
    assert_eq!(self::items(&device, None).len(), 20_000);
    assert!(device.status().expect("a count").store_bytes < 8 << 20);
}

/// What an org, or something in its place, might answer about layouts.
const HOSTILE: [&str; 6] = [
    "null",
    "[]",
    "{}",
    r#"{"layouts": [], "recordTypeMappings": [{"recordTypeId": "'; DROP TABLE attache_form; --"}]}"#,
    r#"{"layouts": [{"id": {}}], "recordTypeMappings": []}"#,
    r#"{"layouts": [{"id": "x", "detailLayoutSections": [{"columns": 4294967296}]}], "recordTypeMappings": []}"#,
];

#[test]
fn an_answer_that_is_no_layout_stops_no_session() {
    for answer in HOSTILE {
        let world = world(908);
        world
            .sandbox
            .fail_next(Fault::new(FaultKind::Status(200, answer.into())).path("/describe/layouts"));
        let device = device(&world);
        agrees(&world, ME, &device);
        assert_eq!(
            device.layout("Account", None).expect("a read"),
            None,
            "{answer}"
        );
        world.sandbox.advance(60);
        let report = sync(&device);
        assert_eq!(report.unfollowed, []);
        assert!(device.layout("Account", None).expect("a read").is_some());

        // Later: what was known stays.
        device.refresh_layouts().expect("a write");
        world
            .sandbox
            .fail_next(Fault::new(FaultKind::Status(200, answer.into())).path("/describe/layouts"));
        let report = sync(&device);
        assert_eq!(report.unfollowed[0].rule, "layouts of Account");
        assert!(device.layout("Account", None).expect("a read").is_some());
    }
}

#[test]
fn a_lost_connection_is_no_answer_about_layouts() {
    let world = world(909);
    let device = world.device(ME).expect("a store");
    device
        .set_briefcase(accounts(r#"{"layouts": true}"#))
        .expect("stored");
    world
        .sandbox
        .fail_next(Fault::new(FaultKind::LoseRequest).path("/describe/layouts"));
    let error = wait(device.sync()).expect_err("the network went away");
    assert_eq!(error.kind(), ErrorKind::RemoteUnreachable);
    sync(&device);
    assert!(device.layout("Account", None).expect("a read").is_some());
}

#[test]
fn layouts_outlive_the_process() {
    let world: World = world(910);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("device.db");
    let device = world.device_at(ME, &file).expect("the store opens");
    device
        .set_briefcase(accounts(r#"{"layouts": true}"#))
        .expect("stored");
    sync(&device);
    let before = device.layout("Account", None).expect("a read");
    drop(device);
    let again = attache::Attache::open(&file).expect("the store opens");
    assert!(before.is_some());
    assert_eq!(again.layout("Account", None).expect("a read"), before);
}
