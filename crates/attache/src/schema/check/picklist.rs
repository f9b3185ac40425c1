//! Picklists: which values may be chosen.

use super::problem::problem;
use crate::error::Problem;
use crate::record::Value;
use crate::schema::{FieldSchema, FieldType, ObjectSchema, PicklistEntry};

/// The most values that a multi-select list may hold.
const CHOSEN_MAX: usize = 100;

/// The members of a multi-select list in the order of the picklist, those it lacks last.
pub(crate) fn in_defined_order<'a>(
    field: &FieldSchema,
    members: impl Iterator<Item = &'a str>,
) -> Value {
    let place = |member: &str| {
        field
            .picklist
            .iter()
            .position(|entry| entry.value == member)
            .unwrap_or(usize::MAX)
    };
    let mut members: Vec<&str> = members
        .map(str::trim)
        .filter(|member| !member.is_empty())
        .collect();
    members.sort_by_key(|member| (place(member), *member));
    members.dedup();
    Value::text(members.join(";"))
}

/// The values that were chosen, one or many.
fn chosen<'a>(field: &FieldSchema, value: &'a Value) -> Vec<&'a str> {
    match (&field.field_type, value.as_text()) {
        (FieldType::MultiPicklist, Some(list)) => list.split(';').collect(),
        (FieldType::Picklist, Some(text)) => vec![text],
        _ => Vec::new(),
    }
}

/// Checks that a restricted picklist lists what was chosen.
pub(super) fn check(field: &FieldSchema, value: &Value, problems: &mut Vec<Problem>) {
    let chosen = chosen(field, value);
    if chosen.len() > CHOSEN_MAX {
        problems.push(problem(
            field,
            "TOO_MANY_ENUM_VALUE",
            format!("{} takes at most {CHOSEN_MAX} values", field.label),
        ));
    }
    let listed = |value: &&str| {
        field
            .picklist
            .iter()
            .any(|entry| entry.active && entry.value == **value)
    };
    if field.restricted_picklist && !chosen.iter().all(listed) {
        problems.push(problem(
            field,
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            format!("{} takes values of its list only; choose one", field.label),
        ));
    }
}

/// Checks that what was chosen of a restricted picklist is among what a record type leaves of it.
pub(crate) fn check_kind(
    field: &FieldSchema,
    value: &Value,
    left: &[PicklistEntry],
    record_type: &str,
) -> Option<Problem> {
    let listed = |value: &&str| {
        left.iter()
            .any(|own| own.active && own.value == value.trim())
    };
    let outside = !chosen(field, value).iter().all(listed);
    (field.restricted_picklist && outside).then(|| {
        problem(
            field,
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            format!(
                "{} takes other values in records of the type {record_type}; choose one of those",
                field.label
            ),
        )
    })
}

/// The field that controls a picklist, if one does.
pub(super) fn controller<'a>(
    object: &'a ObjectSchema,
    field: &FieldSchema,
) -> Option<&'a FieldSchema> {
    object.field(field.controller.as_deref()?)
}

/// Checks what was chosen against the value of the controlling field.
///
/// A value that the list lacks, or that depends on nothing, goes with everything.
pub(super) fn check_dependent(
    field: &FieldSchema,
    value: &Value,
    controller: &FieldSchema,
    control: &Value,
    problems: &mut Vec<Problem>,
) {
    let index = control_index(controller, control);
    let goes = |entry: &PicklistEntry| match (&entry.valid_for, index) {
        (None, _) => true,
        (Some(bits), Some(index)) => bits.get(index).copied().unwrap_or(false),
        (Some(_), None) => false,
    };
    let refused = chosen(field, value).into_iter().any(|value| {
        field
            .picklist
            .iter()
            .any(|entry| entry.value == value && !goes(entry))
    });
    if refused {
        problems.push(problem(
            field,
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            format!(
                "{} does not go with {}; choose a value that does, or none",
                field.label, controller.label
            ),
        ));
    }
}

/// The bit of `validFor` that stands for a value of the controlling field: entries count in
/// their order, retired ones too; a checkbox counts as off, on.
fn control_index(controller: &FieldSchema, control: &Value) -> Option<usize> {
    match control {
        Value::Boolean(ticked) => Some(usize::from(*ticked)),
        Value::Null if controller.field_type == FieldType::Boolean => Some(0),
        Value::Text(text) => controller
            .picklist
            .iter()
            .position(|entry| entry.value == *text),
        _ => None,
    }
}
