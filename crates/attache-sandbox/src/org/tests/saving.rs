//! Creating, changing, upserting.

use crate::org::testing::*;
use crate::org::{UpsertFailure, Upserted};
use crate::value::Value;

#[test]
fn a_new_row_gets_an_id_its_owner_and_its_stamps() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    assert_eq!((&id[..3], id.len()), ("001", 18));
    let row = org.read(JO, "Account", &id[..15]).unwrap();
    assert_eq!(row.id(), id);
    assert_eq!(*row.get("OwnerId"), Value::text(JO));
    assert_eq!(*row.get("CreatedById"), Value::text(JO));
    assert_eq!(*row.get("CreatedDate"), Value::DateTime(NOON));
    assert_eq!((row.last_modified(), row.system_modstamp()), (NOON, NOON));
    assert_eq!(*row.get("IsDeleted"), Value::Bool(false));
}

#[test]
fn new_ids_sort_after_all_others() {
    let mut org = org();
    let ids: Vec<String> = (0..70)
        .map(|n| org.made(JO, "Account", &format!(r#"{{"Name":"{n}"}}"#)))
        .collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
}

#[test]
fn a_change_leaves_other_fields_alone_and_null_clears() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme","Phone":"1","Fax":"2"}"#);
    org.wait(60);
    org.set(JO, "Account", &id, r#"{"Phone":null}"#).unwrap();
    assert_eq!(org.field("Account", &id, "Phone"), Value::Null);
    assert_eq!(org.field("Account", &id, "Fax"), Value::text("2"));
    assert_eq!(
        org.field("Account", &id, "LastModifiedDate"),
        Value::DateTime(NOON + 60)
    );
    assert_eq!(
        org.field("Account", &id, "CreatedDate"),
        Value::DateTime(NOON)
    );
}

#[test]
fn blanks_are_trimmed_and_empty_text_is_null() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"  Acme ","Phone":"","Fax":"  "}"#);
    assert_eq!(org.field("Account", &id, "Name"), Value::text("Acme"));
    assert_eq!(org.field("Account", &id, "Phone"), Value::Null);
    assert_eq!(org.field("Account", &id, "Fax"), Value::Null);
}

#[test]
fn decimals_beyond_the_scale_are_cut_without_a_word() {
    let mut org = org();
    let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    let id = org.made(
        JO,
        "Visit__c",
        &format!(r#"{{"Account__c":"{account}","Fee__c":1234567890123456.789}}"#),
    );
    assert_eq!(
        org.field("Visit__c", &id, "Fee__c"),
        Value::Number("1234567890123456.78".parse().unwrap())
    );
}

#[test]
fn a_multi_select_list_is_put_in_the_order_of_its_definition() {
    let mut org = org();
    let id = org.made(
        JO,
        "Account",
        r#"{"Name":"Acme","Regions__c":"LATAM;AMER;LATAM"}"#,
    );
    assert_eq!(
        org.field("Account", &id, "Regions__c"),
        Value::text("AMER;LATAM")
    );
}

#[test]
fn fields_with_a_default_get_it() {
    let mut org = org();
    let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    let id = org.made(JO, "Visit__c", &format!(r#"{{"Account__c":"{account}"}}"#));
    assert_eq!(org.field("Visit__c", &id, "Billable__c"), Value::Bool(true));
    let id = org.made(
        JO,
        "Visit__c",
        &format!(r#"{{"Account__c":"{account}","Billable__c":false}}"#),
    );
    assert_eq!(
        org.field("Visit__c", &id, "Billable__c"),
        Value::Bool(false)
    );
}

#[test]
fn auto_numbers_count_up() {
    let mut org = org();
    let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    let names: Vec<Value> = (0..2)
        .map(|_| {
            let id = org.made(JO, "Visit__c", &format!(r#"{{"Account__c":"{account}"}}"#));
            org.field("Visit__c", &id, "Name")
        })
        .collect();
    assert_eq!(names, [Value::text("V-00001"), Value::text("V-00002")]);
}

#[test]
fn a_parent_may_be_named_by_its_external_id() {
    let mut org = org();
    let account = org.made(JO, "Account", r#"{"Name":"Acme","External_Id__c":"A-1"}"#);
    let id = org.made(
        JO,
        "Contact",
        r#"{"LastName":"Roe","Account":{"External_Id__c":"a-1"}}"#,
    );
    assert_eq!(org.field("Contact", &id, "AccountId"), Value::text(account));
    let errors = org.refused(
        JO,
        "Contact",
        r#"{"LastName":"Roe","Account":{"External_Id__c":"A-2"}}"#,
    );
    assert_eq!(codes(&errors), ["INVALID_FIELD"]);
}

#[test]
fn an_upsert_creates_once_and_changes_after() {
    let mut org = org();
    let first = org
        .upsert(
            JO,
            "Account",
            "External_Id__c",
            "A-1",
            &fields(r#"{"Name":"Acme"}"#),
        )
        .unwrap();
    assert!(first.created);
    let second = org.upsert(
        JO,
        "Account",
        "external_id__c",
        "A-1",
        &fields(r#"{"Name":"Acme 2"}"#),
    );
    assert_eq!(
        second,
        Ok(Upserted {
            id: first.id.clone(),
            created: false
        })
    );
    assert_eq!(
        org.field("Account", &first.id, "Name"),
        Value::text("Acme 2")
    );
    assert_eq!(
        org.field("Account", &first.id, "External_Id__c"),
        Value::text("A-1")
    );
    assert_eq!(org.count("Account"), 1);
}

#[test]
fn an_upsert_by_a_field_that_is_no_external_id_is_not_found() {
    let mut org = org();
    let failure = org
        .upsert(JO, "Account", "Phone", "1", &fields(r#"{"Name":"Acme"}"#))
        .unwrap_err();
    let UpsertFailure::Errors(errors) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!((errors[0].code, errors[0].status), ("NOT_FOUND", 404));
}

#[test]
fn an_upsert_that_finds_several_rows_writes_nothing() {
    let mut org = org();
    let mut schema = org.schema_mut();
    let mut object = schema.object("Account").unwrap().clone();
    let at = object.index("External_Id__c").unwrap();
    object.fields[at].unique = false;
    schema.insert(object);
    drop(schema);
    let mut ids: Vec<String> = (0..2)
        .map(|_| org.made(JO, "Account", r#"{"Name":"Acme","External_Id__c":"A-1"}"#))
        .collect();
    let failure = org
        .upsert(
            JO,
            "Account",
            "External_Id__c",
            "A-1",
            &fields(r#"{"Name":"X"}"#),
        )
        .unwrap_err();
    let UpsertFailure::Multiple(mut found) = failure else {
        panic!("{failure:?}")
    };
    found.sort();
    ids.sort();
    assert_eq!(found, ids);
}

#[test]
fn a_precondition_holds_within_its_second_and_fails_after() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.wait(10);
    let update = fields(r#"{"Phone":"1"}"#);
    assert_eq!(org.update(JO, "Account", &id, &update, Some(NOON)), Ok(()));
    let errors = org
        .update(JO, "Account", &id, &update, Some(NOON))
        .unwrap_err();
    assert_eq!(errors[0].status, 412);
    assert_eq!(
        org.update(JO, "Account", &id, &update, Some(NOON + 10)),
        Ok(())
    );
}

#[test]
fn a_system_touch_moves_only_the_system_modstamp() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.wait(10);
    org.touch("Account", &id);
    let row = org.read(JO, "Account", &id).unwrap();
    assert_eq!(
        (row.last_modified(), row.system_modstamp()),
        (NOON, NOON + 10)
    );
    let update = fields(r#"{"Phone":"1"}"#);
    assert_eq!(
        org.update(JO, "Account", &id, &update, Some(NOON)),
        Ok(()),
        "a touch does not trip a precondition"
    );
}

#[test]
fn a_rollback_takes_every_change_back() {
    let mut org = org();
    let kept = org.made(JO, "Account", r#"{"Name":"Kept","External_Id__c":"K"}"#);
    let outer = org.savepoint();
    let made = org.made(JO, "Account", r#"{"Name":"Made","External_Id__c":"M"}"#);
    org.set(
        JO,
        "Account",
        &kept,
        r#"{"Name":"Changed","External_Id__c":"X"}"#,
    )
    .unwrap();
    let inner = org.savepoint();
    org.delete(JO, "Account", &kept).unwrap();
    org.rollback(inner);
    assert_eq!(org.field("Account", &kept, "Name"), Value::text("Changed"));
    org.rollback(outer);
    assert!(org.read(ADMIN, "Account", &made).is_none());
    assert_eq!(org.field("Account", &kept, "Name"), Value::text("Kept"));
    assert_eq!(
        org.find_by_key(JO, "Account", "External_Id__c", "K")
            .unwrap(),
        [kept]
    );
    assert!(
        org.find_by_key(JO, "Account", "External_Id__c", "M")
            .unwrap()
            .is_empty()
    );
    assert!(
        org.deleted(JO, "Account", NOON - 600, NOON + 600)
            .unwrap()
            .records
            .is_empty()
    );
}

#[test]
fn a_row_is_shown_with_all_its_fields_or_the_ones_named() {
    let mut org = org();
    let id = org.made(
        JO,
        "Account",
        r#"{"Name":"Say \"hi\"","BillingCity":"Bern","AnnualRevenue":5}"#,
    );
    let json = org.row_json(
        JO,
        "Account",
        &id,
        Some(&["name", "BillingAddress", "AnnualRevenue"]),
        "67.0",
    );
    assert_eq!(
        json.unwrap().unwrap(),
        format!(
            r#"{{"attributes":{{"type":"Account","url":"/services/data/v67.0/sobjects/Account/{id}"}},"Id":"{id}","Name":"Say \"hi\"","BillingAddress":{{"city":"Bern","country":null,"geocodeAccuracy":null,"latitude":null,"longitude":null,"postalCode":null,"state":null,"street":null}},"AnnualRevenue":5.0}}"#
        )
    );
    let all = org
        .row_json(JO, "Account", &id, None, "67.0")
        .unwrap()
        .unwrap();
    let all: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&all).unwrap();
    assert_eq!(
        all.len(),
        org.schema().object("Account").unwrap().fields.len() + 1
    );
    assert_eq!(all["ShippingAddress"], serde_json::Value::Null);
    let error = org
        .row_json(JO, "Account", &id, Some(&["Nope"]), "67.0")
        .unwrap_err();
    assert_eq!(error.code, "INVALID_FIELD");
}

#[test]
fn a_hidden_field_does_not_exist_for_its_user() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme","Phone":"1"}"#);
    org.hide_field(JO, "Account", "Phone", true);
    assert_eq!(
        codes(&org.set(JO, "Account", &id, r#"{"Phone":"2"}"#).unwrap_err()),
        ["INVALID_FIELD"]
    );
    assert_eq!(
        org.query(JO, "SELECT Phone FROM Account", false)
            .unwrap_err()
            .code,
        "INVALID_FIELD"
    );
    assert!(
        !org.row_json(JO, "Account", &id, None, "67.0")
            .unwrap()
            .unwrap()
            .contains("\"Phone\"")
    );
    assert_eq!(org.column(ADMIN, "SELECT Phone FROM Account"), ["1"]);
}

#[test]
fn the_open_points_of_input_follow_their_switches() {
    let mut org = org();
    let switches = &mut org.config_mut().switches;
    (
        switches.trims_blanks,
        switches.orders_multi_select,
        switches.cuts_long_text,
    ) = (false, false, true);
    let json = format!(
        r#"{{"Name":" Acme ","Regions__c":"LATAM;AMER","Phone":"{}"}}"#,
        "é".repeat(41)
    );
    let id = org.made(JO, "Account", &json);
    assert_eq!(org.field("Account", &id, "Name"), Value::text(" Acme "));
    assert_eq!(
        org.field("Account", &id, "Regions__c"),
        Value::text("LATAM;AMER")
    );
    assert_eq!(
        org.field("Account", &id, "Phone"),
        Value::text("é".repeat(40))
    );
}

#[test]
fn the_stamp_a_precondition_reads_follows_its_switch() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.wait(10);
    org.touch("Account", &id);
    org.config_mut().switches.precondition_reads_system_modstamp = true;
    let errors = org
        .update(JO, "Account", &id, &fields(r#"{"Phone":"1"}"#), Some(NOON))
        .unwrap_err();
    assert_eq!(errors[0].status, 412);
}
