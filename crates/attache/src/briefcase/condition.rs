//! Reads the conditions and the orders of rules, in either form.

use super::document::{OrderBy, Written};
use super::tree::{Members, Problems, below};
use crate::error::Error;
use crate::filter::ast::{Direction, Nulls, Order};
use crate::filter::row::{Row, RowPart, RowValue};
use crate::filter::{Filter, Select};
use serde_json::value::RawValue;

/// Rows of a filter at most.
const ROWS_MAX: usize = 200;

/// Reads the condition of a rule: `where`, or `filters` with `logic`.
pub(super) fn filter(
    problems: &mut Problems,
    members: &mut Members<'_>,
    title: &str,
) -> Option<Written> {
    let condition = members.take("where");
    let rows = members.take("filters");
    let logic = members.take("logic");
    if let Some((_, at)) = rows.as_ref().filter(|_| condition.is_some()) {
        let message = "a rule has either `where` or `filters`, not both";
        problems.add(at, "CONFLICTING_KEYS", message);
    }
    if let Some((_, at)) = logic.as_ref().filter(|_| rows.is_none()) {
        let message = "a logic line joins the rows of `filters`; there are none";
        problems.add(at, "MISSING_KEY", message);
    }
    if let Some((raw, at)) = condition {
        let text = problems.text(raw, &at)?;
        return match Filter::parse(&text) {
            Ok(filter) => Some(Written {
                filter,
                as_rows: false,
            }),
            Err(error) => {
                refuse(problems, &at, title, &error);
                None
            }
        };
    }
    let (raw, at) = rows?;
    let rows = self::rows(problems, raw, &at, title);
    let logic = match logic {
        Some((raw, at)) => Some((problems.text(raw, &at)?, at)),
        None => None,
    };
    joined(problems, &rows?, logic, &at, title)
}

/// Joins rows by their logic, and holds the whole against the grammar.
fn joined(
    problems: &mut Problems,
    rows: &[Filter],
    logic: Option<(String, String)>,
    at: &str,
    title: &str,
) -> Option<Written> {
    let (logic, logic_at) = logic.unwrap_or_else(|| (String::new(), at.to_owned()));
    let whole = match Filter::from_rows(rows, &logic) {
        Ok(filter) => filter,
        Err(error) => {
            refuse(problems, &logic_at, title, &error);
            return None;
        }
    };
    match Filter::parse(&whole.to_string()) {
        Ok(filter) => Some(Written {
            filter,
            as_rows: true,
        }),
        // Its position counts in a text that nobody wrote.
        Err(error) => {
            let message = format!("rule {title:?}: {}", words(&error));
            problems.add_query(&logic_at, message, None);
            None
        }
    }
}

fn rows(problems: &mut Problems, raw: &RawValue, at: &str, title: &str) -> Option<Vec<Filter>> {
    let list = problems.list(raw, at, ROWS_MAX)?;
    if list.is_empty() {
        problems.add(at, "EMPTY", "expected at least one row; leave the key out");
        return None;
    }
    let read: Vec<Option<Filter>> = list
        .into_iter()
        .enumerate()
        .map(|(nr, raw)| row(problems, raw, &below(at, &nr.to_string()), title))
        .collect();
    read.into_iter().collect()
}

fn row(problems: &mut Problems, raw: &RawValue, at: &str, title: &str) -> Option<Filter> {
    let mut members = problems.object(raw, at, &["field", "op", "value"])?;
    let mut missing = |key: &str| {
        let found = members.take(key);
        if found.is_none() {
            let message = format!("expected `{key}`: a row has `field`, `op` and `value`");
            problems.add(at, "MISSING_KEY", message);
        }
        found
    };
    let (field, op, value) = (missing("field"), missing("op"), missing("value"));
    let (field, op, value) = (field?, op?, value?);
    let row = Row {
        field: problems.text(field.0, &field.1)?,
        op: problems.text(op.0, &op.1)?,
        value: self::value(problems, value.0, &value.1)?,
    };
    match row.filter() {
        Ok(filter) => Some(filter),
        Err((part, error)) => {
            let at = match part {
                RowPart::Field => &field.1,
                RowPart::Op => &op.1,
                RowPart::Value => &value.1,
            };
            let message = format!("rule {title:?}: {}", words(&error));
            problems.add_query(at, message, None);
            None
        }
    }
}

