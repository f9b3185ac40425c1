//! Every case in `merge_cases/` merges as it is written there.

use attache::{MergePolicy, ObjectSchema, explain_merge};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One case; `merge_cases/README.md` tells the form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    case: String,
    policy: Option<Box<RawValue>>,
    base: Box<RawValue>,
    local: Box<RawValue>,
    remote: Box<RawValue>,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    record: (String, String),
    #[serde(default)]
    fields: BTreeMap<String, (String, Box<RawValue>, String)>,
}

impl Expected {
    /// The same text for the same outcome.
    fn told(&self) -> String {
        let (outcome, reason) = &self.record;
        let mut told = format!("{outcome}: {reason}");
        for (name, (outcome, value, reason)) in &self.fields {
            write!(told, "\n{name} {outcome} {}: {reason}", value.get())
                .expect("a string takes it");
        }
        told
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/merge_cases")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a file of the cases")
}

/// What becomes of a case, as its `expect` writes it.
fn outcome(object: &Arc<ObjectSchema>, case: &Case) -> String {
    let policy = case
        .policy
        .as_ref()
        .map_or_else(MergePolicy::default, |json| {
            MergePolicy::from_json(json.get()).expect("a policy")
        });
    let done = explain_merge(
        Some(Arc::clone(object)),
        &policy,
        case.base.get(),
        case.local.get(),
        case.remote.get(),
    );
    let done = done.expect("three sides of a record");
    let text = |text: &str| serde_json::to_string(text).expect("text");
    let mut out = format!(
        "{{\"record\": [{}, {}]",
        text(done.outcome),
        text(&done.reason)
    );
    let fields: Vec<String> = done
        .fields
        .iter()
        .filter(|field| field.outcome != "unchanged")
        .map(|field| {
            let reason = text(&field.sentence());
            let value = field.value.to_json();
            format!(
                "\n    {}: [{}, {value}, {reason}]",
                text(&field.name),
                text(field.outcome)
            )
        })
        .collect();
    if !fields.is_empty() {
        write!(out, ", \"fields\": {{{}}}", fields.join(",")).expect("a string takes it");
    }
    out + "}"
}

#[test]
fn every_case_merges_as_it_is_written() {
    let describe = read(&folder().join("contact.json"));
    let object = Arc::new(ObjectSchema::from_describe(&describe).expect("a describe"));
    let (mut wrong, mut count) = (String::new(), 0);
    for entry in std::fs::read_dir(folder()).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if !name.ends_with(".json") || name == "contact.json" {
            continue;
        }
        let cases: Vec<Case> = serde_json::from_str(&read(&path)).expect(name);
        count += cases.len();
        for case in &cases {
            let got = outcome(&object, case);
            let read: Expected = serde_json::from_str(&got).expect("our own text");
            if read.told() != case.expect.told() {
                writeln!(wrong, "{name}: {}\n   \"expect\": {got}", case.case)
                    .expect("a string takes it");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 60, "only {count} cases were found");
}
