//! What reads ask, and how they take every kind of answer.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod script;

use attache::{ErrorKind, Remote, Retry, ServerTime};
use attache_salesforce::{Budget, HttpResponse, Salesforce, StaticToken};
use futures_lite::future::block_on;
use script::{NOW, Script, URL, VERSIONS, error, html, json, lost, recorded, unsent, with};
use std::sync::Arc;
use std::time::Duration;

const ID: &str = "001D000000JliSTIAZ";
const EMPTY: &str = r#"{"totalSize":0,"done":true,"records":[]}"#;

/// 2026-11-22T09:30:00Z, what every scripted answer says.
const SERVER_NOW: ServerTime = ServerTime(1_795_339_800);

fn kind_of(answer: script::Answer) -> ErrorKind {
    let org = Script::new([answer]).org();
    block_on(org.query("SELECT Id FROM Account"))
        .unwrap_err()
        .kind()
}

#[test]
fn a_query_says_who_asks_and_how_much_it_wants() {
    let script = Script::new([json(200, EMPTY)]);
    let org = script.org();
    block_on(org.query("SELECT Id FROM Account WHERE Name = 'a+b&c'")).unwrap();
    let request = &script.requests()[0];
    assert_eq!(
        script.calls(),
        ["GET /query?q=SELECT%20Id%20FROM%20Account%20WHERE%20Name%20%3D%20%27a%2Bb%26c%27"]
    );
    for (name, value) in [
        ("Authorization", "Bearer token-0"),
        ("Sforce-Call-Options", "client=attache"),
        ("Sforce-Query-Options", "batchSize=2000"),
        ("Sforce-Mru", "updateMru=false"),
    ] {
        assert_eq!(request.header(name), Some(value));
    }
    assert_eq!(org.server_time(), Some(SERVER_NOW));
    let usage = org.usage();
    assert_eq!(
        (usage.calls, usage.used, usage.allowed),
        (1, Some(5), Some(15_000))
    );
}

