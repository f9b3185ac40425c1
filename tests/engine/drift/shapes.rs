//! Tables follow describes of any shape.

use super::{add_field, device, next_day, retype, to_number};
use attache::Value;
use attache_sandbox::schema::{FieldDef, FieldKind, PicklistEntry};
use attache_sandbox::value::Value as Held;
use attache_tests::{agrees, at_org, edit, first, server_id, settle, value};

const ANY: &str = "SELECT Id FROM Account ORDER BY Id LIMIT 1";

#[test]
fn every_type_becomes_every_other_and_the_device_agrees() {
    let kinds = [
        FieldKind::Double,
        FieldKind::String,
        FieldKind::Double,
        FieldKind::Date,
        FieldKind::Boolean,
        FieldKind::DateTime,
        FieldKind::Int,
        FieldKind::TextArea,
        FieldKind::Time,
        FieldKind::Currency,
        FieldKind::Picklist,
    ];
    let sample = |kind: FieldKind| match kind {
        FieldKind::Double | FieldKind::Int | FieldKind::Currency => Held::Number(7.into()),
        FieldKind::Date => Held::Date(jiff::civil::date(2024, 1, 31)),
        FieldKind::DateTime => Held::DateTime(1_700_000_000),
        FieldKind::Time => Held::Time(36_000_000),
        FieldKind::Boolean => Held::Bool(true),
        _ => Held::text("2024-01-31"),
    };
    let (world, device) = device(20);
    for kind in kinds {
        let new = |field: &mut FieldDef| {
            let mut new = FieldDef::new("Site", "Site", kind);
            (new.precision, new.scale, new.digits) = (18, 2, 9);
            *field = new;
        };
        retype(&world, "Site", new, |_| sample(kind));
        next_day(&world, &device);
        agrees(&world, 0, &device);
    }
}

#[test]
fn texts_that_were_cut_at_the_org_are_cut_here() {
    let (world, device) = device(21);
    retype(
        &world,
        "Name",
        |field| field.length = 3,
        |value| match value {
            Held::Text(text) => Held::text(text.chars().take(3).collect::<String>()),
            other => other.clone(),
        },
    );
    next_day(&world, &device);
    agrees(&world, 0, &device);
}

#[test]
fn a_changed_picklist_is_what_a_write_is_checked_against() {
    let (world, device) = device(22);
    let id = first(&device, ANY);
    let entry = |value: &str| PicklistEntry {
        value: value.into(),
        label: value.into(),
        active: true,
        default: false,
        valid_for: None,
    };
    retype(
        &world,
        "Site",
        |field| {
            let mut list = FieldDef::new("Site", "Site", FieldKind::Picklist);
            list.restricted_picklist = true;
            list.picklist = vec![entry("North"), entry("South")];
            *field = list;
        },
        |_| Held::Null,
    );
    next_day(&world, &device);
    assert!(device.update(&id, [("Site", "West")]).is_err());
    edit(&device, &id, "Site", "North");
    retype(
        &world,
        "Site",
        |field| field.picklist = vec![entry("South"), entry("West")],
        Held::clone,
    );
    next_day(&world, &device);
    // What was chosen from the old list is for the org to judge.
    assert_eq!(device.status().expect("a count").rejected, 1);
    edit(&device, &id, "Site", "West");
    settle(&world, &device);
    agrees(&world, 0, &device);
}

#[test]
fn a_list_of_two_thousand_values_and_eight_hundred_fields_is_carried() {
    let (world, device) = device(23);
    world.sandbox.with_org(|org| {
        org.alter_object("Account", |account| {
            for n in 0..800 {
                let name = format!("A_rather_long_name_of_a_field_{n:03}__c");
                account.push(FieldDef::new(&name, &name, FieldKind::String));
            }
            let mut list = FieldDef::new("Long__c", "Long", FieldKind::MultiPicklist);
            list.restricted_picklist = true;
            let entry = |n: u32| PicklistEntry {
                value: format!("value {n}"),
                label: format!("Value {n}"),
                active: true,
                default: false,
                valid_for: None,
            };
            list.picklist = (0..2_000).map(entry).collect();
            account.push(list);
        });
    });
    next_day(&world, &device);
    let id = first(&device, ANY);
    edit(&device, &id, "Long__c", "value 1999;value 0");
    edit(&device, &id, "A_rather_long_name_of_a_field_799__c", "last");
    settle(&world, &device);
    assert_eq!(value(&device, &id, "Long__c"), "value 0;value 1999".into());
    agrees(&world, 0, &device);
    let fresh = attache_tests::prime(
        &world,
        0,
        &attache::Briefcase::everything(["Account", "Contact"]),
    );
    agrees(&world, 0, &fresh);
}

