//! Rows by external id: read one, or upsert it.

use super::{
    Call,
    failure::Failure,
    machine::Machine,
    message::Response,
    rows::{self, location, object_name, unknown_key},
};
use crate::{
    json::{self, Fields},
    org::{Org, SaveError, UpsertFailure, Upserted},
    schema::{FieldDef, FieldKind},
};

/// `/sobjects/X/<field>/<value>`
pub(super) fn row(
    machine: &mut Machine,
    call: &Call<'_>,
    object: &str,
    field: &str,
    value: &str,
) -> Result<Response, Failure> {
    let object = object_name(machine, object)?;
    let field = key_field(&machine.org, &object, field)?;
    call.only("HEAD,GET,PATCH,DELETE")?;
    if call.verb() == "PATCH" {
        return upsert(machine, call, &object, &field, value);
    }
    let id = match find(machine, call, &object, &field, value)
        .map_err(Failure::of_query)?
        .as_slice()
    {
        [] => return Err(Failure::not_found()),
        [id] => id.clone(),
        several => return Ok(choices(call, &object, several)),
    };
    let path = ["sobjects", object.as_str(), id.as_str()];
    rows::row(
        machine,
        &Call {
            path: &path,
            ..*call
        },
        &object,
        &id,
    )
}

/// Checks that a field can name a row, and spells it as the org does.
pub(super) fn key_field(org: &Org, object: &str, field: &str) -> Result<String, Failure> {
    let found = org
        .schema()
        .object(object)
        .and_then(|object| object.field(field));
    match found {
        Some(found) if found.id_lookup || found.external_id || found.kind == FieldKind::Id => {
            Ok(found.name.clone())
        }
        _ => Err(unknown_key(field)),
    }
}

/// Finds the rows that carry a key and that the user may see: the question is put as a query.
fn find(
    machine: &Machine,
    call: &Call<'_>,
    object: &str,
    field: &str,
    value: &str,
) -> Result<Vec<String>, SaveError> {
    let definition = machine
        .org
        .schema()
        .object(object)
        .and_then(|object| object.field(field));
    let Some(literal) = definition.and_then(|field| literal(field, value)) else {
        return Ok(Vec::new());
    };
    let soql = format!("SELECT Id FROM {object} WHERE {field} = {literal} ORDER BY Id");
    let cursor = machine.org.query(call.actor, &soql, false)?;
    let mut rows = String::new();
    let batch = cursor.total().max(1);
    machine
        .org
        .render(call.actor, &cursor, 0, batch, call.version, &mut rows);
    let rows: Vec<Fields> = serde_json::from_str(&rows).unwrap_or_default();
    Ok(rows.iter().filter_map(|row| row.text("Id")).collect())
}

/// Creates the row with this key, or changes it if it exists.
pub(super) fn upsert_row(
    machine: &mut Machine,
    call: &Call<'_>,
    object: &str,
    field: &str,
    key: &str,
    fields: &Fields,
) -> Result<Upserted, UpsertFailure> {
    let definition = machine
        .org
        .schema()
        .object(object)
        .and_then(|object| object.field(field));
    if definition.is_some_and(|field| field.external_id) {
        return machine
            .org
            .upsert(call.actor, object, field, key, &fields.0);
    }
    // Recorded: a field with idLookup (Contact.Email) is a key too, without being an external id.
    let found = find(machine, call, object, field, key);
    let found = found.map_err(|error| UpsertFailure::Errors(vec![error]))?;
    let (id, created) = match found.as_slice() {
        [] => {
            let mut fields: Vec<_> = fields.0.clone();
            fields.push((field.to_owned(), json::raw(json::quoted(key))));
            (
                machine
                    .org
                    .create(call.actor, object, &fields)
                    .map_err(UpsertFailure::Errors)?,
                true,
            )
        }
        [id] => {
            let saved = machine.org.update(call.actor, object, id, &fields.0, None);
            saved.map_err(UpsertFailure::Errors)?;
            (id.clone(), false)
        }
        _ => return Err(UpsertFailure::Multiple(found)),
    };
    Ok(Upserted { id, created })
}

/// Writes a key as SOQL; `None` if the field can hold no such value.
fn literal(field: &FieldDef, value: &str) -> Option<String> {
    match field.kind {
        FieldKind::Int | FieldKind::Double | FieldKind::Currency | FieldKind::Percent => value
            .parse::<rust_decimal::Decimal>()
            .ok()
            .map(|number| number.to_string()),
        _ => {
            let mut literal = String::from("'");
            for letter in value.chars() {
                match letter {
                    '\\' | '\'' => literal.extend(['\\', letter]),
                    '\n' => literal.push_str("\\n"),
                    '\r' => literal.push_str("\\r"),
                    '\t' => literal.push_str("\\t"),
                    _ => literal.push(letter),
                }
            }
            literal.push('\'');
            Some(literal)
        }
    }
}

fn upsert(
    machine: &mut Machine,
    call: &Call<'_>,
    object: &str,
    field: &str,
    value: &str,
) -> Result<Response, Failure> {
    let mut fields = call.fields()?;
    let repeated = fields.take(field);
    let same = |given: &serde_json::value::RawValue| {
        json::text(given).as_deref().unwrap_or(given.get()) == value
    };
    if let Some(given) = &repeated
        && !(machine.switches.upsert_body_may_repeat_key && same(given))
    {
        let message = format!("The {field} field should not be specified in the sobject data.");
        return Err(Failure::new(400, "INVALID_FIELD", message));
    }
    if call.parameter("updateOnly") == Some("true")
        && find(machine, call, object, field, value)
            .map_err(Failure::of_query)?
            .is_empty()
    {
        return Err(Failure::not_found());
    }
    match upsert_row(machine, call, object, field, value, &fields) {
        Ok(Upserted { id, created }) => {
            machine.touch(call, &id);
            Ok(upserted(machine, call, object, &id, created))
        }
        Err(UpsertFailure::Multiple(ids)) => Ok(choices(call, object, &ids)),
        Err(UpsertFailure::Errors(errors)) => Err(Failure::of_save(errors)),
    }
}

fn upserted(machine: &Machine, call: &Call<'_>, object: &str, id: &str, created: bool) -> Response {
    if !created && !machine.switches.upsert_update_has_body {
        return Response::empty(204);
    }
    let body = format!(
        r#"{{"id":{},"success":true,"errors":[],"created":{created}}}"#,
        json::quoted(id)
    );
    match created {
        true => Response::json(201, body).with("Location", location(call, object, id)),
        false => Response::json(200, body),
    }
}

/// The answer when several rows carry the key: where they are.
fn choices(call: &Call<'_>, object: &str, ids: &[String]) -> Response {
    let urls: Vec<String> = ids.iter().map(|id| location(call, object, id)).collect();
    Response::json(300, json::write(&urls))
}
