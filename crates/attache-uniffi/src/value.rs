//! Values and records.

use crate::error::{ErrorKind, Result, failed};
use std::collections::HashMap;

/// A field's value.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Value {
    /// No value.
    Null,
    /// A checkbox.
    Boolean {
        /// True or false.
        value: bool,
    },
    /// A number of any kind, exact.
    Number {
        /// The decimal as text, such as `1234567890123456.78`.
        value: String,
    },
    /// Text, picklist values, ids and multi-select lists (`a;b`).
    Text {
        /// The text.
        value: String,
    },
    /// A day, without a zone.
    Date {
        /// `2026-11-22`.
        value: String,
    },
    /// An instant.
    DateTime {
        /// Whole seconds since 1970-01-01T00:00:00Z.
        seconds: i64,
    },
    /// A time of day.
    Time {
        /// `09:30:00` or `09:30:00.000`.
        value: String,
    },
}

impl From<&attache::Value> for Value {
    fn from(value: &attache::Value) -> Value {
        match value {
            attache::Value::Null => Value::Null,
            attache::Value::Boolean(value) => Value::Boolean { value: *value },
            attache::Value::Number(value) => Value::Number {
                value: value.to_string(),
            },
            attache::Value::Text(value) => Value::Text {
                value: value.clone(),
            },
            attache::Value::Date(value) => Value::Date {
                value: value.to_string(),
            },
            attache::Value::DateTime(value) => Value::DateTime { seconds: value.0 },
            attache::Value::Time(value) => Value::Time {
                value: value.to_string(),
            },
            // A type that is newer than this file is carried as text.
            other => Value::Text {
                value: other.to_string(),
            },
        }
    }
}

impl Value {
    /// Reads the value of a field that the host gave.
    fn read(self, field: &str) -> Result<attache::Value> {
        let wrong = |what: &str| {
            failed(
                ErrorKind::InvalidArgument,
                format!("the value of {field} is not {what}"),
            )
        };
        Ok(match self {
            Value::Null => attache::Value::Null,
            Value::Boolean { value } => value.into(),
            Value::Number { value } => value
                .parse::<rust_decimal::Decimal>()
                .map_err(|_| wrong("a decimal number"))?
                .into(),
            Value::Text { value } => value.into(),
            Value::Date { value } => value
                .parse::<jiff::civil::Date>()
                .map_err(|_| wrong("a date like 2026-11-22"))?
                .into(),
            Value::DateTime { seconds } => attache::ServerTime(seconds).into(),
            Value::Time { value } => value
                .parse::<jiff::civil::Time>()
                .map_err(|_| wrong("a time like 09:30:00"))?
                .into(),
        })
    }
}

/// Reads the fields that the host gave.
pub(crate) fn fields(given: HashMap<String, Value>) -> Result<attache::Fields> {
    let read: Result<Vec<(String, attache::Value)>> = given
        .into_iter()
        .map(|(name, value)| Ok((name.clone(), value.read(&name)?)))
        .collect();
    Ok(read?.into_iter().collect())
}

/// One record as this device sees it: what the org confirmed, with the edits made here on top.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Record {
    /// Its identity on this device. It never changes.
    pub id: String,
    /// The object's API name.
    pub object: String,
    /// Every field the briefcase carries. `Id` is the org's id once there is one.
    pub fields: HashMap<String, Value>,
}

/// Shows fields to the host.
pub(crate) fn shown(fields: &attache::Fields) -> HashMap<String, Value> {
    fields
        .iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

impl From<&attache::Record> for Record {
    fn from(record: &attache::Record) -> Record {
        Record {
            id: record.id.to_string(),
            object: record.object.clone(),
            fields: shown(&record.fields),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::AttacheError;

    #[test]
    fn values_come_back_as_they_went() {
        let given = [
            (
                "Money",
                Value::Number {
                    value: "1234567890123456.78".into(),
                },
            ),
            (
                "Day",
                Value::Date {
                    value: "2026-11-22".into(),
                },
            ),
            (
                "Time",
                Value::Time {
                    value: "09:30:00.5".into(),
                },
            ),
            (
                "Instant",
                Value::DateTime {
                    seconds: 1_795_339_800,
                },
            ),
            (
                "Text",
                Value::Text {
                    value: "Ünal; a NUL: \0".into(),
                },
            ),
            ("Flag", Value::Boolean { value: false }),
            ("Nothing", Value::Null),
        ];
        let given: HashMap<String, Value> =
            given.map(|(name, value)| (name.to_owned(), value)).into();
        let read = fields(given.clone()).expect("good values");
        assert_eq!(shown(&read), given);
    }

    #[test]
    fn a_value_that_cannot_be_read_names_its_field_and_not_itself() {
        for value in [
            Value::Number {
                value: "1,5".into(),
            },
            Value::Date {
                value: "22.11.2026".into(),
            },
            Value::Time {
                value: "half past nine".into(),
            },
        ] {
            let given = HashMap::from([("Due__c".to_owned(), value)]);
            let AttacheError::Failed { kind, reason, .. } = fields(given).expect_err("a bad value");
            assert_eq!(kind, ErrorKind::InvalidArgument);
            assert!(
                reason.contains("Due__c") && !reason.contains("nine"),
                "{reason}"
            );
        }
    }
}
