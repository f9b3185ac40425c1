//! What every call shares: versions, sizes, encodings, dates; and the faults a test may plan.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use attache_sandbox::{Fault, FaultKind, Outcome, Request};
use client::{Client, DATA, client, org, send};
use flate2::read::GzDecoder;
use serde_json::json;
use std::io::{Read, Write};
use std::time::Duration;

#[test]
fn the_versions_are_31_to_67() {
    let client = client();
    let versions = client.send(Request::new("GET", "/services/data/")).json;
    let versions = versions.as_array().unwrap();
    assert_eq!(versions.len(), 37);
    assert_eq!(versions[0]["version"], "31.0");
    assert_eq!(
        versions[36],
        json!({"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"})
    );
    for (version, status) in [
        ("v31.0", 200),
        ("v67.0", 200),
        ("v30.0", 410),
        ("v21.0", 410),
        ("v20.0", 404),
        ("v68.0", 404),
        ("67.0", 404),
    ] {
        let answer = client.send(Request::new(
            "GET",
            &format!("/services/data/{version}/limits"),
        ));
        assert_eq!(answer.status, status, "{version}");
    }
    let gone = client.send(Request::new("GET", "/services/data/v30.0/limits"));
    assert_eq!(gone.codes(), ["GONE"]);
    let root = client
        .send(Request::new("GET", "/services/data/v48.0/"))
        .json;
    assert_eq!(root["query"], "/services/data/v48.0/query");
}

#[test]
fn answers_speak_the_version_they_were_asked_in() {
    let client = client();
    let id = client.account("A");
    let old = "/services/data/v48.0/sobjects/Account";
    let row = client
        .send(Request::new("GET", &format!("{old}/{id}")))
        .json;
    assert_eq!(row["attributes"]["url"], format!("{old}/{id}"));
    let describe = client
        .send(Request::new("GET", &format!("{old}/describe")))
        .json;
    assert_eq!(describe["urls"]["sobject"], old);
}

#[test]
fn unknown_paths_are_not_found() {
    let client = client();
    for path in [
        "/",
        "/services",
        "/services/oauth2/nonsense",
        "/services/data/v67.0/nonsense",
        "/services/apexrest/x",
    ] {
        let answer = client.send(Request::new("GET", path));
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(
            answer.json,
            json!([{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}])
        );
    }
}

#[test]
fn long_uris_and_headers_are_refused() {
    let client = client();
    let uri = client.get(&format!("/query?q={}", "x".repeat(16_384)));
    assert_eq!(uri.status, 414);
    let header =
        Request::new("GET", &format!("{DATA}/limits")).header("X-Long", &"x".repeat(16_384));
    assert_eq!(client.send(header).status, 431);
    let mut large = Request::new("POST", &format!("{DATA}/composite/sobjects")).json("");
    large.body = vec![b' '; 50 * 1024 * 1024 + 1];
    assert_eq!(client.send(large).codes(), ["EXCEEDED_MAX_SIZE_REQUEST"]);
}

#[test]
fn large_answers_are_compressed_for_those_who_ask() {
    let client = client();
    let get = |path: &str| {
        client.send(Request::new("GET", &format!("{DATA}{path}")).header("Accept-Encoding", "gzip"))
    };
    let packed = get("/sobjects/Account/describe");
    assert_eq!(packed.header("Content-Encoding"), Some("gzip"));
    let tag = packed.header("ETag").unwrap();
    assert!(tag.ends_with("-gzip\""), "{tag}");
    let mut plain = Vec::new();
    GzDecoder::new(packed.raw.body.as_slice())
        .read_to_end(&mut plain)
        .unwrap();
    let same = client.get("/sobjects/Account/describe");
    assert_eq!(plain, same.raw.body);
    assert_eq!(same.header("Content-Encoding"), None);
    let again = client.send(
        Request::new("GET", &format!("{DATA}/sobjects/Account/describe"))
            .header("Accept-Encoding", "gzip")
            .header("If-None-Match", tag),
    );
    assert_eq!(again.status, 304);
    assert_eq!(get("/recent").header("Content-Encoding"), None);
}

