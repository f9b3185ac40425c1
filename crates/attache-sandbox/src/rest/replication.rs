//! What was changed and what was deleted in a span of time.

use super::{
    Call, dates, failure::Failure, machine::Machine, message::Response, rows::object_name,
};
use crate::json;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Updated {
    ids: Vec<String>,
    latest_date_covered: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deleted {
    deleted_records: Vec<DeletedRecord>,
    earliest_date_available: String,
    latest_date_covered: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeletedRecord {
    id: String,
    deleted_date: String,
}

/// `GET /sobjects/X/updated?start=&end=`
pub(super) fn updated(
    machine: &Machine,
    call: &Call<'_>,
    object: &str,
) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let object = object_name(machine, object)?;
    let (start, end) = span(call)?;
    let (ids, latest) = machine
        .org
        .updated(call.actor, &object, start, end)
        .map_err(Failure::of_query)?;
    let body = Updated {
        ids,
        latest_date_covered: dates::print_iso(latest),
    };
    Ok(Response::json(200, json::write(&body)))
}

/// `GET /sobjects/X/deleted?start=&end=`
pub(super) fn deleted(
    machine: &Machine,
    call: &Call<'_>,
    object: &str,
) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let object = object_name(machine, object)?;
    let (start, end) = span(call)?;
    let deleted = machine
        .org
        .deleted(call.actor, &object, start, end)
        .map_err(Failure::of_query)?;
    let record = |(id, at)| DeletedRecord {
        id,
        deleted_date: dates::print_iso(at),
    };
    let body = Deleted {
        deleted_records: deleted.records.into_iter().map(record).collect(),
        earliest_date_available: dates::print_iso(deleted.earliest),
        latest_date_covered: dates::print_iso(deleted.latest),
    };
    Ok(Response::json(200, json::write(&body)))
}

fn span(call: &Call<'_>) -> Result<(i64, i64), Failure> {
    let date = |name: &str| {
        let given = call
            .parameter(name)
            .ok_or_else(|| Failure::new(400, "MISSING_ARGUMENT", format!("{name} is missing")))?;
        dates::parse_iso(given).ok_or_else(|| {
            Failure::new(
                400,
                "INVALID_REPLICATION_DATE",
                format!("{name}: '{given}' is not a dateTime"),
            )
        })
    };
    Ok((date("start")?, date("end")?))
}
