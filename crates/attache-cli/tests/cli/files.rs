//! Files of records, from the shell.

use crate::support::{Stage, text};

const FILES: &str =
    r#"{"version": 1, "objects": {"Account": {"files": "none"}}, "rules": ["Account"]}"#;

#[test]
fn a_file_is_attached_sent_listed_fetched_and_saved() {
    let stage = Stage::open();
    let store = stage.store("store.db", FILES);
    let account = stage.json(&["new", &store, "Account", "Name=Pier 9"]);
    let account = account["id"].as_str().expect("an id");
    let plan = text(&stage.file("plan.txt", "a plan"));
    let attached = stage.json(&["attach", &store, account, &plan]);
    assert_eq!(attached["pending"], 2, "{attached}");
    let file = attached["id"].as_str().expect("an id");
    let pending = stage.json(&["pending", &store]);
    assert_eq!(pending["pending"][1]["object"], "ContentVersion");
    let listed = stage.json(&["files", &store, account]);
    assert_eq!(
        (&listed["files"][0]["state"], &listed["files"][0]["name"]),
        (&"queued".into(), &"plan.txt".into())
    );
    let synced = stage.json(&["sync", &store]);
    assert_eq!(
        (&synced["settled"], &synced["pushed"]["creates"]),
        (&true.into(), &2.into())
    );
    let copy = text(&stage.path("copy.txt"));
    let saved = stage.json(&["file", &store, file, "--out", &copy]);
    assert_eq!(saved["bytes"], 6);
    assert_eq!(std::fs::read(&copy).expect("a file"), b"a plan");
    let again = stage.run(&["file", &store, file, "--out", &copy]);
    assert_ne!(again.code, 0, "nothing is overwritten");

    let other = stage.store("other.db", FILES);
    let soql = "SELECT Id FROM Account WHERE Name = 'Pier 9'";
    let there = stage.json(&["query", &other, soql]);
    let there = there["records"][0]["Id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let listed = stage.json(&["files", &other, &there]);
    assert_eq!(listed["files"][0]["state"], "absent", "{listed}");
    let file = listed["files"][0]["id"].as_str().expect("an id").to_owned();
    let far = text(&stage.path("far.txt"));
    let absent = stage.run(&["file", &other, &file, "--out", &far]);
    assert!(absent.err.contains("--fetch"), "{}", absent.err);
    assert!(!stage.path("far.txt").exists());
    stage.json(&["file", &other, &file, "--out", &far, "--fetch"]);
    assert_eq!(std::fs::read(&far).expect("a file"), b"a plan");
    let shown = stage.run(&["files", &other, &there]);
    assert!(shown.out.contains("present"), "{}", shown.out);
}

#[test]
fn what_cannot_be_attached_says_why() {
    let stage = Stage::open();
    let store = stage.store("store.db", FILES);
    let folder = text(&stage.path(""));
    for path in [folder.as_str(), "nowhere.jpg"] {
        let ran = stage.run(&["attach", &store, "001000000000001AAA", path]);
        assert_ne!(ran.code, 0, "{path}");
        assert!(!ran.err.is_empty());
    }
    assert_eq!(
        stage.json(&["pending", &store])["pending"]
            .as_array()
            .map(Vec::len),
        Some(0)
    );
}
