//! Bad input: one clear sentence, the right exit code, and nothing changed on disk.

use crate::support::{EVERYTHING, Ran, Stage, run_with, text};

/// Runs a call that must fail, with and without `--json`.
fn refuses(stage: &Stage, arguments: &[&str], token: &str, code: i32, kind: &str) -> String {
    let before = stage.files();
    let variables = [("ATTACHE_ACCESS_TOKEN", token)];
    let plain = run_with(arguments, &variables);
    assert_eq!(
        (plain.code, plain.out.as_str()),
        (code, ""),
        "{arguments:?}: {}",
        plain.err
    );
    assert!(plain.err.starts_with("attache: "), "{}", plain.err);
    let json = run_with(&[arguments, &["--json"]].concat(), &variables);
    let error = &json.json()["error"];
    assert_eq!(json.code, code);
    assert_eq!(error["kind"], kind, "{error}");
    assert!(
        error["code"].as_i64().is_some_and(|code| code > 0),
        "{error}"
    );
    assert_eq!(
        stage.files(),
        before,
        "{arguments:?} changed something on disk"
    );
    sentence(&plain)
}

/// The sentence alone. It names no token and is a single line.
fn sentence(ran: &Ran) -> String {
    let first = ran.err.lines().next().unwrap_or_default();
    assert!(!first.contains("00DHx"), "a token is printed: {first}");
    first.strip_prefix("attache: ").unwrap_or(first).to_owned()
}

fn refuses_briefcase(briefcase: &str, kind: &str, code: i32) -> String {
    let stage = Stage::open();
    let token = stage.sandbox.users()[0].access_token.clone();
    let (briefcase, store) = (
        text(&stage.file("briefcase.json", briefcase)),
        text(&stage.path("store.db")),
    );
    let arguments = [
        "init",
        "--store",
        &store,
        "--url",
        &stage.url(),
        "--briefcase",
        &briefcase,
    ];
    refuses(&stage, &arguments, &token, code, kind)
}

