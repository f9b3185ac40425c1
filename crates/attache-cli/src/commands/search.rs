//! `attache search`: finds records by their words.

use crate::error::Result;
use crate::output::{self, Output};
use crate::store;
use attache::Hit;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Records that are brought into the index at a time.
const INDEX_ROWS: u64 = 50_000;

/// Which store, and which words.
#[derive(Args)]
pub struct Arguments {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// Words or their beginnings, "phrases in quotation marks", parts of addresses and numbers.
    #[arg(value_name = "WORDS", allow_hyphen_values = true)]
    words: String,
    /// Search the records of this object only.
    #[arg(long, value_name = "OBJECT")]
    object: Option<String>,
    /// How many records to show at most.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// How many of the best to pass over.
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
}

#[derive(Serialize)]
struct Answer<'a> {
    total: usize,
    waiting: u64,
    hits: &'a [Hit],
}

/// Searches the device alone.
pub fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let store = store::open(&arguments.store)?;
    let mut told = false;
    // Here, unlike in an application, nobody comes back for the rest.
    loop {
        let left = store.index_words(INDEX_ROWS)?;
        if left == 0 {
            break;
        }
        if !told {
            let records = output::count(left, "record", "records");
            output.note(format!("reading the words of {records}, once"));
            told = true;
        }
    }
    let mut search = store.search(&arguments.words);
    if let Some(object) = &arguments.object {
        search = search.object(object);
    }
    let found = search
        .limit(arguments.limit)
        .offset(arguments.offset)
        .run()?;
    let answer = Answer {
        total: found.hits.len(),
        waiting: found.waiting,
        hits: &found.hits,
    };
    output.show(&answer, || {
        let rows: Vec<Vec<String>> = found.hits.iter().map(cells).collect();
        output::table(&["object", "record", "title", "field", "found"], &rows)
    })?;
    output.note(output::count(answer.total as u64, "record", "records"));
    Ok(())
}

fn cells(hit: &Hit) -> Vec<String> {
    let mut found = hit.snippet.clone();
    for mark in hit.marks.iter().rev() {
        found.insert(mark.end, ']');
        found.insert(mark.start, '[');
    }
    vec![
        hit.object.clone(),
        hit.id.to_string(),
        hit.title.clone(),
        hit.field.clone(),
        found,
    ]
}