#[test]
fn names_that_are_spelled_in_another_case_cost_nothing() {
    let (world, device) = device(24);
    let id = first(&device, ANY);
    edit(&device, &id, "Phone", "12");
    world.sandbox.with_org(|org| {
        org.alter_object("Account", |account| {
            account.name = "ACCOUNT".into();
            let at = account.index("Site").expect("a field");
            account.fields[at].name = "SITE".into();
        });
    });
    let report = next_day(&world, &device);
    assert_eq!(
        (report.inserted, report.pushed_updates),
        (0, 1),
        "{report:?}"
    );
    let server = server_id(&device, &id);
    assert_eq!(
        at_org(&world, "Account", &server, "Phone").as_deref(),
        Some("\"12\"")
    );
    edit(&device, &id, "site", "Here");
    settle(&world, &device);
    assert_eq!(
        at_org(&world, "Account", &server, "SITE").as_deref(),
        Some("\"Here\"")
    );
    assert_eq!(device.schema().expect("a schema").objects().len(), 2);
}

#[test]
fn a_lookup_that_leads_to_more_objects_is_followed_as_before() {
    let world = attache_sim::World::new(25, 300);
    let parents = attache_tests::briefcase(
        r#"{"version": 1, "rules": [{"object": "Contact", "scope": "mine",
            "related": [{"parent": "AccountId"}]}]}"#,
    );
    let device = attache_tests::prime(&world, 0, &parents);
    world.sandbox.with_org(|org| {
        org.alter_object("Contact", |contact| {
            let at = contact.index("AccountId").expect("a field");
            contact.fields[at].reference_to = vec!["Account".into(), "Lead".into()];
        });
    });
    let report = next_day(&world, &device);
    assert_eq!(
        (report.unfollowed.len(), report.evicted),
        (0, 0),
        "{report:?}"
    );
    assert!(!attache_tests::all(&device, "SELECT Id FROM Account").is_empty());
}

#[test]
fn a_migration_that_cannot_be_finished_is_as_if_it_had_not_begun() {
    let (world, device) = device(26);
    let before = value(&device, &first(&device, ANY), "Name");
    // The first object becomes another; the describe of the second cannot be used.
    retype(&world, "Site", to_number, |_| Held::Null);
    world.sandbox.with_org(|org| {
        org.alter_object("Contact", |contact| {
            let at = contact.index("Id").expect("a field");
            contact.fields[at].kind = FieldKind::Address;
        });
    });
    world.sandbox.advance(86_400);
    attache_sim::wait(device.sync()).expect_err("a describe without an id");
    let id = first(&device, ANY);
    assert_eq!(value(&device, &id, "Name"), before);
    let schema = device.schema().expect("a schema");
    let account = schema.object("Account").expect("an object");
    let site = account.field("Site").expect("a field");
    assert_eq!(site.field_type, attache::FieldType::String);
    world.sandbox.with_org(|org| {
        org.alter_object("Contact", |contact| {
            let at = contact.index("Id").expect("a field");
            contact.fields[at].kind = FieldKind::Id;
        });
    });
    next_day(&world, &device);
    agrees(&world, 0, &device);
}

#[test]
fn a_formula_that_is_another_one_now_is_read_again() {
    let (world, device) = device(27);
    add_field(&world, "Account", "Shown__c", FieldKind::String);
    let formula = |text: &str| {
        world.sandbox.with_org(|org| {
            org.alter_object("Account", |account| {
                let at = account.index("Shown__c").expect("a field");
                let name = if text == "name" { "Name" } else { "Username" };
                let field = &mut account.fields[at];
                field.formula = Some(attache_sandbox::schema::Formula::Parent("OwnerId", name));
                (field.createable, field.updateable) = (false, false);
            });
        });
    };
    formula("name");
    next_day(&world, &device);
    agrees(&world, 0, &device);
    let id = first(&device, ANY);
    assert_ne!(value(&device, &id, "Shown__c"), Value::Null);
    formula("username");
    next_day(&world, &device);
    agrees(&world, 0, &device);
}
