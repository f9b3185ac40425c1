//! JSON without losing a digit: objects keep their order and their values stay text.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The fields of a JSON object in the order they were written, values as they were written.
#[derive(Debug, Default)]
pub(crate) struct Fields(pub(crate) Vec<(String, Box<RawValue>)>);

impl Fields {
    /// Finds a value by name, whatever the name's case.
    pub(crate) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// Takes a value out by name, whatever the name's case.
    pub(crate) fn take(&mut self, name: &str) -> Option<Box<RawValue>> {
        let at = self
            .0
            .iter()
            .position(|(field, _)| field.eq_ignore_ascii_case(name))?;
        Some(self.0.remove(at).1)
    }

    /// Finds a text by name; `None` for anything that is not a string.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(text)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = map.next_entry()? {
            fields.push(entry);
        }
        Ok(Fields(fields))
    }
}

/// Reads a JSON string; `None` for any other value.
pub(crate) fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// Says whether a value is the literal `null`.
pub(crate) fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

/// Appends a JSON string.
pub(crate) fn push_text(out: &mut String, text: &str) {
    out.push_str(&quoted(text));
}

/// Says whether arrays and objects stand inside each other more than `most` deep.
///
/// A raw value is read without recursion, however deep it is; whoever walks into it later recurses.
pub(crate) fn is_deeper_than(most: usize, json: &[u8]) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

/// Makes a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string has a JSON form")
}

/// Makes a raw value of text known to be JSON; text that is not becomes null.
pub(crate) fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json)
        .unwrap_or_else(|_| RawValue::from_string("null".into()).expect("null is JSON"))
}

/// Writes a value whose parts all have a JSON form.
pub(crate) fn write(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("maps have string keys and no part refuses")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_keeps_every_digit() {
        let fields: Fields =
            serde_json::from_str(r#"{"b":12345678901234567.89,"A":null,"c":{"x":1.10}}"#).unwrap();
        let names: Vec<_> = fields.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b", "A", "c"]);
        assert_eq!(fields.get("B").unwrap().get(), "12345678901234567.89");
        assert!(is_null(fields.get("a").unwrap()));
        assert_eq!(fields.get("c").unwrap().get(), r#"{"x":1.10}"#);
    }

    #[test]
    fn depth_is_that_of_brackets_outside_texts() {
        let json = br#"{"a":[{"b":"[[[\"[[["}],"c":[[]]}"#;
        assert!(is_deeper_than(2, json));
        assert!(!is_deeper_than(3, json));
    }
}
