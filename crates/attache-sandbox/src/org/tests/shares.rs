//! Share rows: what people share with each other by the API.

use crate::org::testing::*;
use crate::org::{Org, OrgWide};
use crate::value::Value;

fn org_with_shares() -> (Org, String) {
    let mut org = org();
    org.enable_shares();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    (org, id)
}

fn share(account: &str, user: &str, level: &str) -> String {
    format!(
        r#"{{"AccountId":"{account}","UserOrGroupId":"{user}","AccountAccessLevel":"{level}"}}"#
    )
}

#[test]
fn an_owner_shares_a_row_by_a_row_without_touching_it_and_takes_it_back() {
    let (mut org, account) = org_with_shares();
    org.wait(5);
    let row = org.made(JO, "AccountShare", &share(&account, KIM, "Read"));
    let seen = org.read(KIM, "Account", &account).unwrap();
    assert_eq!(seen.system_modstamp(), NOON);
    let site = r#"{"Site":"x"}"#;
    assert!(org.set(KIM, "Account", &account, site).is_err());
    let level = r#"{"AccountAccessLevel":"Edit"}"#;
    org.set(JO, "AccountShare", &row, level).unwrap();
    org.set(KIM, "Account", &account, site).unwrap();
    assert_eq!(
        org.column(KIM, "SELECT RowCause FROM AccountShare"),
        ["Manual"]
    );
    org.delete(JO, "AccountShare", &row).unwrap();
    assert!(org.read(KIM, "Account", &account).is_none());
    let gone = org.query(KIM, "SELECT Id FROM AccountShare", false);
    assert_eq!(gone.unwrap().total(), 0);
}

#[test]
fn only_who_may_give_a_row_away_shares_it() {
    let (mut org, account) = org_with_shares();
    org.grant("Account", &account, KIM);
    for (user, json) in [
        (KIM, share(&account, GONE, "Read")),
        (
            JO,
            share(&account, KIM, "Read").replace('}', r#","RowCause":"Rule"}"#),
        ),
    ] {
        let errors = org.refused(user, "AccountShare", &json);
        assert_eq!(
            codes(&errors),
            ["INSUFFICIENT_ACCESS_OR_READONLY"],
            "{user}"
        );
    }
    let row = org.made(JO, "AccountShare", &share(&account, KIM, "Edit"));
    assert!(org.delete(KIM, "AccountShare", &row).is_err());
}

#[test]
fn a_share_that_gives_nothing_is_refused() {
    let (mut org, account) = org_with_shares();
    for (default, level) in [
        (OrgWide::Private, "All"),
        (OrgWide::Read, "Read"),
        (OrgWide::ReadWrite, "Edit"),
    ] {
        org.set_org_wide("Account", default).unwrap();
        let errors = org.refused(JO, "AccountShare", &share(&account, KIM, level));
        assert_eq!(codes(&errors), ["FIELD_INTEGRITY_EXCEPTION"], "{default:?}");
    }
}

#[test]
fn manual_shares_end_when_the_row_changes_hands_and_those_of_rules_stay() {
    let (mut org, account) = org_with_shares();
    org.made(JO, "AccountShare", &share(&account, KIM, "Read"));
    let rule = share(&account, GONE, "Read").replace('}', r#","RowCause":"Rule"}"#);
    org.made(ADMIN, "AccountShare", &rule);
    let owner = format!(r#"{{"OwnerId":"{ADMIN}"}}"#);
    org.set(JO, "Account", &account, &owner).unwrap();
    assert!(org.read(KIM, "Account", &account).is_none());
    assert!(org.read(GONE, "Account", &account).is_some());
    org.made(ADMIN, "AccountShare", &share(&account, KIM, "Read"));
    org.transfer_owner("Account", &account, JO);
    assert!(org.read(KIM, "Account", &account).is_none());
}

#[test]
fn an_account_is_shared_with_its_contacts_and_with_a_group() {
    let (mut org, account) = org_with_shares();
    let fields = format!(r#"{{"LastName":"Roe","AccountId":"{account}"}}"#);
    let contact = org.made(ADMIN, "Contact", &fields);
    let group = org.made(ADMIN, "Group", r#"{"Name":"G","Type":"Regular"}"#);
    let member = format!(r#"{{"GroupId":"{group}","UserOrGroupId":"{KIM}"}}"#);
    org.made(ADMIN, "GroupMember", &member);
    let json = share(&account, &group, "Read").replace('}', r#","ContactAccessLevel":"Edit"}"#);
    org.made(JO, "AccountShare", &json);
    assert!(org.read(KIM, "Account", &account).is_some());
    org.set(KIM, "Contact", &contact, r#"{"Title":"x"}"#)
        .unwrap();
    assert_eq!(org.field("Contact", &contact, "Title"), Value::text("x"));
}

#[test]
fn shares_go_with_their_row() {
    let (mut org, account) = org_with_shares();
    org.made(JO, "AccountShare", &share(&account, KIM, "Read"));
    org.delete(JO, "Account", &account).unwrap();
    let left = org.query(ADMIN, "SELECT Id FROM AccountShare", false);
    assert_eq!(left.unwrap().total(), 0);
}
