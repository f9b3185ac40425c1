//! Slow transactions and locks.

use crate::org::testing::*;
use crate::value::Value;

#[test]
fn a_slow_transaction_is_stamped_at_its_start_and_seen_at_its_end() {
    let mut org = org();
    let old = org.made(JO, "Account", r#"{"Name":"Old"}"#);
    let new = org.hold_open(NOON + 90, |org| {
        org.set(JO, "Account", &old, r#"{"Name":"Changed"}"#)
            .unwrap();
        org.made(JO, "Account", r#"{"Name":"Late"}"#)
    });
    org.wait(60);
    org.made(JO, "Account", r#"{"Name":"Younger"}"#);
    assert!(org.read(JO, "Account", &new).is_none());
    assert_eq!(org.field("Account", &old, "Name"), Value::text("Old"));
    org.wait(30);
    assert_eq!(
        org.field("Account", &new, "SystemModstamp"),
        Value::DateTime(NOON)
    );
    assert_eq!(org.field("Account", &old, "Name"), Value::text("Changed"));
}

#[test]
fn nothing_after_the_start_of_a_slow_transaction_is_covered() {
    let mut org = org();
    org.set_now(NOON + 30);
    org.hold_open(NOON + 600, |org| {
        org.made(JO, "Account", r#"{"Name":"Late"}"#)
    });
    org.set_now(NOON + 300);
    assert_eq!(
        org.updated(JO, "Account", NOON - 600, NOON + 240)
            .unwrap()
            .1,
        NOON
    );
    assert_eq!(
        org.deleted(JO, "Account", NOON - 600, NOON + 240)
            .unwrap()
            .latest,
        NOON
    );
    org.set_now(NOON + 600);
    assert_eq!(
        org.updated(JO, "Account", NOON - 600, NOON + 240)
            .unwrap()
            .1,
        NOON + 240
    );
}

#[test]
fn a_slow_deletion_is_logged_when_it_commits() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.hold_open(NOON + 300, |org| org.delete(JO, "Account", &id))
        .unwrap();
    org.set_now(NOON + 200);
    assert!(org.read(JO, "Account", &id).is_some());
    assert!(
        org.deleted(JO, "Account", NOON - 600, NOON + 240)
            .unwrap()
            .records
            .is_empty()
    );
    org.set_now(NOON + 300);
    assert_eq!(
        org.deleted(JO, "Account", NOON - 600, NOON + 240)
            .unwrap()
            .records,
        [(id, NOON)]
    );
}

#[test]
fn a_row_held_by_a_transaction_cannot_be_written() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.hold_open(NOON + 60, |org| {
        org.set(JO, "Account", &id, r#"{"Phone":"1"}"#)
    })
    .unwrap();
    let errors = org.set(JO, "Account", &id, r#"{"Phone":"2"}"#).unwrap_err();
    assert_eq!(codes(&errors), ["UNABLE_TO_LOCK_ROW"]);
    assert!(errors[0].message.ends_with(&id));
    let json = format!(r#"{{"Subject":"Call","WhatId":"{id}","ActivityDate":"2026-07-10"}}"#);
    assert_eq!(
        codes(&org.refused(JO, "Task", &json)),
        ["UNABLE_TO_LOCK_ROW"],
        "the roll-up needs the account"
    );
    assert_eq!(org.count("Task"), 0);
    org.wait(60);
    org.set(JO, "Account", &id, r#"{"Phone":"2"}"#).unwrap();
}

#[test]
fn a_lock_ends_with_its_time() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.lock("Account", &id, NOON + 10);
    assert_eq!(
        codes(&org.delete(JO, "Account", &id).unwrap_err()),
        ["UNABLE_TO_LOCK_ROW"]
    );
    org.wait(10);
    org.delete(JO, "Account", &id).unwrap();
}
