//! Writing what was found as CSV, as the Bulk API does.

use super::eval::Eye;
use super::plan::Column;
use crate::org::{Slot, write_value};
use crate::schema::{FieldKind, Formula};
use crate::value::Value;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) delimiter: char,
    pub(crate) ending: &'static str,
}

/// Appends the header: the path of each column, as it was asked for.
pub(crate) fn header(columns: &[Column], style: Style, out: &mut String) {
    let mut first = true;
    names(columns, "", &mut |path| {
        separate(&mut first, style, out);
        cell(path, out);
    });
    out.push_str(style.ending);
}

/// Names what such a file cannot hold: child rows, TYPEOF and compound fields.
pub(crate) fn unfit(eye: &Eye<'_>, object: usize, columns: &[Column]) -> Option<&'static str> {
    let fields = &eye.org.schema().objects()[object].fields;
    columns.iter().find_map(|column| match column {
        Column::Children { .. } => Some("Aggregate Relationships not supported in Bulk Query"),
        Column::TypeOf { .. } => Some("TYPEOF is not supported in Bulk Query"),
        Column::Field { field, .. } => matches!(fields[*field].formula, Some(Formula::Address(_)))
            .then_some("Selecting compound data not supported in Bulk Query"),
        Column::Parent { hop, columns, .. } => {
            hop.target.and_then(|target| unfit(eye, target, columns))
        }
        _ => None,
    })
}

impl Eye<'_> {
    /// Appends a row.
    pub(crate) fn line(
        &self,
        object: usize,
        slot: Slot,
        columns: &[Column],
        style: Style,
        out: &mut String,
    ) {
        self.cells(Some((object, slot)), columns, style, &mut true, out);
        out.push_str(style.ending);
    }

    /// Appends the columns of a row; of a missing parent, as many empty ones.
    fn cells(
        &self,
        row: Option<(usize, Slot)>,
        columns: &[Column],
        style: Style,
        first: &mut bool,
        out: &mut String,
    ) {
        for column in columns {
            if let Column::Parent { hop, columns, .. } = column {
                let parent = row.and_then(|(object, slot)| self.parent(object, slot, hop));
                self.cells(parent, columns, style, first, out);
                continue;
            }
            separate(first, style, out);
            match row {
                Some((object, slot)) => self.column(object, slot, column, out),
                None => cell("", out),
            }
        }
    }

    fn column(&self, object: usize, slot: Slot, column: &Column, out: &mut String) {
        let field = match column {
            Column::Field { field, .. } | Column::Label { field, .. } => Some(*field),
            Column::Named { fields, .. } => fields
                .iter()
                .find(|(of, _)| *of == object)
                .map(|(_, field)| *field),
            Column::Type { .. } => {
                return cell(&self.org.schema().objects()[object].name, out);
            }
            _ => None,
        };
        let Some(field) = field else {
            return cell("", out);
        };
        let kind = self.org.schema().objects()[object].fields[field].kind;
        value(&self.org.value(object, slot, field), kind, out);
    }
}

fn value(value: &Value, kind: FieldKind, out: &mut String) {
    match value {
        Value::Null => cell("", out),
        Value::Text(text) => cell(text, out),
        other => {
            let mut text = String::new();
            write_value(other, kind, &mut text);
            let text = text.trim_matches('"');
            // JSON says +0000 where this format says Z.
            let utc = text.strip_suffix("+0000").map(|text| format!("{text}Z"));
            cell(utc.as_deref().unwrap_or(text), out);
        }
    }
}

fn names(columns: &[Column], prefix: &str, visit: &mut dyn FnMut(&str)) {
    for column in columns {
        let (Column::Field { key, .. }
        | Column::Label { key, .. }
        | Column::Named { key, .. }
        | Column::Type { key }
        | Column::Parent { key, .. }
        | Column::Children { key, .. }
        | Column::TypeOf { key, .. }) = column;
        let path = format!("{prefix}{}", key.trim_matches([':', '"']));
        match column {
            Column::Parent { columns, .. } => names(columns, &format!("{path}."), visit),
            _ => visit(&path),
        }
    }
}

fn separate(first: &mut bool, style: Style, out: &mut String) {
    if !std::mem::take(first) {
        out.push(style.delimiter);
    }
}

/// Appends a text in quotes; a quote inside is doubled.
pub(crate) fn cell(text: &str, out: &mut String) {
    out.push('"');
    for (n, part) in text.split('"').enumerate() {
        if n > 0 {
            out.push_str("\"\"");
        }
        out.push_str(part);
    }
    out.push('"');
}
