//! Compares devices with the org: record by record, field by field.
//!
//! What a device should hold is worked out here a second time, from queries that
//! the org answers for its user; nothing of the engine takes part in it.

use crate::expected::{Expected, expected};
use crate::world::World;
use attache::{Attache, Error, ErrorKind, Record, Result, Value};
use attache_sandbox::schema::FieldKind;
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// A row of a query's answer, as JSON.
#[derive(Clone, Debug)]
pub struct Row(BTreeMap<String, Box<RawValue>>);

impl Row {
    /// The JSON of a field.
    pub fn raw(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(|raw| raw.get())
    }

    /// The text of a text field that is not null.
    pub fn text(&self, field: &str) -> Option<String> {
        serde_json::from_str::<Option<String>>(self.raw(field)?)
            .ok()
            .flatten()
    }
}

impl World {
    /// Answers a query as a user, whole.
    ///
    /// # Errors
    /// The org's words.
    pub fn rows(&self, user: &str, soql: &str) -> std::result::Result<Vec<Row>, String> {
        self.rows_of(user, soql, false)
    }

    /// The same as [`World::rows`], deleted rows included, as the boss.
    ///
    /// # Errors
    /// The org's words.
    pub fn all_rows(&self, soql: &str) -> std::result::Result<Vec<Row>, String> {
        self.rows_of(self.boss(), soql, true)
    }

    fn rows_of(
        &self,
        user: &str,
        soql: &str,
        deleted_too: bool,
    ) -> std::result::Result<Vec<Row>, String> {
        let json = self.sandbox.with_org(|org| {
            let cursor = org
                .query(user, soql, deleted_too)
                .map_err(|error| format!("{soql}: {}", error.message))?;
            let mut json = String::new();
            org.render(user, &cursor, 0, usize::MAX, "67.0", &mut json);
            Ok::<_, String>(json)
        })?;
        let rows: Vec<BTreeMap<String, Box<RawValue>>> =
            serde_json::from_str(&json).map_err(|error| format!("{soql}: {error}"))?;
        Ok(rows.into_iter().map(Row).collect())
    }

    /// Counts the rows whose field has this text, deleted ones included: a record made twice counts twice.
    ///
    /// # Errors
    /// The org's words.
    pub fn times(
        &self,
        object: &str,
        field: &str,
        text: &str,
    ) -> std::result::Result<usize, String> {
        let soql = format!("SELECT Id FROM {object} WHERE {field} = '{text}'");
        Ok(self.all_rows(&soql)?.len())
    }

    /// Compares a settled device of a user with what its briefcase should hold, and says what differs.
    ///
    /// Ids are compared both ways, and every carried field by its meaning.
    ///
    /// # Errors
    /// Those of reading the device, and [`ErrorKind::Internal`] for a briefcase
    /// that the org cannot answer.
    pub fn differences(&self, user: usize, device: &Attache) -> Result<Vec<String>> {
        let briefcase = device.briefcase()?.ok_or_else(|| wrong("no briefcase"))?;
        let user = &self.users[user].id;
        let expected = expected(self, user, &briefcase.to_json()).map_err(wrong)?;
        let mut differences = Vec::new();
        for object in device.schema()?.objects() {
            let compared = self.compare(user, device, &object.name, &expected);
            differences.extend(compared?);
        }
        for (object, ids) in &expected.ids {
            if device.schema()?.object(object).is_none() && !ids.is_empty() {
                differences.push(format!("{object} is not on the device at all"));
            }
        }
        Ok(differences)
    }

    /// The same for some objects, where the device may also hold other records that its user sees, by their ids.
    pub(crate) fn compare_all(
        &self,
        user: usize,
        device: &Attache,
        objects: &[&str],
        also: &BTreeSet<String>,
    ) -> Result<Vec<String>> {
        let briefcase = device.briefcase()?.ok_or_else(|| wrong("no briefcase"))?;
        let user = &self.users[user].id;
        let mut expected = expected(self, user, &briefcase.to_json()).map_err(wrong)?;
        let mut differences = Vec::new();
        for object in objects {
            let sees = |id: &&String| {
                self.sandbox
                    .with_org(|org| org.read(user, object, id).is_some())
            };
            let ids = also.iter().filter(sees).cloned();
            expected
                .ids
                .entry((*object).to_owned())
                .or_default()
                .extend(ids);
            if device.schema()?.object(object).is_some() {
                differences.extend(self.compare(user, device, object, &expected)?);
            }
        }
        Ok(differences)
    }

