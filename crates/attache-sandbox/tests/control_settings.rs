//! Switches, features, rights and colleagues' work, set over a socket as any language would.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod wire;

use serde_json::{Value, json};
use wire::Org;

const ACCOUNTS: &str = "/services/data/v67.0/sobjects/Account";

fn call(org: &Org, user: Option<&str>, method: &str, path: &str, body: &Value) -> Value {
    let doc = json!({"user": user, "method": method, "path": path, "body": body});
    org.tell("POST", "calls", &doc)
}

/// What a user's query answers.
fn asks(org: &Org, user: &str, soql: &str) -> Value {
    let path = format!("/query?q={}", soql.replace(' ', "+"));
    call(org, Some(user), "GET", &path, &Value::Null)
}

#[test]
fn every_switch_is_listed_and_set_by_its_name() {
    let org = Org::start();
    let listed = org.tell("GET", "switches", &Value::Null)["switches"].clone();
    let names = listed.as_object().unwrap();
    assert!(names.len() > 45, "{names:?}");
    assert_eq!(listed["page_rows_max"], 2_000);
    assert_eq!(listed["precondition_code"], "MATCH_PRECONDITION_FAILED");
    // What was listed can be set again as it was.
    let again = org.tell("POST", "switches", &listed)["switches"].clone();
    assert_eq!(again, listed);
    let change = json!({"page_rows_max": 3, "hidden_parents_are_null": false, "locators_max": 10,
        "precondition_code": "MATCH_PRECONDITION_REQUIRED"});
    let set = org.tell("POST", "switches", &change)["switches"].clone();
    for (name, value) in change.as_object().unwrap() {
        assert_eq!(&set[name], value, "{name}");
    }
    let page = asks(&org, &users(&org)[0], "SELECT Id FROM User");
    assert_eq!(page["body"]["records"].as_array().unwrap().len(), 3);
    org.serving.stop();
}

#[test]
fn a_switch_of_no_use_is_refused_with_all_that_came_with_it() {
    let org = Org::start();
    for (doc, why) in [
        (
            json!({"tunnels_methods": false, "nope": 1}),
            "no switch nope",
        ),
        (
            json!({"tunnels_methods": false, "trims_blanks": "yes"}),
            "trims_blanks takes a value such as true",
        ),
        (json!({"page_rows_max": 0}), "page_rows_max must be from 1"),
        (json!({"page_rows_max": -1}), "page_rows_max takes a value"),
        (
            json!({"precondition_code": "NOPE"}),
            "precondition_code takes",
        ),
    ] {
        let (status, told) = org.told("POST", "switches", &doc);
        assert_eq!(status, 400, "{doc}");
        assert!(told["error"].as_str().unwrap().contains(why), "{told}");
    }
    let listed = org.tell("GET", "switches", &Value::Null)["switches"].clone();
    assert_eq!(listed["tunnels_methods"], true);
    org.serving.stop();
}

