//! sObject collections: up to 200 rows created, changed, upserted or deleted in one call.

use super::{
    Call,
    external::{key_field, upsert_row},
    failure::{DuplicateResult, Failure},
    machine::Machine,
    message::Response,
    rows::object_name,
};
use crate::{
    id,
    json::{self, Fields},
    org::{SaveError, UpsertFailure, Upserted},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// Rows of a call at most.
const ROWS_MAX: usize = 200;
/// Runs of rows of one object at most.
const CHUNKS_MAX: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    all_or_none: bool,
    records: Vec<Fields>,
}

/// One row to write.
struct Element {
    object: String,
    fields: Fields,
}

/// What became of one row.
type Done = Result<Saved, Vec<SaveError>>;

#[derive(Clone)]
struct Saved {
    id: String,
    /// Told by upserts alone.
    created: Option<bool>,
}

#[derive(Serialize)]
struct SaveResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    success: bool,
    errors: Vec<SaveProblem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<bool>,
}

/// Like the error of a single row, but with `statusCode` where that has `errorCode`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SaveProblem<'a> {
    status_code: &'a str,
    message: &'a str,
    fields: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_result: Option<DuplicateResult>,
}

impl<'a> From<&'a SaveError> for SaveProblem<'a> {
    fn from(error: &'a SaveError) -> SaveProblem<'a> {
        SaveProblem {
            status_code: error.code,
            message: &error.message,
            fields: &error.fields,
            duplicate_result: None,
        }
    }
}

