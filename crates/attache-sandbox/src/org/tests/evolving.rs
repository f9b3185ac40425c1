//! A schema that changes while people work.

use crate::org::testing::*;
use crate::schema::{FieldDef, FieldKind};
use crate::value::Value;

#[test]
fn an_added_field_is_null_until_it_is_set() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.alter_object("Account", |account| {
        account.push(FieldDef::new("New__c", "New", FieldKind::String));
    });
    assert_eq!(org.field("Account", &id, "New__c"), Value::Null);
    org.set(JO, "Account", &id, r#"{"New__c":"x"}"#).unwrap();
    assert_eq!(org.column(JO, "SELECT New__c FROM Account"), ["x"]);
}

#[test]
fn a_removed_field_is_gone_for_everybody_and_comes_back_with_its_values() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme","Phone":"1"}"#);
    org.remove_field("Account", "Phone");
    let errors = org
        .set(ADMIN, "Account", &id, r#"{"Phone":"2"}"#)
        .unwrap_err();
    assert_eq!(codes(&errors), ["INVALID_FIELD"]);
    let error = org
        .query(ADMIN, "SELECT Phone FROM Account", false)
        .unwrap_err();
    assert_eq!(error.code, "INVALID_FIELD");
    org.restore_field("Account", "Phone");
    assert_eq!(org.column(JO, "SELECT Phone FROM Account"), ["1"]);
}

#[test]
fn a_rewritten_field_stamps_no_row() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme","Phone":"12.50"}"#);
    let stamp = org.field("Account", &id, "SystemModstamp");
    org.wait(60);
    org.alter_object("Account", |account| {
        let at = account.index("Phone").unwrap();
        account.fields[at].kind = FieldKind::Double;
        account.fields[at].precision = 18;
        account.fields[at].scale = 2;
    });
    org.rewrite_field("Account", "Phone", |value| match value {
        Value::Text(text) => Value::Number(text.parse().unwrap()),
        other => other.clone(),
    });
    assert_eq!(org.column(JO, "SELECT Phone FROM Account"), ["12.5"]);
    assert_eq!(org.field("Account", &id, "SystemModstamp"), stamp);
}

#[test]
fn a_removed_object_is_unknown_and_comes_back_with_its_rows() {
    let mut org = org();
    org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.remove_object("Account");
    assert!(org.query(JO, "SELECT Id FROM Account", false).is_err());
    assert_eq!(
        codes(&org.refused(JO, "Account", r#"{"Name":"x"}"#)),
        ["NOT_FOUND"]
    );
    org.restore_object("Account");
    assert_eq!(org.column(JO, "SELECT Name FROM Account"), ["Acme"]);
}
