//! Whatever is sent, the org answers, in one of the shapes a client knows.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use attache_sandbox::Request;
use client::{Answer, Client, org};
use proptest::{prelude::*, sample::select};
use std::sync::LazyLock;

const WORDS: [&str; 40] = [
    "sobjects",
    "Account",
    "Contact",
    "Visit__c",
    "User",
    "Organization",
    "describe",
    "updated",
    "deleted",
    "query",
    "queryAll",
    "limits",
    "recordCount",
    "recent",
    "composite",
    "sobjects",
    "batch",
    "graph",
    "tree",
    "Id",
    "Name",
    "External_Id__c",
    "Email",
    "001000000000001AAA",
    "001000000000001",
    "003000000000001AAA",
    "005000000000001AAA",
    "01g000000000001AAA-0",
    "x",
    "%",
    "%zz",
    "..",
    "é",
    "a b",
    "'",
    "\\",
    "oauth2",
    "token",
    "userinfo",
    "v30.0",
];

/// Resources that there are.
const RESOURCES: [&str; 20] = [
    "",
    "sobjects",
    "sobjects/Account",
    "sobjects/Contact",
    "sobjects/Account/describe",
    "sobjects/Account/001000000000001AAA",
    "sobjects/Contact/003000000000001AAA",
    "sobjects/Account/External_Id__c/K",
    "sobjects/Contact/Email/x",
    "sobjects/Contact/updated",
    "sobjects/Contact/deleted",
    "query",
    "queryAll",
    "limits/recordCount",
    "recent",
    "composite",
    "composite/sobjects",
    "composite/sobjects/Account",
    "composite/sobjects/Account/External_Id__c",
    "composite/tree/Account",
];

const QUERIES: [&str; 16] = [
    "q=SELECT+Id+FROM+Account",
    "q=SELECT+Id,(SELECT+Id+FROM+Contacts)+FROM+Account+ORDER+BY+Name+LIMIT+3",
    "q=SELECT+COUNT(Id),OwnerId+FROM+Contact+GROUP+BY+OwnerId",
    "q=SELECT+Id+FROM+Account+WHERE+",
    "q=%00",
    "q='",
    "fields=Id,Name",
    "fields=,",
    "ids=001000000000001AAA,x&fields=Id",
    "start=2026-03-01T00:00:00Z&end=2026-03-02T00:00:00Z",
    "start=9999-12-31T23:59:59Z&end=-9999-01-01T00:00:00Z",
    "limit=-1",
    "sObjects=Account,,é",
    "_HttpMethod=PATCH",
    "updateOnly=true&allOrNone=true",
    "&&==&",
];

const BODIES: [&str; 18] = [
    "",
    "null",
    "[]",
    "{}",
    "{",
    r#"{"Name":"A","AnnualRevenue":1e400}"#,
    r#"{"Name":null,"External_Id__c":"K","Name":{}}"#,
    r#"{"LastName":"x","AccountId":"001000000000001AAA","Birthdate":"0000-00-00"}"#,
    r#"{"records":[{"attributes":{"type":"Account"},"Name":"A"},{"attributes":{"type":"é"}}]}"#,
    r#"{"allOrNone":true,"records":[{"attributes":{"type":"Contact"},"Id":null,"Email":"","LastName":"L"}]}"#,
    r#"{"records":[{"attributes":{"referenceId":"r"},"Name":"T","Contacts":{"records":[{}]}}]}"#,
    r#"{"ids":["001000000000001AAA",""],"fields":["Id","Owner.Name"]}"#,
    r#"{"compositeRequest":[{"method":"GET","url":"/services/data/v67.0/sobjects","referenceId":"a"},
        {"method":"PATCH","url":"/services/data/v67.0/sobjects/Account/@{a.sobjects[0].name}","referenceId":"b","body":{}}]}"#,
    r#"{"allOrNone":true,"compositeRequest":[{"method":"POST","url":"/services/data/v67.0/composite/sobjects","referenceId":"a",
        "body":{"records":[{"attributes":{"type":"Account"},"Name":"@{"}]}}]}"#,
    r#"{"batchRequests":[{"method":"é","url":"v67.0/limits"},{"method":"GET","url":"//"}]}"#,
    r#"{"graphs":[{"graphId":"1","compositeRequest":[]}]}"#,
    "grant_type=refresh_token&client_id=%&refresh_token=",
    "\u{feff}{}",
];

const HEADERS: [(&str, &str); 10] = [
    ("Accept-Encoding", "gzip"),
    ("Content-Encoding", "gzip"),
    ("Content-Type", "text/plain"),
    ("If-Modified-Since", "Mon, 02 Mar 2026 09:00:00 GMT"),
    ("If-Unmodified-Since", "Mon, 32 Mar 2026 09:00:00 GMT"),
    ("If-None-Match", "*, W/\""),
    ("If-Match", "\""),
    ("Sforce-Query-Options", "batchSize=200,,=;x"),
    ("Sforce-Mru", "updateMru=maybe"),
    ("Authorization", "Basic !"),
];

/// One org for all cases: what one leaves behind the next may stumble on.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let sandbox = org();
    sandbox.with_switches(|switches| switches.daily_calls_max = u64::MAX);
    Client::of(&sandbox, 0)
});

fn request() -> impl Strategy<Value = Request> {
    let word = prop_oneof![9 => select(&WORDS[..]).prop_map(str::to_owned), 1 => any::<String>()];
    let words = prop::collection::vec(word, 0..5).prop_map(|words| words.join("/"));
    let known = select(&RESOURCES[..]).prop_map(str::to_owned);
    let path = prop_oneof![3 => known, 1 => words, 1 => select(&["composite/batch", "composite/graph"][..]).prop_map(str::to_owned)];
    let path = (path, any::<bool>()).prop_map(|(path, slash)| {
        format!(
            "/services/data/v67.0/{path}{}",
            if slash { "/" } else { "" }
        )
    });
    let method = prop_oneof![
        9 => select(&["GET", "POST", "PATCH"][..]),
        1 => select(&["DELETE", "HEAD", "PUT", "é"][..]),
    ];
    let query = prop::option::of(
        prop_oneof![9 => select(&QUERIES[..]).prop_map(str::to_owned), 1 => any::<String>()],
    );
    let body = prop_oneof![9 => select(&BODIES[..]).prop_map(str::to_owned), 1 => any::<String>()];
    let headers = prop::collection::vec(select(&HEADERS[..]), 0..3);
    (method, path, query, body, headers).prop_map(|(method, path, query, body, headers)| {
        let target = query.map_or(path.clone(), |query| format!("{path}?{query}"));
        let request = Request {
            body: body.into_bytes(),
            ..Request::new(method, &target)
        };
        headers.into_iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        })
    })
}

/// An error is an array of objects with a code and a message, or, of OAuth, an object with `error`.
fn is_known_error(answer: &Answer) -> bool {
    let problems = answer.json.as_array().is_some_and(|problems| {
        let told = |problem: &serde_json::Value| {
            problem["errorCode"].is_string() && problem["message"].is_string()
        };
        !problems.is_empty() && problems.iter().all(told)
    });
    problems || answer.json["error"].is_string() || answer.json["hasErrors"] == true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_has_an_answer(request in request()) {
        let head = request.method == "HEAD";
        let answer = CLIENT.send(request);
        prop_assert!((200..500).contains(&answer.status), "{answer:?}");
        let has_error = answer.status >= 400 && !head;
        prop_assert!(!has_error || is_known_error(&answer), "{answer:?}");
    }
}
