//! The recycle bin.

use crate::org::testing::*;
use crate::value::Value;

#[test]
fn a_deleted_row_is_gone_and_says_so_the_second_time() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.wait(5);
    org.delete(JO, "Account", &id).unwrap();
    assert!(org.read(JO, "Account", &id).is_none());
    let errors = org.delete(JO, "Account", &id).unwrap_err();
    assert_eq!(
        (errors[0].code, errors[0].status),
        ("ENTITY_IS_DELETED", 404)
    );
    let errors = org.set(JO, "Account", &id, r#"{"Phone":"1"}"#).unwrap_err();
    assert_eq!(errors[0].code, "ENTITY_IS_DELETED");
    let cursor = org.query(
        JO,
        "SELECT Id FROM Account WHERE IsDeleted = true AND SystemModstamp = 2026-07-15T12:00:05Z",
        true,
    );
    assert_eq!(cursor.unwrap().total(), 1);
}

#[test]
fn a_row_that_never_existed_is_not_found() {
    let errors = org()
        .delete(JO, "Account", &crate::id::make("001", 77))
        .unwrap_err();
    assert_eq!((errors[0].code, errors[0].status), ("NOT_FOUND", 404));
}

#[test]
fn what_belongs_to_a_row_goes_with_it_and_comes_back_with_it() {
    let mut org = org();
    let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    let contact = org.made(
        JO,
        "Contact",
        &format!(r#"{{"LastName":"Roe","AccountId":"{account}"}}"#),
    );
    let visit = org.made(JO, "Visit__c", &format!(r#"{{"Account__c":"{account}"}}"#));
    org.wait(5);
    org.delete(JO, "Account", &account).unwrap();
    assert!(org.read(JO, "Contact", &contact).is_none());
    assert!(org.read(JO, "Visit__c", &visit).is_none());
    org.wait(5);
    org.undelete(JO, "Account", &account).unwrap();
    assert_eq!(
        org.field("Contact", &contact, "SystemModstamp"),
        Value::DateTime(NOON + 10)
    );
    assert!(org.read(JO, "Visit__c", &visit).is_some());
    let errors = org.undelete(JO, "Account", &account).unwrap_err();
    assert_eq!(codes(&errors), ["UNDELETE_FAILED"]);
}

#[test]
fn a_child_deleted_before_its_parent_stays_deleted() {
    let mut org = org();
    let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    let contact = org.made(
        JO,
        "Contact",
        &format!(r#"{{"LastName":"Roe","AccountId":"{account}"}}"#),
    );
    org.delete(JO, "Contact", &contact).unwrap();
    org.delete(JO, "Account", &account).unwrap();
    org.undelete(JO, "Account", &account).unwrap();
    assert!(org.read(JO, "Contact", &contact).is_none());
}

#[test]
fn a_plain_lookup_is_emptied_by_the_system() {
    let mut org = org();
    let parent = org.made(JO, "Account", r#"{"Name":"Parent"}"#);
    let child = org.made(
        JO,
        "Account",
        &format!(r#"{{"Name":"Child","ParentId":"{parent}"}}"#),
    );
    org.wait(5);
    org.delete(JO, "Account", &parent).unwrap();
    assert_eq!(org.field("Account", &child, "ParentId"), Value::Null);
    let row = org.read(JO, "Account", &child).unwrap();
    assert_eq!(
        (row.last_modified(), row.system_modstamp()),
        (NOON, NOON + 5)
    );
}

#[test]
fn a_restricted_lookup_holds_its_target() {
    let mut org = org();
    let mut schema = org.schema_mut();
    let mut object = schema.object("Contact").unwrap().clone();
    let at = object.index("AccountId").unwrap();
    object.fields[at].restricted_delete = true;
    object.fields[at].cascade_delete = false;
    schema.insert(object);
    drop(schema);
    let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    let visit = org.made(JO, "Visit__c", &format!(r#"{{"Account__c":"{account}"}}"#));
    org.made(
        JO,
        "Contact",
        &format!(r#"{{"LastName":"Roe","AccountId":"{account}"}}"#),
    );
    assert_eq!(
        codes(&org.delete(JO, "Account", &account).unwrap_err()),
        ["DELETE_FAILED"]
    );
    assert!(
        org.read(JO, "Visit__c", &visit).is_some(),
        "a refused delete leaves nothing behind"
    );
}

#[test]
fn a_row_leaves_the_recycle_bin_after_its_time() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.delete(JO, "Account", &id).unwrap();
    org.wait(16 * 86_400);
    assert_eq!(
        org.query(JO, "SELECT Id FROM Account", true)
            .unwrap()
            .total(),
        0
    );
    assert_eq!(
        codes(&org.undelete(JO, "Account", &id).unwrap_err()),
        ["NOT_FOUND"]
    );
    assert_eq!(
        codes(&org.delete(JO, "Account", &id).unwrap_err()),
        ["NOT_FOUND"]
    );
}

#[test]
fn a_row_cannot_come_back_when_its_unique_value_is_taken() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"A","External_Id__c":"X"}"#);
    org.delete(JO, "Account", &id).unwrap();
    org.made(JO, "Account", r#"{"Name":"B","External_Id__c":"X"}"#);
    assert_eq!(
        codes(&org.undelete(JO, "Account", &id).unwrap_err()),
        ["DUPLICATE_VALUE"]
    );
}

#[test]
fn a_child_cannot_come_back_without_its_parent() {
    let mut org = org();
    let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    let visit = org.made(JO, "Visit__c", &format!(r#"{{"Account__c":"{account}"}}"#));
    org.delete(JO, "Account", &account).unwrap();
    assert_eq!(
        codes(&org.undelete(JO, "Visit__c", &visit).unwrap_err()),
        ["ENTITY_IS_DELETED"]
    );
}
