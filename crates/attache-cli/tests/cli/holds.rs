//! What is on a device and why, and what another briefcase would do.

use crate::support::{EVERYTHING, Stage, text};

const HOT: &str = r#"{"version": 1, "objects": {"Contact": {}},
    "rules": [{"name": "First", "object": "Account", "order_by": "Name", "limit": 2}]}"#;

fn id(stage: &Stage, store: &str, soql: &str) -> String {
    let answer = stage.json(&["query", store, soql]);
    answer["records"][0]["Id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

#[test]
fn a_smaller_briefcase_is_tried_and_changes_nothing() {
    let stage = Stage::open();
    let store = stage.store("store.db", EVERYTHING);
    let hot = text(&stage.file("hot.json", HOT));
    let would = stage.json(&["dry-run", &store, "--briefcase", &hot]);
    let rule = &would["rules"][0];
    assert_eq!(
        (&rule["records"], &rule["truncated"], &rule["exact"]),
        (&2.into(), &true.into(), &true.into())
    );
    assert_eq!(would["download"], 0, "{would}");
    assert!(would["evict"].as_u64() > Some(10), "{would}");
    let same = stage.json(&["dry-run", &store]);
    assert_eq!(
        (&same["download"], &same["evict"]),
        (&0.into(), &0.into()),
        "{same}"
    );
    let shown = stage.run(&["dry-run", &store, "--briefcase", &hot]);
    assert!(
        shown.out.contains("2 (limit)") && shown.out.contains("evict  "),
        "{}",
        shown.out
    );
    assert_eq!(would["files"], serde_json::json!([]), "{would}");
    let files = r#"{"version": 1, "objects": {"Account": {"files": {}}}, "rules": ["Account"]}"#;
    let files = text(&stage.file("files.json", files));
    let would = stage.json(&["dry-run", &store, "--briefcase", &files]);
    assert_eq!(
        would["files"],
        serde_json::json!([{"object": "Account", "files": 0, "bytes": 0, "exact": true}])
    );
    let shown = stage.run(&["dry-run", &store, "--briefcase", &files]);
    assert!(
        shown.out.contains("files  0 files of Account, 0 bytes"),
        "{}",
        shown.out
    );
}

#[test]
fn a_record_is_fetched_pinned_and_explained() {
    let stage = Stage::open();
    let everything = stage.store("all.db", EVERYTHING);
    let contact = id(
        &stage,
        &everything,
        "SELECT Id FROM Contact ORDER BY Id LIMIT 1",
    );
    let store = stage.store("few.db", HOT);
    let account = id(&stage, &store, "SELECT Id FROM Account LIMIT 1");
    let why = stage.json(&["why", &store, &account]);
    assert_eq!(
        (&why["held"][0]["by"], &why["held"][0]["rule"]),
        (&"rule".into(), &"First".into())
    );
    assert_eq!(stage.json(&["why", &store, &contact])["here"], false);
    let stray = "003000000000000AAA";
    let fetched = stage.json(&["fetch", &store, &contact, stray]);
    assert_eq!(fetched["records"][0]["here"], true, "{fetched}");
    assert!(fetched["records"][1]["problem"].is_string(), "{fetched}");
    assert_eq!(stage.json(&["pin", &store, &contact])["here"], true);
    stage.json(&["pin", &store, stray]);
    let report = stage.json(&["sync", &store]);
    assert_eq!(report["unpinned"][0]["record"], stray, "{report}");
    let shown = stage.run(&["why", &store, &contact]);
    assert!(
        shown.out.contains("pinned since 2") && shown.out.contains("looked at"),
        "{}",
        shown.out
    );
    assert_eq!(stage.json(&["unpin", &store, &contact])["pinned"], false);
    let rules = stage.json(&["rules", &store]);
    assert_eq!(rules["rules"][0]["records"], 2, "{rules}");
    assert!(rules["rules"][0]["cut_from"].as_u64() > Some(2), "{rules}");
}
