//! Answers to queries, page by page.

use crate::value::Value;
use attache::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// One row of an answer.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Row {
    /// The record's id; absent in aggregates.
    pub id: Option<String>,
    /// The values, in the order of the columns; null for the column of a child subquery.
    pub cells: Vec<Value>,
    /// The answers of child subqueries, by the names of their columns.
    pub children: HashMap<String, ChildRows>,
}

/// The answer of a child subquery.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct ChildRows {
    /// The columns' names; none if there are no rows.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

impl From<&attache::Row> for Row {
    fn from(row: &attache::Row) -> Row {
        let mut children = HashMap::new();
        let mut cells = Vec::with_capacity(row.cells().len());
        for (column, cell) in row.columns().iter().zip(row.cells()) {
            match cell {
                Cell::Value(value) => cells.push(value.into()),
                Cell::Rows(rows) => {
                    cells.push(Value::Null);
                    let columns = rows.first().map(|row| row.columns().to_vec());
                    children.insert(
                        column.clone(),
                        ChildRows {
                            columns: columns.unwrap_or_default(),
                            rows: rows.iter().map(Row::from).collect(),
                        },
                    );
                }
                // What is newer than this file has no value here.
                _ => cells.push(Value::Null),
            }
        }
        Row {
            id: row.id().map(ToString::to_string),
            cells,
            children,
        }
    }
}

/// An answer, read page by page from its first row.
#[derive(uniffi::Object)]
pub struct RowCursor {
    columns: Vec<String>,
    rows: Mutex<attache::Rows>,
}

impl RowCursor {
    pub(crate) fn new(rows: attache::Rows) -> Arc<RowCursor> {
        Arc::new(RowCursor {
            columns: rows.columns().to_vec(),
            rows: Mutex::new(rows),
        })
    }
}

#[uniffi::export]
impl RowCursor {
    /// The columns' names, as the query says them.
    pub fn columns(&self) -> Vec<String> {
        self.columns.clone()
    }

    /// Gives the next rows, at most `rows_max`; none at the end.
    pub fn next_page(&self, rows_max: u32) -> Vec<Row> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let page = rows
            .by_ref()
            .take(rows_max.try_into().unwrap_or(usize::MAX));
        page.map(|row| Row::from(&row)).collect()
    }
}
