//! Assignment rules: who gets a lead or a case.

use crate::org::testing::*;
use crate::org::{AutoAssign, Org};
use crate::value::Value;

const RULES: &str = r#"{"version": 1, "assignment_rules": [
    {"name": "Standard", "object": "Lead", "active": true, "entries": [
        {"if": "Rating = 'Hot'", "owner": "Kim@example.com"},
        {"if": "Rating = 'Warm'", "owner": "Inbox"}]},
    {"name": "Holiday", "object": "Lead", "entries": [{"owner": "Ada@example.com"}]},
    {"name": "Cases", "object": "Case", "active": true, "entries": [{"owner": "Inbox"}]}]}"#;

fn org_with_rules() -> (Org, String) {
    let mut org = org();
    org.enable_cases();
    let queue = org.made(ADMIN, "Group", r#"{"Name":"Inbox","Type":"Queue"}"#);
    org.add_rules(RULES).unwrap();
    (org, queue)
}

fn lead(org: &mut Org, rating: &str) -> String {
    let json = format!(r#"{{"LastName":"Roe","Company":"Acme","Rating":"{rating}"}}"#);
    org.made(JO, "Lead", &json)
}

fn owner(org: &Org, object: &str, id: &str) -> Value {
    org.field(object, id, "OwnerId")
}

#[test]
fn the_first_entry_that_holds_names_the_owner_and_without_one_the_row_stays() {
    let (mut org, queue) = org_with_rules();
    for (rating, to) in [("Hot", KIM), ("Warm", &*queue), ("Cold", JO)] {
        let id = lead(&mut org, rating);
        assert_eq!(owner(&org, "Lead", &id), Value::text(to), "{rating}");
    }
    let case = org.made(JO, "Case", r#"{"Subject":"Help"}"#);
    assert_eq!(owner(&org, "Case", &case), Value::text(&queue));
    assert!(org.read(JO, "Case", &case).is_none(), "given away unseen");
}

#[test]
fn a_client_says_no_or_names_another_rule() {
    let (mut org, _) = org_with_rules();
    org.set_auto_assign(AutoAssign::No);
    let id = lead(&mut org, "Hot");
    assert_eq!(owner(&org, "Lead", &id), Value::text(JO));
    let soql = "SELECT Id FROM AssignmentRule WHERE Active = false";
    let holiday = org.column(JO, soql).swap_remove(0);
    org.set_auto_assign(AutoAssign::Rule(holiday[..15].to_owned()));
    let id = lead(&mut org, "Cold");
    assert_eq!(owner(&org, "Lead", &id), Value::text(ADMIN));
}

#[test]
fn the_header_says_which_rule_runs() {
    for (header, meant) in [
        (None, AutoAssign::Active),
        (Some("TRUE"), AutoAssign::Active),
        (Some(""), AutoAssign::Active),
        (Some("false"), AutoAssign::No),
        (
            Some("01Qx00000000001"),
            AutoAssign::Rule("01Qx00000000001".into()),
        ),
    ] {
        assert_eq!(AutoAssign::read(header), meant, "{header:?}");
    }
}

#[test]
fn rules_run_on_changes_if_the_switch_says_so() {
    let (mut org, _) = org_with_rules();
    for (runs, to) in [(true, KIM), (false, JO)] {
        org.config_mut().switches.updates_assign = runs;
        let id = lead(&mut org, "Cold");
        org.wait(5);
        org.set(JO, "Lead", &id, r#"{"Rating":"Hot"}"#).unwrap();
        assert_eq!(owner(&org, "Lead", &id), Value::text(to));
        assert_eq!(
            org.read(ADMIN, "Lead", &id).unwrap().last_modified(),
            org.now()
        );
    }
}

#[test]
fn rules_that_make_no_sense_are_refused_whole() {
    let mut org = org();
    let rule = |object: &str, entry: &str| {
        format!(
            r#"{{"version":1,"assignment_rules":[
            {{"name":"A","object":"Lead","active":true,"entries":[]}},
            {{"name":"B","object":"{object}","active":true,"entries":[{entry}]}}]}}"#
        )
    };
    for (object, entry, why) in [
        ("Account", "", "not assigned by rules"),
        ("Case", "", "not assigned by rules"),
        ("Lead", "", "has an active assignment rule"),
        ("Lead", r#"{"owner":"nobody"}"#, "no user or queue"),
        (
            "Lead",
            r#"{"owner":"Jo@example.com","if":"Nope = 1"}"#,
            "No such column",
        ),
    ] {
        let json = rule(object, entry).replace(
            r#""name":"B","object":"Lead","active":true"#,
            match why {
                "has an active assignment rule" => r#""name":"B","object":"Lead","active":true"#,
                _ => r#""name":"B","object":"Lead""#,
            },
        );
        let error = org.add_rules(&json).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
    assert!(org.schema().index("AssignmentRule").is_none());
}

#[test]
fn the_cases_of_those_below_are_found_by_their_scope() {
    let mut org = org();
    org.enable_cases();
    org.enable_roles();
    let chief = org.made(ADMIN, "UserRole", r#"{"Name":"Chief"}"#);
    let sales = format!(r#"{{"Name":"Sales","ParentRoleId":"{chief}"}}"#);
    let sales = org.made(ADMIN, "UserRole", &sales);
    for (user, role) in [(KIM, chief), (JO, sales)] {
        let role = format!(r#"{{"UserRoleId":"{role}"}}"#);
        org.set(ADMIN, "User", user, &role).unwrap();
    }
    let theirs = org.made(JO, "Case", r#"{"Subject":"Help"}"#);
    let soql = "SELECT Id FROM Case USING SCOPE team_by_role";
    assert_eq!(org.column(KIM, soql), [theirs]);
    assert_eq!(org.column(ADMIN, soql), [""; 0]);
}
