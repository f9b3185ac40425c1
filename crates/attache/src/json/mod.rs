//! Records as JSON text: what a remote sends, what a host passes, what a host is shown.
//!
//! Every value is read from its own piece of the text by the described type of
//! its field. Nothing goes through a tree of JSON values, whose numbers are
//! binary and would round money.

mod context;
mod input;
mod journal;
mod limits;
mod outcome;
mod problem;
mod reader;
mod resolution;
mod scalar;
mod told;

pub(crate) use journal::{load_base, load_fields, store_fields, store_values};
pub(crate) use outcome::instant;
pub(crate) use problem::{load_problems, store_problems};
pub(crate) use reader::RecordReader;
pub(crate) use scalar::parse_text;
pub(crate) use told::{counts, ranges};

use crate::record::{Fields, Record, Value};
use crate::schema::FieldType;
use serde_json::value::RawValue;
use std::fmt::Write;

/// Reads one value of a type from its own piece of JSON; `None` if it is of another kind.
pub(crate) fn read_value(ty: &FieldType, raw: &RawValue) -> Option<Value> {
    scalar::read(ty, raw.get())
}

impl Value {
    /// Writes the value as the API does in JSON: numbers as exact decimals, instants
    /// in UTC as `"2026-11-22T09:30:00.000+0000"`.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        write_value(&mut out, self);
        out
    }
}

impl Fields {
    /// Writes the fields as one JSON object, in order of their names.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        write_fields(&mut out, self);
        out
    }
}

impl Record {
    /// Writes the record as `{"id": ..., "object": ..., "fields": {...}}`.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\"id\":");
        write_text(&mut out, self.id.as_str());
        out.push_str(",\"object\":");
        write_text(&mut out, &self.object);
        out.push_str(",\"fields\":");
        write_fields(&mut out, &self.fields);
        out.push('}');
        out
    }
}

fn write_fields(out: &mut String, fields: &Fields) {
    write_object(out, fields.iter(), write_value);
}

/// Writes an object of all fields, each value in the form that `write` gives it.
fn write_object<'a>(
    out: &mut String,
    fields: impl Iterator<Item = (&'a str, &'a Value)>,
    write: fn(&mut String, &Value),
) {
    out.push('{');
    for (at, (name, value)) in fields.enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_text(out, name);
        out.push(':');
        write(out, value);
    }
    out.push('}');
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Text(text) => write_text(out, text),
        Value::Boolean(_) | Value::Number(_) => push(out, value),
        Value::Date(_) | Value::DateTime(_) | Value::Time(_) => {
            out.push('"');
            push(out, value);
            out.push('"');
        }
    }
}

fn push(out: &mut String, value: &Value) {
    write!(out, "{value}").expect("a string takes all that is written to it");
}

fn write_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::to_string(text).expect("any text has a JSON form"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordId, ServerTime};

    #[test]
    fn a_record_prints_with_exact_numbers_and_escaped_text() {
        let record = Record {
            id: RecordId::parse("001D000000JliST").expect("an id"),
            object: "Account".into(),
            fields: Fields::from([
                (
                    "AnnualRevenue",
                    Value::Number("1234567890123456.78".parse().unwrap()),
                ),
                ("CreatedDate", Value::DateTime(ServerTime(1_795_339_800))),
                ("IsDeleted", Value::from(false)),
                ("Name", Value::from("A \"quoted\"\nname")),
                ("ParentId", Value::Null),
                ("Renewal__c", Value::Date(jiff::civil::date(2027, 5, 6))),
                ("Shop__c", Value::Time(jiff::civil::time(9, 5, 0, 0))),
            ]),
        };
        assert_eq!(
            record.to_json(),
            concat!(
                r#"{"id":"001D000000JliSTIAZ","object":"Account","fields":{"#,
                r#""AnnualRevenue":1234567890123456.78,"#,
                r#""CreatedDate":"2026-11-22T09:30:00.000+0000","IsDeleted":false,"#,
                r#""Name":"A \"quoted\"\nname","ParentId":null,"#,
                r#""Renewal__c":"2027-05-06","Shop__c":"09:05:00.000Z"}}"#,
            )
        );
    }
}
