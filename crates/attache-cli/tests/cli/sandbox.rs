//! `attache sandbox`, as other programs start it.

use crate::support::{command, run_with};
use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

#[test]
fn it_prints_one_line_and_ends_politely() {
    let arguments = [
        "sandbox",
        "--port",
        "0",
        "--seed",
        "7",
        "--records",
        "50",
        "--now",
        "2026-03-02T09:00:00Z",
    ];
    let mut child = command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    let info: Json = serde_json::from_str(&line).expect("JSON");
    let url = info["url"].as_str().expect("an address");
    assert!(
        url.starts_with("http://127.0.0.1:") && !url.ends_with(":0"),
        "{url}"
    );
    for key in ["api_version", "client_id", "client_secret"] {
        assert!(
            info[key].as_str().is_some_and(|text| !text.is_empty()),
            "{info}"
        );
    }
    let user = &info["users"][0];
    for key in ["id", "username", "access_token", "refresh_token"] {
        assert!(
            user[key].as_str().is_some_and(|text| !text.is_empty()),
            "{user}"
        );
    }
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store.db");
    let store = store.to_str().expect("a path of text");
    let token = user["access_token"].as_str().expect("a token");
    let ran = run_with(
        &[
            "init",
            "--store",
            store,
            "--url",
            url,
            "--everything",
            "Account",
        ],
        &[("ATTACHE_ACCESS_TOKEN", token)],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    if !cfg!(unix) {
        child.kill().expect("it ends");
        child.wait().expect("it has ended");
        return;
    }
    let killed = std::process::Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .expect("kill runs");
    assert!(killed.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the end");
    assert_eq!(rest, "", "nothing but the one line");
}

#[test]
fn bad_settings_are_refused() {
    for arguments in [
        ["sandbox", "--now", "yesterday"],
        ["sandbox", "--tz", "Mars/Olympus"],
        ["sandbox", "--port", "70000"],
    ] {
        let ran = run_with(&arguments, &[]);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (2, ""),
            "{arguments:?}: {}",
            ran.err
        );
        assert!(!ran.err.is_empty());
    }
}