#[test]
fn recorded_pages_are_read_to_the_end() {
    let script = Script::new([
        json(200, recorded("query_paginated_first_page_response.json")),
        json(200, recorded("query_paginated_last_page_response.json")),
    ]);
    let org = script.org();
    block_on(async {
        let first = org.query("SELECT Text_Label FROM Whizbang").await.unwrap();
        assert_eq!((first.total, first.records.len()), (2, 1));
        assert!(
            first.records[0]
                .get()
                .contains(r#""Text_Label" : "First Page""#)
        );
        let next = first.next.unwrap();
        assert_eq!(next, "/services/data/v26.0/query/01gD");
        let last = org.query_more(&next).await.unwrap();
        assert_eq!((last.records.len(), last.next), (1, None));
    });
    assert_eq!(
        script.calls()[1],
        "GET /services/data/v26.0/query/01gD",
        "the version stays that of the link"
    );
}

#[test]
fn a_page_that_leads_to_another_host_is_refused() {
    for link in [
        "https://evil.example/services/data/v67.0/query/01g-2000",
        "//evil.example/services/data/v67.0/query/01g-2000",
        "http://acme.my.salesforce.com/services/data/v67.0/query/01g-2000",
    ] {
        let body =
            format!(r#"{{"totalSize":3,"done":false,"nextRecordsUrl":"{link}","records":[]}}"#);
        let script = Script::new([json(200, body)]);
        let org = script.org();
        let refused = block_on(org.query("SELECT Id FROM Account")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotARemote, "{link}");
        let refused = block_on(org.query_more(link)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotARemote, "{link}");
        assert_eq!(script.requests().len(), 1, "{link} was not asked");
    }
}

#[test]
fn a_long_query_travels_in_a_composite_call() {
    let page = r#"{"totalSize":1,"done":true,"records":[{"Amount":9999999999999999.99}]}"#;
    let body = format!(
        r#"{{"compositeResponse":[{{"body":{page},"httpHeaders":{{}},"httpStatusCode":200,"referenceId":"q0"}}]}}"#
    );
    let script = Script::new([json(200, body)]);
    let ids = vec![format!("'{ID}'"); 1_000].join(",");
    let soql = format!("SELECT Amount FROM Opportunity WHERE Id IN ({ids}) AND Name != '@{{x.y}}'");
    let page = block_on(script.org().query(&soql)).unwrap();
    assert_eq!(page.records[0].get(), r#"{"Amount":9999999999999999.99}"#);
    assert_eq!(script.calls(), ["POST /composite"]);
    let sub = &script.body(0)["compositeRequest"][0];
    let url = sub["url"].as_str().unwrap();
    assert!(url.starts_with("/services/data/v67.0/query?q=SELECT%20Amount%20FROM"));
    assert!(!url.contains("@{"), "it would be a reference");
    assert_eq!(sub["httpHeaders"]["Sforce-Query-Options"], "batchSize=2000");
}

#[test]
fn an_error_inside_a_composite_call_is_the_query_s() {
    let body = r#"{"compositeResponse":[{"body":[{"errorCode":"INVALID_TYPE","message":"\nselect\nERROR at Row:1:Column:2\nsObject type 'X' is not supported."}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"q0"}]}"#;
    let script = Script::new([json(200, body)]);
    let soql = format!("SELECT Id FROM X WHERE Name = '{}'", "x".repeat(16_000));
    let refused = block_on(script.org().query(&soql)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::UnknownObject);
    assert!(
        refused
            .to_string()
            .ends_with("sObject type 'X' is not supported.")
    );
}

#[test]
fn what_is_no_org_is_told_in_one_sentence() {
    for answer in [
        html(200),
        html(404),
        json(200, "{}"),
        json(200, "[]"),
        json(404, "{}"),
    ] {
        let org = Script::new([answer]).org();
        let error = block_on(org.identity()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotARemote);
        assert_eq!(
            error.to_string(),
            format!("{URL} does not answer like a Salesforce org: check the instance URL")
        );
        assert_eq!(error.retry(), Retry::Never);
    }
    let away = with(json(302, ""), "Location", "https://evil.example/");
    let script = Script::new([away]);
    let error = block_on(script.org().identity()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotARemote);
    assert_eq!(script.requests().len(), 1, "the redirect was not followed");
}

#[test]
fn hostile_answers_are_errors() {
    let deep = "[".repeat(200_000);
    for (body, kind) in [
        (
            r#"{"totalSize":-1,"done":true,"records":[]}"#,
            ErrorKind::NotARemote,
        ),
        (
            r#"{"totalSize":"1","done":true,"records":[]}"#,
            ErrorKind::NotARemote,
        ),
        (
            r#"{"totalSize":1,"done":false,"records":[]}"#,
            ErrorKind::NotARemote,
        ),
        (
            r#"{"totalSize":1,"done":true,"records":{}}"#,
            ErrorKind::NotARemote,
        ),
        ("\u{feff}{}", ErrorKind::NotARemote),
        ("null", ErrorKind::NotARemote),
        (&deep, ErrorKind::NotARemote),
        (
            r#"{"totalSize":1,"done":true,"records":[{"Id":"0"#,
            ErrorKind::RemoteUnreachable,
        ),
        ("", ErrorKind::RemoteUnreachable),
    ] {
        assert_eq!(
            kind_of(json(200, body)),
            kind,
            "{}",
            &body[..body.len().min(60)]
        );
    }
    let bytes = HttpResponse {
        status: 200,
        body: vec![0xff, 0xfe, b'{'],
        ..HttpResponse::default()
    };
    assert_eq!(kind_of(Ok(bytes)), ErrorKind::NotARemote);
}

#[test]
fn an_answer_cut_anywhere_is_an_error() {
    let page = recorded("query_success_response.json");
    let describe = recorded("sobject_describe_success_response.json");
    let deleted = recorded("get_deleted_success_response.json");
    let whole = |text: &str| text.trim_end().len();
    for end in 0..whole(&page) {
        let error = kind_of(json(200, &page[..end]));
        assert_eq!(error, ErrorKind::RemoteUnreachable, "{end}");
    }
    for end in (0..whole(&describe)).step_by(7) {
        let org = Script::new([json(200, &describe[..end])]).org();
        assert!(block_on(org.describe("Whizbang", None)).is_err(), "{end}");
    }
    for end in 0..whole(&deleted) {
        let org = Script::new([json(200, VERSIONS), json(200, &deleted[..end])]).org();
        assert!(
            block_on(org.deleted("Whizbang", SERVER_NOW)).is_err(),
            "{end}"
        );
    }
}

#[test]
fn a_read_without_an_answer_may_be_sent_again() {
    assert_eq!(kind_of(lost()), ErrorKind::RemoteUnreachable);
    assert_eq!(kind_of(unsent()), ErrorKind::RemoteUnreachable);
    let org = Script::new([unsent()]).org();
    let error = block_on(org.describe("Account", None)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot reach {URL}: connection refused")
    );
}

#[test]
fn refusals_of_real_orgs_are_understood() {
    assert_eq!(
        kind_of(json(400, recorded("query_error_response.json"))),
        ErrorKind::UnknownField
    );
    assert_eq!(
        kind_of(error(400, "INVALID_QUERY_LOCATOR")),
        ErrorKind::CursorExpired
    );
    assert_eq!(
        kind_of(error(403, "API_DISABLED_FOR_ORG")),
        ErrorKind::RemoteRefused
    );
    assert_eq!(kind_of(html(503)), ErrorKind::RemoteBusy);
    assert_eq!(
        kind_of(error(500, "UNKNOWN_EXCEPTION")),
        ErrorKind::RemoteBusy
    );
    // 5 of 15,000 calls are used: it is only that too many run at once.
    assert_eq!(
        kind_of(error(403, "REQUEST_LIMIT_EXCEEDED")),
        ErrorKind::RemoteBusy
    );
    let full = with(
        Ok(HttpResponse {
            headers: vec![("Sforce-Limit-Info".into(), "api-usage=15001/15000".into())],
            ..error(403, "REQUEST_LIMIT_EXCEEDED").unwrap()
        }),
        "Retry-After",
        "120",
    );
    let org = Script::new([full]).org();
    let limit = block_on(org.query("SELECT Id FROM Account")).unwrap_err();
    assert_eq!(limit.kind(), ErrorKind::LimitReached);
    assert_eq!(limit.retry(), Retry::After(Duration::from_secs(120)));
    let org = Script::new([with(html(503), "Retry-After", "7")]).org();
    let busy = block_on(org.query("SELECT Id FROM Account")).unwrap_err();
    assert_eq!(busy.retry(), Retry::After(Duration::from_secs(7)));
}

#[test]
fn a_lost_page_is_an_expired_cursor() {
    for answer in [error(400, "INVALID_QUERY_LOCATOR"), error(404, "NOT_FOUND")] {
        let org = Script::new([answer]).org();
        let expired = block_on(org.query_more("/services/data/v67.0/query/01g-2000")).unwrap_err();
        assert_eq!(expired.kind(), ErrorKind::CursorExpired);
    }
}

#[test]
fn a_describe_is_asked_for_once() {
    let describe = recorded("sobject_describe_success_response.json");
    let script = Script::new([
        with(json(200, describe.clone()), "Last-Modified", NOW),
        json(304, ""),
        json(404, recorded("sobject_describe_error_response.json")),
    ]);
    let org = script.org();
    block_on(async {
        let first = org.describe("Whizbang", None).await.unwrap().unwrap();
        assert_eq!(first.json, describe);
        let known = first.last_modified.unwrap();
        assert!(
            org.describe("Whizbang", Some(&known))
                .await
                .unwrap()
                .is_none()
        );
        let missing = org.describe("No/../Such", None).await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::UnknownObject);
        assert!(missing.to_string().contains("No/../Such"));
    });
    assert_eq!(script.requests()[1].header("If-Modified-Since"), Some(NOW));
    assert_eq!(script.calls()[2], "GET /sobjects/No%2F..%2FSuch/describe");
}

#[test]
fn retrieved_records_stand_where_they_were_asked_for() {
    let other = "0015500001QdQWaAAN";
    let gone = "0015500001QdZPKAA3";
    let body = format!(r#"[null,{{"Id":"{other}","Name":"B"}},{{"Id":"{ID}","Name":"A"}}]"#);
    let script = Script::new([
        json(200, body),
        json(200, r#"[{"Id":"0015500001QdQWaAAN"}]"#),
    ]);
    let org = script.org();
    let ids = [ID, gone, other].map(String::from);
    let records = block_on(org.retrieve("Account", &ids, &["Name".into()])).unwrap();
    let texts: Vec<_> = records
        .iter()
        .map(|r| r.as_ref().map(|r| r.get().contains("\"A\"")))
        .collect();
    assert_eq!(texts, [Some(true), None, Some(false)]);
    assert_eq!(script.calls(), ["POST /composite/sobjects/Account"]);
    assert_eq!(script.body(0)["fields"], serde_json::json!(["Name", "Id"]));
    let strange = block_on(org.retrieve("Account", &[ID.into()], &["Id".into()])).unwrap_err();
    assert_eq!(
        strange.kind(),
        ErrorKind::NotARemote,
        "a record that nobody asked for"
    );
}

#[test]
fn two_thousand_records_travel_in_a_call() {
    let ids: Vec<String> = (0..2_001).map(|_| ID.to_owned()).collect();
    let script = Script::new([json(200, "[]"), json(200, "[]")]);
    let records = block_on(script.org().retrieve("Account", &ids, &[])).unwrap();
    assert_eq!(records.len(), 2_001);
    assert_eq!(script.body(0)["ids"].as_array().unwrap().len(), 2_000);
    assert_eq!(script.body(1)["ids"].as_array().unwrap().len(), 1);
}

#[test]
fn a_window_of_changes_ends_by_the_clock_of_the_server() {
    let script = Script::new([
        json(200, VERSIONS),
        json(200, recorded("get_updated_success_response.json")),
        json(200, recorded("get_deleted_success_response.json")),
    ]);
    let org = script.org();
    block_on(async {
        let updated = org.updated("Contact", SERVER_NOW).await.unwrap();
        assert_eq!(updated.ids.len(), 7);
        assert_eq!(
            updated.latest_covered,
            ServerTime::parse("2015-08-19T08:17:00Z").unwrap()
        );
        let start = ServerTime::parse("2013-05-04T00:00:00Z").unwrap();
        let deleted = org.deleted("Whizbang", start).await.unwrap();
        let at = ServerTime::parse("2013-05-07T22:07:19Z").unwrap();
        assert_eq!(deleted.records, [("a00D0000008pQRAIA2".to_owned(), at)]);
    });
    let calls = script.calls();
    assert_eq!(calls[0], "GET /services/data");
    assert_eq!(script.requests()[0].header("Authorization"), None);
    assert_eq!(
        calls[1],
        "GET /sobjects/Contact/updated/?start=2026-11-22T09%3A29%3A00Z&end=2026-11-22T09%3A31%3A00Z",
        "more than a minute, and a little beyond now"
    );
}

#[test]
fn a_window_never_covers_what_is_still_to_come() {
    let body = r#"{"ids":[],"latestDateCovered":"2026-11-22T09:31:00.000+0000"}"#;
    let script = Script::new([json(200, VERSIONS), json(200, body)]);
    let updated = block_on(script.org().updated("Contact", SERVER_NOW)).unwrap();
    assert_eq!(updated.latest_covered, SERVER_NOW);
}

#[test]
fn a_window_that_ended_in_the_past_is_asked_for_again() {
    let body = r#"{"ids":[],"latestDateCovered":"2026-11-22T09:31:00.000+0000"}"#;
    let later = || {
        json(200, body).map(|mut answer| {
            answer.headers[1].1 = "Sun, 22 Nov 2026 12:00:10 GMT".into();
            answer
        })
    };
    let script = Script::new([json(200, EMPTY), later(), later()]);
    let org = script.org();
    block_on(async {
        org.query("SELECT Id FROM Contact").await.unwrap();
        org.updated("Contact", SERVER_NOW).await.unwrap();
    });
    assert!(script.calls()[1].ends_with("end=2026-11-22T09%3A31%3A00Z"));
    assert!(script.calls()[2].ends_with("end=2026-11-22T12%3A01%3A10Z"));
}

#[test]
fn a_window_beyond_the_horizon_is_an_expired_cursor() {
    let long_ago = ServerTime::parse("2013-01-01T00:00:00Z").unwrap();
    let script = Script::new([
        json(200, VERSIONS),
        error(400, "INVALID_REPLICATION_DATE"),
        json(200, recorded("get_deleted_success_response.json")),
    ]);
    let org = script.org();
    block_on(async {
        let updated = org.updated("Contact", long_ago).await.unwrap_err();
        assert_eq!(updated.kind(), ErrorKind::CursorExpired);
        let deleted = org.deleted("Contact", long_ago).await.unwrap_err();
        assert_eq!(
            deleted.kind(),
            ErrorKind::CursorExpired,
            "forgotten since 2013-05-03"
        );
    });
}

#[test]
fn identity_stays_at_the_host_of_the_org() {
    let root = r#"{"identity":"https://login.salesforce.com/id/00D1a000000H3O9EAK/0051a000000UGT8AAO","sobjects":"/services/data/v67.0/sobjects"}"#;
    let who = r#"{"username":"jo@acme.com","timezone":"America/Los_Angeles","locale":"en_US","user_id":"x"}"#;
    let script = Script::new([json(200, VERSIONS), json(200, root), json(200, who)]);
    let identity = block_on(script.org().identity()).unwrap();
    assert_eq!(identity.user_id, "0051a000000UGT8AAO");
    assert_eq!(identity.org_id, "00D1a000000H3O9EAK");
    assert_eq!(identity.time_zone, "America/Los_Angeles");
    assert_eq!(
        script.calls()[2],
        "GET /id/00D1a000000H3O9EAK/0051a000000UGT8AAO"
    );
}

#[test]
fn an_org_without_our_version_is_told_before_a_token_is_sent() {
    let old = recorded("services_data_success_response.json");
    let script = Script::new([json(200, old)]);
    let error = block_on(script.org().identity()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotARemote);
    assert_eq!(
        error.to_string(),
        format!("{URL} does not offer version 67.0 of the API")
    );
    assert_eq!(script.requests()[0].header("Authorization"), None);
}

#[test]
fn identity_without_its_scope_is_read_from_the_user() {
    let root =
        r#"{"identity":"https://login.salesforce.com/id/00D1a000000H3O9EAK/0051a000000UGT8AAO"}"#;
    let page = r#"{"totalSize":1,"done":true,"records":[{"Username":"jo@acme.com","TimeZoneSidKey":"Europe/Berlin","LocaleSidKey":"de_DE"}]}"#;
    let bad = Ok(HttpResponse {
        status: 403,
        body: b"Bad_OAuth_Token".to_vec(),
        ..HttpResponse::default()
    });
    let script = Script::new([json(200, VERSIONS), json(200, root), bad, json(200, page)]);
    let identity = block_on(script.org().identity()).unwrap();
    assert_eq!(
        (identity.time_zone.as_str(), identity.locale.as_str()),
        ("Europe/Berlin", "de_DE")
    );
}

#[test]
fn a_budget_stops_before_the_call() {
    let script = Script::new([json(200, EMPTY)]);
    let org = Salesforce::builder(URL, StaticToken::new("t"))
        .transport(Arc::new(script.clone()))
        .budget(Budget {
            calls_max: Some(1),
            ..Budget::default()
        })
        .build()
        .unwrap();
    block_on(async {
        org.query("SELECT Id FROM Account").await.unwrap();
        let stopped = org.query("SELECT Id FROM Account").await.unwrap_err();
        assert_eq!(stopped.kind(), ErrorKind::LimitReached);
    });
    assert_eq!(script.requests().len(), 1);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let builder = || Salesforce::builder(URL, StaticToken::new("t"));
    for (built, what) in [
        (builder().api_version("67").build(), "version"),
        (builder().api_version("../1.0").build(), "version"),
        (builder().client_name("a, b\r\nX: y").build(), "client name"),
        (
            Salesforce::new("acme", StaticToken::new("t")),
            "instance URL",
        ),
    ] {
        let error = built.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn who_a_person_is_is_asked_once_an_hour_and_whose_the_token_is_each_time() {
    let root = |user: &str| {
        let link = format!("https://login.salesforce.com/id/00D1a000000H3O9EAK/{user}");
        json(200, format!(r#"{{"identity":"{link}"}}"#))
    };
    let about = |zone: &str| {
        let doc =
            format!(r#"{{"username":"jo@acme.example","timezone":"{zone}","locale":"de_DE"}}"#);
        json(200, doc)
    };
    let at = |mut answer: script::Answer, time: &str| {
        if let Ok(answer) = &mut answer {
            answer.headers.retain(|(name, _)| name != "Date");
        }
        with(answer, "Date", time)
    };
    let (jo, kim) = ("0051a000000UGT8AAO", "0051a000000UGT9AAO");
    let script = Script::new([
        json(200, VERSIONS),
        root(jo),
        about("Europe/Berlin"),
        at(root(jo), "Sun, 22 Nov 2026 10:29:59 GMT"),
        // The clock went on, went back, and the token is somebody else's.
        at(root(jo), "Sun, 22 Nov 2026 10:30:00 GMT"),
        at(about("Asia/Tokyo"), "Sun, 22 Nov 2026 10:30:00 GMT"),
        at(root(kim), "Sun, 22 Nov 2026 10:30:01 GMT"),
        about("UTC"),
    ]);
    let org = script.org();
    let zones: Vec<String> = (0..4)
        .map(|_| block_on(org.identity()).unwrap().time_zone)
        .collect();
    assert_eq!(
        zones,
        ["Europe/Berlin", "Europe/Berlin", "Asia/Tokyo", "UTC"]
    );
    assert_eq!(script.calls().len(), 8);
}
