//! Writing what was found as JSON.

use super::eval::Eye;
use super::plan::{Column, Groups, Hop, Plan, Shape};
use crate::org::{Cursor, Slot, key, write_text, write_value};
use crate::value::Value;
use std::fmt::Write;
use std::sync::Arc;

/// Where records are written.
pub(crate) struct Page<'a> {
    pub(crate) out: &'a mut String,
    /// Of the call, such as `67.0`.
    pub(crate) version: &'a str,
    /// What becomes of long lists of children; `None`: they come with their parent, however long.
    pub(crate) later: Option<Later<'a>>,
}

/// The children that come in pages of their own.
pub(crate) struct Later<'a> {
    /// Children that come with their parent at most.
    pub(crate) most: usize,
    /// Keeps all the children of a row, and gives the name of the locator they are asked for by.
    pub(crate) open: &'a mut dyn FnMut(Cursor) -> String,
}

impl Eye<'_> {
    /// Appends a record and gives the number of rows it holds, child rows included.
    pub(crate) fn record(
        &self,
        object: usize,
        slot: Slot,
        columns: &[Column],
        page: &mut Page<'_>,
    ) -> usize {
        page.out.push('{');
        self.org
            .write_attributes(object, slot, page.version, page.out);
        let rows = 1 + self.columns(object, slot, columns, page);
        page.out.push('}');
        rows
    }

    /// Appends the columns of a row, each with a comma before it, and gives the number of child rows.
    fn columns(&self, object: usize, slot: Slot, columns: &[Column], page: &mut Page<'_>) -> usize {
        let mut rows = 0;
        for column in columns {
            page.out.push(',');
            match column {
                Column::Field { key, field } => {
                    page.out.push_str(key);
                    self.org
                        .write_field(self.viewer, object, slot, *field, page.out);
                }
                Column::Label { key, field } => {
                    page.out.push_str(key);
                    self.label(object, slot, *field, page.out);
                }
                Column::Named { key, fields } => {
                    page.out.push_str(key);
                    match fields.iter().find(|(of, _)| *of == object) {
                        Some((_, field)) => {
                            self.org
                                .write_field(self.viewer, object, slot, *field, page.out)
                        }
                        None => page.out.push_str("null"),
                    }
                }
                Column::Type { key } => {
                    page.out.push_str(key);
                    write_text(&self.org.schema().objects()[object].name, page.out);
                }
                Column::Parent { key, hop, columns } => {
                    page.out.push_str(key);
                    rows += self.parent_record(object, slot, hop, columns, page);
                }
                Column::Children { key, field, plan } => {
                    page.out.push_str(key);
                    rows += self.children(object, slot, *field, plan, page);
                }
                Column::TypeOf {
                    key,
                    hop,
                    cases,
                    otherwise,
                } => {
                    page.out.push_str(key);
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
                            self.record(parent, at, columns, page);
                        }
                        None => page.out.push_str("null"),
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
        page: &mut Page<'_>,
    ) -> usize {
        let Some((parent, at)) = self.parent(object, slot, hop) else {
            page.out.push_str("null");
            return 0;
        };
        page.out.push('{');
        // A parent whose object differs by row is shown as what they have in common.
        let shown = if hop.target.is_some() {
            None
        } else {
            Some("Name")
        };
        self.org
            .write_attributes_as(shown, parent, at, page.version, page.out);
        let rows = self.columns(parent, at, columns, page);
        page.out.push('}');
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
        plan: &Arc<Plan>,
        page: &mut Page<'_>,
    ) -> usize {
        let (Some(parent), Shape::Rows(columns)) =
            (key(self.org.table(object).id(slot)), &plan.shape)
        else {
            page.out.push_str("null");
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
            page.out.push_str("null");
            return 0;
        }
        let total = rows.len();
        let next = page.later.as_mut().and_then(|later| {
            (total > later.most).then(|| {
                let children =
                    Cursor::of_children(plan, rows.clone(), self.calendar, self.all_rows);
                rows.truncate(later.most);
                (later.open)(children)
            })
        });
        // Writing to a string cannot fail.
        let _ = write!(
            page.out,
            "{{\"totalSize\":{total},\"done\":{}",
            next.is_none()
        );
        if let Some(locator) = next {
            let (version, from) = (page.version, rows.len());
            let _ = write!(
                page.out,
                ",\"nextRecordsUrl\":\"/services/data/v{version}/query/{locator}-{from}\""
            );
        }
        page.out.push_str(",\"records\":[");
        let mut written = 0;
        for (n, &child) in rows.iter().enumerate() {
            if n > 0 {
                page.out.push(',');
            }
            written += self.record(plan.object, child, columns, page);
        }
        page.out.push_str("]}");
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
