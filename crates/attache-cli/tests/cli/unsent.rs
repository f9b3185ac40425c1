//! What was not sent leaves in a file, comes in elsewhere, and stops a wipe.

use crate::support::{EVERYTHING, Stage, text};
use std::fs;

/// A store with one edit.
fn worked(stage: &Stage) -> String {
    let store = stage.store("jo", EVERYTHING);
    stage.json(&["new", &store, "Account", "Name=Carried"]);
    store
}

#[test]
fn work_is_exported_sealed_and_imported_once() {
    let stage = Stage::open();
    let (store, spare) = (worked(&stage), stage.store("spare", EVERYTHING));
    let word = text(&stage.file("word", "correct horse\n"));
    let out = text(&stage.path("jo.unsent"));
    let exported = stage.json(&["export", &store, &out, "--passphrase-file", &word]);
    assert_eq!(exported["sealed"], true);
    let refused = stage.run(&["import", &spare, &out, "--json"]);
    assert_eq!(
        (refused.code, refused.json()["error"]["kind"].as_str()),
        (2, Some("InvalidArgument"))
    );
    let import = ["import", &spare, &out, "--passphrase-file", &word];
    assert_eq!(stage.json(&import)["mutations"], 1);
    let again = stage.json(&import);
    assert_eq!(
        (again["mutations"].as_u64(), again["already_there"].as_u64()),
        (Some(0), Some(1))
    );
    assert_eq!(stage.json(&["sync", &spare])["pushed"]["creates"], 1);
}

#[test]
fn an_export_never_writes_over_a_file() {
    let stage = Stage::open();
    let store = worked(&stage);
    let out = text(&stage.file("kept", "something else"));
    assert_eq!(stage.run(&["export", &store, &out]).code, 1);
    assert_eq!(
        fs::read_to_string(&out).expect("the file"),
        "something else"
    );
}

#[test]
fn an_inspection_tells_what_waits_and_changes_no_file() {
    let stage = Stage::open();
    let store = worked(&stage);
    let before = stage.files();
    let found = stage.json(&["inspect", &store]);
    assert_eq!(stage.files(), before);
    assert_eq!(found["pending"][0]["fields"]["Name"], "Carried");
    assert_eq!(found["damage"].as_array().map(Vec::len), Some(0));
    let shown = stage.run(&["inspect", &store]);
    assert!(
        shown.out.contains("Carried") && shown.out.contains("format "),
        "{}",
        shown.out
    );
}

#[test]
fn what_is_left_of_a_cut_off_store_is_saved() {
    let stage = Stage::open();
    let (store, spare) = (worked(&stage), stage.store("spare", EVERYTHING));
    let bytes = fs::read(&store).expect("the store");
    fs::write(&store, &bytes[..bytes.len() * 3 / 4]).expect("a shorter store");
    let found = stage.json(&["inspect", &store]);
    assert!(
        found["damage"]
            .as_array()
            .is_some_and(|damage| !damage.is_empty()),
        "{found}"
    );
    let out = text(&stage.path("jo.unsent"));
    stage.json(&["export", "--salvage", &store, &out]);
    assert_eq!(stage.json(&["import", &spare, &out])["mutations"], 1);
}

#[test]
fn a_wipe_refuses_unsent_work_until_it_is_told() {
    let stage = Stage::open();
    let store = worked(&stage);
    let refused = stage.run(&["wipe", &store, "--json"]);
    assert_eq!(
        (refused.code, refused.json()["error"]["kind"].as_str()),
        (1, Some("UnsentWork"))
    );
    assert!(refused.err.contains("--discard-unsent"), "{}", refused.err);
    assert_eq!(
        stage.json(&["wipe", &store, "--discard-unsent"])["wiped"],
        store
    );
    assert!(!stage.path("jo").exists());
}
