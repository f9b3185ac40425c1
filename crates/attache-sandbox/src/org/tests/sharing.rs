//! Who sees and changes what.

use crate::org::testing::*;

#[test]
fn a_user_sees_their_own_rows_and_an_administrator_all() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    assert!(org.read(JO, "Account", &id).is_some());
    assert!(org.read(ADMIN, "Account", &id).is_some());
    assert!(org.read(KIM, "Account", &id).is_none());
    assert_eq!(
        org.query(KIM, "SELECT Id FROM Account", false)
            .unwrap()
            .total(),
        0
    );
}

#[test]
fn a_hidden_row_is_as_good_as_missing() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    assert_eq!(
        codes(
            &org.set(KIM, "Account", &id, r#"{"Phone":"1"}"#)
                .unwrap_err()
        ),
        ["NOT_FOUND"]
    );
    assert_eq!(
        codes(&org.delete(KIM, "Account", &id).unwrap_err()),
        ["NOT_FOUND"]
    );
}

#[test]
fn a_grant_shows_a_row_without_touching_it_until_it_is_revoked() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.wait(5);
    org.grant("Account", &id, KIM);
    assert_eq!(
        org.read(KIM, "Account", &id).unwrap().system_modstamp(),
        NOON
    );
    assert_eq!(org.set(KIM, "Account", &id, r#"{"Phone":"1"}"#), Ok(()));
    assert_eq!(
        codes(&org.delete(KIM, "Account", &id).unwrap_err()),
        ["INSUFFICIENT_ACCESS_OR_READONLY"]
    );
    org.revoke("Account", &id, KIM);
    assert!(org.read(KIM, "Account", &id).is_none());
}

#[test]
fn a_grant_to_read_is_no_grant_to_change() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.grant_read("Account", &id, KIM);
    let errors = org
        .set(KIM, "Account", &id, r#"{"Phone":"1"}"#)
        .unwrap_err();
    assert_eq!(
        (errors[0].code, errors[0].status),
        ("INSUFFICIENT_ACCESS_OR_READONLY", 403)
    );
}

#[test]
fn who_gives_a_row_away_loses_it() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.set(JO, "Account", &id, &format!(r#"{{"OwnerId":"{KIM}"}}"#))
        .unwrap();
    assert!(org.read(JO, "Account", &id).is_none());
    assert!(org.read(KIM, "Account", &id).is_some());
}

#[test]
fn only_the_owner_gives_a_row_away() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.grant("Account", &id, KIM);
    let errors = org
        .set(KIM, "Account", &id, &format!(r#"{{"OwnerId":"{KIM}"}}"#))
        .unwrap_err();
    assert_eq!(codes(&errors), ["INSUFFICIENT_ACCESS_OR_READONLY"]);
}

#[test]
fn an_account_owner_sees_its_contacts_visits_and_tasks() {
    let mut org = org();
    let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.grant("Account", &account, KIM);
    let contact = org.made(
        KIM,
        "Contact",
        &format!(r#"{{"LastName":"Roe","AccountId":"{account}"}}"#),
    );
    let visit = org.made(KIM, "Visit__c", &format!(r#"{{"Account__c":"{account}"}}"#));
    let task = org.made(
        KIM,
        "Task",
        &format!(r#"{{"Subject":"Call","WhoId":"{contact}"}}"#),
    );
    for (object, id) in [("Contact", &contact), ("Visit__c", &visit), ("Task", &task)] {
        assert!(org.read(JO, object, id).is_some(), "{object}");
    }
    org.revoke("Account", &account, KIM);
    assert!(org.read(KIM, "Contact", &contact).is_some(), "owned");
    assert!(
        org.read(KIM, "Visit__c", &visit).is_none(),
        "a detail is seen by its master only"
    );
}

#[test]
fn users_are_seen_by_everybody() {
    assert_eq!(
        org()
            .query(JO, "SELECT Id FROM User", false)
            .unwrap()
            .total(),
        4
    );
}

#[test]
fn only_administrators_change_other_users() {
    let mut org = org();
    org.set(JO, "User", JO, r#"{"Phone":"1"}"#).unwrap();
    let errors = org.set(JO, "User", KIM, r#"{"Phone":"1"}"#).unwrap_err();
    assert_eq!(codes(&errors), ["INSUFFICIENT_ACCESS_OR_READONLY"]);
    org.set(ADMIN, "User", KIM, r#"{"Phone":"1"}"#).unwrap();
}

#[test]
fn a_transferred_row_changes_hands_and_stamps() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.wait(5);
    org.transfer_owner("Account", &id, KIM);
    assert!(org.read(JO, "Account", &id).is_none());
    let row = org.read(KIM, "Account", &id).unwrap();
    assert_eq!(
        (row.last_modified(), row.system_modstamp()),
        (NOON + 5, NOON + 5)
    );
}
