//! Single rows: create, read, change, delete.

use super::{
    Call,
    conditional::{Conditions, State, failed, tag},
    describe,
    failure::Failure,
    files,
    machine::Machine,
    message::Response,
};
use crate::{id, json};

/// The one object whose rows have tags.
const TAGGED: &str = "Account";

/// `/sobjects/X`: `GET` describes it in short, `POST` creates a row.
pub(super) fn collection(
    machine: &mut Machine,
    call: &Call<'_>,
    object: &str,
) -> Result<Response, Failure> {
    let object = object_name(machine, object)?;
    call.only("HEAD,GET,POST")?;
    match call.verb() {
        "POST" if object == "ContentVersion" && files::is_form(call) => {
            files::upload(machine, call)
        }
        "POST" => create(machine, call, &object),
        _ => describe::basic(machine, call, &object),
    }
}

/// `/sobjects/X/<id>`
pub(super) fn row(
    machine: &mut Machine,
    call: &Call<'_>,
    object: &str,
    id: &str,
) -> Result<Response, Failure> {
    let object = object_name(machine, object)?;
    call.only("HEAD,GET,PATCH,DELETE")?;
    // Recorded: what is not an id is taken for the name of an external id field.
    let id = id::parse(id).ok_or_else(|| unknown_key(id))?;
    match call.verb() {
        "PATCH" => update(machine, call, &object, &id),
        "DELETE" => delete(machine, call, &object, &id),
        _ => read(machine, call, &object, &id),
    }
}

/// Finds the object of a path and spells its name as the org does.
pub(super) fn object_name(machine: &Machine, object: &str) -> Result<String, Failure> {
    let found = machine.org.schema().object(object);
    found
        .map(|object| object.name.clone())
        .ok_or_else(Failure::not_found)
}

/// The answer to a key field that does not exist.
pub(super) fn unknown_key(field: &str) -> Failure {
    let message =
        format!("Provided external ID field does not exist or is not accessible: {field}");
    Failure::new(404, "NOT_FOUND", message)
}

/// Where a row is.
pub(super) fn location(call: &Call<'_>, object: &str, id: &str) -> String {
    format!("/services/data/v{}/sobjects/{object}/{id}", call.version)
}

fn create(machine: &mut Machine, call: &Call<'_>, object: &str) -> Result<Response, Failure> {
    let fields = call.fields()?;
    let id = machine
        .org
        .create(call.actor, object, &fields.0)
        .map_err(Failure::of_save)?;
    machine.touch(call, &id);
    Ok(created(&id).with("Location", location(call, object, &id)))
}

/// What a create is answered with, but for where the row is.
pub(super) fn created(id: &str) -> Response {
    let body = format!(
        r#"{{"id":{},"success":true,"errors":[]}}"#,
        json::quoted(id)
    );
    Response::json(201, body)
}

/// Answers a row, with the condition and the fields the call names.
pub(super) fn read(
    machine: &mut Machine,
    call: &Call<'_>,
    object: &str,
    id: &str,
) -> Result<Response, Failure> {
    let conditions = Conditions::read(call)?;
    let state = state(machine, call, object, id)?.ok_or_else(Failure::not_found)?;
    if let Some(early) = conditions.of_read(&state, machine.switches.precondition_code.text())? {
        return Ok(early);
    }
    let fields: Option<Vec<&str>> = call.parameter("fields").map(|fields| {
        fields
            .split(',')
            .map(str::trim)
            .filter(|field| !field.is_empty())
            .collect()
    });
    let row = machine
        .org
        .row_json(call.actor, object, id, fields.as_deref(), call.version)
        .map_err(Failure::of_query)?
        .ok_or_else(Failure::not_found)?;
    machine.touch(call, id);
    Ok(state.describe(Response::json(200, row)))
}

fn update(
    machine: &mut Machine,
    call: &Call<'_>,
    object: &str,
    id: &str,
) -> Result<Response, Failure> {
    let conditions = Conditions::read(call)?;
    let fields = call.fields()?;
    let code = machine.switches.precondition_code.text();
    if let Some(state) = state(machine, call, object, id)? {
        conditions.of_write(&state, code)?;
    }
    let saved = machine.org.update(
        call.actor,
        object,
        id,
        &fields.0,
        conditions.unmodified_since,
    );
    saved.map_err(
        |errors| match errors.iter().any(|error| error.status == 412) {
            true => failed(code),
            false => Failure::of_save(errors),
        },
    )?;
    machine.touch(call, id);
    Ok(Response::empty(204))
}

fn delete(
    machine: &mut Machine,
    call: &Call<'_>,
    object: &str,
    id: &str,
) -> Result<Response, Failure> {
    if machine.switches.refuses_conditional_delete && Conditions::read(call)?.any() {
        let message = "DELETE requests do not support conditional headers";
        return Err(Failure::new(400, "INVALID_HEADER_VALUE", message));
    }
    machine
        .org
        .delete(call.actor, object, id)
        .map_err(Failure::of_save)?;
    Ok(Response::empty(204))
}

/// Tells which version of a row there is, if the user may see it.
fn state(
    machine: &Machine,
    call: &Call<'_>,
    object: &str,
    id: &str,
) -> Result<Option<State>, Failure> {
    let Some(row) = machine.org.read(call.actor, object, id) else {
        return Ok(None);
    };
    let last_modified_s = match machine
        .org
        .config()
        .switches
        .precondition_reads_system_modstamp
    {
        true => row.system_modstamp(),
        false => row.last_modified(),
    };
    let tag = match object == TAGGED {
        false => None,
        true => machine
            .org
            .row_json(call.actor, object, id, None, call.version)
            .map_err(Failure::of_query)?
            .map(|shown| tag(&shown)),
    };
    Ok(Some(State {
        last_modified_s,
        tag,
    }))
}
