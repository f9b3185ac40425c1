//! Checks a write against the describe, before the journal takes it.

use super::{FieldSchema, FieldType, ObjectSchema};
use crate::error::{Error, ErrorKind, Problem};
use crate::record::Value;
use rust_decimal::Decimal;

/// Joins what is wrong with a write into one error.
pub(crate) fn refuse(problems: Vec<Problem>) -> Error {
    let message = match problems.as_slice() {
        [only] => only.message.clone(),
        [first, rest @ ..] => format!("{} (and {} more)", first.message, rest.len()),
        [] => String::from("the record is not valid"),
    };
    Error::new(ErrorKind::InvalidRecord, message).with_problems(problems)
}

fn problem(field: &FieldSchema, code: &str, message: String) -> Problem {
    Problem {
        fields: vec![field.name.clone()],
        code: code.into(),
        message,
    }
}

pub(crate) fn wrong_type(field: &FieldSchema) -> Problem {
    let expected = match &field.field_type {
        FieldType::Boolean => "true or false",
        FieldType::Date => "a date as in 2024-01-31",
        FieldType::DateTime => "a date and time with an offset, as in 2024-01-31T08:00:00Z",
        FieldType::Time => "a time of day as in 10:30:00",
        FieldType::Id | FieldType::Reference => "the id of a record",
        FieldType::Address | FieldType::Location => "set through its parts",
        ty if ty.is_number() => "a number as in 1234.50",
        _ => "text",
    };
    problem(
        field,
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        format!("{} must be {expected}", field.label),
    )
}

pub(crate) fn given_twice(field: &FieldSchema) -> Problem {
    problem(
        field,
        "INVALID_FIELD",
        format!("{} is given twice; give it once", field.label),
    )
}

pub(crate) fn unknown_field(object: &ObjectSchema, name: &str) -> Problem {
    let wanted = name.to_ascii_lowercase();
    let nearest = object
        .fields
        .iter()
        .map(|field| {
            (
                strsim::damerau_levenshtein(&wanted, &field.name.to_ascii_lowercase()),
                field,
            )
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 3 && *distance < name.len());
    let hint = nearest.map_or_else(String::new, |(_, field)| {
        format!("; did you mean {}?", field.name)
    });
    Problem {
        fields: vec![name.into()],
        code: "INVALID_FIELD".into(),
        message: format!("{} has no field of this name{hint}", object.label),
    }
}

/// Says whether a value keeps the limits of its field: length, digits, range.
pub(crate) fn fits(field: &FieldSchema, value: &Value) -> bool {
    match value {
        Value::Text(text) => field.length == 0 || length(text) <= field.length as usize,
        Value::Number(number) => number_problem(field, *number).is_none(),
        _ => true,
    }
}

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
    let mut members: Vec<&str> = members.filter(|member| !member.is_empty()).collect();
    members.sort_by_key(|member| (place(member), *member));
    members.dedup();
    Value::text(members.join(";"))
}

/// Characters as the server counts them.
///
/// The server's strings are UTF-16: a character beyond the basic plane counts twice. So
/// what passes here is not refused there for its length.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Says what is wrong with a number for its field.
fn number_problem(field: &FieldSchema, number: Decimal) -> Option<&'static str> {
    let number = number.normalize();
    let integers = number.trunc().abs().mantissa().to_string();
    let integers = if integers == "0" { 0 } else { integers.len() };
    let (decimals, digits) = match field.field_type {
        FieldType::Int | FieldType::Long => (0, field.digits),
        _ => (field.scale, field.precision.saturating_sub(field.scale)),
    };
    let known = digits > 0;
    if number.scale() > decimals && (known || decimals > 0 || field.digits > 0) {
        return Some("decimals");
    }
    (known && integers > digits as usize).then_some("digits")
}