impl<'a> SaveProblem<'a> {
    /// Tells what a duplicate rule found as well.
    fn in_full(error: &'a SaveError) -> SaveProblem<'a> {
        SaveProblem {
            duplicate_result: error.duplicates.clone().map(DuplicateResult),
            ..SaveProblem::from(error)
        }
    }
}

/// `/composite/sobjects`: `POST` creates, `PATCH` updates, `DELETE` deletes.
pub(super) fn collection(machine: &mut Machine, call: &Call<'_>) -> Result<Response, Failure> {
    call.only("POST,PATCH,DELETE")?;
    match call.verb() {
        "POST" => create(machine, call),
        "PATCH" => update(machine, call),
        _ => delete(machine, call),
    }
}

fn create(machine: &mut Machine, call: &Call<'_>) -> Result<Response, Failure> {
    let (all_or_none, elements) = read(call)?;
    Ok(write(
        machine,
        call,
        all_or_none,
        elements,
        |element| &element.object,
        |machine, element| {
            let id = machine
                .org
                .create(call.actor, &element.object, &element.fields.0)?;
            Ok(Saved { id, created: None })
        },
    ))
}

fn update(machine: &mut Machine, call: &Call<'_>) -> Result<Response, Failure> {
    let (all_or_none, elements) = read(call)?;
    let mut seen = BTreeSet::new();
    Ok(write(
        machine,
        call,
        all_or_none,
        elements,
        |element| &element.object,
        |machine, mut element| {
            let given = element.fields.take("Id").and_then(|id| json::text(&id));
            let given = given
                .ok_or_else(|| refused("MISSING_ARGUMENT", "Id not specified in an update call"))?;
            let id = row_id(&element.object, &given)?;
            if !seen.insert(id.clone()) && machine.switches.refuses_repeated_ids {
                return Err(refused(
                    "DUPLICATE_VALUE",
                    format!("duplicate id specified: {id}"),
                ));
            }
            machine
                .org
                .update(call.actor, &element.object, &id, &element.fields.0, None)?;
            Ok(Saved { id, created: None })
        },
    ))
}

/// `PATCH /composite/sobjects/X/<field>`
pub(super) fn upsert(
    machine: &mut Machine,
    call: &Call<'_>,
    object: &str,
    field: &str,
) -> Result<Response, Failure> {
    let object = object_name(machine, object)?;
    let field = key_field(&machine.org, &object, field)?;
    call.only("PATCH")?;
    let (all_or_none, elements) = read(call)?;
    let mut seen = BTreeSet::new();
    Ok(write(
        machine,
        call,
        all_or_none,
        elements,
        |element| &element.object,
        |machine, mut element| {
            if !element.object.eq_ignore_ascii_case(&object) {
                let message = format!(
                    "the type {} does not match the type {object} of the call",
                    element.object
                );
                return Err(refused("INVALID_TYPE", message));
            }
            let key = element
                .fields
                .take(&field)
                .filter(|key| !json::is_null(key))
                .map(|key| key_text(&key));
            if let Some(key) = &key
                && !seen.insert(key.to_lowercase())
                && machine.switches.refuses_repeated_ids
            {
                return Err(refused(
                    "DUPLICATE_VALUE",
                    format!("duplicate value found: {field} {key} is named twice"),
                ));
            }
            match (key, field == "Id") {
                (None, false) => Err(refused(
                    "MISSING_ARGUMENT",
                    format!("{field} not specified"),
                )),
                (None, true) => {
                    let id = machine.org.create(call.actor, &object, &element.fields.0)?;
                    Ok(Saved {
                        id,
                        created: Some(true),
                    })
                }
                (Some(key), true) => {
                    let id = row_id(&object, &key)?;
                    machine
                        .org
                        .update(call.actor, &object, &id, &element.fields.0, None)?;
                    Ok(Saved {
                        id,
                        created: Some(false),
                    })
                }
                (Some(key), false) => by_key(machine, call, &object, &field, &key, &element.fields),
            }
        },
    ))
}

fn by_key(
    machine: &mut Machine,
    call: &Call<'_>,
    object: &str,
    field: &str,
    key: &str,
    fields: &Fields,
) -> Done {
    match upsert_row(machine, call, object, field, key, fields) {
        Ok(Upserted { id, created }) => Ok(Saved {
            id,
            created: Some(created),
        }),
        Err(UpsertFailure::Errors(errors)) => Err(errors),
        Err(UpsertFailure::Multiple(ids)) => {
            let message = format!(
                "{field}: more than one record found for external id field: [{}]",
                ids.join(", ")
            );
            Err(refused("DUPLICATE_EXTERNAL_ID", message))
        }
    }
}

fn delete(machine: &mut Machine, call: &Call<'_>) -> Result<Response, Failure> {
    let ids = call.parameter("ids").unwrap_or_default();
    let ids: Vec<&str> = ids
        .split(',')
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .collect();
    if ids.is_empty() {
        return Err(Failure::parameter("ids is missing"));
    }
    let object_of = |id: &str| {
        machine
            .org
            .schema()
            .by_prefix(id)
            .map(|object| object.name.clone())
    };
    let elements: Vec<(String, &str)> = ids
        .into_iter()
        .map(|id| (object_of(id).unwrap_or_default(), id))
        .collect();
    check_size(elements.iter().map(|(object, _)| object.as_str()))?;
    let all_or_none = call.parameter("allOrNone") == Some("true");
    Ok(write(
        machine,
        call,
        all_or_none,
        elements,
        |(object, _)| object,
        |machine, (object, given)| {
            let id = row_id(&object, given)?;
            machine.org.delete(call.actor, &object, &id)?;
            Ok(Saved { id, created: None })
        },
    ))
}

/// Reads the rows of a body, and checks how many of them there are.
fn read(call: &Call<'_>) -> Result<(bool, Vec<Element>), Failure> {
    let body: Body = call.json()?;
    let mut elements = Vec::with_capacity(body.records.len());
    for mut fields in body.records {
        let attributes = fields.take("attributes");
        let attributes: Option<Fields> =
            attributes.and_then(|raw| serde_json::from_str(raw.get()).ok());
        let object = attributes
            .and_then(|attributes| attributes.text("type"))
            .ok_or_else(|| {
                Failure::new(
                    400,
                    "INVALID_INPUT",
                    "Include an entity type in the attributes of each record",
                )
            })?;
        elements.push(Element { object, fields });
    }
    check_size(elements.iter().map(|element| element.object.as_str()))?;
    Ok((body.all_or_none, elements))
}

fn check_size<'a>(objects: impl ExactSizeIterator<Item = &'a str>) -> Result<(), Failure> {
    let rows = objects.len();
    if rows > ROWS_MAX {
        let message = format!(
            "record limit reached. cannot submit more than {ROWS_MAX} records into this call"
        );
        return Err(Failure::new(400, "EXCEEDED_ID_LIMIT", message));
    }
    let (mut chunks, mut last) = (0, None);
    for object in objects {
        if last != Some(object) {
            chunks += 1;
            last = Some(object);
        }
    }
    if chunks > CHUNKS_MAX {
        let message = format!(
            "Cannot have more than {CHUNKS_MAX} chunks in a single operation. Please rearrange the data to reduce chunking."
        );
        return Err(Failure::new(400, "LIMIT_EXCEEDED", message));
    }
    Ok(())
}

