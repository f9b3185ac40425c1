//! What the engine tells, as JSON. Keys are the engine's own field names.

use attache::{
    Conflict, ConflictKind, Fields, Mutation, MutationKind, MutationState, Problem, RecordId,
    Report, Status, Value,
};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// Prints the problems of an error.
pub(crate) fn problems(problems: &[Problem]) -> String {
    Json::Array(problems.iter().map(problem).collect()).to_string()
}

fn problem(problem: &Problem) -> Json {
    json!({
        "fields": problem.fields,
        "code": problem.code,
        "message": problem.message,
    })
}

/// Prints what the store holds.
pub(crate) fn status(status: &Status) -> String {
    let records: Map<String, Json> = status
        .records
        .iter()
        .map(|(object, count)| (object.clone(), json!(count)))
        .collect();
    json!({
        "username": status.username,
        "records": records,
        "pending": status.pending,
        "in_doubt": status.in_doubt,
        "rejected": status.rejected,
        "conflicts": status.conflicts,
        "last_sync": status.last_sync.map(|time| time.0),
        "store_bytes": status.store_bytes,
    })
    .to_string()
}

/// Prints what a session did.
pub(crate) fn report(report: &Report) -> String {
    let text = |id: &RecordId| id.as_str().to_owned();
    let merged = report.merged.iter().map(|merged| {
        json!({
            "record": text(&merged.record),
            "object": merged.object,
            "taken": merged.taken,
            "kept": merged.kept,
            "delete_withdrawn": merged.delete_withdrawn,
        })
    });
    let rejected = report.rejected.iter().map(|rejected| {
        json!({
            "record": text(&rejected.record),
            "object": rejected.object,
            "mutations": rejected.mutations.iter().map(|seq| seq.0).collect::<Vec<_>>(),
            "problems": rejected.problems.iter().map(problem).collect::<Vec<_>>(),
        })
    });
    let dropped = report.dropped.iter().map(|dropped| {
        json!({
            "record": dropped.record.as_str(),
            "object": dropped.object,
            "problems": dropped.problems.iter().map(problem).collect::<Vec<_>>(),
        })
    });
    let truncated = report
        .truncated
        .iter()
        .map(|cut| json!({ "rule": cut.rule, "limit": cut.limit, "matches": cut.matches }));
    json!({
        "settled": report.is_settled(),
        "inserted": report.inserted,
        "updated": report.updated,
        "evicted": report.evicted,
        "deleted": report.deleted,
        "out_of_sight": report.out_of_sight,
        "pushed_creates": report.pushed_creates,
        "pushed_updates": report.pushed_updates,
        "pushed_deletes": report.pushed_deletes,
        "merged": merged.collect::<Vec<_>>(),
        "dropped": dropped.collect::<Vec<_>>(),
        "rejected": rejected.collect::<Vec<_>>(),
        "conflicts": report.conflicts,
        "blocked": report.blocked,
        "in_doubt": report.in_doubt,
        "undecided": report.undecided,
        "pending": report.pending,
        "truncated": truncated.collect::<Vec<_>>(),
        "api_calls": report.api_calls,
    })
    .to_string()
}

// Field values are copied as the text that the engine prints: a number that went
// through `serde_json::Value` would lose digits.

#[derive(serde::Serialize)]
struct MutationJson<'a> {
    seq: i64,
    changeset: i64,
    record: &'a str,
    object: &'a str,
    kind: &'static str,
    fields: BTreeMap<&'a str, Box<RawValue>>,
    state: &'static str,
    problems: Vec<Json>,
    made_at: i64,
}

/// Prints unsent work.
pub(crate) fn mutations(mutations: &[Mutation]) -> String {
    let list = mutations.iter().map(|mutation| MutationJson {
        seq: mutation.seq.0,
        changeset: mutation.changeset,
        record: mutation.record.as_str(),
        object: &mutation.object,
        kind: match mutation.kind {
            MutationKind::Create => "create",
            MutationKind::Update => "update",
            MutationKind::Delete => "delete",
        },
        fields: raw_fields(&mutation.fields),
        state: match mutation.state {
            MutationState::Pending => "pending",
            MutationState::Sending => "sending",
            MutationState::InDoubt(_) => "in_doubt",
            MutationState::Rejected(_) => "rejected",
            MutationState::Conflicted => "conflicted",
        },
        problems: match &mutation.state {
            MutationState::Rejected(problems) | MutationState::InDoubt(problems) => {
                problems.iter().map(problem).collect()
            }
            _ => Vec::new(),
        },
        made_at: mutation.made_at.0,
    });
    print(&list.collect::<Vec<_>>())
}

#[derive(serde::Serialize)]
struct ConflictJson<'a> {
    id: i64,
    record: &'a str,
    object: &'a str,
    title: Option<&'a str>,
    kind: &'static str,
    fields: Vec<ConflictFieldJson<'a>>,
    changed_by: Option<&'a str>,
    changed_at: Option<String>,
}

#[derive(serde::Serialize)]
struct ConflictFieldJson<'a> {
    name: &'a str,
    label: &'a str,
    base: Box<RawValue>,
    local: Box<RawValue>,
    remote: Box<RawValue>,
}

/// Prints open conflicts.
pub(crate) fn conflicts(conflicts: &[Conflict]) -> String {
    let list = conflicts.iter().map(|conflict| ConflictJson {
        id: conflict.id.0,
        record: conflict.record.as_str(),
        object: &conflict.object,
        title: conflict.title.as_deref(),
        kind: match conflict.kind {
            ConflictKind::Fields => "fields",
            ConflictKind::DeletedAtRemote => "deleted_at_remote",
        },
        fields: conflict
            .fields
            .iter()
            .map(|field| ConflictFieldJson {
                name: &field.name,
                label: &field.label,
                base: raw(&field.base),
                local: raw(&field.local),
                remote: raw(&field.remote),
            })
            .collect(),
        changed_by: conflict.changed_by.as_deref(),
        changed_at: conflict.changed_at.map(|time| time.to_string()),
    });
    print(&list.collect::<Vec<_>>())
}

/// Joins values that are JSON already into an object.
pub(crate) fn object(fields: Vec<(String, &RawValue)>) -> String {
    print(&fields.into_iter().collect::<BTreeMap<_, _>>())
}

fn raw_fields(fields: &Fields) -> BTreeMap<&str, Box<RawValue>> {
    fields
        .iter()
        .map(|(name, value)| (name, raw(value)))
        .collect()
}

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_json())
        .or_else(|_| to_raw_value(&()))
        .expect("null is JSON")
}

fn print(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("maps with text keys and finite numbers print")
}
