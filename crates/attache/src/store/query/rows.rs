//! Runs compiled statements and gives typed rows.

use super::select::{Compiled, Identity, Reader};
use crate::error::Result;
use crate::record::{RecordId, Value};
use crate::schema::FieldType;
use crate::store::value::from_sql;
use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Connection, params_from_iter};
use std::ops::ControlFlow;
use std::sync::Arc;

/// The rows of a query, in their order.
#[derive(Clone, Debug)]
pub struct Rows {
    columns: Arc<[String]>,
    rows: std::vec::IntoIter<Row>,
}

impl Rows {
    /// The names of the columns: paths in the case of the schema, aliases, or
    /// `expr0`, `expr1`, ... for aggregates without one.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        self.rows.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl ExactSizeIterator for Rows {}

/// One row of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    id: Option<RecordId>,
    columns: Arc<[String]>,
    cells: Vec<Cell>,
}

/// What stands in one column of a row.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cell {
    /// A value.
    Value(Value),
    /// The rows of a child subquery.
    Rows(Vec<Row>),
}

impl Row {
    /// The record that the row shows; `None` for a row of aggregates.
    pub fn id(&self) -> Option<&RecordId> {
        self.id.as_ref()
    }

    /// The names of the columns, as in [`Rows::columns`].
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The cells, in the order of the columns.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Finds a value by the name of its column (`Account.Name`), whatever its case.
    ///
    /// `None` if there is no such column, or if it holds the rows of a subquery.
    pub fn get(&self, path: &str) -> Option<&Value> {
        match self.cell(path)? {
            Cell::Value(value) => Some(value),
            Cell::Rows(_) => None,
        }
    }

    /// Finds the rows of a child subquery by its relationship (`Contacts`), whatever its case.
    pub fn children(&self, relationship: &str) -> Option<&[Row]> {
        match self.cell(relationship)? {
            Cell::Rows(rows) => Some(rows),
            Cell::Value(_) => None,
        }
    }

    fn cell(&self, name: &str) -> Option<&Cell> {
        let at = self
            .columns
            .iter()
            .position(|own| own.eq_ignore_ascii_case(name))?;
        self.cells.get(at)
    }
}

/// Runs a statement.
///
/// # Cost
/// All rows are read before the first is given: a host that shows a list
/// should say LIMIT. Each row runs every child subquery once.
pub(crate) fn run(connection: &Connection, compiled: &Compiled) -> Result<Rows> {
    let rows = rows_of(connection, compiled, None)?;
    Ok(Rows {
        columns: compiled.columns.clone(),
        rows: rows.into_iter(),
    })
}

fn rows_of(
    connection: &Connection,
    compiled: &Compiled,
    parent: Option<&str>,
) -> rusqlite::Result<Vec<Row>> {
    let mut rows = Vec::new();
    each_row(connection, compiled, parent, &mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

/// Runs a statement and shows its rows one by one; holds one of them at a time.
pub(crate) fn each(
    connection: &Connection,
    compiled: &Compiled,
    visit: &mut dyn FnMut(Row) -> ControlFlow<()>,
) -> Result<()> {
    Ok(each_row(connection, compiled, None, visit)?)
}

fn each_row(
    connection: &Connection,
    compiled: &Compiled,
    parent: Option<&str>,
    visit: &mut dyn FnMut(Row) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let mut params = compiled.params.clone();
    if let (Some(at), Some(parent)) = (compiled.parent, parent) {
        params[at] = Sql::Text(parent.to_owned());
    }
    let mut statement = connection.prepare_cached(&compiled.sql)?;
    let mut found = statement.query(params_from_iter(params))?;
    while let Some(row) = found.next()? {
        let (id, current, first) = match compiled.identity {
            Identity::None => (None, None, 0),
            Identity::Record => {
                let key: Option<String> = row.get(0)?;
                let current: String = row.get(1)?;
                let id = RecordId::trusted(key.as_deref().unwrap_or(&current));
                (Some(id), Some(current), 2)
            }
        };
        let mut at = first;
        let mut cells = Vec::with_capacity(compiled.readers.len());
        for reader in &compiled.readers {
            cells.push(match reader {
                Reader::Children(child) => {
                    Cell::Rows(rows_of(connection, child, current.as_deref())?)
                }
                Reader::Column(ty) => {
                    at += 1;
                    Cell::Value(from_sql(row.get_ref(at - 1)?, ty))
                }
                Reader::Optional(ty) => {
                    at += 1;
                    Cell::Value(optional(row.get_ref(at - 1)?, ty))
                }
            });
        }
        let shown = visit(Row {
            id,
            columns: compiled.columns.clone(),
            cells,
        });
        if shown.is_break() {
            break;
        }
    }
    Ok(())
}

fn optional(cell: ValueRef<'_>, ty: &FieldType) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        cell => from_sql(cell, ty),
    }
}

/// Says how SQLite will find the rows: the SQL, one line per step, then the child subqueries alike.
pub(crate) fn explain(connection: &Connection, compiled: &Compiled) -> Result<String> {
    let mut text = String::new();
    plan(connection, compiled, 0, &mut text)?;
    Ok(text)
}

fn plan(
    connection: &Connection,
    compiled: &Compiled,
    depth: usize,
    text: &mut String,
) -> rusqlite::Result<()> {
    text.push_str(&format!("{}{}\n", "  ".repeat(depth), compiled.sql()));
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", compiled.sql()))?;
    let mut found = statement.query(params_from_iter(&compiled.params))?;
    // Each step names the step that it is a part of, by number.
    let mut depths = std::collections::BTreeMap::from([(0_i64, depth + 1)]);
    while let Some(row) = found.next()? {
        let (id, parent): (i64, i64) = (row.get(0)?, row.get(1)?);
        let own = depths.get(&parent).copied().unwrap_or(depth + 1);
        depths.insert(id, own + 1);
        let detail: String = row.get(3)?;
        text.push_str(&"  ".repeat(own));
        text.push_str(&detail);
        text.push('\n');
    }
    for reader in &compiled.readers {
        if let Reader::Children(child) = reader {
            text.push_str(&format!("{}for each row\n", "  ".repeat(depth)));
            plan(connection, child, depth + 1, text)?;
        }
    }
    Ok(())
}
