//! Questions in SOQL: the door to `soql`.

use super::{Org, SaveError};

/// The outcome of a query: which rows, in which order, and what to show of them.
///
/// It holds keys, not rows: [`Org::render`] shows rows as they are when it is called.
#[derive(Clone, Debug)]
pub struct Cursor {
    pub(crate) total: usize,
}

impl Cursor {
    /// Counts the rows of the whole result (`totalSize`).
    pub fn total(&self) -> usize {
        self.total
    }
}

impl Org {
    /// Answers a SOQL statement for a user; `all_rows` includes deleted rows.
    ///
    /// Nothing is rendered yet: give the cursor to [`Org::render`], page by page.
    pub fn query(&self, _actor: &str, _soql: &str, _all_rows: bool) -> Result<Cursor, SaveError> {
        Err(SaveError::new("MALFORMED_QUERY", "not yet"))
    }

    /// Appends rows of a result to `out` as one JSON array, from the row with index `from`.
    ///
    /// Gives how many rows of the cursor were consumed; the next page starts at
    /// `from` plus that. It may be fewer than `batch`, because child rows count too.
    /// `version` is the one of the request's path, such as `67.0`.
    pub fn render(
        &self,
        _actor: &str,
        _cursor: &Cursor,
        _from: usize,
        _batch: usize,
        _version: &str,
        out: &mut String,
    ) -> usize {
        out.push_str("[]");
        0
    }
}
