//! How results reach stdout and messages reach stderr.

use crate::error::{Envelope, Failure, Result};
use attache::{Cell, ErrorKind, LocalTime, Record, Row, ServerTime, Value};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// Where a command's words go.
pub struct Output {
    json: bool,
}

impl Output {
    /// Chooses between JSON and text.
    pub fn new(json: bool) -> Output {
        Output { json }
    }

    /// Says whether the caller wants JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints an object on one line of stdout.
    pub fn data(&self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value).map_err(|error| {
            Failure::new(
                ErrorKind::Internal,
                format!("cannot print the result: {error}"),
            )
        })?;
        self.text(text)
    }

    /// Prints a line on stdout.
    pub fn text(&self, line: impl Display) -> Result<()> {
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            // The reader has gone (`attache query … | head`): there is nobody left to tell.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            Err(error) => Err(Failure::new(
                ErrorKind::StorageUnavailable,
                format!("cannot write to standard output: {error}"),
            )),
        }
    }

    /// Prints a message on stderr, unless the caller reads JSON.
    pub fn note(&self, line: impl Display) {
        if !self.json {
            self.ask(line);
        }
    }

    /// Prints on stderr what a person must do before the command goes on, whoever reads stdout.
    pub fn ask(&self, line: impl Display) {
        // A message that cannot be shown must not fail what was done.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// Prints an object, or text made of the same thing.
    pub fn show(&self, data: &impl Serialize, text: impl FnOnce() -> Vec<String>) -> Result<()> {
        if self.json {
            return self.data(data);
        }
        text().iter().try_for_each(|line| self.text(line))
    }

    /// Prints a failure and gives its exit code.
    pub fn fail(&self, failure: &Failure) -> ExitCode {
        for line in failure.lines() {
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
        if self.json {
            let _ = self.data(&Envelope::of(failure));
        }
        ExitCode::from(failure.code())
    }
}

/// Says whether stdout may be coloured: it is a terminal, and nobody asked for less.
pub fn is_colourful() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        && io::stdout().is_terminal()
}

/// The part of a listing that says how many records of each object there are; empty for none.
pub fn record_counts<'a>(counts: impl IntoIterator<Item = (&'a String, &'a u64)>) -> Vec<String> {
    let rows: Vec<Vec<String>> = counts
        .into_iter()
        .map(|(object, count)| vec![object.clone(), grouped(*count)])
        .collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new()];
    lines.extend(table(&["object", "records"], &rows));
    lines
}

/// Lines up columns: a header, a rule and the rows. Cells are cut at `WIDTH_MAX` characters.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| cut(cell)).collect())
        .collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut header.iter().copied())];
    let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    lines.push(rule.join("  "));
    lines.extend(
        rows.iter()
            .map(|row| line(&mut row.iter().map(String::as_str))),
    );
    lines
}

/// Characters of a table's cell at most.
const WIDTH_MAX: usize = 48;

/// Brings text onto one line of bounded width.
pub fn cut(text: &str) -> String {
    let flat: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if flat.chars().count() <= WIDTH_MAX {
        return flat;
    }
    let mut short: String = flat.chars().take(WIDTH_MAX - 1).collect();
    short.push('…');
    short
}

/// A value as a person reads it; null is a dash.
pub fn display(value: &Value) -> String {
    match value {
        Value::Null => "–".into(),
        Value::DateTime(time) => server_time(*time),
        Value::Number(_) => number(&value.to_string()),
        other => other.to_string(),
    }
}

/// A number as a person reads it: thousands apart, no fraction of noughts.
fn number(digits: &str) -> String {
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = apart(whole);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{fraction}"),
    }
}

/// A cell of a query's row as a person reads it; the rows of a subquery are counted.
pub fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Value(value) => display(value),
        Cell::Rows(rows) => count(rows.len() as u64, "record", "records"),
        _ => String::new(),
    }
}

/// An instant of the server's clock as a person reads it.
pub fn server_time(time: ServerTime) -> String {
    time.to_soql().replace('T', " ").replace('Z', " UTC")
}

/// An instant of this device's clock as a person reads it.
pub fn local_time(time: LocalTime) -> String {
    server_time(ServerTime(time.0.div_euclid(1_000)))
}

/// A number of things: `1 record`, `1,204 records`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        grouped(number),
        if number == 1 { one } else { many }
    )
}

/// A whole number with separators between its thousands.
pub fn grouped(number: u64) -> String {
    apart(&number.to_string())
}

fn apart(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A value as JSON that keeps every digit.
pub fn json(value: &Value) -> Result<Box<RawValue>> {
    RawValue::from_string(value.to_json()).map_err(|error| {
        Failure::new(
            ErrorKind::Internal,
            format!("a value does not print as JSON: {error}"),
        )
    })
}

/// Named values as JSON, in order of their names.
pub type JsonFields = BTreeMap<String, Box<RawValue>>;

/// Fields as JSON.
pub fn json_fields<'a>(
    fields: impl IntoIterator<Item = (&'a str, &'a Value)>,
) -> Result<JsonFields> {
    fields
        .into_iter()
        .map(|(name, value)| Ok((name.to_owned(), json(value)?)))
        .collect()
}

/// A row of a query as data: a value per column, and a list of such rows per subquery.
#[derive(Serialize)]
#[serde(transparent)]
pub struct RowView(BTreeMap<String, CellView>);

#[derive(Serialize)]
#[serde(untagged)]
enum CellView {
    Value(Box<RawValue>),
    Rows(Vec<RowView>),
}

impl RowView {
    /// Shows a row as data.
    pub fn of(row: &Row) -> Result<RowView> {
        let cells = row.columns().iter().zip(row.cells());
        let view = |cell: &Cell| -> Result<CellView> {
            Ok(match cell {
                Cell::Value(value) => CellView::Value(json(value)?),
                Cell::Rows(rows) => {
                    CellView::Rows(rows.iter().map(RowView::of).collect::<Result<_>>()?)
                }
                _ => CellView::Rows(Vec::new()),
            })
        };
        Ok(RowView(
            cells
                .map(|(column, cell)| Ok((column.clone(), view(cell)?)))
                .collect::<Result<_>>()?,
        ))
    }
}

/// A record as data: `{id, object, fields}`.
#[derive(Serialize)]
pub struct RecordView<'a> {
    id: &'a str,
    object: &'a str,
    fields: JsonFields,
}

impl<'a> RecordView<'a> {
    /// Shows a record as data.
    pub fn of(record: &'a Record) -> Result<RecordView<'a>> {
        Ok(RecordView {
            id: record.id.as_str(),
            object: &record.object,
            fields: json_fields(record.fields.iter())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(number("-1234567.50"), "-1,234,567.50");
        assert_eq!(number("1234.0"), "1,234");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(count(1, "record", "records"), "1 record");
        assert_eq!(count(1_234_567, "record", "records"), "1,234,567 records");
    }

    #[test]
    fn a_table_lines_up_and_stays_narrow() {
        let rows = [
            vec!["Ünal".to_owned(), "1".to_owned()],
            vec!["x".repeat(60), "a\nb".to_owned()],
        ];
        let lines = table(&["Name", "N"], &rows);
        assert_eq!(lines.len(), 4);
        assert!(lines[2].starts_with("Ünal  "), "{}", lines[2]);
        assert!(
            lines[3].contains('…') && lines[3].ends_with("a b"),
            "{}",
            lines[3]
        );
        assert_eq!(
            lines[2].find('1').map(|at| lines[2][..at].chars().count()),
            Some(WIDTH_MAX + 2)
        );
    }
}
