//! Definitions of what a folder has and the schema lacks.

use super::{FieldProblem, LoadError, Source, Types, row};
use crate::catalog::common;
use crate::id;
use crate::schema::{FieldDef, FieldKind, ObjectDef, Schema};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::Path;

type FirstRow = BTreeMap<String, Box<RawValue>>;

/// Adds the object of a file to the schema, and those of its fields that are new.
///
/// New is what `types.json` names, and what the first row has besides; the type of the latter is
/// that of its value there.
pub(super) fn extend(
    schema: &mut Schema,
    source: &Source,
    dir: &Path,
    types: &Types,
) -> Result<(), LoadError> {
    let named = types.get(&source.object);
    let first = first_row(source)?;
    let (mut object, is_new) = match (schema.object(&source.object), &first) {
        (Some(object), _) => (object.clone(), false),
        (None, Some(first)) if named.is_some() => (new_object(schema, source, first)?, true),
        (None, None) if named.is_some() => return Ok(()), // Without a row there is no prefix.
        (None, _) => {
            return Err(LoadError::Object {
                file: source.path.clone(),
                object: source.object.clone(),
            });
        }
    };
    let known = object.fields.len();
    for (field, type_name) in named.into_iter().flatten() {
        if object.index(field).is_none() {
            let definition =
                define(schema, &object, field, type_name).ok_or_else(|| LoadError::Type {
                    file: dir.join("types.json"),
                    object: source.object.clone(),
                    field: field.clone(),
                    name: type_name.clone(),
                })?;
            object.push(definition);
        }
    }
    for (field, value) in first.iter().flatten() {
        if object.index(field).is_none() && !row::is_ignored(field, value.get()) {
            object.extend(define(schema, &object, field, guess(field, value.get())));
        }
    }
    if is_new {
        choose_name_field(&mut object);
    }
    if is_new || object.fields.len() > known {
        schema.insert(object);
    }
    Ok(())
}

/// Reads the first row of a file, or `None` if it has no row.
fn first_row(source: &Source) -> Result<Option<FirstRow>, LoadError> {
    for (at, line) in source.lines()?.lines().enumerate() {
        let line = line.map_err(|error| source.unreadable(error))?;
        if !line.trim().is_empty() {
            let first = serde_json::from_str(&line);
            return first
                .map(Some)
                .map_err(|error| source.bad_line(at + 1, error));
        }
    }
    Ok(None)
}

/// Starts an object with the prefix of its first row.
fn new_object(schema: &Schema, source: &Source, first: &FirstRow) -> Result<ObjectDef, LoadError> {
    let id = first
        .get("Id")
        .and_then(|id| serde_json::from_str::<String>(id.get()).ok());
    let Some(prefix) = id.and_then(|id| Some(id::parse(&id)?[..3].to_owned())) else {
        return Err(source.bad_field(1, "Id", FieldProblem::Type(FieldKind::Id.name())));
    };
    if let Some(other) = schema.by_prefix(&prefix) {
        return Err(source.bad_field(1, "Id", FieldProblem::PrefixTaken(other.name.clone())));
    }
    let label = words(&source.object);
    let mut object = ObjectDef::new(&source.object, &label, &format!("{label}s"), &prefix);
    object.extend(common());
    Ok(object)
}

/// Names the type a value seems to have.
fn guess(field: &str, raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b't' | b'f') => "boolean",
        Some(b'-' | b'0'..=b'9') => "number",
        _ if field.ends_with("Id") => "id",
        _ => "text",
    }
}

/// Makes the field of a named type, or `None` if there is no such type.
fn define(schema: &Schema, object: &ObjectDef, name: &str, type_name: &str) -> Option<FieldDef> {
    let label = words(
        name.strip_suffix("Id")
            .filter(|_| type_name == "id")
            .unwrap_or(name),
    );
    let kind = match type_name {
        "text" => FieldKind::String,
        "textarea" => FieldKind::TextArea,
        "number" => FieldKind::Double,
        "boolean" => FieldKind::Boolean,
        "multi" => FieldKind::MultiPicklist,
        "date" => FieldKind::Date,
        "datetime" => FieldKind::DateTime,
        "id" => FieldKind::Reference,
        _ => return None,
    };
    let mut field = FieldDef::new(name, &label, kind);
    if kind == FieldKind::Double {
        field.scale = 2;
    }
    if kind == FieldKind::Reference {
        refer(schema, object, &mut field);
    }
    Some(field)
}

/// Points a reference at the object its name names: `AccountId`, `Account__c`, or a user.
fn refer(schema: &Schema, object: &ObjectDef, field: &mut FieldDef) {
    let stem = match field.name.strip_suffix("__c") {
        Some(stem) => stem.to_owned(),
        None => field
            .name
            .strip_suffix("Id")
            .unwrap_or(&field.name)
            .to_owned(),
    };
    let target = [stem.clone(), format!("{stem}__c")]
        .iter()
        .find_map(|name| schema.object(name))
        .or_else(|| schema.object("User").filter(|_| stem == "Owner"));
    field.relationship_name = Some(if field.custom {
        format!("{stem}__r")
    } else {
        stem.clone()
    });
    let Some(target) = target else {
        return;
    };
    field.reference_to = vec![target.name.clone()];
    if stem == "Owner" {
        field.nillable = false;
        field.defaulted_on_create = true;
        return;
    }
    let plain = object.name.trim_end_matches("__c");
    let children = format!("{plain}s{}", if field.custom { "__r" } else { "" });
    let is_free = object.fields.iter().all(|other| {
        other.child_relationship_name.as_deref() != Some(&children)
            || other.reference_to != field.reference_to
    });
    field.child_relationship_name = is_free.then_some(children);
}

fn choose_name_field(object: &mut ObjectDef) {
    let number = format!("{}Number", object.name);
    let at = ["Name", &number, "Subject", "Title"]
        .iter()
        .find_map(|name| object.index(name));
    if let Some(at) = at {
        object.fields[at].name_field = true;
    }
}

/// Writes a name as a person would: `WorkOrderNumber` is `Work Order Number`.
fn words(name: &str) -> String {
    let name = name.trim_end_matches("__c").replace('_', " ");
    let mut label = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && label.ends_with(|last: char| last.is_ascii_lowercase()) {
            label.push(' ');
        }
        label.push(letter);
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_words() {
        assert_eq!(words("WorkOrderNumber"), "Work Order Number");
        assert_eq!(words("Renewal_Date__c"), "Renewal Date");
        assert_eq!(words("SLA"), "SLA");
    }
}
