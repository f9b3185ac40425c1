//! `attache query`: asks the store.

use crate::asker::Asker;
use crate::error::{self, Failure, Result};
use crate::lines;
use crate::output::{self, Output, RowView};
use crate::store;
use attache::{Attache, Context, Row, Value};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which store, and what to ask.
#[derive(Args)]
pub struct Arguments {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// The question, such as "SELECT Name FROM Account LIMIT 5".
    #[arg(value_name = "SOQL", required_unless_present = "batch")]
    soql: Option<String>,
    /// Show how the store would find the answer, and not the answer.
    #[arg(long, conflicts_with = "batch")]
    explain: bool,
    /// Read a question per line as JSON from standard input, and answer each with the ids on one line.
    #[arg(long, conflicts_with = "soql")]
    batch: bool,
    /// Go on, and print each change of the answer as one line of JSON, until interrupted.
    #[arg(long, conflicts_with_all = ["batch", "explain", "now", "tz", "week_start", "fiscal_start"])]
    watch: bool,
    #[command(flatten)]
    asker: Asker,
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
    let mut context = store.context()?;
    let Some(soql) = &arguments.soql else {
        return batch(&store, &context, &arguments.asker, output);
    };
    if arguments.watch {
        return super::watch::run(&store, soql, output);
    }
    arguments.asker.apply(&mut context)?;
    let failed = |error| Failure::from(error).in_query(soql);
    if arguments.explain {
        let plan = store.explain_with(soql, &context).map_err(failed)?;
        let lines: Vec<&str> = plan.lines().collect();
        let data = serde_json::json!({ "plan": lines });
        return output.show(&data, || {
            lines.iter().map(|line| String::from(*line)).collect()
        });
    }
    let rows = store.query_with(soql, &context).map_err(failed)?;
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

/// One line of a batch.
#[derive(Deserialize)]
struct Question {
    soql: String,
    #[serde(default)]
    now: Option<String>,
    #[serde(default)]
    tz: Option<String>,
    #[serde(default)]
    week_start: Option<String>,
    #[serde(default)]
    fiscal_start: Option<i64>,
}

/// Answers a question per line; one that fails does not stop the others.
fn batch(store: &Attache, context: &Context, asker: &Asker, output: &Output) -> Result<()> {
    lines::each(
        |line| match line.and_then(|line| answer(store, context.clone(), asker, line)) {
            Ok(ids) => output.data(&serde_json::json!({ "ids": ids })),
            Err(failure) => output.data(&error::Envelope::of(&failure)),
        },
    )
}

fn answer(store: &Attache, mut context: Context, asker: &Asker, line: &str) -> Result<Vec<String>> {
    let question: Question = serde_json::from_str(line)
        .map_err(|error| Failure::usage(format!("the line is no question: {error}")))?;
    let own = Asker {
        now: question.now,
        tz: question.tz,
        week_start: question.week_start,
        fiscal_start: question.fiscal_start,
    };
    own.or(asker).apply(&mut context)?;
    let rows = store.query_with(&question.soql, &context)?;
    rows.map(|row| match (row.get("Id"), row.id()) {
        (Some(Value::Text(id)), _) => Ok(id.clone()),
        (_, Some(id)) => Ok(id.to_string()),
        _ => Err(Failure::usage("rows of aggregates have no ids")
            .hint("ask such a question without --batch")),
    })
    .collect()
}
