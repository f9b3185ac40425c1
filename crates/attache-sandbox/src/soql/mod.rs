//! SOQL: the query language, from text to the rows it finds.
//!
//! A statement is cut into tokens (`lex`), read into a tree that still speaks in
//! names (`parse`, `ast`), checked against the schema into a plan that speaks in
//! indexes (`check`), and then run: `scan` finds candidate rows, `eval` tests them,
//! `sort` orders them, `group` gathers them, and `render` writes JSON, `csv` files. `dates`
//! knows what a date literal means today.

pub(crate) mod ast;
pub(crate) mod check;
pub(crate) mod condition;
pub(crate) mod csv;
pub(crate) mod dates;
pub(crate) mod error;
pub(crate) mod eval;
pub(crate) mod filter;
pub(crate) mod group;
pub(crate) mod grouping;
pub(crate) mod lex;
pub(crate) mod parse;
pub(crate) mod plan;
pub(crate) mod render;
pub(crate) mod resolve;
pub(crate) mod run;
pub(crate) mod scan;
pub(crate) mod sort;

#[cfg(test)]
mod tests;
