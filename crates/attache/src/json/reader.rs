//! Reads the records of a page: the hot path of a first load.

use super::scalar;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Value;
use crate::schema::FieldType;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;

/// Reads records into values in the order of a list of fields.
///
/// Made once for a query and used for each of its records.
///
/// # Cost
/// One pass over the text, one allocation per text value and one per record. Fields
/// that come in the order of the list, as they do from a query, are not looked up.
#[derive(Debug)]
pub(crate) struct RecordReader {
    fields: Vec<(String, FieldType)>,
    by_name: HashMap<String, usize>,
}

impl RecordReader {
    /// Makes a reader of these fields, by API name in the exact case of the answers.
    pub(crate) fn new(fields: Vec<(String, FieldType)>) -> RecordReader {
        let by_name = fields
            .iter()
            .enumerate()
            .map(|(at, (name, _))| (name.clone(), at))
            .collect();
        RecordReader { fields, by_name }
    }

    /// Reads one record. Keys that are not in the list are passed over; a field without
    /// a key is null.
    ///
    /// # Errors
    /// [`ErrorKind::NotARemote`] if the text is not an object or a value is not of its
    /// field's type. The message names the field, never the value.
    pub(crate) fn read(&self, raw: &RawValue) -> Result<Vec<Value>> {
        let failed = Cell::new(None);
        let visitor = Values {
            reader: self,
            failed: &failed,
        };
        // The parser's own errors quote what they stumble over, so none is passed on.
        serde_json::Deserializer::from_str(raw.get())
            .deserialize_map(visitor)
            .map_err(|_| {
                Error::new(
                    ErrorKind::NotARemote,
                    match failed.get().map(|at: usize| &self.fields[at]) {
                        Some((name, ty)) => format!(
                            "the answer holds a value of the field {name} that is not of its type ({ty:?})"
                        ),
                        None => String::from("the answer holds a record that cannot be read"),
                    },
                )
            })
    }

    fn position(&self, name: &str, expected: usize) -> Option<usize> {
        match self.fields.get(expected) {
            Some((own, _)) if own == name => Some(expected),
            _ => self.by_name.get(name).copied(),
        }
    }
}

struct Values<'a> {
    reader: &'a RecordReader,
    failed: &'a Cell<Option<usize>>,
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Value>, A::Error> {
        let mut values = vec![Value::Null; self.reader.fields.len()];
        let mut expected = 0;
        while let Some(at) = map.next_key_seed(Key {
            reader: self.reader,
            expected,
        })? {
            let Some(at) = at else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let raw = map.next_value::<&RawValue>()?;
            values[at] = scalar::read(&self.reader.fields[at].1, raw.get()).ok_or_else(|| {
                self.failed.set(Some(at));
                A::Error::custom("a value of another type")
            })?;
            expected = at + 1;
        }
        Ok(values)
    }
}

/// A key as the position of its field.
struct Key<'a> {
    reader: &'a RecordReader,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Option<usize>, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.reader.position(name, self.expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader() -> RecordReader {
        RecordReader::new(vec![
            ("Id".into(), FieldType::Id),
            ("Name".into(), FieldType::String),
            ("Amount".into(), FieldType::Currency),
            ("CloseDate".into(), FieldType::Date),
            ("AccountId".into(), FieldType::Reference),
        ])
    }

    fn read(json: &str) -> Result<Vec<Value>> {
        let raw = RawValue::from_string(json.into()).expect("a test writes JSON");
        reader().read(&raw)
    }

    #[test]
    fn values_come_in_the_order_of_the_list_and_other_keys_are_passed_over() {
        let values = read(
            r#"{"attributes":{"type":"Opportunity","url":"/x"},"Amount": 1234567890123456.78,
            "Id":"001D000000JliST","Account":{"Name":"inner"},"name":"wrong case",
            "Name":"x","AccountId":null}"#,
        )
        .expect("a record");
        assert_eq!(
            values,
            [
                Value::from("001D000000JliSTIAZ"),
                Value::from("x"),
                Value::Number("1234567890123456.78".parse().unwrap()),
                Value::Null,
                Value::Null,
            ]
        );
    }

    #[test]
    fn a_value_of_another_type_names_its_field_and_keeps_the_value_to_itself() {
        for json in [
            r#"{"CloseDate":"secret"}"#,
            r#"{"CloseDate":{"secret":1}}"#,
            r#"{"CloseDate":["secret"]}"#,
        ] {
            let error = read(json).expect_err("not a date");
            assert_eq!(error.kind(), ErrorKind::NotARemote);
            assert!(error.to_string().contains("CloseDate"), "{error}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for json in ["[]", "1", "\"x\"", "null"] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    /// The types of the data set's objects, as `types.json` names them.
    fn types() -> Vec<(String, Vec<(String, FieldType)>)> {
        let text = std::fs::read_to_string(data("types.json")).expect("the data set");
        let types: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let ty = |name: &serde_json::Value| match name.as_str().expect("a type") {
            "id" => FieldType::Reference,
            "boolean" => FieldType::Boolean,
            "number" => FieldType::Double,
            "date" => FieldType::Date,
            "datetime" => FieldType::DateTime,
            "multi" => FieldType::MultiPicklist,
            "text" => FieldType::String,
            other => panic!("the data set has a new type {other}"),
        };
        let objects = types.as_object().expect("objects").iter();
        objects
            .filter_map(|(object, fields)| Some((object, fields.as_object()?)))
            .filter(|(object, _)| !object.starts_with('_'))
            .map(|(object, fields)| {
                let fields = fields.iter().map(|(name, own)| (name.clone(), ty(own)));
                (object.clone(), fields.collect())
            })
            .collect()
    }

    fn data(name: &str) -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data/records")
            .join(name)
    }

    fn lines(object: &str) -> Vec<Box<RawValue>> {
        let file = std::fs::File::open(data(&format!("{object}.jsonl.gz"))).expect("a file");
        let text = std::io::read_to_string(flate2::read::GzDecoder::new(file)).expect("text");
        serde_json::Deserializer::from_str(&text)
            .into_iter()
            .collect::<Result<_, _>>()
            .expect("JSON lines")
    }

    #[test]
    fn a_whole_org_reads_and_prints_back_as_it_was() {
        let mut count = 0;
        for (object, fields) in types() {
            let reader = RecordReader::new(fields.clone());
            for raw in lines(&object) {
                let values = reader.read(&raw).expect("a record");
                let plain: serde_json::Value = serde_json::from_str(raw.get()).expect("JSON");
                for ((name, _), value) in fields.iter().zip(values) {
                    let printed: serde_json::Value =
                        serde_json::from_str(&value.to_json()).expect("JSON");
                    assert_eq!(printed, plain[name], "{object}.{name}");
                    count += 1;
                }
            }
        }
        assert!(count > 300_000, "only {count} values were compared");
    }
}
