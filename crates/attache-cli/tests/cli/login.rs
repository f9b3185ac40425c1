//! `attache login`, with this test as the browser.

use crate::support::{Ran, Stage, command, run_with};
use attache_sandbox::{Outcome, Request};
use serde_json::Value as Json;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Stdio};

/// A login that waits, and the page it wants opened.
struct Waiting {
    child: Child,
    err: BufReader<ChildStderr>,
    page: String,
}

impl Waiting {
    fn start(stage: &Stage, more: &[&str]) -> Waiting {
        let (url, (client_id, _)) = (stage.url(), stage.sandbox.client());
        let file = stage.path("jo.token");
        let fixed = [
            "login",
            "--url",
            &url,
            "--client-id",
            &client_id,
            "--port",
            "0",
            "--no-browser",
            "--json",
            "--token-file",
            file.to_str().expect("a path of text"),
        ];
        let mut child = command(&[&fixed, more].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut err = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        err.read_line(&mut line).expect("a line");
        let at = line
            .find("http://")
            .unwrap_or_else(|| panic!("a page: {line}"));
        let page = line[at..].trim().to_owned();
        Waiting { child, err, page }
    }

    /// Opens the page as a browser does, and gives where that leads.
    fn browse(&self, stage: &Stage) -> String {
        let path = self
            .page
            .strip_prefix(&stage.url())
            .expect("a page of the org");
        match stage.sandbox.handle(Request::new("GET", path)) {
            Outcome::Answer(answer) => answer.get("Location").expect("a place").to_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn end(mut self) -> Ran {
        let (mut out, mut err) = (String::new(), String::new());
        let mut stdout = self.child.stdout.take().expect("a pipe");
        stdout.read_to_string(&mut out).expect("text");
        self.err.read_to_string(&mut err).expect("text");
        let code = self.child.wait().expect("it ends").code().expect("a code");
        Ran { code, out, err }
    }
}

/// Knocks at the door as a browser does; gives the answer's first line and its page.
fn knock(place: &str, host: &str) -> (String, String) {
    let rest = place
        .strip_prefix("http://localhost:")
        .expect("this machine");
    let (port, path) = rest.split_once('/').expect("a path");
    let port: u16 = port.parse().expect("a port");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it waits");
    let head = format!(
        "GET /{path} HTTP/1.1\r\nHost: {}\r\n\r\n",
        host.replace("PORT", &port.to_string())
    );
    stream.write_all(head.as_bytes()).expect("it listens");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    let (head, page) = text.split_once("\r\n\r\n").expect("an answer");
    (
        head.lines().next().unwrap_or_default().to_owned(),
        page.to_owned(),
    )
}

#[test]
fn a_person_signs_in_once_and_every_command_stays_signed_in() {
    let stage = Stage::open();
    stage
        .sandbox
        .with_switches(|switches| switches.rotates_refresh_tokens = true);
    let jo = stage.sandbox.users()[1].clone();
    let login = Waiting::start(&stage, &["--username", &jo.username]);
    let place = login.browse(&stage);
    let (before, _) = place.split_once('?').expect("a query");

    // A connection that says nothing, another sign-in, another page and another name for us.
    let silent = knock_silently(&place);
    let local = "localhost:PORT";
    for (place, host, status) in [
        (format!("{before}?code=x&state=y"), local, "400"),
        (before.replace("/callback", "/favicon.ico"), local, "404"),
        (place.clone(), "evil.example:PORT", "404"),
    ] {
        let (line, page) = knock(&place, host);
        assert!(line.contains(status), "{line}");
        assert!(!page.contains("code"), "{page}");
    }
    let (line, page) = knock(&place, local);
    assert!(
        line.ends_with("200 OK") && page.contains("Go on in the terminal"),
        "{line} {page}"
    );
    drop(silent);
    let ran = login.end();
    assert_eq!(ran.code, 0, "{}", ran.err);
    let file = stage.path("jo.token");
    let expected =
        serde_json::json!({"url": stage.url(), "username": jo.username, "token_file": file});
    assert_eq!(ran.json(), expected);

    let kept = || -> Json {
        serde_json::from_str(&fs::read_to_string(&file).expect("a file")).expect("JSON")
    };
    let first = kept()["refresh_token"].clone();
    assert!(!ran.out.contains(first.as_str().expect("text")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    // Each command renews, and keeps what the org gives in place of the old token.
    let (store, file_text) = (stage.path("jo.db"), file.to_str().expect("text"));
    let store = store.to_str().expect("text");
    let url = stage.url();
    let init = [
        "init",
        "--store",
        store,
        "--url",
        &url,
        "--everything",
        "Account",
        "--token-file",
        file_text,
    ];
    let made = run_with(&init, &[]);
    assert_eq!(made.code, 0, "{}", made.err);
    let second = kept()["refresh_token"].clone();
    assert_ne!(first, second);
    let synced = run_with(&["sync", store, "--token-file", file_text], &[]);
    assert_eq!(synced.code, 0, "{}", synced.err);
    assert_ne!(second, kept()["refresh_token"]);

    // Revoked: it says so, loses nothing, and another login sets it right.
    stage.sandbox.revoke_tokens(&jo.id);
    let made = run_with(&["new", store, "Account", "Name=Made offline"], &[]);
    assert_eq!(made.code, 0, "{}", made.err);
    let refused = run_with(&["sync", store, "--token-file", file_text, "--json"], &[]);
    assert_eq!(refused.code, 1);
    assert_eq!(
        refused.json()["error"]["kind"],
        "NotAuthorized",
        "{}",
        refused.out
    );
    let again = Waiting::start(&stage, &["--username", &jo.username]);
    let place = again.browse(&stage);
    knock(&place, local);
    assert_eq!(again.end().code, 0);
    let synced = run_with(&["sync", store, "--token-file", file_text, "--json"], &[]);
    assert_eq!(
        synced.json()["pushed"]["creates"],
        1,
        "{} {}",
        synced.out,
        synced.err
    );
}

fn knock_silently(place: &str) -> TcpStream {
    let rest = place
        .strip_prefix("http://localhost:")
        .expect("this machine");
    let port: u16 = rest
        .split('/')
        .next()
        .expect("a port")
        .parse()
        .expect("a number");
    TcpStream::connect(("127.0.0.1", port)).expect("it waits")
}

#[test]
fn a_login_that_nobody_finishes_ends_and_leaves_no_file() {
    let stage = Stage::open();
    let login = Waiting::start(&stage, &["--timeout", "0"]);
    let ran = login.end();
    assert_eq!(ran.code, 1);
    assert_eq!(ran.json()["error"]["kind"], "NotAuthorized", "{}", ran.out);
    assert!(!stage.path("jo.token").exists());

    let login = Waiting::start(&stage, &["--username", "nobody@sandbox.example"]);
    let place = login.browse(&stage);
    assert!(place.contains("error=access_denied"), "{place}");
    let (_, page) = knock(&place, "localhost:PORT");
    assert!(page.contains("not signed in"), "{page}");
    let ran = login.end();
    assert_eq!(ran.code, 1);
    let message = ran.json()["error"]["message"].clone();
    assert_eq!(message, "the sign-in was cancelled in the browser");
    assert!(!stage.path("jo.token").exists());
}

#[test]
fn a_file_of_something_else_is_not_written_over() {
    let stage = Stage::open();
    let file = stage.file("thesis.txt", "years of work");
    let ran = run_with(
        &[
            "login",
            "--client-id",
            "x",
            "--no-browser",
            "--token-file",
            file.to_str().expect("text"),
        ],
        &[],
    );
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("holds something else"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&file).expect("a file"), "years of work");
}

/// Signs somebody in, and gives the file that keeps it.
fn signed_in(stage: &Stage) -> String {
    let login = Waiting::start(stage, &[]);
    knock(&login.browse(stage), "localhost:PORT");
    assert_eq!(login.end().code, 0);
    let file = stage.path("jo.token");
    file.to_str().expect("text").to_owned()
}

#[test]
fn a_person_signs_out_at_the_org_and_here_and_what_is_not_sent_waits() {
    let stage = Stage::open();
    let file = signed_in(&stage);
    let store = stage.path("jo.db");
    let store = store.to_str().expect("text");
    let url = stage.url();
    let init = [
        "init",
        "--store",
        store,
        "--url",
        &url,
        "--everything",
        "Account",
    ];
    let made = run_with(&[&init[..], &["--token-file", &file]].concat(), &[]);
    assert_eq!(made.code, 0, "{}", made.err);
    run_with(&["new", store, "Account", "Name=Made offline"], &[]);
    let copy = stage.path("copy.token");
    let copy = copy.to_str().expect("text");
    fs::copy(&file, copy).expect("a copy");

    // Without the org nothing ends, and the file stays.
    stage.sandbox.offline(true);
    let logout = ["logout", "--token-file", &file, "--store", store];
    let refused = run_with(&logout, &[]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("--local-only"), "{}", refused.err);
    assert!(fs::exists(&file).expect("a look"));
    stage.sandbox.offline(false);

    let out = run_with(&logout, &[]);
    assert_eq!(out.code, 0, "{}", out.err);
    assert!(out.out.contains("signed out"), "{}", out.out);
    assert!(out.err.contains("1 of its edits"), "{}", out.err);
    assert!(!fs::exists(&file).expect("a look"));
    // The token is dead wherever it was copied to, and the store keeps its work.
    let refused = run_with(&["sync", store, "--token-file", copy, "--json"], &[]);
    assert_eq!(refused.json()["error"]["kind"], "NotAuthorized");
    let again = run_with(&["logout", "--token-file", copy, "--json"], &[]);
    let told = again.json();
    assert_eq!(
        (&told["revoked"], &told["unsent"]),
        (&Json::Bool(true), &Json::Null)
    );
    let file = signed_in(&stage);
    let synced = run_with(&["sync", store, "--token-file", &file, "--json"], &[]);
    assert_eq!(synced.json()["pushed"]["creates"], 1, "{}", synced.err);
}

#[test]
fn a_sign_in_is_dropped_here_alone_if_asked_and_no_other_file_ever() {
    let stage = Stage::open();
    let file = signed_in(&stage);
    stage.sandbox.offline(true);
    let ran = run_with(
        &["logout", "--token-file", &file, "--local-only", "--json"],
        &[],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.json()["revoked"], false);
    assert!(!fs::exists(&file).expect("a look"));
    let other = stage.file("thesis.txt", "years of work");
    let other = other.to_str().expect("text");
    let ran = run_with(&["logout", "--token-file", other, "--local-only"], &[]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(fs::exists(other).expect("a look"));
}
