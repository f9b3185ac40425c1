//! Merging rows, converting leads, approvals.

use crate::org::testing::*;
use crate::value::Value;

#[test]
fn a_merge_hangs_the_children_on_the_row_that_stays() {
    let mut org = org();
    let stays = org.made(JO, "Account", r#"{"Name":"Stays"}"#);
    let goes = org.made(JO, "Account", r#"{"Name":"Goes"}"#);
    let contact = format!(r#"{{"LastName":"Öz","AccountId":"{goes}"}}"#);
    let contact = org.made(JO, "Contact", &contact);
    let task = format!(r#"{{"Subject":"Call","WhatId":"{goes}"}}"#);
    let task = org.made(JO, "Task", &task);
    org.wait(60);
    org.merge(JO, "Account", &stays, &[&goes]).unwrap();
    let moved = [
        ("Contact", &contact, "AccountId"),
        ("Task", &task, "WhatId"),
    ];
    for (object, id, field) in moved {
        assert_eq!(org.field(object, id, field), Value::text(&stays));
        let stamp = org.field(object, id, "SystemModstamp");
        assert_eq!(stamp, Value::DateTime(NOON + 60));
    }
    let stamp = org.field("Account", &stays, "LastModifiedDate");
    assert_eq!(stamp, Value::DateTime(NOON + 60));
    assert!(org.read(JO, "Account", &goes).is_none());
    let soql = format!("SELECT MasterRecordId FROM Account WHERE Id = '{goes}'");
    let cursor = org.query(JO, &soql, true).unwrap();
    let mut told = String::new();
    org.render(JO, &cursor, 0, 1, "67.0", &mut told);
    assert!(told.contains(&stays), "{told}");
    let deleted = org.deleted(JO, "Account", NOON - 600, NOON + 600).unwrap();
    assert_eq!(deleted.records.len(), 1);
}

#[test]
fn an_account_does_not_become_its_own_parent() {
    let mut org = org();
    let goes = org.made(JO, "Account", r#"{"Name":"Goes"}"#);
    let stays = format!(r#"{{"Name":"Stays","ParentId":"{goes}"}}"#);
    let stays = org.made(JO, "Account", &stays);
    org.merge(JO, "Account", &stays, &[&goes]).unwrap();
    assert_eq!(org.field("Account", &stays, "ParentId"), Value::Null);
}

#[test]
fn a_merge_of_too_many_or_of_itself_is_refused() {
    let mut org = org();
    let ids: Vec<String> = (0..4)
        .map(|n| org.made(JO, "Contact", &format!(r#"{{"LastName":"{n}"}}"#)))
        .collect();
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert!(org.merge(JO, "Contact", all[0], &all[1..]).is_err());
    assert!(org.merge(JO, "Contact", all[0], &all[..1]).is_err());
    assert!(org.merge(JO, "Contact", all[0], &[]).is_err());
    assert!(org.merge(JO, "Task", all[0], &all[1..2]).is_err());
    assert!(org.merge(KIM, "Contact", all[0], &all[1..2]).is_err());
    assert_eq!(org.count("Contact"), 4);
    org.merge(JO, "Contact", all[0], &all[1..3]).unwrap();
    assert_eq!(org.count("Contact"), 2);
}

#[test]
fn a_converted_lead_stays_and_names_what_it_became() {
    let mut org = org();
    let lead = r#"{"LastName":"Öz","Company":"Acme","Email":"OZ@acme.example"}"#;
    let lead = org.made(JO, "Lead", lead);
    let task = format!(r#"{{"Subject":"Call","WhoId":"{lead}"}}"#);
    let task = org.made(JO, "Task", &task);
    let made = org.convert_lead(JO, &lead, true).unwrap();
    let contact = Value::text(&made.contact);
    assert_eq!(org.field("Lead", &lead, "IsConverted"), Value::Bool(true));
    assert_eq!(org.field("Lead", &lead, "ConvertedContactId"), contact);
    assert_eq!(org.field("Task", &task, "WhoId"), contact);
    let mail = org.field("Contact", &made.contact, "Email");
    assert_eq!(mail, Value::text("oz@acme.example"));
    let account = org.field("Opportunity", &made.opportunity.unwrap(), "AccountId");
    assert_eq!(account, Value::text(&made.account));
    let refused = org.set(JO, "Lead", &lead, r#"{"Phone":"1"}"#).unwrap_err();
    assert_eq!(codes(&refused), ["CANNOT_UPDATE_CONVERTED_LEAD"]);
    assert!(org.convert_lead(JO, &lead, false).is_err());
}

#[test]
fn a_row_in_approval_is_locked_until_it_is_released() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.submit_for_approval("Account", &id);
    let refused = org.set(JO, "Account", &id, r#"{"Phone":"1"}"#).unwrap_err();
    assert_eq!(codes(&refused), ["ENTITY_IS_LOCKED"]);
    let refused = org.delete(JO, "Account", &id).unwrap_err();
    assert_eq!(codes(&refused), ["ENTITY_IS_LOCKED"]);
    org.set(ADMIN, "Account", &id, r#"{"Phone":"2"}"#).unwrap();
    org.release_approval("Account", &id);
    org.set(JO, "Account", &id, r#"{"Phone":"3"}"#).unwrap();
}

#[test]
fn a_locked_parent_locks_its_children_if_the_switch_says_so() {
    for locks in [false, true] {
        let mut org = org();
        org.config_mut().switches.writes_lock_parents = locks;
        let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
        org.lock("Account", &account, NOON + 60);
        let contact = format!(r#"{{"LastName":"Öz","AccountId":"{account}"}}"#);
        let made = org.create(JO, "Contact", &fields(&contact));
        assert_eq!(made.is_err(), locks);
        if let Err(errors) = made {
            assert_eq!(codes(&errors), ["UNABLE_TO_LOCK_ROW"]);
        }
    }
}