#[test]
fn an_unknown_object_in_a_rule_is_named() {
    let sentence = refuses_briefcase(r#"{"version":1,"rules":["Acount"]}"#, "UnknownObject", 2);
    assert!(sentence.contains("Acount"), "{sentence}");
}

#[test]
fn an_unknown_field_in_a_rule_is_named() {
    let rule = r#"{"version":1,"rules":[{"object":"Account","where":"Nmae = 'x'"}]}"#;
    let sentence = refuses_briefcase(rule, "UnknownField", 2);
    assert!(sentence.contains("Nmae"), "{sentence}");
    let related = r#"{"version":1,"rules":[{"object":"Account","related":[{"children":"Contact.AcountId"}]}]}"#;
    let sentence = refuses_briefcase(related, "UnknownField", 2);
    assert!(sentence.contains("AcountId"), "{sentence}");
}

#[test]
fn a_malformed_filter_is_refused_with_its_place() {
    let rule =
        r#"{"version":1,"rules":[{"name":"Mine","object":"Account","where":"Name = = 'x'"}]}"#;
    let sentence = refuses_briefcase(rule, "MalformedQuery", 2);
    assert!(
        sentence.contains("Mine") && sentence.contains("expected"),
        "{sentence}"
    );
    assert!(sentence.chars().any(|c| c.is_ascii_digit()), "{sentence}");
}

#[test]
fn a_briefcase_that_is_no_document_is_refused() {
    let sentence = refuses_briefcase("{\"version\":1,", "InvalidArgument", 2);
    assert!(sentence.contains("line 1"), "{sentence}");
    let stage = Stage::open();
    let store = text(&stage.path("store.db"));
    let missing = text(&stage.path("missing.json"));
    let arguments = [
        "init",
        "--store",
        &store,
        "--url",
        &stage.url(),
        "--briefcase",
        &missing,
    ];
    let sentence = refuses(&stage, &arguments, "token", 1, "StorageUnavailable");
    assert!(sentence.contains("missing.json"), "{sentence}");
}

#[test]
fn a_store_that_exists_is_never_overwritten() {
    let stage = Stage::open();
    let store = stage.store("store.db", EVERYTHING);
    let token = stage.sandbox.users()[0].access_token.clone();
    let arguments = [
        "init",
        "--store",
        &store,
        "--url",
        &stage.url(),
        "--everything",
        "Account",
    ];
    let sentence = refuses(&stage, &arguments, &token, 2, "InvalidArgument");
    assert!(sentence.contains("exists"), "{sentence}");
}

#[test]
fn a_store_that_cannot_be_read_is_left_alone() {
    let stage = Stage::open();
    let letter = text(&stage.file("letter.txt", &"Dear Sir or Madam, ".repeat(300)));
    let empty = text(&stage.file("empty.db", ""));
    std::fs::create_dir(stage.path("folder")).expect("a writable folder");
    let folder = text(&stage.path("folder"));
    for file in [&letter, &empty, &folder] {
        for arguments in [
            vec!["status", file.as_str()],
            vec!["query", file, "SELECT Id FROM Account"],
            vec!["sync", file],
        ] {
            refuses(&stage, &arguments, "token", 1, "StorageCorrupt");
        }
    }
    let sentence = refuses(
        &stage,
        &["status", &text(&stage.path("missing.db"))],
        "token",
        1,
        "StorageUnavailable",
    );
    assert!(sentence.contains("no store"), "{sentence}");
}

#[test]
fn a_wrong_address_is_told_from_a_dead_network() {
    let stage = Stage::open();
    let token = stage.sandbox.users()[0].access_token.clone();
    let store = text(&stage.path("store.db"));
    let init = |url: &str, code, kind: &str| {
        let arguments = [
            "init",
            "--store",
            &store,
            "--url",
            url,
            "--everything",
            "Account",
        ];
        refuses(&stage, &arguments, &token, code, kind)
    };
    init("acme", 2, "InvalidArgument");
    let page = WebPage::serve();
    init(&page.url, 1, "NotARemote");
    // Nobody answers there; a port that was free a moment ago may be another test's by now.
    init("http://127.0.0.1:1", 1, "RemoteUnreachable");
}

#[test]
fn expired_credentials_are_told_and_nothing_is_lost() {
    let stage = Stage::open();
    let store = stage.store("store.db", EVERYTHING);
    let user = stage.sandbox.users()[0].clone();
    stage.json(&["new", &store, "Account", "Name=Kept"]);
    stage.sandbox.expire_tokens(&user.id);
    let ran = stage.run(&["sync", &store, "--json"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.json()["error"]["kind"], "NotAuthorized");
    assert!(ran.err.contains("ATTACHE_ACCESS_TOKEN"), "{}", ran.err);
    assert_eq!(stage.json(&["status", &store])["pending"], 1);
    let other = text(&stage.path("other.db"));
    let arguments = [
        "init",
        "--store",
        &other,
        "--url",
        &stage.url(),
        "--everything",
        "Account",
    ];
    refuses(&stage, &arguments, &user.access_token, 1, "NotAuthorized");
}

#[test]
fn no_network_is_told_and_nothing_is_lost() {
    let stage = Stage::open();
    let store = stage.store("store.db", EVERYTHING);
    stage.json(&["new", &store, "Account", "Name=Kept"]);
    stage.sandbox.offline(true);
    let ran = stage.run(&["sync", &store, "--json"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.json()["error"]["kind"], "RemoteUnreachable");
    assert_eq!(stage.json(&["status", &store])["pending"], 1);
    let other = text(&stage.path("other.db"));
    let arguments = [
        "init",
        "--store",
        &other,
        "--url",
        &stage.url(),
        "--everything",
        "Account",
    ];
    let token = stage.sandbox.users()[0].access_token.clone();
    refuses(&stage, &arguments, &token, 1, "RemoteUnreachable");
}

#[test]
fn somebody_elses_credentials_are_refused() {
    let stage = Stage::open();
    let store = stage.store("store.db", EVERYTHING);
    let other = stage.sandbox.users()[1].access_token.clone();
    let ran = run_with(
        &["sync", &store, "--json"],
        &[("ATTACHE_ACCESS_TOKEN", &other)],
    );
    assert_eq!(
        (ran.code, ran.json()["error"]["kind"].as_str()),
        (1, Some("WrongOwner"))
    );
}

#[test]
fn a_call_without_a_token_says_where_to_put_it() {
    let stage = Stage::open();
    let store = text(&stage.path("store.db"));
    let arguments = [
        "init",
        "--store",
        &store,
        "--url",
        &stage.url(),
        "--everything",
        "Account",
    ];
    let ran = run_with(&arguments, &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--token-file"), "{}", ran.err);
}

#[test]
fn a_query_that_cannot_be_read_shows_the_place() {
    let stage = Stage::open();
    let store = stage.store("store.db", EVERYTHING);
    let soql = "SELECT Name FROM Account WHERE Name = = 'x'";
    let ran = stage.run(&["query", &store, soql]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("expected") && ran.err.contains(soql),
        "{}",
        ran.err
    );
    let place = ran.err.lines().find(|line| line.trim() == "^");
    let place = place.and_then(|line| line.find('^'));
    assert_eq!(place, soql.find("= 'x'").map(|at| at + 2), "{}", ran.err);
    let ran = stage.run(&["query", &store, "SELECT Nmae FROM Account", "--json"]);
    assert_eq!(
        (ran.code, ran.json()["error"]["kind"].as_str()),
        (2, Some("UnknownField"))
    );
    let ran = stage.run(&["query", &store, "SELECT Id FROM Lead", "--json"]);
    assert_eq!(
        (ran.code, ran.json()["error"]["kind"].as_str()),
        (2, Some("UnknownObject"))
    );
}

#[test]
fn bad_edits_are_refused_with_every_problem() {
    let stage = Stage::open();
    let store = stage.store("store.db", EVERYTHING);
    let ran = stage.run(&[
        "new",
        &store,
        "Contact",
        "Email=x",
        "Birthdate=soon",
        "--json",
    ]);
    assert_eq!(ran.code, 1);
    let error = &ran.json()["error"];
    assert_eq!(error["kind"], "InvalidRecord");
    assert!(
        error["problems"]
            .as_array()
            .is_some_and(|problems| !problems.is_empty()),
        "{error}"
    );
    for arguments in [
        vec!["new", &store, "Acount", "Name=x"],
        vec!["new", &store, "Account", "Name"],
        vec!["new", &store, "Account", "Name=x", "Name=y"],
        vec!["new", &store, "Account"],
        vec!["get", &store, "nonsense"],
        vec!["discard", &store, "many"],
        vec!["frobnicate"],
    ] {
        let ran = stage.run(&[&arguments[..], &["--json"]].concat());
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
        assert!(
            ran.json()["error"]["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
    }
    let ran = stage.run(&["get", &store, "001000000000ZZZAA0", "--json"]);
    assert_eq!(ran.code, 2, "a wrong checksum: {}", ran.out);
    assert_eq!(stage.json(&["status", &store])["pending"], 0);
}

/// A web server that is no Salesforce.
struct WebPage {
    url: String,
}

impl WebPage {
    fn serve() -> WebPage {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut request = [0; 8192];
                let _ = stream.read(&mut request);
                let page = "<html><body>It works!</body></html>";
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: ";
                let _ = write!(stream, "{head}{}\r\n\r\n{page}", page.len());
            }
        });
        WebPage { url }
    }
}
