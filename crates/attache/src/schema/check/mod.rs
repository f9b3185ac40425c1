//! Checks a write against the describe, before the journal takes it.
//!
//! What the server would refuse days later is refused while the person who wrote it is
//! still there. Where the describe cannot tell (validation rules, duplicates, triggers)
//! the server has the last word.

mod picklist;
mod problem;
mod value;

pub(crate) use picklist::{check_kind, in_defined_order};
pub(crate) use problem::{given_twice, gone, read_only, refuse, unknown_field, wrong_type};
pub(crate) use value::{fits, limit};

use super::{FieldSchema, FieldType, ObjectSchema};
use crate::error::{ErrorKind, Problem, Result};
use crate::record::{Fields, Value};

/// Adds what a check found to what was wrong before it; fields only if it found nothing.
pub(crate) fn joined(problems: &mut Vec<Problem>, checked: Result<Fields>) -> Result<Fields> {
    match checked {
        Err(error) if error.kind() == ErrorKind::InvalidRecord => {
            for problem in error.problems() {
                // A field that was not read is not missing.
                let told = |other: &Problem| other.fields == problem.fields;
                let empty = problem.code == "REQUIRED_FIELD_MISSING";
                if !(empty && problems.iter().any(told)) {
                    problems.push(problem.clone());
                }
            }
            Ok(Fields::new())
        }
        checked => checked,
    }
}

impl ObjectSchema {
    /// Checks that this user may create such a record, and with these fields in it.
    pub(crate) fn may_be_created_with<'f>(
        &self,
        fields: impl Iterator<Item = &'f str>,
    ) -> Result<()> {
        let mut problems = Vec::new();
        if !self.createable {
            problems.push(problem::operation(self, "created"));
        }
        problems.extend(fields.filter_map(|name| match self.field(name) {
            None => Some(gone(self, name)),
            Some(field) if !field.createable => Some(read_only(field)),
            Some(_) => None,
        }));
        match problems.is_empty() {
            true => Ok(()),
            false => Err(refuse(problems)),
        }
    }

    /// Checks the fields of a new record and gives them as the journal keeps them.
    ///
    /// Names get the case of the schema, ids 18 characters (local keys stay), multi-select
    /// lists the order of their picklist; text loses the blanks around it, as it would at the
    /// server, and is null when nothing is left; it becomes a number, a date or a checkbox where
    /// the field is one.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRecord`](crate::ErrorKind) with every problem of the write, each with its
    /// field and a code of the Salesforce API.
    pub fn check_create(&self, fields: &Fields) -> Result<Fields> {
        let mut problems = Vec::new();
        if !self.createable {
            problems.push(problem::operation(self, "created"));
        }
        let written = read(self, fields, &mut problems, |field| field.createable);
        for field in self.fields.iter().filter(|field| requires_value(field)) {
            let given = fields
                .names()
                .any(|name| name.eq_ignore_ascii_case(&field.name));
            // What was given and is wrong has its problem already.
            let empty = written.get(&field.name).is_some_and(Value::is_null);
            if empty || !given {
                problems.push(problem::required(field));
            }
        }
        for field in &self.fields {
            let Some(value) = written.get(&field.name) else {
                continue;
            };
            value::check(field, value, &mut problems);
            picklist::check(field, value, &mut problems);
            let controller = picklist::controller(self, field)
                .and_then(|controller| Some((controller, after_create(controller, &written)?)));
            if let Some((controller, control)) = controller {
                picklist::check_dependent(field, value, controller, &control, &mut problems);
            }
        }
        settle(written, problems)
    }

    /// Checks changes to a record and gives them as the journal keeps them, as
    /// [`check_create`](ObjectSchema::check_create) does.
    ///
    /// `current` is the record as this device sees it. A picklist that depends on another is
    /// checked as the record will be after the write; values the write does not
    /// touch are not held against it, and a picklist may keep a value that was retired.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRecord`](crate::ErrorKind) with every problem of the write, each with its
    /// field and a code of the Salesforce API.
    pub fn check_update(&self, current: &Fields, changes: &Fields) -> Result<Fields> {
        let mut problems = Vec::new();
        if !self.updateable {
            problems.push(problem::operation(self, "changed"));
        }
        let written = read(self, changes, &mut problems, |field| field.updateable);
        let changed = |field: &FieldSchema| {
            written
                .get(&field.name)
                .filter(|value| current.get(&field.name) != Some(value))
        };
        for field in &self.fields {
            if let Some(value) = changed(field) {
                if value.is_null() && !field.nillable && field.field_type != FieldType::Boolean {
                    problems.push(problem::required(field));
                }
                value::check(field, value, &mut problems);
                picklist::check(field, value, &mut problems);
            }
            let Some(controller) = picklist::controller(self, field) else {
                continue;
            };
            if changed(field).is_none() && changed(controller).is_none() {
                continue;
            }
            let after = |field: &FieldSchema| {
                written
                    .get(&field.name)
                    .or_else(|| current.get(&field.name))
            };
            // A side that is not on this device cannot be checked here.
            if let (Some(value), Some(control)) = (after(field), after(controller)) {
                picklist::check_dependent(field, value, controller, control, &mut problems);
            }
        }
        settle(written, problems)
    }
}

/// Says whether a create must give the field a value. A checkbox is off unless told.
fn requires_value(field: &FieldSchema) -> bool {
    field.required_on_create() && field.field_type != FieldType::Boolean
}

/// Brings names and values into the form of the schema; what cannot be is left out and told.
fn read(
    object: &ObjectSchema,
    given: &Fields,
    problems: &mut Vec<Problem>,
    writable: fn(&FieldSchema) -> bool,
) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in given.iter() {
        let Some(field) = object.field(name) else {
            problems.push(unknown_field(object, name));
            continue;
        };
        if !writable(field) {
            problems.push(read_only(field));
            continue;
        }
        match value::convert(field, value) {
            Ok(value) => {
                if fields.set(&field.name, value).is_some() {
                    problems.push(given_twice(field));
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    fields
}

/// The value that a field will have after a create; `None` if only the server knows.
fn after_create(field: &FieldSchema, written: &Fields) -> Option<Value> {
    if let Some(value) = written.get(&field.name) {
        return Some(value.clone());
    }
    match field.picklist.iter().find(|entry| entry.default) {
        Some(entry) => Some(Value::text(&entry.value)),
        None if field.defaulted_on_create => None,
        None => Some(Value::Null),
    }
}

fn settle(fields: Fields, problems: Vec<Problem>) -> Result<Fields> {
    if problems.is_empty() {
        Ok(fields)
    } else {
        Err(refuse(problems))
    }
}

#[cfg(test)]
mod tests;
