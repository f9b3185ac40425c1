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
//!
//! A row that is kept as the base of its record is long, and most of it is empty. Its
//! values stand in an array, their names elsewhere: the first item is the number by
//! which the names are found, and any other bare number counts nulls in a row, as in
//! `[2,"0017000000hG1xyAAC",31,true]`.

use super::{parse_text, push, write_object, write_value};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Fields, ServerTime, Value};
use crate::schema::FieldType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Writes fields so that [`load_fields`] gives the same fields back.
pub(crate) fn store_fields(fields: &Fields) -> String {
    let mut out = String::new();
    write_object(&mut out, fields.iter(), store_value);
    out
}

/// Writes values whose names are found by a number, so that [`load_base`] gives them back.
pub(crate) fn store_values<'a>(names: i64, values: impl Iterator<Item = &'a Value>) -> String {
    let mut out = format!("[{names}");
    let mut nulls = 0_usize;
    for value in values {
        if *value == Value::Null {
            nulls += 1;
            continue;
        }
        skip(&mut out, &mut nulls);
        out.push(',');
        store_value(&mut out, value);
    }
    skip(&mut out, &mut nulls);
    out.push(']');
    out
}

fn skip(out: &mut String, nulls: &mut usize) {
    let count = std::mem::take(nulls);
    if count > 0 {
        out.push_str(&format!(",{count}"));
    }
}

fn store_value(out: &mut String, value: &Value) {
    match value {
        Value::Null | Value::Boolean(_) | Value::Text(_) => write_value(out, value),
        Value::Number(_) => tagged(out, 'n', value),
        Value::Date(_) => tagged(out, 'd', value),
        Value::Time(_) => tagged(out, 't', value),
        Value::DateTime(ServerTime(seconds)) => {
            out.push_str(&format!("{{\"i\":{seconds}}}"));
        }
    }
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

/// What stands in an array of values.
#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Bare(i64),
    Value(Stored),
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
    // The parser's own errors quote values, so none is passed on.
    let stored: BTreeMap<String, Stored> = serde_json::from_str(json).map_err(|_| corrupt())?;
    stored
        .into_iter()
        .map(|(name, stored)| Some((name, value(stored)?)))
        .collect::<Option<Fields>>()
        .ok_or_else(corrupt)
}

/// Reads what [`store_values`] or [`store_fields`] wrote. `names` gives the names that a number stands for.
///
/// # Errors
/// [`ErrorKind::StorageCorrupt`] for any other text, and for values that are not as many as their names.
pub(crate) fn load_base(
    json: &str,
    names: impl FnOnce(i64) -> Result<Vec<String>>,
) -> Result<Fields> {
    if !json.starts_with('[') {
        return load_fields(json);
    }
    let items: Vec<Item> = serde_json::from_str(json).map_err(|_| corrupt())?;
    let mut items = items.into_iter();
    let Some(Item::Bare(number)) = items.next() else {
        return Err(corrupt());
    };
    let names = names(number)?;
    let mut values = Vec::with_capacity(names.len());
    for item in items {
        match item {
            Item::Bare(nulls) => {
                let nulls = usize::try_from(nulls).map_err(|_| corrupt())?;
                if nulls > names.len() - values.len() {
                    return Err(corrupt());
                }
                values.resize(values.len() + nulls, Value::Null);
            }
            Item::Value(stored) if values.len() < names.len() => {
                values.push(value(stored).ok_or_else(corrupt)?);
            }
            Item::Value(_) => return Err(corrupt()),
        }
    }
    match values.len() == names.len() {
        true => Ok(names.into_iter().zip(values).collect()),
        false => Err(corrupt()),
    }
}

fn corrupt() -> Error {
    Error::new(
        ErrorKind::StorageCorrupt,
        "the journal holds fields that cannot be read",
    )
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

    proptest! {
        #[test]
        fn values_read_back_under_their_names(fields in prop::collection::btree_map(".*", values(), 0..9)) {
            let names: Vec<String> = fields.keys().cloned().collect();
            let json = store_values(3, fields.values());
            let read = load_base(&json, |number| {
                assert_eq!(number, 3);
                Ok(names)
            });
            let fields: Fields = fields.into_iter().collect();
            prop_assert_eq!(format!("{:?}", read.expect("our own text")), format!("{fields:?}"));
        }
    }

    #[test]
    fn nulls_of_a_row_are_counted() {
        let values = [
            Value::Null,
            Value::from("x"),
            Value::Null,
            Value::Null,
            Value::Number(7.into()),
            Value::Null,
        ];
        assert_eq!(store_values(2, values.iter()), r#"[2,1,"x",2,{"n":"7"},1]"#);
        assert_eq!(store_values(2, [].iter()), "[2]");
    }

    #[test]
    fn values_that_are_not_as_many_as_their_names_are_damage() {
        for json in [
            "[",
            "[]",
            r#"["secret"]"#,
            "[1]",
            "[1,1]",
            "[1,3]",
            "[1,-1,3]",
            "[1,9223372036854775807]",
            "[1,18446744073709551616]",
            r#"[1,2,"secret"]"#,
            r#"[1,"a","b","secret"]"#,
            r#"[1,"a",{"n":"secret"}]"#,
            r#"[1,"a",1.5]"#,
            r#"[1,"a",["secret"]]"#,
        ] {
            let error = load_base(json, |_| Ok(vec!["A".into(), "B".into()])).expect_err(json);
            assert_eq!(error.kind(), ErrorKind::StorageCorrupt);
            assert!(!format!("{error:?}").contains("secret"));
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
