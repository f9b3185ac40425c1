//! A day with the command: make a store, ask, edit, sync, settle.

use crate::support::{EVERYTHING, Stage, run_with, text};
use attache_sandbox::org::Rights;
use serde_json::Value as Json;
use serde_json::value::RawValue;

fn first_account(stage: &Stage, store: &str) -> String {
    let answer = stage.json(&[
        "query",
        store,
        "SELECT Id, Name FROM Account ORDER BY Id LIMIT 1",
    ]);
    answer["records"][0]["Id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

/// Changes a field of an account at the org, as somebody who may.
fn change_at_org(stage: &Stage, id: &str, field: &str, value: &str) {
    let colleague = stage.sandbox.users()[1].id.clone();
    let json = RawValue::from_string(Json::from(value).to_string()).expect("valid JSON");
    stage.sandbox.advance(60);
    stage.sandbox.with_org(|org| {
        org.set_rights(
            &colleague,
            Rights {
                view_all: true,
                modify_all: true,
            },
        );
        org.update(&colleague, "Account", id, &[(field.to_owned(), json)], None)
            .expect("an allowed change");
    });
    stage.sandbox.advance(60);
}

#[test]
fn everything_of_named_objects_is_one_line() {
    let stage = Stage::open();
    let store = text(&stage.path("store.db"));
    let made = stage.json(&[
        "init",
        "--store",
        &store,
        "--url",
        &stage.url(),
        "--everything",
        "Account,Contact",
    ]);
    assert_eq!(made["url"], stage.url());
    assert!(
        made["username"]
            .as_str()
            .is_some_and(|name| name.contains('@')),
        "{made}"
    );
    assert!(
        stage
            .files()
            .iter()
            .all(|(path, _)| path.starts_with(&store)),
        "only the store is there"
    );
    let report = stage.json(&["sync", &store]);
    assert_eq!(report["settled"], true);
    assert!(report["inserted"].as_u64() > Some(10), "{report}");
    assert!(
        report["api_calls"].as_u64() > Some(1) && report["seconds"].as_f64() > Some(0.0),
        "{report}"
    );
    assert_eq!(
        report["peak_memory_bytes"].is_u64(),
        cfg!(target_os = "linux")
    );
    let status = stage.json(&["status", &store]);
    let (accounts, contacts) = (&status["records"]["Account"], &status["records"]["Contact"]);
    assert_eq!(
        accounts.as_u64().zip(contacts.as_u64()).map(|(a, c)| a + c),
        report["inserted"].as_u64()
    );
    assert!(
        status["last_sync"]
            .as_str()
            .is_some_and(|time| time.ends_with('Z')),
        "{status}"
    );
}

#[test]
fn the_token_may_come_from_a_file() {
    let stage = Stage::open();
    let token = format!("{}\n", stage.sandbox.users()[0].access_token);
    let (token, store) = (
        text(&stage.file("token", &token)),
        text(&stage.path("store.db")),
    );
    let url = stage.url();
    let init = [
        "init",
        "--store",
        &store,
        "--url",
        &url,
        "--everything",
        "Account",
        "--token-file",
        &token,
    ];
    let ran = run_with(&init, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        run_with(&["sync", &store, "--token-file", &token], &[]).code,
        0
    );
}

#[test]
fn an_edit_travels_to_the_org_and_back() {
    let stage = Stage::open();
    let store = stage.store("store.db", EVERYTHING);
    let made = stage.json(&[
        "new",
        &store,
        "Account",
        "Name=Café “Größenwahn”",
        "AnnualRevenue=123456789012345678",
    ]);
    let id = made["id"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("local-"));
    stage.json(&[
        "set",
        &store,
        &id,
        "Phone=555-0100",
        "--data",
        r#"{"NumberOfEmployees": 12, "Active__c": true}"#,
    ]);
    let contact = stage.json(&[
        "new",
        &store,
        "Contact",
        "LastName=O'Neill",
        &format!("AccountId={id}"),
    ]);
    let pending = stage.json(&["pending", &store]);
    assert_eq!(pending["pending"].as_array().map(Vec::len), Some(3));
    assert_eq!(pending["pending"][0]["kind"], "create");
    let report = stage.json(&["sync", &store]);
    assert_eq!(
        (&report["settled"], &report["pushed"]["creates"]),
        (&Json::Bool(true), &Json::from(2)),
        "{report}"
    );
    let ran = stage.run(&["get", &store, &id, "--json"]);
    assert!(
        ran.out.contains("\"AnnualRevenue\":123456789012345678"),
        "every digit stays: {}",
        ran.out
    );
    let record = ran.json();
    assert_eq!(record["id"], id.as_str());
    let server_id = record["fields"]["Id"]
        .as_str()
        .expect("the org's id")
        .to_owned();
    let parent = stage.sandbox.with_org(|org| {
        let user = stage_user(org, &server_id);
        org.read(&user, "Account", &server_id)
            .map(|row| row.get("NumberOfEmployees").into_owned())
    });
    assert!(parent.is_some_and(|value| !value.is_null()));
    stage.json(&["set", &store, &id, "Phone="]);
    let contact = contact["id"].as_str().expect("an id");
    stage.json(&["delete", &store, contact]);
    let report = stage.json(&["sync", &store]);
    assert_eq!(
        (&report["pushed"]["updates"], &report["pushed"]["deletes"]),
        (&Json::from(1), &Json::from(1)),
        "{report}"
    );
    assert_eq!(
        stage.json(&["get", &store, &id])["fields"]["Phone"],
        Json::Null
    );
    assert_eq!(stage.run(&["get", &store, contact]).code, 1);
}

/// Who created a record, and so may see it.
fn stage_user(org: &mut attache_sandbox::org::Org, id: &str) -> String {
    let observer = org.config().org_id.clone();
    org.set_rights(
        &observer,
        Rights {
            view_all: true,
            modify_all: false,
        },
    );
    let row = org.read(&observer, "Account", id);
    row.and_then(|row| row.get("OwnerId").as_text().map(str::to_owned))
        .expect("the record is at the org")
}

#[test]
fn a_conflict_is_shown_and_settled_field_by_field() {
    let stage = Stage::open();
    let store = stage.store("store.db", EVERYTHING);
    let id = first_account(&stage, &store);
    stage.json(&["set", &store, &id, "Phone=mine", "Site=mine", "Fax=mine"]);
    for field in ["Phone", "Site", "Fax"] {
        change_at_org(&stage, &id, field, "theirs");
    }
    let report = stage.json(&["sync", &store]);
    assert_eq!(
        (&report["conflicts"], &report["settled"]),
        (&Json::from(1), &Json::Bool(false)),
        "{report}"
    );
    let conflicts = stage.json(&["conflicts", &store]);
    let conflict = &conflicts["conflicts"][0];
    assert_eq!(
        (&conflict["record"], &conflict["kind"]),
        (&Json::from(id.as_str()), &Json::from("fields"))
    );
    assert_eq!(
        conflict["fields"].as_array().map(Vec::len),
        Some(3),
        "{conflict}"
    );
    assert!(
        conflict["changed_by"].is_string() && conflict["changed_at"].is_string(),
        "{conflict}"
    );
    let shown = stage.run(&["conflicts", &store]);
    for word in ["base", "mine", "theirs", "Phone"] {
        assert!(shown.out.contains(word), "{}", shown.out);
    }
    let number = conflict["id"].to_string();
    assert_eq!(
        stage
            .run(&["resolve", &store, &number, "--field", "Phone=ours"])
            .code,
        2
    );
    assert_eq!(stage.run(&["resolve", &store, "4711", "--mine"]).code, 1);
    stage.json(&[
        "resolve",
        &store,
        &number,
        "--field",
        "Phone=mine",
        "--field",
        "Site=theirs",
        "--field",
        "Fax=value:third",
    ]);
    let report = stage.json(&["sync", &store]);
    assert_eq!(report["settled"], true, "{report}");
    let record = stage.json(&["get", &store, &id]);
    let fields = &record["fields"];
    assert_eq!(
        (&fields["Phone"], &fields["Site"], &fields["Fax"]),
        (&"mine".into(), &"theirs".into(), &"third".into())
    );
}

#[test]
fn a_conflict_is_found_by_its_record() {
    let stage = Stage::open();
    let store = stage.store("store.db", EVERYTHING);
    let id = first_account(&stage, &store);
    stage.json(&["set", &store, &id, "Phone=mine"]);
    change_at_org(&stage, &id, "Phone", "theirs");
    stage.json(&["sync", &store]);
    let resolved = stage.json(&["resolve", &store, &id, "--theirs"]);
    assert_eq!(
        (&resolved["conflicts"], &resolved["pending"]),
        (&Json::from(0), &Json::from(0)),
        "{resolved}"
    );
    assert_eq!(
        stage.json(&["get", &store, &id])["fields"]["Phone"],
        "theirs"
    );
}

#[test]
fn a_rejected_edit_is_kept_put_right_or_taken_back() {
    let stage = Stage::open();
    let store = stage.store("store.db", EVERYTHING);
    let id = first_account(&stage, &store);
    let before = stage.json(&["get", &store, &id])["fields"]["NumberOfEmployees"].clone();
    stage.json(&["set", &store, &id, "NumberOfEmployees=-5"]);
    let report = stage.json(&["sync", &store]);
    assert_eq!(
        report["rejected"][0]["problems"][0]["code"], "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "{report}"
    );
    let pending = stage.json(&["pending", &store]);
    let seq = pending["pending"][0]["seq"].to_string();
    assert_eq!(pending["pending"][0]["state"], "rejected");
    assert_eq!(stage.json(&["retry", &store, &seq])["state"], "pending");
    let report = stage.json(&["sync", &store]);
    assert_eq!(
        report["rejected"].as_array().map(Vec::len),
        Some(1),
        "still wrong: {report}"
    );
    assert_eq!(stage.json(&["discard", &store, &seq])["state"], "discarded");
    assert_eq!(
        stage.json(&["get", &store, &id])["fields"]["NumberOfEmployees"],
        before
    );
    assert_eq!(stage.json(&["sync", &store])["settled"], true);
    assert_eq!(stage.run(&["discard", &store, "4711"]).code, 2);
}

#[test]
fn a_query_prints_a_table_or_json_and_touches_no_network() {
    let stage = Stage::open();
    let store = stage.store("store.db", EVERYTHING);
    stage.sandbox.offline(true);
    let soql =
        "SELECT Id, Name, (SELECT LastName FROM Contacts) FROM Account ORDER BY Name LIMIT 3";
    let answer = stage.json(&["query", &store, soql]);
    assert_eq!(
        (&answer["total"], answer["records"].as_array().map(Vec::len)),
        (&Json::from(3), Some(3))
    );
    assert!(answer["records"][0]["Contacts"].is_array(), "{answer}");
    let ran = stage.run(&[
        "query",
        &store,
        "SELECT Name FROM Account ORDER BY Name LIMIT 2",
    ]);
    assert_eq!(
        ran.out.lines().count(),
        4,
        "a header, a rule and two rows: {}",
        ran.out
    );
    assert!(
        ran.out.starts_with("Name") && ran.err.contains("2 records"),
        "{}",
        ran.err
    );
}
