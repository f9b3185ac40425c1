//! An org of rows that were loaded, and settings that cannot be.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use attache_sandbox::{Sandbox, SandboxError};
use client::{Client, NOW};
use std::{fs, path::Path};

const RECORDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/records");

#[test]
fn the_shared_data_set_is_served() {
    let sandbox = Sandbox::builder()
        .load(RECORDS)
        .now(NOW)
        .manual_clock()
        .build()
        .unwrap();
    // Four of the forty are inactive.
    assert_eq!(sandbox.users().len(), 36);
    let client = Client::of(&sandbox, 0);
    let counts = client
        .get("/limits/recordCount?sObjects=Account,Task,WorkOrder")
        .json;
    let count = |at: usize| counts["sObjects"][at]["count"].as_u64().unwrap();
    assert_eq!([count(0), count(1), count(2)], [2_000, 8_000, 1_500]);
    let own = client.get("/query?q=SELECT+COUNT()+FROM+WorkOrder");
    assert_eq!(own.status, 200, "{own:?}");
    assert!(own.json["totalSize"].as_u64().unwrap() <= 1_500);
}

#[test]
fn a_folder_without_users_gets_some() {
    let folder = tempfile::tempdir().unwrap();
    let row = r#"{"Id":"001000000000001AAA","Name":"Loaded","OwnerId":"005000000000001AAA"}"#;
    fs::write(folder.path().join("Account.jsonl"), row).unwrap();
    let sandbox = Sandbox::builder()
        .load(folder.path())
        .now(NOW)
        .manual_clock()
        .build()
        .unwrap();
    assert_eq!(sandbox.users().len(), 8);
    assert_eq!(
        Client::of(&sandbox, 0).row("Account", "001000000000001AAA")["Name"],
        "Loaded"
    );
    assert_eq!(sandbox.with_org(|org| org.count("Organization")), 1);
}

#[test]
fn wrong_settings_are_refused() {
    let built = |builder: attache_sandbox::SandboxBuilder| builder.records(0).build().map(|_| ());
    assert!(
        matches!(built(Sandbox::builder().now("soon")), Err(SandboxError::Time(time)) if time == "soon")
    );
    let zone = built(Sandbox::builder().time_zone("Mars/Olympus"));
    assert!(matches!(zone, Err(SandboxError::TimeZone(_))));
    let missing = Sandbox::builder().load("/nonexistent").build().map(|_| ());
    assert!(matches!(missing, Err(SandboxError::Rows(_))));
    let seconds = Sandbox::builder()
        .records(0)
        .now("1772442000")
        .manual_clock()
        .build()
        .unwrap();
    assert_eq!(seconds.now(), 1_772_442_000);
}

#[test]
fn a_running_clock_runs_from_where_it_was_set() {
    let sandbox = Sandbox::builder().records(0).now(NOW).build().unwrap();
    assert!((1_772_442_000..1_772_442_060).contains(&sandbox.now()));
    sandbox.advance(3_600);
    assert!(sandbox.now() >= 1_772_445_600);
}

#[test]
fn a_folder_that_cannot_be_loaded_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |at: &Path| Sandbox::builder().load(at).build().unwrap_err().to_string();
    let missing = folder.path().join("missing");
    let told = refusal(&missing);
    assert!(told.starts_with(&format!(
        "cannot load the rows: cannot read {}: ",
        missing.display()
    )));
    fs::write(folder.path().join("Account.jsonl"), "{\"Id\":").unwrap();
    let told = refusal(folder.path());
    assert!(
        told.contains("Account.jsonl line 1: expected a JSON object: EOF"),
        "{told}"
    );
}

#[test]
fn a_record_takes_as_much_memory_in_a_large_org_as_in_a_small_one() {
    let of_each = |records: usize| {
        let sandbox = Sandbox::builder().records(records).build().unwrap();
        sandbox.with_org(|org| org.bytes_held()) / records
    };
    let (small, large) = (of_each(5_000), of_each(80_000));
    println!("{small} bytes a record of 5,000, {large} of 80,000");
    assert!(large < 1_100, "{large} bytes a record");
    assert!(large < small + small / 5, "{small}, then {large}");
}