    fn compare(
        &self,
        user: &str,
        device: &Attache,
        object: &str,
        expected: &Expected,
    ) -> Result<Vec<String>> {
        let mut differences = Vec::new();
        let none = BTreeSet::new();
        let there = expected.ids.get(object).unwrap_or(&none);
        let mut here: BTreeMap<String, Record> = BTreeMap::new();
        for row in device.query(&format!("SELECT Id FROM {object}"))? {
            let Some(identity) = row.id() else { continue };
            let Some(record) = device.get(identity)? else {
                differences.push(format!("{object} {identity} is listed and cannot be read"));
                continue;
            };
            let id = record.fields.get("Id").and_then(Value::as_text);
            match id.filter(|id| !id.starts_with("local-")) {
                None => differences.push(format!("{object} {identity} never reached the org")),
                Some(id) if here.contains_key(id) => {
                    differences.push(format!("{object} {id} is on the device twice"));
                }
                Some(id) => {
                    here.insert(id.to_owned(), record);
                }
            }
        }
        for id in there.iter().filter(|id| !here.contains_key(*id)) {
            differences.push(format!(
                "{object} {id} belongs on the device and is not there"
            ));
        }
        for id in here.keys().filter(|id| !there.contains(*id)) {
            differences.push(format!("{object} {id} does not belong on the device"));
        }
        let fields = self.carried(object, expected);
        let soql = format!("SELECT {} FROM {object}", fields.join(", "));
        for row in self.rows(user, &soql).map_err(wrong)? {
            let id = row.text("Id").unwrap_or_default();
            let Some(record) = here.get(&id).filter(|_| there.contains(&id)) else {
                continue;
            };
            for field in &fields {
                let (raw, value) = (row.raw(field).unwrap_or("null"), record.fields.get(field));
                if value.is_none_or(|value| !same(value, raw)) {
                    let value = value.map_or("nothing".into(), Value::to_json);
                    differences.push(format!(
                        "{object} {id} {field}: the device has {value}, the org has {raw}"
                    ));
                }
            }
        }
        Ok(differences)
    }

    /// The fields of an object that a device carries: all that are not made of others, or those asked for.
    fn carried(&self, object: &str, expected: &Expected) -> Vec<String> {
        let wanted = expected.fields.get(object);
        self.sandbox.with_org(|org| {
            let fields = org
                .schema()
                .object(object)
                .map(|object| object.fields.iter());
            fields
                .into_iter()
                .flatten()
                .filter(|field| field.kind != FieldKind::Address)
                .map(|field| field.name.to_string())
                .filter(|name| name == "Id" || wanted.is_none_or(|wanted| wanted.contains(name)))
                .collect()
        })
    }
}

fn wrong(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Internal, message.to_string())
}

/// Compares a device's value with the org's JSON by their meaning.
pub(crate) fn same(value: &Value, raw: &str) -> bool {
    let text: Option<String> = serde_json::from_str(raw).ok();
    match value {
        Value::Null => raw == "null",
        Value::Boolean(value) => raw == if *value { "true" } else { "false" },
        Value::Number(value) => Decimal::from_str(raw).is_ok_and(|number| number == *value),
        Value::Text(value) => text
            .is_some_and(|text| *value == text || value.contains(';') && set(value) == set(&text)),
        Value::Date(value) => text.is_some_and(|text| text == value.to_string()),
        Value::DateTime(value) => {
            let org = text.and_then(|text| text.strip_suffix(".000+0000").map(str::to_owned));
            let org = org.and_then(|text| format!("{text}Z").parse::<jiff::Timestamp>().ok());
            org.is_some_and(|org| org.as_second() == value.0)
        }
        Value::Time(value) => text.is_some_and(|text| {
            let org = text.trim_end_matches('Z').parse::<jiff::civil::Time>();
            org.is_ok_and(|org| org == *value)
        }),
        _ => false,
    }
}

/// The entries of a multi-select list, whose order means nothing.
fn set(list: &str) -> BTreeSet<&str> {
    list.split(';').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_by_their_meaning() {
        let number = |text: &str| Value::Number(text.parse().expect("a number"));
        assert!(same(&number("12.50"), "12.5") && !same(&number("12.5"), "12.51"));
        assert!(same(&Value::from("b;a"), "\"a;b\"") && !same(&Value::from("b;a"), "\"a;c\""));
        assert!(same(&Value::from("a"), "\"a\"") && !same(&Value::from("a"), "\"b\""));
        assert!(same(&Value::Null, "null") && !same(&Value::Null, "\"a\""));
        assert!(!same(&Value::from("a"), "null") && !same(&Value::from(true), "false"));
        let stamp = Value::DateTime(attache::ServerTime(1_795_339_800));
        assert!(same(&stamp, "\"2026-11-22T09:30:00.000+0000\""));
        assert!(!same(&stamp, "\"2026-11-22T09:30:01.000+0000\""));
    }
}
