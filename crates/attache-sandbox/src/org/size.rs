//! How much memory the rows take.

use super::table::Stored;
use super::{Org, Row};
use crate::value::Value;

/// How many times its entries a tree takes: nodes that are filled in order stay half empty.
const TREE: usize = 2;

impl Org {
    /// Adds up the bytes that the rows take, deleted ones too, with the indexes that find them.
    ///
    /// What an allocator puts around each piece is not in it: some ten or twenty bytes for each text. Costs a pass over
    /// all rows.
    pub fn bytes_held(&self) -> usize {
        self.tables.iter().map(|table| bytes(table.stored())).sum()
    }
}

fn bytes(stored: Stored<'_>) -> usize {
    let rows: usize = stored.rows.iter().flatten().map(of_row).sum();
    let texts: usize = stored.keys().map(str::len).sum();
    let indexes = TREE * stored.index_bytes() + texts;
    rows + stored.rows.capacity() * size_of::<Option<Row>>() + indexes
}

fn of_row(row: &Row) -> usize {
    let (words, values) = row.parts();
    let texts = values.iter().filter_map(Value::as_text).map(str::len);
    size_of_val(words) + size_of_val(values) + texts.sum::<usize>()
}
