//! Prints a document: the same text for the same briefcase.
//!
//! Keys come in a fixed order, what goes without saying is left out, filters and
//! orders are in their canonical spelling, names as they were written.

use super::document::*;
use crate::filter::row::{Row, RowValue};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Prints a document with two blanks per level and without a line end at its end.
pub(super) fn print(document: &Document) -> String {
    // Texts, numbers, lists and maps of texts can all be written.
    serde_json::to_string_pretty(document).expect("a briefcase prints as JSON")
}

impl Serialize for super::Briefcase {
    /// Writes the document.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.document.serialize(serializer)
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("version", &VERSION)?;
        entry(&mut map, "name", self.name.as_ref())?;
        entry(&mut map, "description", self.description.as_ref())?;
        entry(
            &mut map,
            "objects",
            Some(&self.objects).filter(|all| !all.is_empty()),
        )?;
        entry(&mut map, "recent", self.recent.as_ref())?;
        map.serialize_entry("rules", &self.rules)?;
        map.end()
    }
}

impl Serialize for ObjectOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.fields {
            FieldsOf::All => {}
            FieldsOf::These(names) => map.serialize_entry("fields", names)?,
            FieldsOf::Layouts => map.serialize_entry("fields", "layouts")?,
            FieldsOf::Layout(name) => {
                map.serialize_entry("fields", &BTreeMap::from([("layout", name)]))?;
            }
        }
        entry(&mut map, "layouts", Some(true).filter(|_| self.layouts))?;
        entry(&mut map, "client_key", self.client_key.as_ref())?;
        entry(&mut map, "merge", self.merge.as_ref())?;
        entry(&mut map, "files", self.files.as_ref())?;
        map.end()
    }
}

impl Serialize for FilesPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            FilesPolicy::None => serializer.serialize_str("none"),
            FilesPolicy::Bodies { bytes_max, types } => {
                let mut map = serializer.serialize_map(None)?;
                entry(&mut map, "max_bytes", bytes_max.as_ref())?;
                entry(&mut map, "types", Some(types).filter(|all| !all.is_empty()))?;
                map.end()
            }
        }
    }
}

impl Serialize for Recent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("objects", &self.objects)?;
        entry(
            &mut map,
            "limit",
            Some(self.limit).filter(|limit| *limit != RECENT_LIMIT),
        )?;
        map.end()
    }
}

impl Serialize for TopRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bare = TopRule {
            object: self.object.clone(),
            ..TopRule::default()
        };
        if *self == bare {
            return serializer.serialize_str(&self.object);
        }
        let mut map = serializer.serialize_map(None)?;
        entry(&mut map, "name", self.name.as_ref())?;
        map.serialize_entry("object", &self.object)?;
        entry(&mut map, "optional", Some(true).filter(|_| self.optional))?;
        if let Some(view) = &self.list_view {
            map.serialize_entry("list_view", &view.name)?;
            // What it says is the org's to say, and may be another thing tomorrow.
            entry(&mut map, "limit", self.limit)?;
            entry(
                &mut map,
                "related",
                Some(&self.related).filter(|all| !all.is_empty()),
            )?;
            return map.end();
        }
        entry(
            &mut map,
            "scope",
            Some(&self.scope).filter(|scope| **scope != Scope::Everything),
        )?;
        condition(&mut map, self.filter.as_ref())?;
        entry(
            &mut map,
            "order_by",
            self.order_by.as_ref().map(|order| &order.short),
        )?;
        entry(&mut map, "limit", self.limit)?;
        related(&mut map, &self.related)?;
        map.end()
    }
}

impl Serialize for RelatedRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.path {
            RelatedPath::Children { object, field } => {
                map.serialize_entry("children", &format!("{object}.{field}"))?;
            }
            RelatedPath::Parents { field, objects } => {
                map.serialize_entry("parent", field)?;
                match objects.as_slice() {
                    [] => {}
                    [one] => map.serialize_entry("object", one)?,
                    several => map.serialize_entry("object", several)?,
                }
            }
        }
        entry(&mut map, "optional", Some(true).filter(|_| self.optional))?;
        condition(&mut map, self.filter.as_ref())?;
        related(&mut map, &self.related)?;
        map.end()
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Scope::Everything => serializer.serialize_str("everything"),
            Scope::Mine { field } if field == "OwnerId" => serializer.serialize_str("mine"),
            Scope::Mine { field } => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("mine", field)?;
                map.end()
            }
            Scope::Queue => serializer.serialize_str("queue"),
            Scope::Named(name) => serializer.serialize_str(name),
        }
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("field", &self.field)?;
        map.serialize_entry("op", &self.op)?;
        map.serialize_entry("value", &self.value)?;
        map.end()
    }
}

impl Serialize for RowValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            RowValue::Null => serializer.serialize_unit(),
            RowValue::Boolean(value) => serializer.serialize_bool(*value),
            // As text, so that no digit is lost on the way through a double.
            RowValue::Number(digits) => RawValue::from_string(digits.clone())
                .map_err(S::Error::custom)?
                .serialize(serializer),
            RowValue::Text(text) => serializer.serialize_str(text),
            RowValue::Literal(text) => tagged(serializer, "literal", text),
            RowValue::Select(text) => tagged(serializer, "select", text),
            RowValue::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                for value in list {
                    seq.serialize_element(value)?;
                }
                seq.end()
            }
        }
    }
}

fn tagged<S: Serializer>(serializer: S, tag: &str, text: &str) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, text)?;
    map.end()
}

fn entry<M: SerializeMap, T: Serialize>(
    map: &mut M,
    key: &str,
    value: Option<T>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(key, &value))
}

fn related<M: SerializeMap>(map: &mut M, rules: &[RelatedRule]) -> Result<(), M::Error> {
    entry(map, "related", Some(rules).filter(|all| !all.is_empty()))
}

/// Writes a filter as it was written: as a condition, or as rows and their logic.
fn condition<M: SerializeMap>(map: &mut M, written: Option<&Written>) -> Result<(), M::Error> {
    let Some(Written { filter, as_rows }) = written else {
        return Ok(());
    };
    let (tests, logic) = filter.to_rows();
    let rows: Option<Vec<Row>> = tests.iter().map(Row::of).collect();
    let Some(rows) = rows.filter(|_| *as_rows) else {
        return map.serialize_entry("where", &filter.to_string());
    };
    map.serialize_entry("filters", &rows)?;
    let all: Vec<String> = (1..=rows.len()).map(|nr| nr.to_string()).collect();
    entry(
        map,
        "logic",
        Some(logic).filter(|logic| *logic != all.join(" AND ")),
    )
}