/// Writes row by row, in order; all of them or none if the call, or the one it is part of, says so.
fn write<T>(
    machine: &mut Machine,
    call: &Call<'_>,
    all_or_none: bool,
    elements: Vec<T>,
    object_of: fn(&T) -> &str,
    mut one: impl FnMut(&mut Machine, T) -> Done,
) -> Response {
    let savepoint = call
        .all_or_none
        .unwrap_or(all_or_none)
        .then(|| machine.org.savepoint());
    let mut done: Vec<Done> = Vec::with_capacity(elements.len());
    let mut elements = elements.into_iter().peekable();
    while let Some(first) = elements.next() {
        let object = object_of(&first).to_owned();
        let mut run = vec![first];
        while let Some(next) = elements.next_if(|next| object_of(next) == object) {
            run.push(next);
        }
        done.extend(write_run(machine, run, &mut one));
    }
    if let Some(savepoint) = savepoint {
        if done.iter().all(Result::is_ok) {
            machine.org.release(savepoint);
        } else {
            machine.org.rollback(savepoint);
            for saved in done.iter_mut().filter(|done| done.is_ok()) {
                *saved = Err(refused(
                    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                    "Record rolled back because not all records were valid and the request was using AllOrNone header",
                ));
            }
        }
    }
    let in_full = machine.switches.collections_tell_duplicates;
    let results: Vec<SaveResult<'_>> = done.iter().map(|done| result(done, in_full)).collect();
    Response::json(200, json::write(&results))
}

/// Writes rows of one object, for which triggers run once: the failure of one may be that of all.
fn write_run<T>(
    machine: &mut Machine,
    run: Vec<T>,
    one: &mut impl FnMut(&mut Machine, T) -> Done,
) -> Vec<Done> {
    let savepoint = machine.org.savepoint();
    let done: Vec<Done> = run.into_iter().map(|row| one(machine, row)).collect();
    let switches = &machine.switches;
    let spreads = |error: &&SaveError| match error.code {
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" => switches.trigger_errors_fail_chunks,
        "UNABLE_TO_LOCK_ROW" => switches.locks_fail_chunks,
        _ => false,
    };
    let errors = done.iter().filter_map(|done| done.as_ref().err()).flatten();
    match errors.clone().find(spreads).cloned() {
        None => {
            machine.org.release(savepoint);
            done
        }
        Some(error) => {
            machine.org.rollback(savepoint);
            vec![Err(vec![error]); done.len()]
        }
    }
}

fn result(done: &Done, in_full: bool) -> SaveResult<'_> {
    match done {
        Ok(saved) => SaveResult {
            id: Some(&saved.id),
            success: true,
            errors: Vec::new(),
            created: saved.created,
        },
        Err(errors) => SaveResult {
            id: None,
            success: false,
            errors: match in_full {
                true => errors.iter().map(SaveProblem::in_full).collect(),
                false => errors.iter().map(SaveProblem::from).collect(),
            },
            created: None,
        },
    }
}

fn refused(code: &'static str, message: impl Into<String>) -> Vec<SaveError> {
    vec![SaveError::new(code, message)]
}

fn row_id(object: &str, given: &str) -> Result<String, Vec<SaveError>> {
    id::parse(given).ok_or_else(|| {
        let message = format!("{object} ID: id value of incorrect type: {given}");
        refused("MALFORMED_ID", message)
    })
}

/// Reads a key, be it text or a number.
fn key_text(key: &RawValue) -> String {
    json::text(key).unwrap_or_else(|| key.get().to_owned())
}
