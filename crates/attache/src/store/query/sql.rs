//! SQL text with its parameters.

use rusqlite::types::Value;

/// A piece of SQL and what is bound to its `?`s, in the order of the text.
///
/// Text comes from this module's constants and from quoted names of the schema;
/// everything that a statement says is bound.
#[derive(Clone, Debug, Default)]
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) params: Vec<Value>,
}

impl Sql {
    pub(super) fn new(text: impl Into<String>) -> Sql {
        Sql {
            text: text.into(),
            params: Vec::new(),
        }
    }

    /// Appends text.
    pub(super) fn push(&mut self, text: &str) -> &mut Sql {
        self.text.push_str(text);
        self
    }

    /// Appends another piece.
    pub(super) fn add(&mut self, other: &Sql) -> &mut Sql {
        self.text.push_str(&other.text);
        self.params.extend(other.params.iter().cloned());
        self
    }

    /// Appends a parameter.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> &mut Sql {
        self.text.push('?');
        self.params.push(value.into());
        self
    }

    /// Makes a piece of text before, another piece, and text behind.
    pub(super) fn around(before: &str, inner: &Sql, behind: &str) -> Sql {
        let mut sql = Sql::new(before);
        sql.add(inner).push(behind);
        sql
    }
}

/// Joins conditions as a balanced tree.
///
/// SQLite reads `a OR b OR c ...` as a tree as deep as the list is long, and
/// refuses more than 1,000 levels.
pub(super) fn joined(mut parts: Vec<Sql>, word: &str) -> Sql {
    match parts.len() {
        0 => Sql::new("1"),
        1 => parts.remove(0),
        n => {
            let right = joined(parts.split_off(n / 2), word);
            let left = joined(parts, word);
            let mut sql = Sql::new("(");
            sql.add(&left).push(word).add(&right).push(")");
            sql
        }
    }
}

/// A quoted name.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