fn value(problems: &mut Problems, raw: &RawValue, at: &str) -> Option<RowValue> {
    let text = raw.get();
    Some(match text.as_bytes().first() {
        Some(b'n') => RowValue::Null,
        Some(b't') => RowValue::Boolean(true),
        Some(b'f') => RowValue::Boolean(false),
        Some(b'"') => RowValue::Text(super::tree::read(raw)?),
        Some(b'[') => {
            let list = problems.list(raw, at, ROWS_MAX * 10)?;
            let values: Vec<Option<RowValue>> = list
                .into_iter()
                .enumerate()
                .map(|(nr, raw)| {
                    let at = below(at, &nr.to_string());
                    // A list in a list means nothing, and would be read for ever.
                    if raw.get().starts_with('[') {
                        problems.wrong_type(&at, "a single value");
                        return None;
                    }
                    value(problems, raw, &at)
                })
                .collect();
            RowValue::List(values.into_iter().collect::<Option<_>>()?)
        }
        Some(b'{') => {
            let mut members = problems.object(raw, at, &["literal", "select"])?;
            match (members.take("literal"), members.take("select")) {
                (Some((raw, at)), None) => RowValue::Literal(problems.text(raw, &at)?),
                (None, Some((raw, at))) => RowValue::Select(problems.text(raw, &at)?),
                _ => {
                    let message = "expected either `literal` (a date, a date literal, an amount of a currency) or `select`";
                    problems.add(at, "MISSING_KEY", message);
                    return None;
                }
            }
        }
        _ => RowValue::Number(text.to_owned()),
    })
}

/// Reads an order: what stands behind ORDER BY, and nothing else.
pub(super) fn order_by(
    problems: &mut Problems,
    text: &str,
    at: &str,
    title: &str,
) -> Option<OrderBy> {
    // The object's name is checked elsewhere; here only the order is at stake.
    const PREFIX: &str = "SELECT Id FROM X ORDER BY ";
    let select = match Select::parse(&format!("{PREFIX}{text}")) {
        Ok(select) => select,
        Err(error) => {
            let position = error.position().map(|at| at.saturating_sub(PREFIX.len()));
            let column = position.unwrap_or_default() + 1;
            let message = format!("rule {title:?}: at column {column}: {}", words(&error));
            problems.add_query(at, message, position);
            return None;
        }
    };
    let order = &select.statement().order;
    let full = listed(order, Order::to_string);
    if select.to_string() != format!("{PREFIX}{full}") {
        let message = format!("rule {title:?}: expected an order and nothing behind it");
        problems.add_query(at, message, None);
        return None;
    }
    let short = listed(order, |order| {
        let direction = match order.direction {
            Direction::Ascending => "",
            Direction::Descending => " DESC",
        };
        let nulls = match order.nulls {
            Nulls::First => "",
            Nulls::Last => " NULLS LAST",
        };
        format!("{}{direction}{nulls}", order.by)
    });
    Some(OrderBy { short, full })
}

fn listed(order: &[Order], print: impl Fn(&Order) -> String) -> String {
    order.iter().map(print).collect::<Vec<_>>().join(", ")
}

fn refuse(problems: &mut Problems, at: &str, title: &str, error: &Error) {
    problems.add_query(at, format!("rule {title:?}: {error}"), error.position());
}

/// What an error says, without the column that it may begin with.
fn words(error: &Error) -> String {
    let text = error.to_string();
    let behind = text
        .strip_prefix("at column ")
        .and_then(|rest| rest.split_once(": "));
    behind.map_or(text.clone(), |(_, words)| words.to_owned())
}
