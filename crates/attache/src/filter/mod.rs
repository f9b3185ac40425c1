//! Conditions and statements in SOQL: reading, printing, checking.
//!
//! Everything here is pure. What a condition means on this device's tables is
//! `store::query`'s part.
//!
//! ```text
//! text ── token ─► tokens ── condition, statement ─► ast ── print ─► text
//!                                                     ├── check, uses ─► problems
//!                                                     └── store::query ─► SQL
//! ```

pub(crate) mod ast;
pub(crate) mod check;
mod condition;
mod context;
mod cursor;
pub(crate) mod date;
mod logic;
pub(crate) mod name;
mod print;
pub(crate) mod resolve;
pub(crate) mod row;
mod sketch;
mod statement;
mod token;
pub(crate) mod uses;
mod value;

pub(crate) use context::timestamp;
pub use context::{Context, FiscalYear, FiscalYearName};
pub use date::DateRange;

use crate::error::Result;
use ast::{Comparison, Condition, Constant, Literal, Path, Statement, Test};
use condition::Place;
use cursor::Cursor;
use std::fmt;
use std::str::FromStr;

/// A condition on the records of one object, as SOQL has it behind WHERE.
///
/// What reads here is inside of the server's grammar, so it may be sent as it
/// prints. Its names are not checked yet: that takes a schema.
///
/// # Examples
/// ```
/// use attache::Filter;
///
/// let filter = Filter::parse("Amount>=1000 and (StageName='Won' or CloseDate=next_n_days:90)")?;
/// assert_eq!(
///     filter.to_string(),
///     "Amount >= 1000 AND (StageName = 'Won' OR CloseDate = NEXT_N_DAYS:90)",
/// );
/// assert!(filter.has_relative_dates());
///
/// let error = Filter::parse("Amount > 5 AND Name =").unwrap_err();
/// assert_eq!(error.to_string(), "at column 22: expected a value after =, found the end");
/// assert_eq!(error.position(), Some(21));
/// # Ok::<(), attache::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    condition: Condition,
}

impl Filter {
    /// Reads a condition.
    ///
    /// # Errors
    /// [`MalformedQuery`](crate::ErrorKind::MalformedQuery) with the position and with what was
    /// expected there and found instead.
    pub fn parse(text: &str) -> Result<Filter> {
        let mut cursor = Cursor::new(text)?;
        let condition = condition::whole(&mut cursor, Place::Where)?;
        cursor.end("AND, OR or the end")?;
        Ok(Filter { condition })
    }

    /// The paths of the fields that it tests, as they are written, each once and in order.
    pub fn fields(&self) -> Vec<String> {
        let mut fields: Vec<String> = Vec::new();
        each_test(&self.condition, &mut |comparison| {
            let path = comparison.left.path().map(Path::to_string);
            if let Some(path) = path
                && !fields.iter().any(|own| own.eq_ignore_ascii_case(&path))
            {
                fields.push(path);
            }
        });
        fields
    }

    /// Says whether it holds a date literal that is relative to now, such as `TODAY`.
    ///
    /// Records enter and leave such a filter without being changed.
    pub fn has_relative_dates(&self) -> bool {
        has_relative_dates(&self.condition)
    }

    pub(crate) fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Visits the comparisons in order, those of semi-joins left out.
    pub(crate) fn each_test(&self, visit: &mut impl FnMut(&Comparison)) {
        each_test(&self.condition, visit);
    }
}

impl From<Condition> for Filter {
    fn from(condition: Condition) -> Filter {
        Filter { condition }
    }
}

impl FromStr for Filter {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Filter> {
        Filter::parse(text)
    }
}

impl fmt::Display for Filter {
    /// Prints it as SOQL in one canonical spelling.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}

/// A statement: `SELECT ... FROM ...`.
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    statement: Statement,
}

impl Select {
    /// Reads a statement.
    ///
    /// # Errors
    /// [`MalformedQuery`](crate::ErrorKind::MalformedQuery) with the position and with what was
    /// expected there and found instead.
    pub fn parse(text: &str) -> Result<Select> {
        let mut cursor = Cursor::new(text)?;
        let statement = statement::whole_statement(&mut cursor)?;
        Ok(Select { statement })
    }

    /// The object that it reads, as it is written.
    pub fn object(&self) -> &str {
        &self.statement.object.text
    }

    pub(crate) fn statement(&self) -> &Statement {
        &self.statement
    }
}

impl FromStr for Select {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Select> {
        Select::parse(text)
    }
}

impl fmt::Display for Select {
    /// Prints it as SOQL in one canonical spelling.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statement.fmt(f)
    }
}

/// Reads what stands behind ORDER BY.
pub(crate) fn order_terms(text: &str) -> Result<Vec<ast::Order>> {
    let mut cursor = Cursor::new(text)?;
    let terms = statement::order_terms(&mut cursor)?;
    cursor.end("`,` or the end")?;
    Ok(terms)
}

/// Visits the comparisons of a condition in order, those of its semi-joins left out.
fn each_test(condition: &Condition, visit: &mut impl FnMut(&Comparison)) {
    match condition {
        Condition::And(list) | Condition::Or(list) => {
            for part in list {
                each_test(part, visit);
            }
        }
        Condition::Not(inner) => each_test(inner, visit),
        Condition::Test(comparison) => visit(comparison),
    }
}

fn has_relative_dates(condition: &Condition) -> bool {
    let is_relative = |literal: &Literal| matches!(literal.value, Constant::Relative(_));
    let mut found = false;
    each_test(condition, &mut |comparison| {
        found |= match &comparison.test {
            Test::Compare(_, literal) => is_relative(literal),
            Test::In(_, list) | Test::Includes(_, list) => list.iter().any(is_relative),
            Test::InQuery(_, join) => join.condition.as_ref().is_some_and(has_relative_dates),
            Test::Like(..) => false,
        };
    });
    found
}

#[cfg(test)]
mod tests;
