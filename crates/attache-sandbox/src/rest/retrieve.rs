//! Many rows of one object by id.

use super::{Call, failure::Failure, machine::Machine, message::Response, rows::object_name};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Ids of a call at most.
const IDS_MAX: usize = 2_000;

#[derive(Deserialize)]
struct Body {
    ids: Vec<String>,
    fields: Vec<String>,
}

/// `GET` or `POST /composite/sobjects/X`: the rows in the order of their ids, null where there is none to see.
pub(super) fn retrieve(
    machine: &Machine,
    call: &Call<'_>,
    object: &str,
) -> Result<Response, Failure> {
    let object = object_name(machine, object)?;
    call.only("HEAD,GET,POST")?;
    let Body { ids, fields } = match call.verb() {
        "POST" => call.json()?,
        _ => Body {
            ids: list(call, "ids")?,
            fields: list(call, "fields")?,
        },
    };
    if ids.len() > IDS_MAX {
        let message = format!(
            "record limit reached. cannot submit more than {IDS_MAX} records into this call"
        );
        return Err(Failure::new(400, "EXCEEDED_ID_LIMIT", message));
    }
    if ids.is_empty() || fields.is_empty() {
        return Err(Failure::parameter("ids and fields must not be empty"));
    }
    // A field is looked up for every row: 100,000 times one name would keep everybody waiting.
    let mut seen = BTreeSet::new();
    let fields: Vec<&str> = fields
        .iter()
        .map(|field| field.trim())
        .filter(|field| seen.insert(field.to_ascii_lowercase()))
        .collect();
    let mut body = String::from("[");
    for (at, id) in ids.iter().enumerate() {
        if at > 0 {
            body.push(',');
        }
        let row = machine
            .org
            .row_json(call.actor, &object, id.trim(), Some(&fields), call.version);
        body.push_str(row.map_err(Failure::of_query)?.as_deref().unwrap_or("null"));
    }
    body.push(']');
    Ok(Response::json(200, body))
}

fn list(call: &Call<'_>, name: &str) -> Result<Vec<String>, Failure> {
    let given = call
        .parameter(name)
        .ok_or_else(|| Failure::parameter(format!("{name} is missing")))?;
    Ok(given
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect())
}
