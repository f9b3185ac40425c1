//! What people who debug see: `explain`, `query --explain` and `query --batch`.

use crate::support::{EVERYTHING, Ran, Stage, command};
use serde_json::Value as Json;
use std::io::Write as _;
use std::process::Stdio;

/// Runs the program with a text on its standard input.
fn fed(arguments: &[&str], input: impl AsRef<[u8]>) -> Ran {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(input.as_ref()).expect("the program reads");
    drop(pipe);
    let output = child.wait_with_output().expect("the program ends");
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

fn lines(ran: &Ran) -> Vec<Json> {
    assert_eq!(ran.code, 0, "{}", ran.err);
    let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    ran.out.lines().map(read).collect()
}

#[test]
fn a_statement_is_explained_without_a_store() {
    let input = "select id from Account where name='x'\n\nAmount > 5 and\nName LIKE 'a\\_%'\nselect Id from A for update";
    let explained = lines(&fed(&["explain", "soql"], input));
    assert_eq!(explained.len(), 4, "empty lines are passed over");
    assert_eq!(explained[0]["ok"], true);
    assert_eq!(
        explained[0]["canonical"],
        "SELECT id FROM Account WHERE name = 'x'"
    );
    let sql = explained[0]["sql"].as_str().expect("a text");
    assert!(
        sql.contains(r#"FROM "Account""#) && !sql.contains("'x'"),
        "{sql}"
    );
    assert_eq!(explained[1]["ok"], false);
    assert_eq!(explained[1]["error"]["position"], 14);
    assert_eq!(explained[1]["error"]["expected"], "a field name");
    assert_eq!(explained[1]["sql"], Json::Null);
    assert_eq!(explained[2]["canonical"], "Name LIKE 'a\\_%'");
    assert_eq!(explained[3]["error"]["position"], 17);
}

#[test]
fn a_statement_is_held_against_describes() {
    let stage = Stage::open();
    std::fs::create_dir(stage.path("describes")).expect("a writable folder");
    stage.file(
        "describes/Account.json",
        r#"{"name": "Account", "fields": [{"name": "Id", "type": "id"}, {"name": "Name", "type": "string"}]}"#,
    );
    let folder = stage.path("describes");
    let folder = folder.to_str().expect("a path of text");
    let input = "SELECT Nmae FROM Account\nSELECT Name FROM Account\nName = 5";
    let arguments = [
        "explain",
        "soql",
        "--describe",
        folder,
        "--object",
        "Account",
    ];
    let explained = lines(&fed(&arguments, input));
    let message = explained[0]["error"]["message"].as_str().expect("a text");
    assert!(message.contains("did you mean Name?"), "{message}");
    assert_eq!(explained[0]["error"]["position"], 7);
    assert_eq!(explained[1]["ok"], true);
    assert_eq!(explained[2]["error"]["expected"], "a text");
    let unnamed = lines(&fed(&arguments[..4], "Name = 'x'"));
    let message = unnamed[0]["error"]["message"].as_str().expect("a text");
    assert!(message.contains("--object"), "{message}");
    let ran = fed(&["explain", "soql", "--describe", "/nowhere"], "");
    assert_eq!(ran.code, 1, "{}", ran.out);
}

#[test]
fn a_literal_is_a_span_of_days_and_of_instants() {
    let asker = [
        "explain",
        "dates",
        "--now",
        "2024-03-10T12:00:00Z",
        "--tz",
        "America/New_York",
        "--week-start",
        "monday",
        "--fiscal-start",
        "2",
    ];
    let ran = fed(
        &[&asker[..], &["TODAY", "this_week", "THIS_FISCAL_YEAR"]].concat(),
        "",
    );
    let spans: Vec<String> = lines(&ran)
        .iter()
        .map(|line| {
            format!("{} {} {}", line["start"], line["end"], line["end_at"]).replace('"', "")
        })
        .collect();
    assert_eq!(
        spans,
        [
            "2024-03-10 2024-03-11 2024-03-11T04:00:00Z",
            "2024-03-04 2024-03-11 2024-03-11T04:00:00Z",
            "2024-02-01 2025-02-01 2025-02-01T05:00:00Z",
        ]
    );
    for wrong in [
        &["explain", "dates", "SOON"][..],
        &["explain", "dates", "--tz", "Mars/Olympus", "TODAY"],
        &["explain", "dates", "--now", "yesterday", "TODAY"],
        &["explain", "dates", "--week-start", "sun", "TODAY"],
        &["explain", "dates", "--fiscal-start", "13", "TODAY"],
        &["explain", "dates"],
    ] {
        assert_eq!(fed(wrong, "").code, 2, "{wrong:?}");
    }
}

#[test]
fn a_query_is_asked_for_another_day_and_explained() {
    let stage = Stage::open();
    let store = stage.store("a", EVERYTHING);
    let soql = "SELECT Id FROM Account WHERE CreatedDate <= TODAY";
    let all = stage.json(&["query", &store, soql]);
    assert_ne!(all["total"], 0);
    let past = [
        "query",
        &store,
        soql,
        "--now",
        "1999-01-01T00:00:00Z",
        "--tz",
        "Asia/Tokyo",
    ];
    assert_eq!(stage.json(&past)["total"], 0);
    let plan = stage.json(&["query", &store, soql, "--explain"]);
    let first = plan["plan"][0].as_str().expect("a text");
    assert!(first.starts_with("SELECT "), "{first}");
    assert!(plan["plan"].as_array().is_some_and(|lines| lines.len() > 1));
}

#[test]
fn a_line_that_cannot_be_read_costs_no_other_its_answer() {
    let stage = Stage::open();
    let store = stage.store("a", EVERYTHING);
    let bad = [&b"\xff\xfe"[..], &vec![b'x'; (16 << 20) + 1]];
    for (arguments, good, wrong, right) in [
        (
            &["explain", "soql"][..],
            "Name = 'x'",
            "/error/message",
            "/canonical",
        ),
        (
            &["explain", "merge"],
            r#"{"local": {"A": 1}, "remote": {"A": 1}}"#,
            "/error/message",
            "/outcome",
        ),
        (
            &["query", &store, "--batch"],
            r#"{"soql": "SELECT Id FROM Account"}"#,
            "/error/message",
            "/ids",
        ),
    ] {
        let input = [bad[0], b"\n", bad[1], b"\n", good.as_bytes()].concat();
        let answers = lines(&fed(arguments, input));
        assert_eq!(answers.len(), 3, "{arguments:?}");
        let said = |at: usize| answers[at].pointer(wrong).and_then(Json::as_str);
        assert!(said(0).is_some_and(|text| text.contains("no UTF-8")));
        assert!(said(1).is_some_and(|text| text.contains("longer than")));
        assert!(answers[2].pointer(right).is_some(), "{}", answers[2]);
    }
}

#[test]
fn a_batch_answers_each_line_by_itself() {
    let stage = Stage::open();
    let store = stage.store("a", EVERYTHING);
    let input = [
        r#"{"soql": "SELECT Id FROM Account ORDER BY Id LIMIT 2"}"#,
        r#"{"soql": "SELECT Name FROM Account WHERE CreatedDate <= TODAY", "now": "1999-01-01T00:00:00Z"}"#,
        r#"{"soql": "SELECT Id FROM Account WHERE"}"#,
        "not JSON",
        r#"{"soql": "SELECT COUNT(Id) FROM Account"}"#,
        r#"{"soql": "SELECT Id FROM Account LIMIT 1", "tz": "Mars/Olympus"}"#,
        r#"{"soql": "SELECT Name FROM Account ORDER BY Id LIMIT 1", "week_start": "monday", "fiscal_start": 4}"#,
    ];
    let answers = lines(&fed(&["query", &store, "--batch"], input.join("\n")));
    let ids = answers[0]["ids"].as_array().expect("a list");
    assert_eq!(ids.len(), 2);
    assert_eq!(answers[1]["ids"], serde_json::json!([]));
    assert_eq!(answers[2]["error"]["position"], 28);
    assert_eq!(answers[2]["error"]["expected"], "a field name");
    assert_eq!(answers[3]["error"]["kind"], "InvalidArgument");
    assert_eq!(answers[4]["error"]["kind"], "InvalidArgument");
    assert_eq!(answers[5]["error"]["kind"], "InvalidArgument");
    assert_eq!(answers[6]["ids"][0], ids[0]);
    assert_eq!(fed(&["query", &store], "").code, 2, "no question at all");
}
