//! What can be wrong with a write, in words for a person.
//!
//! Each sentence names the field's label and says what to do. None holds a value.

use crate::error::{Error, ErrorKind, Problem};
use crate::schema::{FieldSchema, FieldType, ObjectSchema};

/// Joins what is wrong with a write into one error.
pub(crate) fn refuse(problems: Vec<Problem>) -> Error {
    let message = match problems.as_slice() {
        [only] => only.message.clone(),
        [first, rest @ ..] => format!("{} (and {} more)", first.message, rest.len()),
        [] => String::from("the record is not valid"),
    };
    Error::new(ErrorKind::InvalidRecord, message).with_problems(problems)
}

pub(super) fn problem(field: &FieldSchema, code: &str, message: String) -> Problem {
    Problem {
        fields: vec![field.name.clone()],
        code: code.into(),
        message,
        duplicates: None,
    }
}

pub(super) fn operation(object: &ObjectSchema, done: &str) -> Problem {
    Problem {
        fields: Vec::new(),
        code: "INVALID_TYPE_FOR_OPERATION".into(),
        message: format!(
            "{} cannot be {done} by this user; ask an administrator for the permission",
            object.label_plural
        ),
        duplicates: None,
    }
}

pub(super) fn required(field: &FieldSchema) -> Problem {
    problem(
        field,
        "REQUIRED_FIELD_MISSING",
        format!("{} is required; give it a value", field.label),
    )
}

pub(crate) fn read_only(field: &FieldSchema) -> Problem {
    let advice = match field.field_type {
        FieldType::Address | FieldType::Location => "set the fields it is made of",
        _ => "leave it out",
    };
    problem(
        field,
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        format!("{} cannot be set by this user; {advice}", field.label),
    )
}

pub(crate) fn wrong_type(field: &FieldSchema) -> Problem {
    let expected = match &field.field_type {
        FieldType::Boolean => "true or false",
        FieldType::Date => "a date as in 2024-01-31",
        FieldType::DateTime => "a date and time with an offset, as in 2024-01-31T08:00:00Z",
        FieldType::Time => "a time of day as in 10:30:00",
        FieldType::Id | FieldType::Reference => "the id of a record",
        FieldType::Address | FieldType::Location => "set through the fields it is made of",
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

/// Says that an edited field went away after the edit was made.
pub(crate) fn gone(object: &ObjectSchema, name: &str) -> Problem {
    Problem {
        fields: vec![name.into()],
        code: "INVALID_FIELD".into(),
        message: format!(
            "{} no longer has the field {name} for this user: the edit is kept and will be sent when it is back; discard it, or write another field",
            object.label
        ),
        duplicates: None,
    }
}

pub(crate) fn unknown_field(object: &ObjectSchema, name: &str) -> Problem {
    let wanted = name.to_ascii_lowercase();
    let nearest = object
        .fields
        .iter()
        .map(|field| {
            let own = field.name.to_ascii_lowercase();
            (strsim::damerau_levenshtein(&wanted, &own), field)
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
        duplicates: None,
    }
}
