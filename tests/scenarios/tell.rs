//! What the engine tells, as the stories write it.

use attache::{Cell, Error, ErrorKind, Found, Holder, Retry, Row, RowChanges, Status};
use serde::Serialize;
use serde_json::{Value, json};

/// What serializes as the stories have it.
pub fn plain(told: impl Serialize) -> Value {
    serde_json::to_value(told).expect("names are texts and numbers finite")
}

/// Text that is JSON already.
pub fn parsed(json: &str) -> Value {
    serde_json::from_str(json).expect("the engine writes JSON")
}

pub fn error(error: &Error) -> Value {
    json!({
        "kind": kind(error.kind()),
        "message": error.to_string(),
        "position": error.position(),
        "problems": error.problems(),
        "retry": match error.retry() {
            Retry::After(_) => "after",
            Retry::AfterAuth => "after_auth",
            _ => "never",
        },
    })
}

/// `StorageWrongKey` as `storage_wrong_key`.
pub fn kind(kind: ErrorKind) -> String {
    snake(&format!("{kind:?}"))
}

/// The kind of this name.
pub fn kind_named(name: &str) -> Option<ErrorKind> {
    KINDS.into_iter().find(|one| kind(*one) == name)
}

/// All kinds.
pub const KINDS: [ErrorKind; 26] = [
    ErrorKind::InvalidArgument,
    ErrorKind::RecordNotFound,
    ErrorKind::Interrupted,
    ErrorKind::InvalidRecord,
    ErrorKind::MalformedQuery,
    ErrorKind::UnknownObject,
    ErrorKind::UnknownField,
    ErrorKind::UnsentWork,
    ErrorKind::WrongOwner,
    ErrorKind::NotReady,
    ErrorKind::Closed,
    ErrorKind::StorageUnavailable,
    ErrorKind::StorageFull,
    ErrorKind::StorageCorrupt,
    ErrorKind::StorageBusy,
    ErrorKind::StorageTooNew,
    ErrorKind::StorageWrongKey,
    ErrorKind::RemoteUnreachable,
    ErrorKind::RemoteOutcomeUnknown,
    ErrorKind::RemoteRefused,
    ErrorKind::RemoteBusy,
    ErrorKind::NotAuthorized,
    ErrorKind::NotARemote,
    ErrorKind::LimitReached,
    ErrorKind::CursorExpired,
    ErrorKind::Internal,
];

/// `ReadBack` as `read_back`.
pub fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

pub fn row(row: &Row) -> Value {
    let cells = row.columns().iter().zip(row.cells());
    let cells = cells.map(|(column, cell)| (column.clone(), shown(cell)));
    json!({"id": row.id(), "cells": Value::Object(cells.collect())})
}

fn shown(cell: &Cell) -> Value {
    match cell {
        Cell::Value(value) => plain(value),
        Cell::Rows(rows) => rows.iter().map(row).collect(),
        _ => Value::Null,
    }
}

pub fn changes(changes: &RowChanges) -> Value {
    let removed = changes.removed.iter();
    let updated = changes.updated.iter();
    let inserted = changes.inserted.iter();
    json!({
        "removed": removed.map(|one| json!({"from": one.from, "row": row(&one.row)})).collect::<Value>(),
        "updated": updated.map(|one| json!({"from": one.from, "at": one.at, "row": row(&one.row)})).collect::<Value>(),
        "inserted": inserted.map(|one| json!({"at": one.at, "row": row(&one.row)})).collect::<Value>(),
        "total": changes.total,
    })
}

pub fn found(found: &Found) -> Value {
    let hits = found.hits.iter().map(|hit| {
        json!({"id": hit.id, "object": hit.object, "title": hit.title, "field": hit.field, "snippet": hit.snippet})
    });
    json!({"hits": hits.collect::<Value>(), "waiting": found.waiting})
}

pub fn status(status: &Status) -> Value {
    json!({
        "username": status.username,
        "records": counts(&status.records),
        "pending": status.pending,
        "in_doubt": status.in_doubt,
        "rejected": status.rejected,
        "conflicts": status.conflicts,
        "store_bytes": status.store_bytes,
    })
}

pub fn counts(counts: &[(String, u64)]) -> Value {
    let counts = counts.iter();
    Value::Object(
        counts
            .map(|(name, count)| (name.clone(), json!(count)))
            .collect(),
    )
}

pub fn holder(holder: &Holder) -> Value {
    match holder {
        Holder::Rule(rule) => json!({"by": "rule", "rule": rule}),
        Holder::Pinned(_) => json!({"by": "pin"}),
        Holder::Viewed(_) => json!({"by": "view"}),
        Holder::Edited => json!({"by": "edit"}),
        Holder::PointedAt { .. } => json!({"by": "lookup"}),
        other => panic!("a holder without a name: {other:?}"),
    }
}
