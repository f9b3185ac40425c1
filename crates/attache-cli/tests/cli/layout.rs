//! How forms are laid out, read from the device.

use crate::support::{EVERYTHING, Stage};

const FORMS: &str =
    r#"{"version": 1, "objects": {"Account": {"layouts": true}}, "rules": ["Account"]}"#;

#[test]
fn a_form_is_shown_with_what_its_picklists_offer() {
    let stage = Stage::open();
    let store = stage.store("forms.db", FORMS);
    let shown = stage.json(&["layout", &store, "Account"]);
    let first = &shown["layout"]["view"][0];
    assert_eq!(first["heading"], "Account Information", "{shown}");
    assert_eq!(first["rows"][0][0]["fields"][0], "Name");
    assert_eq!(first["rows"][0][0]["required"], true);
    assert_eq!(shown["record_types"][0]["developer_name"], "Master");
    assert_eq!(
        shown["picklists"]["Rating"][0]["goes_with"],
        serde_json::Value::Null
    );
    assert_eq!(shown["compact"][0], "Name");
    let text = stage.run(&["layout", &store, "Account", "--record-type", "Master"]);
    for part in [
        "== Account Information",
        "Account Name* [Name]",
        "Contacts: ",
        "Rating: Hot, Warm, Cold",
    ] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
    let wrong = stage.run(&["layout", &store, "Account", "--record-type", "Nope"]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    assert!(wrong.err.contains("it has Master"), "{}", wrong.err);
}

#[test]
fn without_a_layout_it_says_how_to_get_one() {
    let stage = Stage::open();
    let store = stage.store("plain.db", EVERYTHING);
    let text = stage.run(&["layout", &store, "Account"]);
    assert!(text.out.contains("\"layouts\": true"), "{}", text.out);
    let none = stage.json(&["layout", &store, "Account"]);
    assert!(none["layout"].is_null() && none["compact"].as_array().is_some_and(Vec::is_empty));
}
