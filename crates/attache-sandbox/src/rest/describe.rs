//! What objects there are and what they look like.

use super::{
    Call,
    conditional::{Conditions, State, tag},
    failure::Failure,
    machine::Machine,
    message::Response,
    recent,
};
use crate::{
    describe,
    org::{Access, Org},
    schema::{ObjectDef, Schema},
};
use std::{borrow::Cow, collections::BTreeMap};

/// When each description was last seen to change, by the name of what it describes.
///
/// A schema has no stamp of its own: a change is dated when the next call sees it.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    seen: BTreeMap<String, (String, i64)>,
    since_s: i64,
}

impl Versions {
    /// Dates every description to now.
    pub(super) fn new(org: &Org) -> Versions {
        Versions {
            seen: BTreeMap::new(),
            since_s: org.now(),
        }
    }

    /// Tells the state of a description, and notes it.
    fn state(&mut self, key: String, shown: &str, now_s: i64) -> State {
        let shown = tag(shown);
        let since_s = self.since_s;
        let (known, changed_s) = self
            .seen
            .entry(key)
            .or_insert_with(|| (shown.clone(), since_s));
        if *known != shown {
            *known = shown.clone();
            *changed_s = now_s;
        }
        State {
            last_modified_s: *changed_s,
            tag: Some(shown),
        }
    }
}

/// `GET /sobjects`
pub(super) fn global(machine: &mut Machine, call: &Call<'_>) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let shown = describe::describe_global(machine.org.schema(), call.version);
    answer(machine, call, String::new(), shown)
}

/// `GET /sobjects/X/describe`
pub(super) fn object(
    machine: &mut Machine,
    call: &Call<'_>,
    object: &str,
) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let shown = describe_for(machine, call, object).ok_or_else(Failure::not_found)?;
    answer(machine, call, object.to_ascii_lowercase(), shown)
}

/// `GET /sobjects/X`
pub(super) fn basic(machine: &Machine, call: &Call<'_>, object: &str) -> Result<Response, Failure> {
    let recent = recent::of_object(machine, call, object);
    let shown = describe::basic(machine.org.schema(), object, call.version, &recent);
    Ok(Response::json(200, shown.ok_or_else(Failure::not_found)?))
}

/// Describes an object without the fields hidden from the user.
fn describe_for(machine: &Machine, call: &Call<'_>, object: &str) -> Option<String> {
    let schema = machine.org.schema();
    match shown_object(machine, call, object)? {
        Cow::Borrowed(_) => describe::describe(schema, object, call.version),
        Cow::Owned(shown) => {
            let mut schema: Schema = schema.clone();
            schema.insert(shown);
            describe::describe(&schema, object, call.version)
        }
    }
}

/// An object as the user sees it: without the fields that are hidden from them.
pub(super) fn shown_object<'a>(
    machine: &'a Machine,
    call: &Call<'_>,
    object: &str,
) -> Option<Cow<'a, ObjectDef>> {
    let schema = machine.org.schema();
    let viewer = machine.org.viewer(call.actor);
    let at = machine.org.known(&viewer, object)?;
    let access = machine.org.access(&viewer, at);
    let hidden = |field: usize| !machine.org.readable(&viewer, at, field);
    let whole = &schema.objects()[at];
    if access == Access::default() && !(0..whole.fields.len()).any(hidden) {
        return Some(Cow::Borrowed(whole));
    }
    let mut shown = ObjectDef::new(
        &whole.name,
        &whole.label,
        &whole.label_plural,
        &whole.key_prefix,
    );
    shown.createable = whole.createable && access.create;
    shown.updateable = whole.updateable && access.edit;
    shown.deletable = whole.deletable && access.delete;
    (shown.custom, shown.scopes) = (whole.custom, whole.scopes.clone());
    shown.record_types.clone_from(&whole.record_types);
    for (field, definition) in whole.fields.iter().enumerate() {
        if !hidden(field) {
            let mut definition = definition.clone();
            definition.createable &= access.create;
            definition.updateable &= access.edit;
            shown.push(definition);
        }
    }
    Some(Cow::Owned(shown))
}

fn answer(
    machine: &mut Machine,
    call: &Call<'_>,
    object: String,
    shown: String,
) -> Result<Response, Failure> {
    let conditions = Conditions::read(call)?;
    let key = format!("{}/{}/{object}", call.version, call.actor);
    let now_s = machine.now_s();
    let state = machine.described.state(key, &shown, now_s);
    match conditions.of_read(&state, machine.switches.precondition_code.text())? {
        Some(early) => Ok(early),
        None => Ok(state.describe(Response::json(200, shown))),
    }
}