/// The ids of the users of the org.
fn users(org: &Org) -> Vec<String> {
    let users = org.tell("GET", "users", &Value::Null)["users"].clone();
    let ids = users.as_array().unwrap().iter();
    ids.map(|user| user["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_colleague_creates_changes_and_deletes_rows_that_nobody_counts() {
    let org = Org::start();
    let kim = users(&org).swap_remove(1);
    let path = "/sobjects/Account";
    let made = call(&org, Some(&kim), "POST", path, &json!({"Name": "Hers"}));
    assert_eq!(made["status"], 201, "{made}");
    let id = made["body"]["id"].as_str().unwrap().to_owned();
    let row = format!("{ACCOUNTS}/{id}");
    assert_eq!(org.call("GET", &row, "").unwrap().status, 404, "Kim's own");
    let one = format!("/sobjects/Account/{id}");
    let to_jo = json!({"Site": "Ours", "OwnerId": org.user["id"]});
    let given = call(&org, Some(&kim), "PATCH", &one, &to_jo);
    assert_eq!(given, json!({"status": 204, "body": null}));
    let seen = org.call("GET", &row, "").unwrap();
    let seen: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(seen["LastModifiedById"], json!(kim));
    let gone = call(&org, Some(&kim), "DELETE", &one, &Value::Null);
    assert_eq!(gone["status"], 404, "no longer hers: {gone}");
    let gone = call(&org, None, "DELETE", &one, &Value::Null);
    assert_eq!(gone["status"], 204, "the administrator's: {gone}");
    let meter = org.tell("GET", "meter", &Value::Null);
    assert_eq!(meter["requests"], 2, "the two that came as calls");
    org.serving.stop();
}

#[test]
fn a_call_that_commits_later_is_seen_later_with_the_stamp_of_its_start() {
    let org = Org::start();
    let jo = org.user["id"].as_str().unwrap().to_owned();
    let doc = json!({"user": jo, "method": "POST", "path": "/sobjects/Account",
        "body": {"Name": "Slow"}, "commit_after_s": 120});
    let made = org.tell("POST", "calls", &doc);
    let id = made["body"]["id"].as_str().unwrap().to_owned();
    let row = format!("{ACCOUNTS}/{id}");
    assert_eq!(org.call("GET", &row, "").unwrap().status, 404);
    org.tell("POST", "clock", &json!({"advance_s": 121}));
    let seen = org.call("GET", &row, "").unwrap();
    let seen: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(seen["SystemModstamp"], "2026-03-02T09:00:00.000+0000");
    org.serving.stop();
}

#[test]
fn features_sharing_and_rights_are_set_while_the_org_runs() {
    let org = Org::start();
    let all = users(&org);
    let (jo, kim) = (&all[0], &all[1]);
    let on =
        json!({"roles": true, "shares": true, "teams": true, "territories": true, "cases": true});
    assert_eq!(org.tell("POST", "features", &on), on);
    assert_eq!(org.tell("GET", "features", &Value::Null), on);
    // Twice is once.
    assert_eq!(org.tell("POST", "features", &on), on);
    let count = |user: &str| {
        let answer = asks(&org, user, "SELECT COUNT() FROM Lead");
        answer["body"]["totalSize"].as_u64()
    };
    call(
        &org,
        Some(kim),
        "POST",
        "/sobjects/Lead",
        &json!({"LastName": "R", "Company": "C"}),
    );
    let before = count(jo).unwrap();
    org.tell(
        "POST",
        "sharing",
        &json!({"object": "Lead", "default": "read"}),
    );
    assert!(count(jo).unwrap() > before);
    org.tell(
        "POST",
        "sharing",
        &json!({"object": "Lead", "default": "private", "hierarchy": false}),
    );
    assert_eq!(count(jo).unwrap(), before);
    let hide = json!({"user": jo, "object": "Lead", "field": "Rating", "read": false});
    org.tell("POST", "rights", &hide);
    let hidden = asks(&org, jo, "SELECT Rating FROM Lead");
    assert_eq!(hidden["body"][0]["errorCode"], "INVALID_FIELD", "{hidden}");
    org.tell(
        "POST",
        "rights",
        &json!({"user": jo, "object": "Lead", "read": false}),
    );
    assert_eq!(count(jo), None);
    org.serving.stop();
}

#[test]
fn rules_and_approvals_are_set_while_the_org_runs() {
    let org = Org::start();
    let jo = org.user["id"].as_str().unwrap().to_owned();
    let rules = json!({"version": 1, "rules": [
        {"object": "Account", "if": "Site = null", "refuse": {"message": "Where?", "field": "Site"}}]});
    org.tell("POST", "rules", &rules);
    let path = "/sobjects/Account";
    let refused = call(&org, Some(&jo), "POST", path, &json!({"Name": "A"}));
    assert_eq!(refused["body"][0]["message"], "Where?", "{refused}");
    let made = call(
        &org,
        Some(&jo),
        "POST",
        path,
        &json!({"Name": "A", "Site": "S"}),
    );
    let id = made["body"]["id"].as_str().unwrap().to_owned();
    let change = || {
        let path = format!("/sobjects/Account/{id}");
        call(&org, Some(&jo), "PATCH", &path, &json!({"Phone": "1"}))
    };
    for (locked, status) in [(true, 400), (false, 204)] {
        let doc = json!({"object": "Account", "id": id, "locked": locked});
        org.tell("POST", "approvals", &doc);
        assert_eq!(change()["status"], status);
    }
    org.serving.stop();
}
