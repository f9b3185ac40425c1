//! What is wrong with a write.

use super::{device, pairs, refused};
use attache::{ErrorKind, Fields, Value};
use attache_tests::{all, create, edit, first, settle, sync, value};

const ANY: &str = "SELECT Id FROM Account ORDER BY Id LIMIT 1";

#[test]
fn a_write_of_fields_of_many_types_is_one_line() {
    let (world, device) = device(1);
    let fields = Fields::new()
        .with("Name", "Acme")
        .with("NumberOfEmployees", 12)
        .with("Active__c", true)
        .with("Renewal_Date__c", "2027-05-06");
    let id = device.create("Account", fields).expect("a record");
    let changes = Fields::new()
        .with("Site", "Bern")
        .cleared("NumberOfEmployees")
        .cleared("Active__c");
    device.update(&id, changes).expect("an edit");
    settle(&world, &device);
    assert_eq!(value(&device, &id, "NumberOfEmployees"), Value::Null);
    assert_eq!(value(&device, &id, "Active__c"), Value::from(false));
}

#[test]
fn all_that_is_wrong_with_a_write_is_told_at_once() {
    let (_world, device) = device(2);
    let task = first(&device, "SELECT Id FROM Task ORDER BY Id LIMIT 1");
    let fields = Fields::new()
        .with("Phnoe", "1")
        .with("Site", "x".repeat(81))
        .with("NumberOfEmployees", "many")
        .with("AnnualRevenue", "1.5")
        .with("Active__c", "perhaps")
        .with("BillingAddress", "Elm 1")
        .with("CreatedDate", "2024-01-31T08:00:00Z")
        .with("ParentId", &task)
        .with("OwnerId", "nobody");
    let expected = pairs(&[
        ("Active__c", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("AnnualRevenue", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("BillingAddress", "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("CreatedDate", "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("Name", "REQUIRED_FIELD_MISSING"),
        ("NumberOfEmployees", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("OwnerId", "MALFORMED_ID"),
        ("ParentId", "MALFORMED_ID"),
        ("Phnoe", "INVALID_FIELD"),
        ("Site", "STRING_TOO_LONG"),
    ]);
    assert_eq!(refused(device.create("Account", fields.clone())), expected);
    let error = device.create("Account", fields).expect_err("refused");
    let nearest = error
        .problems()
        .iter()
        .find(|problem| problem.fields == ["Phnoe"])
        .expect("the unknown field");
    assert!(nearest.message.contains("Phone"), "{}", nearest.message);
    assert!(device.pending().expect("a read").is_empty());
}

#[test]
fn json_is_a_write_like_any_other() {
    let (world, device) = device(3);
    let json =
        r#"{"name": "Json", "ANNUALREVENUE": "123456789012345678", "Regions__c": "LATAM; EMEA"}"#;
    let id = device.create_json("Account", json).expect("a record");
    device
        .update_json(&id, r#"{"Site": "Bern", "Fax": null}"#)
        .expect("an edit");
    settle(&world, &device);
    let shown = |field| value(&device, &id, field).to_json();
    assert_eq!(shown("AnnualRevenue"), "123456789012345678");
    assert_eq!(shown("Regions__c"), "\"EMEA;LATAM\"");
    let wrong = r#"{"Phnoe": 1, "NumberOfEmployees": {"no": 1}, "Site": 7, "Phone": "1"}"#;
    assert_eq!(
        refused(device.create_json("Account", wrong)),
        pairs(&[
            ("Name", "REQUIRED_FIELD_MISSING"),
            ("NumberOfEmployees", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
            ("Phnoe", "INVALID_FIELD"),
            ("Site", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ])
    );
    for text in ["", "[]", "{", "null", "{\"Name\":\"x\"} {}"] {
        let error = device.create_json("Account", text).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{text}");
    }
}

#[test]
fn a_lookup_points_at_a_record_of_its_objects_or_at_one_that_is_not_here() {
    let (_world, device) = device(4);
    let account = first(&device, ANY);
    let contact = first(&device, "SELECT Id FROM Contact ORDER BY Id LIMIT 1");
    let opportunity = first(&device, "SELECT Id FROM Opportunity ORDER BY Id LIMIT 1");
    let made = create(&device, "Account", [("Name", "New")]);
    let task = |field: &str, id: &attache::RecordId| {
        let fields = Fields::new().with("Subject", "x").with(field, id);
        device.create("Task", fields)
    };
    // Who may be a contact or a lead, what may be many things.
    task("WhoId", &contact).expect("a contact");
    task("WhatId", &account).expect("an account");
    task("WhatId", &opportunity).expect("an opportunity");
    task("WhatId", &made).expect("a record that the org does not know");
    assert_eq!(
        refused(task("WhoId", &account)),
        pairs(&[("WhoId", "MALFORMED_ID")])
    );
    let elsewhere = attache::RecordId::parse("001000000000ZZZ").expect("an id");
    task("WhatId", &elsewhere).expect("it may be at the org");
    let nowhere = attache::RecordId::parse("local-00000000-0000-7000-8000-00000000000a");
    assert_eq!(
        refused(task("WhatId", &nowhere.expect("a key"))),
        pairs(&[("WhatId", "INVALID_CROSS_REFERENCE_KEY")])
    );
    let next = "SELECT Id FROM Opportunity ORDER BY Id LIMIT 1 OFFSET 1";
    let deleted = first(&device, next);
    device.delete(&deleted).expect("a deletion");
    assert_eq!(
        refused(task("WhatId", &deleted)),
        pairs(&[("WhatId", "INVALID_CROSS_REFERENCE_KEY")])
    );
}

#[test]
fn a_changeset_tells_what_is_wrong_with_each_of_its_edits() {
    let (_world, device) = device(5);
    let id = first(&device, ANY);
    let before = device.get(&id).expect("a read");
    let error = device
        .changeset(|edits| {
            edits.update(&id, [("Site", "fine")])?;
            let parent = edits.create("Account", [("Site", "nameless")])?;
            edits.update(&parent, [("Phone", "1")])?;
            let child = Fields::new()
                .with("AccountId", &parent)
                .with("Birthdate", "soon");
            edits.create("Contact", child)?;
            edits.create_json("Contact", r#"{"LastName": "fine"}"#)?;
            edits.update_json(&id, r#"{"Nmae": "x", "NumberOfEmployees": 1.5}"#)
        })
        .expect_err("three edits are wrong");
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    let found: Vec<(usize, &str, &str)> = error
        .problems_by_edit()
        .map(|(edit, problem)| (edit, problem.fields[0].as_str(), problem.code.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (1, "Name", "REQUIRED_FIELD_MISSING"),
            (3, "Birthdate", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
            (3, "LastName", "REQUIRED_FIELD_MISSING"),
            (5, "Nmae", "INVALID_FIELD"),
            (5, "NumberOfEmployees", "NUMBER_OUTSIDE_VALID_RANGE"),
        ]
    );
    assert!(error.to_string().starts_with("3 of 6 edits"), "{error}");
    assert_eq!(device.get(&id).expect("a read"), before);
    assert!(device.pending().expect("a read").is_empty());
    assert!(all(&device, "SELECT Id FROM Contact WHERE LastName = 'fine'").is_empty());
}

#[test]
fn an_edit_that_returns_to_what_the_org_has_leaves_nothing_to_send() {
    let (_world, device) = device(6);
    let id = first(&device, ANY);
    let site = value(&device, &id, "Site");
    edit(&device, &id, "Site", "away");
    edit(&device, &id, "Site", site);
    let report = sync(&device);
    assert!(report.is_settled(), "{report:?}");
}

#[test]
fn a_new_record_shows_the_defaults_of_its_fields() {
    let (_world, device) = device(7);
    let id = create(&device, "Account", [("Name", "New")]);
    assert_eq!(value(&device, &id, "Active__c"), Value::from(false));
    let schema = device.schema().expect("a schema");
    let task = schema.object("Task").expect("an object");
    let fields = Fields::new().with("Subject", "x");
    let made = device.create("Task", fields).expect("a record");
    for field in task.fields.iter().filter(|field| field.defaulted_on_create) {
        let default = field.picklist.iter().find(|entry| entry.default);
        if let Some(entry) = default {
            assert_eq!(
                value(&device, &made, &field.name),
                entry.value.as_str().into()
            );
        }
    }
}
