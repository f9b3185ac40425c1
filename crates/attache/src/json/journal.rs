//! Fields as the journal keeps them.
//!
//! A mutation outlives the schema it was made under: its fields may be retyped or
//! hidden while it waits. So each value carries its kind, and reads back exactly
//! without a schema:
//!
//! | value | kept as |
//! |---|---|
//! | null, checkbox, text | `null`, `true`, `"text"` |
//! | number | `{"n":"12.50"}` |
//! | date | `{"d":"2024-01-31"}` |
//! | instant | `{"i":1706688000}` |
//! | time | `{"t":"10:30:00.000Z"}` |

use super::{parse_text, push, write_object, write_value};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Fields, ServerTime, Value};
use crate::schema::FieldType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Writes fields so that [`load_fields`] gives the same fields back.
pub(crate) fn store_fields(fields: &Fields) -> String {
    store_each(fields.iter())
}

/// Does what [`store_fields`] does of fields that come one by one, each once and in order of their names.
pub(crate) fn store_each<'a>(fields: impl Iterator<Item = (&'a str, &'a Value)>) -> String {
    let mut out = String::new();
    write_object(&mut out, fields, |out, value| match value {
        Value::Null | Value::Boolean(_) | Value::Text(_) => write_value(out, value),
        Value::Number(_) => tagged(out, 'n', value),
        Value::Date(_) => tagged(out, 'd', value),
        Value::Time(_) => tagged(out, 't', value),
        Value::DateTime(ServerTime(seconds)) => {
            out.push_str(&format!("{{\"i\":{seconds}}}"));
        }
    });
    out
}

fn tagged(out: &mut String, tag: char, value: &Value) {
    out.push_str("{\"");
    out.push(tag);
    out.push_str("\":\"");
    push(out, value);
    out.push_str("\"}");
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Null,
    Boolean(bool),
    Text(String),
    Tagged(Tagged),
}

#[derive(Deserialize)]
enum Tagged {
    #[serde(rename = "n")]
    Number(String),
    #[serde(rename = "d")]
    Date(String),
    #[serde(rename = "t")]
    Time(String),
    #[serde(rename = "i")]
    Instant(i64),
}

/// Reads what [`store_fields`] wrote. It needs no schema.
///
/// # Errors
/// [`ErrorKind::StorageCorrupt`] for any other text.
pub(crate) fn load_fields(json: &str) -> Result<Fields> {
    let corrupt = || {
        Error::new(
            ErrorKind::StorageCorrupt,
            "the journal holds fields that cannot be read",
        )
    };
    // The parser's own errors quote values, so none is passed on.
    let stored: BTreeMap<String, Stored> = serde_json::from_str(json).map_err(|_| corrupt())?;
    stored
        .into_iter()
        .map(|(name, stored)| Some((name, value(stored)?)))
        .collect::<Option<Fields>>()
        .ok_or_else(corrupt)
}

fn value(stored: Stored) -> Option<Value> {
    match stored {
        Stored::Null => Some(Value::Null),
        Stored::Boolean(value) => Some(Value::Boolean(value)),
        Stored::Text(text) => Some(Value::Text(text)),
        Stored::Tagged(Tagged::Number(text)) => parse_text(&FieldType::Double, &text),
        Stored::Tagged(Tagged::Date(text)) => text.parse().ok().map(Value::Date),
        Stored::Tagged(Tagged::Time(text)) => parse_text(&FieldType::Time, &text),
        Stored::Tagged(Tagged::Instant(seconds)) => Some(Value::DateTime(ServerTime(seconds))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil;
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            ".*".prop_map(Value::Text),
            (any::<i64>(), 0..=28_u32).prop_map(|(digits, scale)| {
                Value::Number(Decimal::from_i128_with_scale(digits.into(), scale))
            }),
            (1700..=4000_i16, 1..=12_i8, 1..=28_i8)
                .prop_map(|(y, m, d)| Value::Date(civil::date(y, m, d))),
            any::<i64>().prop_map(|seconds| Value::DateTime(ServerTime(seconds))),
            (0..24_i8, 0..60_i8, 0..60_i8, 0..1000_i32)
                .prop_map(|(h, m, s, ms)| Value::Time(civil::time(h, m, s, ms * 1_000_000))),
        ]
    }

    proptest! {
        #[test]
        fn fields_read_back_exactly(fields in prop::collection::btree_map(".*", values(), 0..9)) {
            let fields: Fields = fields.into_iter().collect();
            let read = load_fields(&store_fields(&fields)).expect("our own text");
            prop_assert_eq!(format!("{read:?}"), format!("{fields:?}"));
        }
    }

    #[test]
    fn the_form_on_disk_stays() {
        let fields = Fields::from([
            ("A", Value::Number("12.50".parse().unwrap())),
            ("B", Value::from("x")),
            ("C", Value::Date(civil::date(2024, 1, 31))),
            ("D", Value::DateTime(ServerTime(1_706_688_000))),
            ("E", Value::Time(civil::time(10, 30, 0, 0))),
            ("F", Value::Null),
            ("G", Value::from(true)),
        ]);
        assert_eq!(
            store_fields(&fields),
            concat!(
                r#"{"A":{"n":"12.50"},"B":"x","C":{"d":"2024-01-31"},"D":{"i":1706688000},"#,
                r#""E":{"t":"10:30:00.000Z"},"F":null,"G":true}"#
            )
        );
    }

    #[test]
    fn damaged_text_is_an_error_that_quotes_nothing() {
        for json in [
            "",
            "[]",
            r#"{"A":{"n":"secret"}}"#,
            r#"{"A":{"x":1}}"#,
            r#"{"A":1}"#,
        ] {
            let error = load_fields(json).expect_err("damaged");
            assert_eq!(error.kind(), ErrorKind::StorageCorrupt);
            assert!(!format!("{error:?}").contains("secret"));
        }
    }
}
