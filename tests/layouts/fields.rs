//! The fields of a layout as those to carry.

use crate::{A_DAY, accounts, page, world};
use attache::{Attache, ErrorKind, FieldsChange};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::wait;
use attache_tests::{ME, all, prime, sync};

/// The fields that a device carries of accounts.
fn carries(device: &Attache, field: &str) -> bool {
    let row = device.query(&format!("SELECT {field} FROM Account LIMIT 1"));
    row.is_ok_and(|mut rows| rows.next().is_some())
}

#[test]
fn a_device_carries_what_the_layout_shows() {
    let world = world(931);
    let device = prime(
        &world,
        ME,
        &accounts(r#"{"fields": {"layout": "Household"}}"#),
    );
    for field in [
        "Name",
        "Phone",
        "Rating",
        "Fax",
        "RecordTypeId",
        "BillingCity",
        "BillingStreet",
        "OwnerId",
    ] {
        assert!(carries(&device, field), "{field}");
    }
    for field in ["Site", "Industry", "ShippingCity", "Description"] {
        assert!(!carries(&device, field), "{field}");
    }
    assert!(
        device.layout("Account", None).expect("a read").is_some(),
        "it came along"
    );

    // Another page: what is new is filled in, what is gone is dropped.
    world.sandbox.with_org(|org| {
        org.define_layout(
            "Account",
            Some("Household"),
            page(&["Name", "Industry", "Rating"]),
        );
    });
    world.sandbox.advance(A_DAY);
    sync(&device);
    assert!(carries(&device, "Industry") && !carries(&device, "Phone"));
    let soql = "SELECT Id FROM Account WHERE Industry != null";
    let org = world.rows(&world.users[ME].id, soql).expect("a query");
    let here = all(&device, soql);
    assert!(!here.is_empty() && here.len() == org.len(), "filled in");
}

#[test]
fn an_edit_of_a_field_that_leaves_the_layout_is_kept() {
    let world = world(932);
    let device = prime(
        &world,
        ME,
        &accounts(r#"{"fields": {"layout": "Household"}}"#),
    );
    let account = attache_tests::first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    attache_tests::edit(&device, &account, "Phone", "555");
    world.sandbox.with_org(|org| {
        org.define_layout("Account", Some("Household"), page(&["Name", "Site"]));
    });
    world.sandbox.advance(A_DAY);
    attache_tests::settle(&world, &device);
    let id = attache_tests::server_id(&device, &account);
    assert_eq!(
        attache_tests::at_org(&world, "Account", &id, "Phone").as_deref(),
        Some("\"555\"")
    );
}

#[test]
fn all_layouts_together_are_those_of_the_types_a_user_may_have() {
    let world = world(933);
    world.sandbox.with_org(|org| {
        org.define_layout("Account", Some("Partner"), page(&["Name", "Site"]));
        org.define_layout("Account", None, page(&["Name", "Industry"]));
    });
    let device = prime(&world, ME, &accounts(r#"{"fields": "layouts"}"#));
    for field in ["Phone", "Site", "Industry", "Rating"] {
        assert!(carries(&device, field), "{field}");
    }
    assert!(!carries(&device, "Description"));
}

#[test]
fn a_layout_that_cannot_be_had_drops_no_field() {
    let world = world(934);
    let refuse = || {
        let fault = Fault::new(FaultKind::Status(200, "{}".into())).path("/describe/layouts");
        world.sandbox.fail_next(fault);
    };
    refuse();
    let device = prime(
        &world,
        ME,
        &accounts(r#"{"fields": {"layout": "Household"}}"#),
    );
    assert!(carries(&device, "Site"), "all fields, for want of a layout");
    device.refresh_layouts().expect("a write");
    sync(&device);
    assert!(!carries(&device, "Site") && carries(&device, "Phone"));
    device.refresh_layouts().expect("a write");
    refuse();
    sync(&device);
    assert!(!carries(&device, "Site") && carries(&device, "Phone"));
}

#[test]
fn a_record_type_that_is_not_there_is_refused_at_first_and_rests_later() {
    let world = world(935);
    let device = world.device(ME).expect("a store");
    device
        .set_briefcase(accounts(r#"{"fields": {"layout": "Nope"}}"#))
        .expect("stored");
    let error = wait(device.sync()).expect_err("no such record type");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(
        error.to_string().contains("objects.Account.fields"),
        "{error}"
    );

    device
        .set_briefcase(accounts(r#"{"fields": {"layout": "Household"}}"#))
        .expect("stored");
    sync(&device);
    world
        .sandbox
        .with_org(|org| org.alter_object("Account", |account| account.record_types.clear()));
    world.sandbox.advance(A_DAY);
    sync(&device);
    assert!(
        carries(&device, "Phone") && !carries(&device, "Site"),
        "the fields stay as they are"
    );
}

#[test]
fn a_briefcase_says_so_in_one_way() {
    let print = |options: &str| accounts(options).to_json();
    for options in [
        r#"{"fields": "layouts"}"#,
        r#"{"fields": {"layout": "Household"}}"#,
        r#"{"layouts": true}"#,
    ] {
        let printed = print(options);
        let again = attache::Briefcase::from_json(&printed).expect("what was printed");
        assert_eq!(again.to_json(), printed);
        assert_ne!(printed, print("{}"));
        let wanted: serde_json::Value = serde_json::from_str(options).expect("JSON");
        let told: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
        assert_eq!(told["objects"]["Account"], wanted);
    }
    assert_eq!(print(r#"{"layouts": false}"#), print("{}"));
    let change = |from: &str, to: &str| {
        let diff = accounts(from).diff(&accounts(to));
        diff.objects.first().map(|object| object.fields.clone())
    };
    let of_one = r#"{"fields": {"layout": "Household"}}"#;
    assert_eq!(
        change("{}", of_one),
        Some(FieldsChange::ToLayouts(Some("Household".into())))
    );
    assert_eq!(
        change(of_one, r#"{"fields": "layouts"}"#),
        Some(FieldsChange::ToLayouts(None))
    );
    assert_eq!(change(of_one, "{}"), Some(FieldsChange::ToAll));
    assert_eq!(change(of_one, of_one), None);
    for wrong in [
        r#"{"fields": "layout"}"#,
        r#"{"fields": {}}"#,
        r#"{"fields": {"layout": "a b"}}"#,
        r#"{"fields": {"layout": 5}}"#,
        r#"{"layouts": "yes"}"#,
    ] {
        let json = format!(r#"{{"version": 1, "objects": {{"Account": {wrong}}}, "rules": []}}"#);
        assert!(attache::Briefcase::from_json(&json).is_err(), "{wrong}");
    }
}
