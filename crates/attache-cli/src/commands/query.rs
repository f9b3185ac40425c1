//! `attache query`: asks the store.

use crate::error::{Failure, Result};
use crate::output::{self, Output, RowView};
use crate::store;
use attache::Row;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Which store, and what to ask.
#[derive(Args)]
pub struct Arguments {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// The question, such as "SELECT Name FROM Account LIMIT 5".
    #[arg(value_name = "SOQL")]
    soql: String,
}

#[derive(Serialize)]
struct Answer {
    columns: Vec<String>,
    total: usize,
    records: Vec<RowView>,
}

/// Answers a query from the device alone.
pub fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let store = store::open(&arguments.store)?;
    let rows = store
        .query(&arguments.soql)
        .map_err(|error| Failure::from(error).in_query(&arguments.soql))?;
    let columns: Vec<String> = rows.columns().to_vec();
    let rows: Vec<Row> = rows.collect();
    if output.is_json() {
        let records = rows.iter().map(RowView::of).collect::<Result<Vec<_>>>()?;
        return output.data(&Answer {
            columns,
            total: records.len(),
            records,
        });
    }
    let header: Vec<&str> = columns.iter().map(String::as_str).collect();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.cells().iter().map(output::cell).collect())
        .collect();
    output::table(&header, &cells)
        .iter()
        .try_for_each(|line| output.text(line))?;
    output.note(output::count(rows.len() as u64, "record", "records"));
    Ok(())
}
