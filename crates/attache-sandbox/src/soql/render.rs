//! Writing what was found as JSON.

use super::eval::Eye;
use super::plan::{Column, Groups, Hop, Plan, Shape};
use crate::org::{Slot, key, write_text, write_value};
use crate::value::Value;
use std::fmt::Write;

impl Eye<'_> {
    /// Appends a record and gives the number of rows it holds, child rows included.
    pub(crate) fn record(
        &self,
        object: usize,
        slot: Slot,
        columns: &[Column],
        version: &str,
        out: &mut String,
    ) -> usize {
        out.push('{');
        self.org.write_attributes(object, slot, version, out);
        let rows = 1 + self.columns(object, slot, columns, version, out);
        out.push('}');
        rows
    }

    /// Appends the columns of a row, each with a comma before it, and gives the number of child rows.
    fn columns(
        &self,
        object: usize,
        slot: Slot,
        columns: &[Column],
        version: &str,
        out: &mut String,
    ) -> usize {
        let mut rows = 0;
        for column in columns {
            out.push(',');
            match column {
                Column::Field { key, field } => {
                    out.push_str(key);
                    self.org.write_field(object, slot, *field, out);
                }
                Column::Label { key, field } => {
                    out.push_str(key);
                    self.label(object, slot, *field, out);
                }
                Column::Named { key, fields } => {
                    out.push_str(key);
                    match fields.iter().find(|(of, _)| *of == object) {
                        Some((_, field)) => self.org.write_field(object, slot, *field, out),
                        None => out.push_str("null"),
                    }
                }
                Column::Type { key } => {
                    out.push_str(key);
                    write_text(&self.org.schema().objects()[object].name, out);
                }
                Column::Parent { key, hop, columns } => {
                    out.push_str(key);
                    rows += self.parent_record(object, slot, hop, columns, version, out);
                }
                Column::Children { key, field, plan } => {
                    out.push_str(key);
                    rows += self.children(object, slot, *field, plan, version, out);
                }
                Column::TypeOf {
                    key,
                    hop,
                    cases,
                    otherwise,
                } => {
                    out.push_str(key);
                    let found = self.parent(object, slot, hop).and_then(|(parent, at)| {
                        let case = cases.iter().find(|(of, _)| *of == parent);
                        Some((
                            parent,
                            at,
                            case.map(|(_, columns)| columns).or(otherwise.as_ref())?,
                        ))
                    });
                    match found {
                        Some((parent, at, columns)) => {
                            self.record(parent, at, columns, version, out);
                        }
                        None => out.push_str("null"),
                    }
                }
            }
        }
        rows
    }

    /// Appends the parent of a row, or null.
    fn parent_record(
        &self,
        object: usize,
        slot: Slot,
        hop: &Hop,
        columns: &[Column],
        version: &str,
        out: &mut String,
    ) -> usize {
        let Some((parent, at)) = self.parent(object, slot, hop) else {
            out.push_str("null");
            return 0;
        };
        out.push('{');
        // A parent whose object differs by row is shown as what they have in common.
        let shown = if hop.target.is_some() {
            None
        } else {
            Some("Name")
        };
        self.org
            .write_attributes_as(shown, parent, at, version, out);
        let rows = self.columns(parent, at, columns, version, out);
        out.push('}');
        rows
    }

    fn label(&self, object: usize, slot: Slot, field: usize, out: &mut String) {
        let known = &self.org.schema().objects()[object].fields[field];
        let value = self.org.value(object, slot, field);
        let label = |value: &str| {
            let entry = known.picklist.iter().find(|entry| entry.value == value);
            entry.map_or_else(|| value.to_owned(), |entry| entry.label.clone())
        };
        match value.as_text() {
            Some(text) if !known.picklist.is_empty() => {
                write_text(
                    &text.split(';').map(label).collect::<Vec<_>>().join(";"),
                    out,
                );
            }
            _ => write_value(&value, known.kind, out),
        }
    }

    /// Appends the child rows of a row, or null, and gives their number.
    fn children(
        &self,
        object: usize,
        slot: Slot,
        field: usize,
        plan: &Plan,
        version: &str,
        out: &mut String,
    ) -> usize {
        let (Some(parent), Shape::Rows(columns)) =
            (key(self.org.table(object).id(slot)), &plan.shape)
        else {
            out.push_str("null");
            return 0;
        };
        let most = plan.limit.map(|limit| limit.saturating_add(plan.offset));
        let candidates = self
            .org
            .table(plan.object)
            .children(field, parent)
            .collect();
        let mut rows = self.among(
            plan.object,
            candidates,
            plan.filter.as_ref(),
            &plan.order,
            most,
        );
        rows.drain(..plan.offset.min(rows.len()));
        if rows.is_empty() {
            out.push_str("null");
            return 0;
        }
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "{{\"totalSize\":{},\"done\":true,\"records\":[",
            rows.len()
        );
        let mut written = 0;
        for (n, &child) in rows.iter().enumerate() {
            if n > 0 {
                out.push(',');
            }
            written += self.record(plan.object, child, columns, version, out);
        }
        out.push_str("]}");
        written
    }
}

/// Appends the record of a group.
pub(crate) fn group(groups: &Groups, values: &[Value], out: &mut String) {
    out.push_str("{\"attributes\":{\"type\":\"AggregateResult\"}");
    for (key, at, kind) in &groups.outputs {
        out.push(',');
        out.push_str(key);
        write_value(values.get(*at).unwrap_or(&Value::Null), *kind, out);
    }
    out.push('}');
}
