//! One value and the limits of its field.

use super::picklist::in_defined_order;
use super::problem::{problem, wrong_type};
use crate::error::Problem;
use crate::json::parse_text;
use crate::record::{RecordId, Value};
use crate::schema::{FieldSchema, FieldType};
use rust_decimal::Decimal;

/// The years that the server keeps dates of.
const YEARS: std::ops::RangeInclusive<i16> = 1700..=4000;

/// Brings a value into the form of its field, where nothing is lost by it.
pub(super) fn convert(field: &FieldSchema, value: &Value) -> Result<Value, Problem> {
    let ty = &field.field_type;
    match value {
        // A checkbox without a tick is off.
        Value::Null if *ty == FieldType::Boolean => Ok(Value::Boolean(false)),
        Value::Null => Ok(Value::Null),
        Value::Text(text) => convert_text(field, text.trim()),
        value if suits(ty, value) => Ok(value.clone()),
        value if matches!(ty, FieldType::AnyType | FieldType::Other(_)) => {
            Ok(Value::text(value.to_string()))
        }
        _ => Err(wrong_type(field)),
    }
}

/// Reads text that has no blanks around it: the server would cut them, and its text would then
/// seem to be somebody else's change.
fn convert_text(field: &FieldSchema, text: &str) -> Result<Value, Problem> {
    match &field.field_type {
        FieldType::Boolean if text.is_empty() => Ok(Value::Boolean(false)),
        _ if text.is_empty() => Ok(Value::Null),
        FieldType::Id | FieldType::Reference => match RecordId::parse(text) {
            Ok(id) => Ok(Value::from(id)),
            Err(_) => Err(problem(
                field,
                "MALFORMED_ID",
                format!("{} must be the id of a record", field.label),
            )),
        },
        FieldType::MultiPicklist => Ok(in_defined_order(field, text.split(';'))),
        ty => parse_text(ty, text).ok_or_else(|| wrong_type(field)),
    }
}

fn suits(ty: &FieldType, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Boolean(_) => *ty == FieldType::Boolean,
        Value::Number(_) => ty.is_number(),
        Value::Text(_) => ty.is_text(),
        Value::Date(_) => *ty == FieldType::Date,
        Value::DateTime(_) => *ty == FieldType::DateTime,
        Value::Time(_) => *ty == FieldType::Time,
    }
}

/// Checks a converted value against the limits of its field.
pub(super) fn check(field: &FieldSchema, value: &Value, problems: &mut Vec<Problem>) {
    problems.extend(limit(field, value));
    match value {
        Value::Text(text) => check_text(field, text, problems),
        Value::Date(date) if !YEARS.contains(&date.year()) => problems.push(out_of_years(field)),
        Value::DateTime(stamp) => {
            let year = jiff::Timestamp::from_second(stamp.0)
                .map(|stamp| jiff::tz::Offset::UTC.to_datetime(stamp).year());
            if !year.is_ok_and(|year| YEARS.contains(&year)) {
                problems.push(out_of_years(field));
            }
        }
        _ => {}
    }
}

fn out_of_years(field: &FieldSchema) -> Problem {
    problem(
        field,
        "FIELD_INTEGRITY_EXCEPTION",
        format!(
            "{} must be in the years {} to {}",
            field.label,
            YEARS.start(),
            YEARS.end()
        ),
    )
}

/// Says how a value breaks the limits of its field: length, digits, decimals.
pub(crate) fn limit(field: &FieldSchema, value: &Value) -> Option<Problem> {
    match value {
        Value::Text(text) => {
            let excess = too_long(field, text)?;
            let message = format!(
                "{} takes at most {} characters; shorten it by {excess}",
                field.label, field.length
            );
            Some(problem(field, "STRING_TOO_LONG", message))
        }
        Value::Number(number) => excess(field, *number),
        _ => None,
    }
}

fn check_text(field: &FieldSchema, text: &str, problems: &mut Vec<Problem>) {
    if field.field_type == FieldType::Email && !is_email(text) {
        problems.push(problem(
            field,
            "INVALID_EMAIL_ADDRESS",
            format!("{} must be an address as in jo@example.com", field.label),
        ));
    }
}

/// How many characters too many a text has, as the server counts.
///
/// The server's strings are UTF-16, where a character beyond the basic plane counts
/// twice: what passes here is not refused there for its length. A lookup may hold a
/// local key, which is longer than the id that replaces it.
fn too_long(field: &FieldSchema, text: &str) -> Option<usize> {
    let limit = match field.field_type {
        FieldType::Id | FieldType::Reference => 0,
        _ => usize::try_from(field.length).unwrap_or(usize::MAX),
    };
    // No text has more UTF-16 units than bytes, so most are not counted.
    if limit == 0 || text.len() <= limit {
        return None;
    }
    text.encode_utf16()
        .count()
        .checked_sub(limit)
        .filter(|excess| *excess > 0)
}

/// Says what no mail server would take. Everything else is for the server to judge.
fn is_email(text: &str) -> bool {
    let Some((mailbox, host)) = text.rsplit_once('@') else {
        return false;
    };
    let dotted = |part: &str| part.split('.').all(|label| !label.is_empty());
    !text.contains(char::is_whitespace)
        && !mailbox.contains('@')
        && !mailbox.is_empty()
        && !mailbox.starts_with('.')
        && !mailbox.ends_with('.')
        && dotted(host)
        && host.contains('.')
}

/// Says what is too much about a number for its field.
///
/// The server cuts decimals it has no place for without a word. That would change
/// what a person wrote, so it is a problem here.
fn excess(field: &FieldSchema, number: Decimal) -> Option<Problem> {
    let (integers, decimals) = match field.field_type {
        FieldType::Int | FieldType::Long => (field.digits, 0),
        _ if field.precision > 0 => (field.precision.saturating_sub(field.scale), field.scale),
        // The describe tells no limits.
        _ => return None,
    };
    let number = number.normalize();
    let message = if number.scale() > decimals {
        match decimals {
            0 => format!("{} must be a whole number; round it", field.label),
            _ => format!(
                "{} takes at most {decimals} decimals; round it",
                field.label
            ),
        }
    } else if integers > 0 && digits_before_point(number) > integers {
        format!(
            "{} takes at most {integers} digits before the point",
            field.label
        )
    } else {
        return None;
    };
    Some(problem(field, "NUMBER_OUTSIDE_VALID_RANGE", message))
}

fn digits_before_point(number: Decimal) -> u32 {
    let whole = number.trunc().mantissa().unsigned_abs();
    whole.checked_ilog10().map_or(0, |log| log + 1)
}

/// Says whether a value keeps the limits of its field: length, digits, decimals.
pub(crate) fn fits(field: &FieldSchema, value: &Value) -> bool {
    limit(field, value).is_none()
}
