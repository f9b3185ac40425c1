//! One row, as a user sees it.

use super::formula::address_parts;
use super::{Org, SaveError, Slot, Viewer, time};
use crate::schema::{FieldKind, Formula};
use crate::value::Value;
use std::borrow::Cow;
use std::fmt::Write;

/// A row that exists, is not deleted, and that the user may see.
#[derive(Clone, Copy, Debug)]
pub struct RowView<'a> {
    org: &'a Org,
    object: usize,
    slot: Slot,
}

impl<'a> RowView<'a> {
    /// Gives the 18-character id.
    pub fn id(&self) -> &'a str {
        self.org.tables[self.object].id(self.slot)
    }

    /// Gives the API name of the object.
    pub fn object(&self) -> &'a str {
        &self.org.schema.objects()[self.object].name
    }

    /// Gives a field's value, computed if it is calculated; null if there is no such field.
    pub fn get(&self, field: &str) -> Cow<'a, Value> {
        match self.org.schema.objects()[self.object].index(field) {
            Some(field) => self.org.value(self.object, self.slot, field),
            None => Cow::Owned(Value::Null),
        }
    }

    /// Tells when a user last saved the row, in seconds since the epoch.
    pub fn last_modified(&self) -> i64 {
        self.stamp(self.org.tables[self.object].columns.modified)
    }

    /// Tells when anything last touched the row, in seconds since the epoch.
    pub fn system_modstamp(&self) -> i64 {
        self.stamp(self.org.tables[self.object].columns.stamp)
    }

    fn stamp(&self, column: Option<usize>) -> i64 {
        match column.map(|at| self.org.tables[self.object].value(self.slot, at)) {
            Some(Value::DateTime(at)) => *at,
            _ => 0,
        }
    }
}

impl Org {
    /// Finds a row the user may see; `None` if it is missing, deleted or hidden.
    pub fn read(&self, actor: &str, object: &str, id: &str) -> Option<RowView<'_>> {
        let viewer = self.viewer(actor);
        let object = self.known(&viewer, object)?;
        let id = crate::id::parse(id)?;
        let slot = self.tables[object].find(&super::key(&id)?)?;
        let seen = !self.tables[object].is_deleted(slot) && self.visible(&viewer, object, slot);
        seen.then_some(RowView {
            org: self,
            object,
            slot,
        })
    }

    /// Gives a row as JSON with its `attributes`, all fields or the ones named, or `None` as [`Org::read`] does.
    ///
    /// Fails if a named field does not exist.
    pub fn row_json(
        &self,
        actor: &str,
        object: &str,
        id: &str,
        fields: Option<&[&str]>,
        version: &str,
    ) -> Result<Option<String>, SaveError> {
        let viewer = self.viewer(actor);
        let at = self.object_for(actor, object)?;
        let definition = &self.schema.objects()[at];
        let columns: Vec<usize> = match fields {
            None => (0..definition.fields.len())
                .filter(|&field| self.readable(&viewer, at, field))
                .collect(),
            Some(names) => {
                let mut columns = Vec::with_capacity(names.len());
                for name in names {
                    let known = definition
                        .index(name)
                        .filter(|&field| self.readable(&viewer, at, field));
                    let field = known.ok_or_else(|| {
                        let message = format!(
                            "No such column '{name}' on sobject of type {}",
                            definition.name
                        );
                        SaveError::new("INVALID_FIELD", message)
                    })?;
                    if !columns.contains(&field) {
                        columns.push(field);
                    }
                }
                columns
            }
        };
        let Some(row) = self.read(actor, object, id) else {
            return Ok(None);
        };
        let mut out = String::with_capacity(columns.len() * 32);
        out.push('{');
        self.write_attributes(at, row.slot, version, &mut out);
        // The id is shown whether it was named or not.
        for field in [self.tables[at].columns.id]
            .into_iter()
            .filter(|field| !columns.contains(field))
            .chain(columns.iter().copied())
        {
            out.push_str(",\"");
            out.push_str(&definition.fields[field].name);
            out.push_str("\":");
            self.write_field(&viewer, at, row.slot, field, &mut out);
        }
        out.push('}');
        Ok(Some(out))
    }

    /// Appends `"attributes":{...}`.
    pub(crate) fn write_attributes(
        &self,
        object: usize,
        slot: Slot,
        version: &str,
        out: &mut String,
    ) {
        self.write_attributes_as(None, object, slot, version, out);
    }

    /// Appends `"attributes":{...}` with another type than the object's name.
    pub(crate) fn write_attributes_as(
        &self,
        kind: Option<&str>,
        object: usize,
        slot: Slot,
        version: &str,
        out: &mut String,
    ) {
        let name = &self.schema.objects()[object].name;
        for part in [
            "\"attributes\":{\"type\":\"",
            kind.unwrap_or(name),
            "\",\"url\":\"/services/data/v",
            version,
            "/sobjects/",
            name,
            "/",
            self.tables[object].id(slot),
            "\"}",
        ] {
            out.push_str(part);
        }
    }

    /// Appends the JSON of a field's value.
    pub(crate) fn write_field(
        &self,
        viewer: &Viewer,
        object: usize,
        slot: Slot,
        field: usize,
        out: &mut String,
    ) {
        let definition = &self.schema.objects()[object];
        match definition.fields[field].formula {
            Some(Formula::Address(prefix)) => self.write_address(object, slot, prefix, out),
            _ => write_value(
                &self.seen(viewer, object, slot, field),
                definition.fields[field].kind,
                out,
            ),
        }
    }

    fn write_address(&self, object: usize, slot: Slot, prefix: &str, out: &mut String) {
        let parts = address_parts(&self.schema.objects()[object], prefix);
        let value = |field: Option<usize>| {
            field.map_or(&Value::Null, |at| self.tables[object].value(slot, at))
        };
        if parts.iter().all(|(_, field)| value(*field).is_null()) {
            return out.push_str("null");
        }
        for (n, (key, field)) in parts.into_iter().enumerate() {
            out.push(if n == 0 { '{' } else { ',' });
            write_text(key, out);
            out.push(':');
            let kind = field.map_or(FieldKind::String, |at| {
                self.schema.objects()[object].fields[at].kind
            });
            write_value(value(field), kind, out);
        }
        out.push('}');
    }
}

/// Appends the JSON of a value of a field of this kind.
pub(crate) fn write_value(value: &Value, kind: FieldKind, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Text(text) => write_text(text, out),
        Value::Number(number) => {
            let start = out.len();
            // Writing to a string cannot fail.
            let _ = write!(out, "{number}");
            if kind != FieldKind::Int && !out[start..].contains('.') {
                out.push_str(".0");
            }
        }
        Value::Date(date) => quoted(out, |out| time::write_date(*date, out)),
        Value::DateTime(at) => quoted(out, |out| time::write_datetime(*at, out)),
        Value::Time(at) => quoted(out, |out| time::write_time(*at, out)),
    }
}

fn quoted(out: &mut String, write: impl FnOnce(&mut String)) {
    out.push('"');
    write(out);
    out.push('"');
}

/// Appends a JSON string.
pub(crate) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
        plain = at + 1;
    }
    out.push_str(&text[plain..]);
    out.push('"');
}
