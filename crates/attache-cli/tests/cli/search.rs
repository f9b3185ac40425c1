//! Searching, and following a query.

use crate::support::{EVERYTHING, Stage, command};
use serde_json::Value as Json;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn a_record_is_found_by_a_part_of_its_name() {
    let stage = Stage::open();
    let store = stage.store("a.db", EVERYTHING);
    let made = stage.json(&["new", &store, "Account", "Name=Zyxwick Häuser"]);
    let answer = stage.json(&["search", &store, "haus zyx"]);
    let hit = &answer["hits"][0];
    assert_eq!(
        (&answer["total"], &answer["waiting"]),
        (&1.into(), &0.into())
    );
    assert_eq!(hit["id"], made["id"]);
    assert_eq!(hit["marks"], serde_json::json!([[0, 7], [8, 15]]));
    let ran = stage.run(&["search", &store, "zyxwick", "--object", "Account"]);
    assert!(ran.out.contains("[Zyxwick] Häuser"), "{}", ran.out);
    let none = stage.json(&["search", &store, "zyxwick", "--object", "contact"]);
    assert_eq!(none["hits"], serde_json::json!([]));
    let nothing = stage.json(&["search", &store, "\" * )("]);
    assert_eq!(nothing["total"], 0);
    let ran = stage.run(&["search", &store, "x", "--object", "Nothing"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
}

#[test]
fn a_watch_prints_what_another_process_changes_until_it_is_interrupted() {
    let stage = Stage::open();
    let store = stage.store("a.db", EVERYTHING);
    let soql = "SELECT Name FROM Account WHERE Name LIKE 'Zyx%' ORDER BY Name";
    let mut watch = command(&["query", &store, soql, "--watch"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(watch.stdout.take().expect("its output")).lines();
    let mut line = || -> Json {
        let line = lines.next().expect("a line").expect("text");
        serde_json::from_str(&line).expect("JSON")
    };
    assert_eq!(line()["total"], 0);
    let made = stage.json(&["new", &store, "Account", "Name=Zyxwick"]);
    let change = line();
    let inserted = serde_json::json!([{"at": 0, "record": {"Name": "Zyxwick"}}]);
    assert_eq!(change["inserted"], inserted);
    let id = made["id"].as_str().expect("an id");
    stage.json(&["delete", &store, id]);
    assert_eq!(line()["removed"][0]["from"], 0);
    if cfg!(unix) {
        let killed = std::process::Command::new("kill")
            .args(["-INT", &watch.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(killed.success());
        assert_eq!(watch.wait().expect("it ends").code(), Some(130));
    } else {
        watch.kill().expect("it ends");
        watch.wait().expect("it has ended");
    }
    let ran = stage.run(&["query", &store, "SELECT Nothing FROM Account", "--watch"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
}
