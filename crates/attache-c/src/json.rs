//! What the engine tells, as JSON.

use attache::Status;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

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

/// Joins values that are JSON already into an object.
pub(crate) fn object(fields: Vec<(String, &RawValue)>) -> String {
    print(&fields.into_iter().collect::<BTreeMap<_, _>>())
}

/// Prints what the engine tells, in the form that it gives itself.
pub(crate) fn print(value: &(impl serde::Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("maps with text keys and finite numbers print")
}
