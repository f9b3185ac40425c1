//! Faults, the clock and the rest, scripted over a socket as any language would.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod wire;

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};
use wire::{Org, Wire};

const ACCOUNTS: &str = "/services/data/v67.0/sobjects/Account";
const QUERY: &str = "/services/data/v67.0/query?q=SELECT+Id+FROM+Account";

#[test]
fn connections_break_in_every_way_and_the_org_commits_or_not() {
    let org = Org::start();
    for (fault, commits) in [
        (json!({"kind": "lose_request"}), false),
        (json!({"kind": "lose_answer"}), true),
        (json!({"kind": "reset"}), false),
        (json!({"kind": "reset", "after_commit": true}), true),
        (json!({"kind": "truncate", "bytes": 10}), true),
    ] {
        let before = org.accounts();
        org.plan(&fault);
        let lost = org.call("POST", ACCOUNTS, r#"{"Name":"A"}"#).unwrap_err();
        match fault["kind"].as_str().unwrap() {
            "reset" => assert_eq!(lost.kind(), ErrorKind::ConnectionReset, "{fault}"),
            _ => assert_eq!(lost.kind(), ErrorKind::UnexpectedEof, "{fault}"),
        }
        assert_eq!(org.accounts(), before + usize::from(commits), "{fault}");
    }
    assert_eq!(org.call("GET", QUERY, "").unwrap().status, 200);
    org.serving.stop();
}

#[test]
fn answers_come_in_the_orgs_place_with_their_headers() {
    let org = Org::start();
    let html = "text/html;charset=UTF-8";
    let json_type = "application/json;charset=UTF-8";
    for (fault, status, header, body) in [
        (
            json!({"kind": "unauthorized"}),
            401,
            ("Content-Type", json_type),
            "INVALID_SESSION_ID",
        ),
        (
            json!({"kind": "limit_exceeded"}),
            403,
            ("Content-Type", json_type),
            "REQUEST_LIMIT_EXCEEDED",
        ),
        (
            json!({"kind": "busy", "retry_after_s": 7}),
            503,
            ("Retry-After", "7"),
            "<html>",
        ),
        (
            json!({"kind": "busy", "status": 429}),
            429,
            ("Content-Type", html),
            "<html>",
        ),
        (
            json!({"kind": "redirect", "to": "https://evil.example/x"}),
            302,
            ("Location", "https://evil.example/x"),
            "",
        ),
        (
            json!({"kind": "status", "status": 502, "body": "<p>"}),
            502,
            ("Content-Type", html),
            "<p>",
        ),
        (
            json!({"kind": "status", "status": 200, "headers": {"Content-Type": "image/png"}, "body": "{}"}),
            200,
            ("Content-Type", "image/png"),
            "{}",
        ),
    ] {
        let before = org.accounts();
        org.plan(&fault);
        let answer = org.call("POST", ACCOUNTS, r#"{"Name":"A"}"#).unwrap();
        assert_eq!(answer.status, status, "{fault}");
        assert_eq!(answer.header(header.0), Some(header.1), "{fault}");
        let text = String::from_utf8(answer.body).unwrap();
        assert!(text.contains(body), "{fault}: {text}");
        assert_eq!(org.accounts(), before, "{fault}: the org saw nothing");
    }
    org.plan(&json!({"kind": "busy", "status": 504, "after_commit": true}));
    let before = org.accounts();
    let answer = org.call("POST", ACCOUNTS, r#"{"Name":"A"}"#).unwrap();
    assert_eq!((answer.status, org.accounts()), (504, before + 1));
    org.serving.stop();
}

#[test]
fn hostile_answers_are_what_they_are_called() {
    let org = Org::start();
    org.plan(&json!({"kind": "garbage", "text": "no HTTP at all"}));
    let mut wire = Wire::open(org.serving.address());
    wire.send("GET", QUERY, org.token(), "");
    let mut bytes = Vec::new();
    wire.0.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"no HTTP at all");

    org.plan(&json!({"kind": "deep", "depth": 1000}));
    let deep = String::from_utf8(org.call("GET", QUERY, "").unwrap().body).unwrap();
    assert_eq!(deep.matches('[').count(), 1001);
    assert_eq!(deep.matches(']').count(), 1001);

    org.plan(&json!({"kind": "bomb", "bytes": 5_000_000}));
    let bomb = org.call("GET", QUERY, "").unwrap();
    assert_eq!(bomb.header("Content-Encoding"), Some("gzip"));
    assert!(bomb.body.len() < 50_000, "{}", bomb.body.len());
    let mut plain = Vec::new();
    GzDecoder::new(bomb.body.as_slice())
        .read_to_end(&mut plain)
        .unwrap();
    assert_eq!(plain.len(), 5_000_000);

    org.plan(&json!({"kind": "endless_pages", "path": "/query", "times": null}));
    let mut next = QUERY.to_owned();
    for _ in 0..5 {
        let page: Value =
            serde_json::from_slice(&org.call("GET", &next, "").unwrap().body).unwrap();
        let link = page["nextRecordsUrl"].as_str().unwrap().to_owned();
        assert_eq!(page["done"], json!(false));
        assert_ne!(link, next);
        next = link;
    }
    assert_eq!(
        org.tell("DELETE", "faults", &Value::Null),
        json!({"cleared": 1})
    );

    org.call("POST", ACCOUNTS, r#"{"Name":"A"}"#).unwrap();
    let find = r#""url":"/services"#;
    org.plan(&json!({"kind": "rewrite", "find": find, "replace": r#""url":"https://evil.example/services"#}));
    let body = String::from_utf8(org.call("GET", QUERY, "").unwrap().body).unwrap();
    assert!(
        body.contains("https://evil.example/services/data"),
        "{body}"
    );
    assert!(!body.contains(find), "{body}");
    org.serving.stop();
}

#[test]
fn answers_wait_and_drip_in_real_time() {
    let org = Org::start();
    org.plan(&json!({"kind": "delay", "ms": 30}));
    let started = Instant::now();
    assert_eq!(org.call("GET", QUERY, "").unwrap().status, 200);
    assert!(started.elapsed() >= Duration::from_millis(30));

    let whole = org.call(
        "GET",
        "/services/data/v67.0/limits/recordCount?sObjects=Lead",
        "",
    );
    let whole = whole.unwrap().body;
    org.plan(&json!({"kind": "drip", "ms": 2}));
    let started = Instant::now();
    let path = "/services/data/v67.0/limits/recordCount?sObjects=Lead";
    let dripped = org.call("GET", path, "").unwrap();
    assert_eq!(dripped.body, whole);
    assert!(whole.len() > 10);
    assert!(started.elapsed() >= Duration::from_millis(2 * whole.len() as u64));
    org.serving.stop();
}

#[test]
fn a_list_of_faults_is_planned_shown_and_cleared() {
    let org = Org::start();
    let listed = org.tell(
        "POST",
        "faults",
        &json!([
            {"kind": "reset", "method": "post", "path": "/composite", "nth": 2},
            {"kind": "delay", "ms": 1, "times": 3},
            {"kind": "endless_pages", "times": null, "after_commit": true},
        ]),
    );
    let expected = json!({"faults": [
        {"kind": "reset", "method": "POST", "path": "/composite", "nth": 2, "times": 1, "after_commit": false, "struck": 0},
        {"kind": "delay", "method": null, "path": null, "nth": 1, "times": 3, "after_commit": false, "struck": 0},
        {"kind": "endless_pages", "method": null, "path": null, "nth": 1, "times": null, "after_commit": true, "struck": 0},
    ]});
    assert_eq!(listed, expected);
    org.call("GET", QUERY, "").unwrap();
    let left = org.tell("GET", "faults", &Value::Null);
    assert_eq!(
        (&left["faults"][1]["times"], &left["faults"][1]["struck"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        org.tell("DELETE", "faults", &Value::Null),
        json!({"cleared": 3})
    );
    assert_eq!(
        org.tell("GET", "faults", &Value::Null),
        json!({"faults": []})
    );
    org.serving.stop();
}

#[test]
fn the_clock_the_network_the_tokens_and_the_locks_are_in_the_tests_hands() {
    let org = Org::start();
    assert_eq!(
        org.tell("POST", "clock", &json!({"advance_s": 90})),
        json!({"now": "2026-03-02T09:01:30Z", "now_s": 1_772_442_090})
    );
    org.tell("POST", "clock", &json!({"now": "2026-03-05T00:00:00Z"}));
    assert_eq!(
        org.tell("GET", "clock", &Value::Null)["now"],
        json!("2026-03-05T00:00:00Z")
    );

    org.tell("POST", "network", &json!({"offline": true}));
    assert!(org.call("GET", QUERY, "").is_err());
    assert_eq!(
        org.tell("GET", "", &Value::Null)["offline"],
        json!(true),
        "control still answers"
    );
    org.tell("POST", "network", &json!({"offline": false}));
    assert_eq!(org.call("GET", QUERY, "").unwrap().status, 200);

    let (id, name) = (&org.user["id"], &org.user["username"]);
    org.tell(
        "POST",
        &format!("users/{}/expire", name.as_str().unwrap()),
        &Value::Null,
    );
    assert_eq!(org.call("GET", QUERY, "").unwrap().status, 401);
    let fresh = org.tell(
        "POST",
        &format!("users/{}/sign-in", id.as_str().unwrap()),
        &Value::Null,
    );
    assert_eq!((&fresh["id"], &fresh["username"]), (id, name));
    let token = fresh["access_token"].as_str().unwrap();
    let mut wire = Wire::open(org.serving.address());
    assert_eq!(wire.call("GET", QUERY, token, "").unwrap().status, 200);
    org.tell(
        "POST",
        &format!("users/{}/revoke", id.as_str().unwrap()),
        &Value::Null,
    );
    assert_eq!(wire.call("GET", QUERY, token, "").unwrap().status, 401);

    let fresh = org.tell(
        "POST",
        &format!("users/{}/sign-in", id.as_str().unwrap()),
        &Value::Null,
    );
    let token = fresh["access_token"].as_str().unwrap();
    let made = wire
        .call("POST", ACCOUNTS, token, r#"{"Name":"A"}"#)
        .unwrap();
    let made: Value = serde_json::from_slice(&made.body).unwrap();
    let until = org.tell(
        "POST",
        "locks",
        &json!({"object": "Account", "id": made["id"], "seconds": 60}),
    );
    assert_eq!(until, json!({"until": "2026-03-05T00:01:00Z"}));
    let row = format!("{ACCOUNTS}/{}", made["id"].as_str().unwrap());
    let mut write = || wire.call("PATCH", &row, token, r#"{"Name":"B"}"#).unwrap();
    let refused = String::from_utf8(write().body).unwrap();
    assert!(refused.contains("UNABLE_TO_LOCK_ROW"), "{refused}");
    org.tell("POST", "clock", &json!({"advance_s": 60}));
    assert_eq!(write().status, 204);
    org.serving.stop();
}

#[test]
fn calls_are_counted_by_kind_and_listed_and_control_calls_are_not() {
    let org = Org::start();
    org.call("GET", QUERY, "").unwrap();
    org.plan(&json!({"kind": "lose_request"}));
    assert!(org.call("POST", ACCOUNTS, r#"{"Name":"A"}"#).is_err());
    assert_eq!(
        org.tell("GET", "meter", &Value::Null),
        json!({"requests": 2, "kinds": {"create": 1, "query": 1}})
    );
    let create = json!({"method": "POST", "target": ACCOUNTS, "status": null, "executed": false});
    let query = json!({"method": "GET", "target": QUERY, "status": 200, "executed": true});
    assert_eq!(
        org.tell("GET", "log", &Value::Null),
        json!({"requests": 2, "log": [query, create]})
    );
    assert_eq!(
        org.tell("GET", "log?skip=1", &Value::Null),
        json!({"requests": 2, "log": [create]})
    );
    assert_eq!(
        org.tell("GET", "log?skip=9", &Value::Null)["log"],
        json!([])
    );
    assert_eq!(
        org.tell("DELETE", "log", &Value::Null),
        json!({"cleared": 2})
    );
    assert_eq!(
        org.tell("GET", "meter", &Value::Null),
        json!({"requests": 0, "kinds": {}})
    );
    org.serving.stop();
}
