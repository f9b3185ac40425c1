//! `attache briefcase`, and stores made of templates.

use crate::support::{Ran, Stage, run_with, text};

/// Runs a call that needs no org.
fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, &[])
}

const BAD: &str = r#"{"version":1,"rules":[{"object":"Account","where":"Name =","limt":1},{"object":"Lead","limit":0}]}"#;

#[test]
fn check_lists_every_problem_with_its_place() {
    let stage = Stage::open();
    let file = text(&stage.file("bad.json", BAD));
    let plain = run(&["briefcase", "check", &file]);
    assert_eq!((plain.code, plain.out.as_str()), (2, ""));
    for place in ["/rules/0/limt", "/rules/0/where", "/rules/1/limit"] {
        assert!(plain.err.contains(place), "{}", plain.err);
    }
    let json = run(&["briefcase", "check", &file, "--json"]);
    assert_eq!(json.code, 2);
    let problems = json.json()["error"]["problems"].clone();
    assert_eq!(problems.as_array().map(Vec::len), Some(3), "{problems}");
    assert_eq!(problems[0]["code"], "UNKNOWN_KEY");
    let missing = run(&["briefcase", "check", &text(&stage.path("none.json"))]);
    assert_eq!(missing.code, 1);
    let good = text(&stage.file("good.json", r#"{"version":1,"rules":["Lead"]}"#));
    let good = run(&["briefcase", "check", &good, "--json"]);
    assert_eq!(
        (
            good.code,
            good.json()["objects"][0].as_str().map(str::to_owned)
        ),
        (0, Some("Lead".into()))
    );
}

#[test]
fn a_template_prints_reads_back_and_differs_from_another() {
    let stage = Stage::open();
    let names = run(&["briefcase", "template", "--json"]).json()["templates"].clone();
    assert_eq!(names, serde_json::json!(["field-sales", "field-service"]));
    let sales = run(&["briefcase", "template", "field-sales"]);
    let file = text(&stage.file("sales.json", &sales.out));
    assert_eq!(run(&["briefcase", "print", &file]).out, sales.out);
    let lead = text(&stage.file("lead.json", r#"{"version":1,"rules":["Lead"]}"#));
    let diff = run(&["briefcase", "diff", &file, &lead, "--json"]).json();
    assert_eq!(
        (&diff["downloads"], &diff["evicts"]),
        (&true.into(), &true.into())
    );
    let same = run(&["briefcase", "diff", &file, &file]);
    assert_eq!((same.code, same.out.as_str()), (0, "nothing changes\n"));
    assert_eq!(run(&["briefcase", "template", "sales"]).code, 2);
    let schema = run(&["briefcase", "schema", "--json"]).json();
    assert!(schema["schema"]["$defs"].is_object());
}

#[test]
fn an_import_prints_the_document_and_tells_what_it_left_out() {
    let stage = Stage::open();
    let syncs = r#"{"syncs":[{"syncName":"down","syncType":"syncDown","soupName":"s","target":{"type":"soql","query":"SELECT Id FROM Lead ORDER BY Name"},"options":{}}]}"#;
    let file = text(&stage.file("usersyncs.json", syncs));
    let plain = run(&["briefcase", "import", "--mobile-sync", &file]);
    assert_eq!(plain.code, 0);
    assert!(plain.err.contains("note: "), "{}", plain.err);
    let made = text(&stage.file("made.json", &plain.out));
    assert_eq!(run(&["briefcase", "check", &made]).code, 0);
    let json = run(&["briefcase", "import", "--mobile-sync", &file, "--json"]).json();
    assert_eq!(json["notes"].as_array().map(Vec::len), Some(1), "{json}");
    let view = text(&stage.file("view.json", "{}"));
    assert_eq!(run(&["briefcase", "import", "--list-view", &view]).code, 2);
    assert_eq!(run(&["briefcase", "import"]).code, 2);
}

#[test]
fn a_store_is_made_of_a_template() {
    let stage = Stage::open();
    let token = stage.sandbox.users()[0].access_token.clone();
    let store = text(&stage.path("sales.db"));
    let variables = [("ATTACHE_ACCESS_TOKEN", token.as_str())];
    let url = stage.url();
    let made = run_with(
        &[
            "init",
            "--store",
            &store,
            "--url",
            &url,
            "--template",
            "field-sales",
            "--json",
        ],
        &variables,
    );
    assert_eq!(made.code, 0, "{}", made.err);
    let objects = made.json()["objects"].clone();
    assert_eq!(
        objects,
        serde_json::json!(["Account", "Contact", "Event", "Lead", "Opportunity", "Task"])
    );
    let synced = run_with(&["sync", &store, "--json"], &variables);
    assert_eq!(synced.code, 0, "{}", synced.err);
    assert!(
        synced.json()["inserted"]
            .as_u64()
            .is_some_and(|count| count > 0),
        "{}",
        synced.out
    );
}