#[test]
fn requests_may_be_compressed() {
    let client = client();
    let pack = |body: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let post = |body: Vec<u8>| {
        let request = Request::new("POST", &format!("{DATA}/sobjects/Account")).json(body);
        client.send(request.header("Content-Encoding", "gzip"))
    };
    assert_eq!(post(pack(br#"{"Name":"Packed"}"#)).status, 201);
    assert_eq!(post(b"not gzip".to_vec()).status, 400);
    let bomb = pack(&vec![b' '; 50 * 1024 * 1024 + 1]);
    assert_eq!(post(bomb).status, 413);
}

#[test]
fn every_answer_is_dated_by_the_orgs_clock() {
    let sandbox = org();
    let date = || {
        send(&sandbox, Request::new("GET", "/services/data"))
            .header("Date")
            .unwrap()
            .to_owned()
    };
    assert_eq!(date(), "Mon, 02 Mar 2026 09:00:00 GMT");
    sandbox.advance(61);
    assert_eq!(date(), "Mon, 02 Mar 2026 09:01:01 GMT");
}

#[test]
fn the_same_calls_give_the_same_bytes() {
    let run = || {
        let client = client();
        let id = client.account("A");
        client.patch(&format!("/sobjects/Account/{id}"), json!({"Phone": "1"}));
        let rows = client.get("/query?q=SELECT+FIELDS(STANDARD)+FROM+Account+LIMIT+200");
        (client.token.clone(), rows.raw)
    };
    assert_eq!(run(), run());
}

#[test]
fn a_lost_request_does_nothing_and_a_lost_answer_everything() {
    let client = client();
    let count = || client.sandbox.with_org(|org| org.count("Account"));
    let before = count();
    let post = || {
        let request =
            Request::new("POST", &format!("{DATA}/sobjects/Account")).json(r#"{"Name":"A"}"#);
        client.sandbox.handle(request.bearer(&client.token))
    };
    client.sandbox.fail_next(
        Fault::new(FaultKind::LoseRequest)
            .method("POST")
            .path("/sobjects/"),
    );
    assert_eq!(post(), Outcome::NoAnswer);
    assert_eq!(count(), before);
    client.sandbox.fail_next(Fault::new(FaultKind::LoseAnswer));
    assert_eq!(post(), Outcome::NoAnswer);
    assert_eq!(count(), before + 1);
    assert_eq!(post().answer().unwrap().status, 201);
    let log = client.sandbox.log();
    let seen: Vec<_> = log
        .iter()
        .map(|request| (request.status, request.executed))
        .collect();
    assert_eq!(seen, [(None, false), (None, true), (Some(201), true)]);
    assert_eq!(
        (log[0].method.as_str(), log[0].target.as_str()),
        ("POST", "/services/data/v67.0/sobjects/Account")
    );
    assert_eq!(client.sandbox.requests(), 3);
    client.sandbox.clear_log();
    assert_eq!(
        (client.sandbox.requests(), client.sandbox.log().len()),
        (0, 0)
    );
}

#[test]
fn a_request_that_was_cut_off_may_come_later() {
    let client = client();
    let count = || client.sandbox.with_org(|org| org.count("Account"));
    let before = count();
    let wait = Duration::from_secs(60);
    client
        .sandbox
        .fail_next(Fault::new(FaultKind::Straggle(wait)));
    let request = Request::new("POST", &format!("{DATA}/sobjects/Account")).json(r#"{"Name":"A"}"#);
    let outcome = client.sandbox.handle(request.bearer(&client.token));
    assert_eq!((outcome, count()), (Outcome::NoAnswer, before));
    client.sandbox.advance(59);
    assert_eq!(client.get("/limits").status, 200);
    assert_eq!((client.sandbox.let_stragglers_in(), count()), (0, before));
    client.sandbox.advance(1);
    // Whatever comes next finds it done.
    assert_eq!(client.get("/limits").status, 200);
    assert_eq!(
        (client.sandbox.let_stragglers_in(), count()),
        (0, before + 1)
    );
}

#[test]
fn an_answer_may_be_another_or_stop_short() {
    let client = client();
    let html = "<html>Service Unavailable</html>";
    client.sandbox.fail_next(
        Fault::new(FaultKind::Status(503, html.into()))
            .path("/limits")
            .nth(2),
    );
    assert_eq!(client.get("/limits").status, 200);
    let down = client.get("/limits");
    assert_eq!((down.status, down.raw.text().as_str()), (503, html));
    assert_eq!(down.header("Content-Type"), Some("text/html;charset=UTF-8"));
    client
        .sandbox
        .fail_next(Fault::new(FaultKind::Truncate(10)));
    let request = Request::new("GET", &format!("{DATA}/limits")).bearer(&client.token);
    match client.sandbox.handle(request) {
        Outcome::Truncated(answer) => {
            assert_eq!((answer.status, answer.body.len()), (200, 10));
            assert!(
                answer
                    .get("Content-Length")
                    .unwrap()
                    .parse::<usize>()
                    .unwrap()
                    > 1_000
            );
        }
        other => panic!("{other:?}"),
    }
    client
        .sandbox
        .fail_next(Fault::new(FaultKind::LoseRequest).path("/never"));
    assert_eq!(client.sandbox.clear_faults(), 1);
}

#[test]
fn offline_nothing_arrives() {
    let sandbox = org();
    let client = Client::of(&sandbox, 0);
    sandbox.offline(true);
    let request = || Request::new("GET", &format!("{DATA}/limits")).bearer(&client.token);
    assert_eq!(sandbox.handle(request()), Outcome::NoAnswer);
    sandbox.offline(false);
    assert!(matches!(sandbox.handle(request()), Outcome::Answer(_)));
}
