//! One line, one row.

use super::{FieldProblem, LoadError, Source};
use crate::id;
use crate::org::time;
use crate::schema::{FieldDef, FieldKind, Formula, ObjectDef, Schema};
use crate::value::Value;
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::io::BufRead;

/// The rows of one file; the last item may be an error.
pub(super) struct Reader<'a> {
    source: &'a Source,
    object: Option<(usize, &'a ObjectDef)>,
    blank: Vec<Value>,
    lines: Result<Box<dyn BufRead>, Option<LoadError>>,
    line: usize,
    text: String,
}

impl<'a> Reader<'a> {
    pub(super) fn new(schema: &'a Schema, source: &'a Source) -> Reader<'a> {
        let object = schema
            .index(&source.object)
            .map(|at| (at, &schema.objects()[at]));
        let fields = object.iter().flat_map(|(_, object)| &object.fields);
        Reader {
            source,
            object,
            blank: fields.map(blank).collect(),
            lines: source.lines().map_err(Some),
            line: 0,
            text: String::new(),
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<(usize, Vec<Value>), LoadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (index, object) = self.object?;
        let lines = match &mut self.lines {
            Ok(lines) => lines,
            Err(error) => return error.take().map(Err),
        };
        loop {
            self.line += 1;
            self.text.clear();
            let read = lines
                .read_line(&mut self.text)
                .map_err(|error| self.source.unreadable(error));
            let row = match read {
                Ok(0) => return None,
                Ok(_) if self.text.trim().is_empty() => continue,
                Ok(_) => parse(self.source, object, &self.blank, self.line, &self.text),
                Err(error) => Err(error),
            };
            if row.is_err() {
                self.lines = Err(None);
            }
            return Some(row.map(|row| (index, row)));
        }
    }
}

/// Says whether a field that the object lacks is no loss: the links of a query's answer, and that
/// a user, who never is, is not deleted.
pub(super) fn is_ignored(field: &str, raw: &str) -> bool {
    field == "attributes" || field == "IsDeleted" && raw == "false"
}

fn blank(field: &FieldDef) -> Value {
    match field.kind {
        FieldKind::Boolean if field.formula.is_none() => Value::Bool(false),
        _ => Value::Null,
    }
}

fn parse(
    source: &Source,
    object: &ObjectDef,
    blank: &[Value],
    line: usize,
    text: &str,
) -> Result<Vec<Value>, LoadError> {
    let fields: HashMap<String, &RawValue> =
        serde_json::from_str(text).map_err(|error| source.bad_line(line, error))?;
    let bad = |field: &str, problem| source.bad_field(line, field, problem);
    let mut row = blank.to_vec();
    for (name, raw) in &fields {
        let Some(at) = object.index(name) else {
            if is_ignored(name, raw.get()) {
                continue;
            }
            return Err(bad(name, FieldProblem::Unknown));
        };
        let field = &object.fields[at];
        if field.formula.is_none() && raw.get() != "null" {
            row[at] = value(field, raw.get()).map_err(|problem| bad(name, problem))?;
        }
    }
    keep_whole_name(object, &fields, &mut row);
    complete(object, &mut row);
    match object.index("Id").and_then(|at| row[at].as_text()) {
        None => Err(bad("Id", FieldProblem::Missing)),
        Some(id) if !id.starts_with(&object.key_prefix) => {
            Err(bad("Id", FieldProblem::Prefix(object.key_prefix.clone())))
        }
        Some(_) => Ok(row),
    }
}

fn value(field: &FieldDef, raw: &str) -> Result<Value, FieldProblem> {
    let wrong = || FieldProblem::Type(field.kind.name());
    let text = || serde_json::from_str::<String>(raw).map_err(|_| wrong());
    match field.kind {
        FieldKind::Boolean => serde_json::from_str(raw)
            .map(Value::Bool)
            .map_err(|_| wrong()),
        FieldKind::Int | FieldKind::Double | FieldKind::Currency | FieldKind::Percent => {
            number(raw).map(Value::Number).ok_or_else(wrong)
        }
        FieldKind::Date => time::parse_date(&text()?)
            .map(Value::Date)
            .ok_or_else(wrong),
        FieldKind::DateTime => time::parse_datetime(&text()?)
            .map(Value::DateTime)
            .ok_or_else(wrong),
        FieldKind::Time => time::parse_time(&text()?)
            .map(Value::Time)
            .ok_or_else(wrong),
        FieldKind::Id | FieldKind::Reference => {
            id::parse(&text()?).map(Value::from).ok_or_else(wrong)
        }
        FieldKind::Address | FieldKind::Base64 => Ok(Value::Null),
        FieldKind::AnyType => match text() {
            Ok(text) => Ok(Value::text(text)),
            Err(_) => number(raw).map(Value::Number).ok_or_else(wrong),
        },
        FieldKind::String
        | FieldKind::TextArea
        | FieldKind::Picklist
        | FieldKind::MultiPicklist
        | FieldKind::Combobox
        | FieldKind::Email
        | FieldKind::Phone
        | FieldKind::Url => {
            let text = text()?;
            let text = text.trim();
            if text.chars().count() > field.length as usize {
                return Err(FieldProblem::Length(field.length));
            }
            Ok(Value::text(text))
        }
    }
}

/// Reads a JSON number with every digit it has.
fn number(raw: &str) -> Option<Decimal> {
    if !raw.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return None;
    }
    match raw.contains(['e', 'E']) {
        true => Decimal::from_scientific(raw).ok(),
        false => Decimal::from_str_exact(raw).ok(),
    }
}

/// Keeps a person's name of which only the whole is given.
fn keep_whole_name(object: &ObjectDef, fields: &HashMap<String, &RawValue>, row: &mut [Value]) {
    let (Some(name), Some(last)) = (object.field("Name"), object.index("LastName")) else {
        return;
    };
    if name.formula == Some(Formula::PersonName) && row[last].is_null() {
        let whole = fields
            .get("Name")
            .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
        row[last] = whole.map(|whole| Value::text(whole.trim())).into();
    }
}

/// Fills the stamps a row lacks from those it has.
fn complete(object: &ObjectDef, row: &mut [Value]) {
    const WHEN: [&str; 3] = ["CreatedDate", "LastModifiedDate", "SystemModstamp"];
    const WHO: [&str; 3] = ["OwnerId", "CreatedById", "LastModifiedById"];
    for names in [WHEN, WHO] {
        let places = names.map(|name| object.index(name));
        let mut last = places
            .into_iter()
            .flatten()
            .map(|at| &row[at])
            .find(|value| !value.is_null())
            .cloned();
        for at in places.into_iter().flatten() {
            if row[at].is_null() {
                row[at] = last.clone().into();
            } else {
                last = Some(row[at].clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_every_digit() {
        for text in [
            "1234567890123456.78",
            "0.1",
            "-92",
            "2.0",
            "999999999999999999",
        ] {
            assert_eq!(number(text).unwrap().to_string(), text);
        }
        assert_eq!(number("1.5e3"), Some(Decimal::from(1_500)));
        for text in ["\"1\"", "true", "[1]", ""] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
