//! Makes briefcases of what other products are configured with.

mod definition;
mod list_view;
mod mobile_sync;

pub(super) use list_view::rule_of_list_view;

use super::document::{Document, OrderBy, TopRule, Written};
use super::tree::Problems;
use super::{Briefcase, condition, print};
use crate::error::{Error, Result};
use crate::filter::{Filter, Select};
use serde::Serialize;

/// Bytes of a text to import at most.
const BYTES_MAX: usize = 8 << 20;

/// A briefcase made of another product's configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BriefcaseImport {
    /// What could be carried over.
    pub briefcase: Briefcase,
    /// What could not, or differs: a sentence each, for the person who takes over.
    pub notes: Vec<String>,
}

/// Sentences about what was not carried over, none of them twice.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn add(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }
}

/// Checks what was put together by the rules for any document.
fn finish(document: Document, notes: Notes) -> Result<BriefcaseImport> {
    Ok(BriefcaseImport {
        briefcase: Briefcase::from_json(&print::print(&document))?,
        notes: notes.0,
    })
}

fn check_size(text: &str, what: &str) -> Result<()> {
    if text.len() > BYTES_MAX {
        return Err(Error::invalid(format!(
            "the {what} has {} bytes; at most {BYTES_MAX} are read",
            text.len()
        )));
    }
    Ok(())
}

fn cannot_read(what: &str, error: impl std::fmt::Display) -> Error {
    Error::invalid(format!("the {what} cannot be read: {error}"))
}

/// Reads a query whatever its select list says: lists use functions there that conditions do not know.
fn query(soql: &str) -> Result<Select> {
    Select::parse(soql).or_else(|error| {
        let lower = soql.to_ascii_lowercase();
        let from = lower
            .match_indices("from")
            .map(|(at, _)| at)
            .find(|at| is_word(&lower, *at, *at + "from".len()));
        match from {
            // The first FROM would be that of a subquery.
            Some(at) if !lower[..at].contains("(select") => {
                Select::parse(&format!("SELECT Id {}", &soql[at..])).map_err(|_| error)
            }
            _ => Err(error),
        }
    })
}

fn is_word(text: &str, start: usize, end: usize) -> bool {
    let blank = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    let bytes = text.as_bytes();
    start > 0 && blank(bytes.get(start - 1)) && blank(bytes.get(end))
}

/// Makes a rule of a query: what it says of records, not which fields it reads.
fn rule_of_query(select: &Select, name: &str, notes: &mut Notes) -> Result<TopRule> {
    let statement = select.statement();
    let mut rule = TopRule {
        name: Some(name.to_owned()),
        object: select.object().to_owned(),
        ..TopRule::default()
    };
    if statement.alias.is_some() || !statement.parents.is_empty() {
        return Err(Error::invalid(format!(
            "{name:?} calls its object by an alias; write the names of fields without it"
        )));
    }
    if statement.group.is_some() || statement.having.is_some() {
        return Err(Error::invalid(format!(
            "{name:?} groups its rows; a rule takes records, not groups"
        )));
    }
    if let Some(scope) = &statement.scope {
        rule.scope = list_view::scope(&scope.text);
    }
    if let Some(condition) = &statement.condition {
        rule.filter = Some(Written {
            filter: Filter::from(condition.clone()),
            as_rows: false,
        });
    }
    rule.limit = statement.limit.filter(|limit| *limit > 0);
    if statement.offset.is_some_and(|offset| offset > 0) {
        notes.add(format!(
            "{name:?}: the offset is left out: a rule takes the first records of its order"
        ));
    }
    if !statement.order.is_empty() {
        let order: Vec<String> = statement.order.iter().map(ToString::to_string).collect();
        order_by(&mut rule, &order.join(", "), name, notes);
    }
    Ok(rule)
}

/// Gives a rule its order, if it has a limit that needs one.
fn order_by(rule: &mut TopRule, order: &str, name: &str, notes: &mut Notes) {
    if rule.limit.is_none() {
        notes.add(format!(
            "{name:?}: the order is left out: without a limit it says nothing about which records to take"
        ));
        return;
    }
    let mut problems = Problems::default();
    match condition::order_by(&mut problems, order, "", name) {
        Some(read) => rule.order_by = Some::<OrderBy>(read),
        None => notes.add(format!(
            "{name:?}: the order cannot be read and is left out"
        )),
    }
}
