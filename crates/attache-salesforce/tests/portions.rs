//! Answers that are larger than may be in memory are asked for in less.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod script;

use attache::{ErrorKind, Remote};
use attache_salesforce::TransportError;
use futures_lite::future::block_on;
use script::{Script, json};

const EMPTY: &str = r#"{"totalSize":0,"done":true,"records":[]}"#;

#[test]
fn an_answer_that_is_too_large_is_asked_for_in_less_and_then_given_up() {
    let too_large = || Err(TransportError::TooLarge);
    let script = Script::new([too_large(), too_large(), json(200, EMPTY), json(200, EMPTY)]);
    let org = script.org();
    block_on(org.query("SELECT Id FROM Account")).unwrap();
    block_on(org.query("SELECT Id FROM Contact")).unwrap();
    let sizes: Vec<String> = script
        .requests()
        .iter()
        .map(|request| request.header("Sforce-Query-Options").unwrap().to_owned())
        .collect();
    let less = [
        "batchSize=2000",
        "batchSize=500",
        "batchSize=200",
        "batchSize=200",
    ];
    assert_eq!(sizes, less, "the next question is asked in less at once");

    let script = Script::new([too_large(), too_large(), too_large()]);
    let error = block_on(script.org().query("SELECT Id FROM Account")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotARemote);
    assert!(error.to_string().contains("of Account "), "{error}");

    // A page in the middle is asked for anew: the place of one size may be none of another.
    let script = Script::new([too_large()]);
    let next = "/services/data/v67.0/query/01gD0000002HU6KIAW-2000";
    let error = block_on(script.org().query_more(next)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CursorExpired);
}

#[test]
fn records_that_are_too_large_together_are_read_in_halves() {
    let ids: Vec<String> = [
        "001D000000JliSTIAZ",
        "001D000000JliSUIAZ",
        "001D000000JliSVIAZ",
    ]
    .map(str::to_owned)
    .to_vec();
    let record = |id: &str| format!(r#"{{"attributes":{{"type":"Account"}},"Id":"{id}"}}"#);
    let script = Script::new([
        Err(TransportError::TooLarge),
        json(200, format!("[{}]", record(&ids[0]))),
        json(200, format!("[{},{}]", record(&ids[1]), record(&ids[2]))),
    ]);
    let records = block_on(script.org().retrieve("Account", &ids, &[])).unwrap();
    assert_eq!(records.iter().flatten().count(), 3);
    assert_eq!(script.body(1)["ids"], serde_json::json!([ids[0]]));

    let script = Script::new([Err(TransportError::TooLarge)]);
    let one = block_on(script.org().retrieve("Account", &ids[..1], &[])).unwrap_err();
    assert_eq!(one.kind(), ErrorKind::NotARemote);
    assert!(one.to_string().contains("of Account "), "{one}");
}

#[test]
fn a_record_that_is_too_large_for_any_part_of_a_file_is_said_to_be() {
    let job = r#"{"id":"750000000000001AAA","object":"Contact","state":"JobComplete","numberRecordsProcessed":3}"#;
    let parts = std::iter::repeat_with(|| Err(TransportError::TooLarge)).take(8);
    let script = Script::new(std::iter::once(json(200, job)).chain(parts));
    let error = block_on(script.org().file_page("750000000000001AAA")).unwrap_err();
    // What cannot be a file is read by pages: they may be smaller, and say it again if they are not.
    assert_eq!(error.kind(), ErrorKind::RemoteRefused);
    assert!(error.to_string().contains("of Contact "), "{error}");
    let parts = script.calls().split_off(1);
    let sizes = ["20000", "5000", "1250", "312", "78", "19", "4", "1"];
    let expected =
        sizes.map(|rows| format!("GET /jobs/query/750000000000001AAA/results?maxRecords={rows}"));
    assert_eq!(parts, expected);
}
