//! JSON as it came, turned into the values a field stores.

use super::{SaveError, time};
use crate::id;
use crate::schema::{FieldDef, FieldKind};
use crate::value::Value;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::config::Switches;

/// Reads the value given for a field.
///
/// Blanks are trimmed, empty text is null, decimals beyond the scale are cut and
/// multi-select lists put in order, as the platform does. Whether the value is
/// allowed is for `check` to say.
pub(super) fn read(
    raw: &RawValue,
    field: &FieldDef,
    switches: &Switches,
) -> Result<Value, SaveError> {
    let raw = raw.get().trim();
    if raw == "null" {
        let null = if field.kind == FieldKind::Boolean {
            Value::Bool(false)
        } else {
            Value::Null
        };
        return Ok(null);
    }
    // Half a surrogate pair is JSON, but no text.
    let text: Option<String> = raw
        .starts_with('"')
        .then(|| serde_json::from_str(raw).map_err(|_| wrong_type(field, raw)))
        .transpose()?;
    match (field.kind, text) {
        (FieldKind::Boolean, text) => match text.as_deref().unwrap_or(raw) {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(wrong_type(field, raw)),
        },
        (FieldKind::Int | FieldKind::Double | FieldKind::Currency | FieldKind::Percent, text) => {
            number(text.as_deref().unwrap_or(raw), field).ok_or_else(|| wrong_type(field, raw))?
        }
        (FieldKind::Address, _) | (_, None) => Err(wrong_type(field, raw)),
        (_, Some(text)) if text.trim().is_empty() && switches.trims_blanks => Ok(Value::Null),
        (_, Some(text)) if text.is_empty() => Ok(Value::Null),
        (FieldKind::Date, Some(text)) => time::parse_date(&text)
            .map(Value::Date)
            .ok_or_else(|| wrong_type(field, raw)),
        (FieldKind::DateTime, Some(text)) => time::parse_datetime(&text)
            .map(Value::DateTime)
            .ok_or_else(|| wrong_type(field, raw)),
        (FieldKind::Time, Some(text)) => time::parse_time(&text)
            .map(Value::Time)
            .ok_or_else(|| wrong_type(field, raw)),
        (FieldKind::Id | FieldKind::Reference, Some(text)) => match id::parse(&text) {
            Some(id) => Ok(Value::text(id)),
            None => Err(malformed_id(field, &text)),
        },
        (FieldKind::MultiPicklist, Some(text)) => {
            Ok(Value::text(multi_select(&text, field, switches)))
        }
        (_, Some(text)) => Ok(Value::text(plain_text(&text, field, switches))),
    }
}

fn plain_text<'a>(text: &'a str, field: &FieldDef, switches: &Switches) -> &'a str {
    let text = if switches.trims_blanks {
        text.trim()
    } else {
        text
    };
    let end = text
        .char_indices()
        .nth(field.length as usize)
        .map(|(end, _)| end);
    match end {
        Some(end) if switches.cuts_long_text && field.length > 0 => &text[..end],
        _ => text,
    }
}

pub(super) fn malformed_id(field: &FieldDef, id: &str) -> SaveError {
    SaveError::field(
        "MALFORMED_ID",
        &field.name,
        format!("{}: id value of incorrect type: {id}", field.label),
    )
}

/// Reads a number; `None` if it is none, an error if it is too large to hold.
fn number(text: &str, field: &FieldDef) -> Option<Result<Value, SaveError>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Ok(Value::Null));
    }
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !body.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        || !text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
    {
        return None;
    }
    let parsed = match text.contains(['e', 'E']) {
        true => Decimal::from_scientific(text),
        false => text.parse(),
    };
    let Ok(number) = parsed else {
        return Some(Err(out_of_range(field, text)));
    };
    if field.kind == FieldKind::Int && !number.fract().is_zero() {
        return None;
    }
    // The API cuts what the field cannot hold instead of refusing it.
    let cut = number.trunc_with_scale(field.scale).normalize();
    let whole = cut.trunc().abs();
    let places = if field.kind == FieldKind::Int {
        field.digits.max(1)
    } else {
        field.precision.saturating_sub(field.scale)
    };
    let limit = 10_i128.pow(places.min(28));
    let fits = whole.mantissa() < limit;
    Some(if fits {
        Ok(Value::Number(cut))
    } else {
        Err(out_of_range(field, text))
    })
}

fn out_of_range(field: &FieldDef, text: &str) -> SaveError {
    SaveError::field(
        "NUMBER_OUTSIDE_VALID_RANGE",
        &field.name,
        format!(
            "{}: value outside of valid range on numeric field: {text}",
            field.label
        ),
    )
}

/// Drops empty and repeated entries and puts the rest in the order they are defined in.
fn multi_select(text: &str, field: &FieldDef, switches: &Switches) -> String {
    let mut chosen: Vec<&str> = Vec::new();
    for entry in text
        .split(';')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
    {
        if !chosen.contains(&entry) {
            chosen.push(entry);
        }
    }
    if switches.orders_multi_select {
        let place = |entry: &str| {
            field
                .picklist
                .iter()
                .position(|known| known.value == entry)
                .unwrap_or(usize::MAX)
        };
        chosen.sort_by_key(|entry| place(entry));
    }
    chosen.join(";")
}

fn wrong_type(field: &FieldDef, raw: &str) -> SaveError {
    let (token, shown) = match raw.as_bytes().first() {
        Some(b'"') => ("VALUE_STRING", raw.trim_matches('"')),
        Some(b'{') => ("START_OBJECT", ""),
        Some(b'[') => ("START_ARRAY", ""),
        Some(b't') => ("VALUE_TRUE", raw),
        Some(b'f') => ("VALUE_FALSE", raw),
        _ if raw.contains(['.', 'e', 'E']) => ("VALUE_NUMBER_FLOAT", raw),
        _ => ("VALUE_NUMBER_INT", raw),
    };
    let shown: String = shown.chars().take(80).collect();
    let space = if shown.is_empty() { "" } else { " " };
    SaveError::new(
        "JSON_PARSER_ERROR",
        format!(
            "Cannot deserialize instance of {} from {token} value{space}{shown} or request may be missing a required field",
            name_of(field.kind)
        ),
    )
}

fn name_of(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Id => FieldKind::Reference.name(),
        kind => kind.name(),
    }
}
