//! Roles, groups and organisation-wide defaults.

use crate::org::testing::*;
use crate::org::{Org, OrgWide};

/// Gives Jo a role below Kim's.
fn roles(org: &mut Org) -> (String, String) {
    org.enable_roles();
    let chief = org.made(ADMIN, "UserRole", r#"{"Name":"Chief"}"#);
    let below = format!(r#"{{"Name":"Sales","ParentRoleId":"{chief}"}}"#);
    let sales = org.made(ADMIN, "UserRole", &below);
    for (user, role) in [(KIM, &chief), (JO, &sales)] {
        let role = format!(r#"{{"UserRoleId":"{role}"}}"#);
        org.set(ADMIN, "User", user, &role).unwrap();
    }
    (chief, sales)
}

fn group(org: &mut Org, json: &str) -> String {
    org.made(ADMIN, "Group", json)
}

fn join(org: &mut Org, group: &str, member: &str) -> String {
    let json = format!(r#"{{"GroupId":"{group}","UserOrGroupId":"{member}"}}"#);
    org.made(ADMIN, "GroupMember", &json)
}

fn account(org: &mut Org, owner: &str) -> String {
    org.made(owner, "Account", r#"{"Name":"Acme"}"#)
}

fn sees(org: &Org, user: &str, id: &str) -> bool {
    let object = org.schema().by_prefix(id).unwrap().name.clone();
    org.read(user, &object, id).is_some()
}

fn edits(org: &mut Org, user: &str, object: &str, id: &str) -> bool {
    org.set(user, object, id, r#"{"Description":"x"}"#).is_ok()
}

#[test]
fn a_manager_does_what_the_people_below_may_do_and_they_not_what_the_manager_may() {
    let mut org = org();
    roles(&mut org);
    let below = account(&mut org, JO);
    let above = account(&mut org, KIM);
    assert!(sees(&org, KIM, &below) && !sees(&org, JO, &above));
    assert!(edits(&mut org, KIM, "Account", &below));
    let mine = org.query(KIM, "SELECT Id FROM Account USING SCOPE mine", false);
    assert_eq!(mine.unwrap().total(), 1, "what is mine is not what I see");
    let kim = format!(r#"{{"OwnerId":"{KIM}"}}"#);
    org.set(KIM, "Account", &below, &kim).unwrap();
    assert!(!sees(&org, JO, &below), "taken by the manager");
}

#[test]
fn a_manager_sees_what_was_shared_with_the_people_below_and_what_hangs_on_their_accounts() {
    let mut org = org();
    roles(&mut org);
    let theirs = account(&mut org, ADMIN);
    org.grant_read("Account", &theirs, JO);
    assert!(sees(&org, KIM, &theirs));
    assert!(!edits(&mut org, KIM, "Account", &theirs));
    let below = account(&mut org, JO);
    let of_account = format!(r#"{{"LastName":"Roe","AccountId":"{below}"}}"#);
    let contact = org.made(ADMIN, "Contact", &of_account);
    assert!(sees(&org, KIM, &contact));
}

#[test]
fn a_role_ends_with_the_user_and_an_object_can_be_left_out_of_the_hierarchy() {
    let mut org = org();
    roles(&mut org);
    let below = account(&mut org, JO);
    org.set_hierarchy("Account", false);
    assert!(!sees(&org, KIM, &below));
    org.set_hierarchy("Account", true);
    assert!(sees(&org, KIM, &below));
    org.set(ADMIN, "User", JO, r#"{"UserRoleId":null}"#)
        .unwrap();
    assert!(!sees(&org, KIM, &below));
}

#[test]
fn roles_in_a_circle_give_nobody_their_own_rows_twice() {
    let mut org = org();
    let (chief, sales) = roles(&mut org);
    let circle = format!(r#"{{"ParentRoleId":"{sales}"}}"#);
    org.set(ADMIN, "UserRole", &chief, &circle).unwrap();
    let below = account(&mut org, JO);
    assert!(sees(&org, KIM, &below));
    let rows = org.column(KIM, "SELECT Id FROM Account");
    assert_eq!(rows, [below]);
}

#[test]
fn a_group_in_a_group_has_its_members_and_a_queue_may_have_groups() {
    let mut org = org();
    let outer = group(&mut org, r#"{"Name":"All","Type":"Regular"}"#);
    let inner = group(&mut org, r#"{"Name":"South","Type":"Regular"}"#);
    let queue = group(&mut org, r#"{"Name":"Inbox","Type":"Queue"}"#);
    join(&mut org, &outer, &inner);
    join(&mut org, &queue, &outer);
    // A group that is in itself is no endless one.
    join(&mut org, &inner, &outer);
    let place = join(&mut org, &inner, JO);
    let shared = account(&mut org, ADMIN);
    org.grant_read("Account", &shared, &outer);
    let owned = format!(r#"{{"LastName":"Doe","Company":"Acme","OwnerId":"{queue}"}}"#);
    let owned = org.made(ADMIN, "Lead", &owned);
    assert!(sees(&org, JO, &shared) && !sees(&org, KIM, &shared));
    assert!(edits(&mut org, JO, "Lead", &owned));
    assert!(!sees(&org, KIM, &owned));
    org.delete(ADMIN, "GroupMember", &place).unwrap();
    assert!(!sees(&org, JO, &shared) && !sees(&org, JO, &owned));
}

#[test]
fn a_group_of_a_role_has_its_users_and_one_with_subordinates_those_below() {
    let mut org = org();
    let (chief, _) = roles(&mut org);
    for (kind, below) in [("Role", false), ("RoleAndSubordinates", true)] {
        let json = format!(r#"{{"Name":"G","Type":"{kind}","RelatedId":"{chief}"}}"#);
        let group = group(&mut org, &json);
        let shared = account(&mut org, ADMIN);
        org.grant_read("Account", &shared, &group);
        assert!(sees(&org, KIM, &shared), "{kind}");
        assert_eq!(sees(&org, JO, &shared), below, "{kind}");
    }
}

#[test]
fn an_object_that_is_public_is_everybodys_to_see_or_to_change() {
    let mut org = org();
    let id = account(&mut org, JO);
    org.set_org_wide("Account", OrgWide::Read).unwrap();
    assert!(sees(&org, KIM, &id) && !edits(&mut org, KIM, "Account", &id));
    org.set_org_wide("Account", OrgWide::ReadWrite).unwrap();
    assert!(edits(&mut org, KIM, "Account", &id));
    let errors = org.delete(KIM, "Account", &id).unwrap_err();
    assert_eq!(codes(&errors), ["INSUFFICIENT_ACCESS_OR_READONLY"]);
    org.set_org_wide("Account", OrgWide::Private).unwrap();
    assert!(!sees(&org, KIM, &id));
}

#[test]
fn a_contact_controlled_by_its_parent_is_seen_and_changed_as_the_account_is() {
    let mut org = org();
    org.set_org_wide("Contact", OrgWide::ControlledByParent)
        .unwrap();
    let parent = account(&mut org, ADMIN);
    org.grant_read("Account", &parent, JO);
    org.grant("Account", &parent, KIM);
    let of_account = format!(r#"{{"LastName":"Roe","AccountId":"{parent}"}}"#);
    let contact = org.made(ADMIN, "Contact", &of_account);
    assert!(sees(&org, JO, &contact) && !edits(&mut org, JO, "Contact", &contact));
    assert!(edits(&mut org, KIM, "Contact", &contact));
    // Its owner has no say without the account.
    let owner = format!(r#"{{"OwnerId":"{JO}"}}"#);
    org.set(ADMIN, "Contact", &contact, &owner).unwrap();
    org.revoke("Account", &parent, JO);
    assert!(!sees(&org, JO, &contact));
    // One without an account is its owner's.
    let alone = org.made(JO, "Contact", r#"{"LastName":"Doe"}"#);
    assert!(sees(&org, JO, &alone) && !sees(&org, KIM, &alone));
}

#[test]
fn a_default_that_makes_no_sense_is_refused() {
    let mut org = org();
    for (object, default) in [
        ("Nothing", OrgWide::Read),
        ("Visit__c", OrgWide::Read),
        ("User", OrgWide::Private),
        ("Lead", OrgWide::ControlledByParent),
    ] {
        assert!(org.set_org_wide(object, default).is_err(), "{object}");
    }
}

#[test]
fn who_holds_a_child_sees_its_account_if_the_switch_is_on_and_cannot_change_it() {
    let mut org = org();
    let account = account(&mut org, ADMIN);
    let fields = format!(
        r#"{{"Name":"Deal","StageName":"Prospecting","CloseDate":"2026-08-01","AccountId":"{account}","OwnerId":"{JO}"}}"#
    );
    let deal = org.made(ADMIN, "Opportunity", &fields);
    assert!(sees(&org, JO, &deal) && !sees(&org, JO, &account));
    org.config_mut().switches.children_show_accounts = true;
    assert!(sees(&org, JO, &account) && !edits(&mut org, JO, "Account", &account));
    assert!(!sees(&org, KIM, &account));
    // What is seen through the account shows nothing further.
    let other = format!(r#"{{"LastName":"Roe","AccountId":"{account}"}}"#);
    let other = org.made(ADMIN, "Contact", &other);
    assert!(!sees(&org, JO, &other));
    org.delete(ADMIN, "Opportunity", &deal).unwrap();
    assert!(!sees(&org, JO, &account));
}

#[test]
fn only_an_administrator_makes_groups_and_members() {
    let mut org = org();
    let errors = org.refused(JO, "Group", r#"{"Name":"Mine","Type":"Regular"}"#);
    assert_eq!(codes(&errors), ["INSUFFICIENT_ACCESS_OR_READONLY"]);
}
