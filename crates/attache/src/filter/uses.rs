//! What a describe lets a field be used for: conditions, orders, groups, aggregates.
//!
//! A device could order by a multi-select list or look through a long text. It refuses
//! to: what is asked here can be asked of the org, and the other way round.

use super::ast::*;
use super::check::{join_names, refused};
use super::resolve::{Names, Target};
use crate::error::Result;
use crate::schema::FieldSchema;

/// What a statement does with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Condition,
    Order,
    Group,
    Aggregate,
}

impl Use {
    fn is_of(self, field: &FieldSchema) -> bool {
        match self {
            Use::Condition => field.filterable,
            Use::Order => field.sortable,
            // A describe may call a formula groupable; the server never groups by one.
            Use::Group => field.groupable && !field.calculated,
            Use::Aggregate => field.aggregatable,
        }
    }

    fn refusal(self) -> &'static str {
        match self {
            Use::Condition => "cannot stand in a condition at the server",
            Use::Order => "cannot be ordered by at the server",
            Use::Group => "cannot be grouped by at the server",
            Use::Aggregate => "cannot be aggregated at the server",
        }
    }

    /// Refuses a field that the server does not take for this.
    pub(crate) fn check(self, path: &Path, names: &Names<'_>) -> Result<()> {
        match names.resolve(path)?.target {
            Target::Field(object, field) if !self.is_of(field) => Err(refused(
                path.at,
                format!("{}.{} {}", object.name, field.name, self.refusal()),
            )),
            _ => Ok(()),
        }
    }
}

/// Refuses what the server does not take of a statement's own fields; child subqueries are statements of their own.
pub(crate) fn check_uses(statement: &Statement, names: &Names<'_>) -> Result<()> {
    let selected = statement.items.iter().filter_map(|item| match item {
        Item::Expr(expr, _) => Some(expr),
        _ => None,
    });
    let ordered = statement.order.iter().map(|order| &order.by);
    for expr in selected.clone().chain(ordered.clone()) {
        check_aggregate(expr, names)?;
    }
    if let Some(tree) = &statement.condition {
        check_condition(tree, names)?;
    }
    for by in statement.group.iter().flat_map(|group| &group.by) {
        if let Expr::Field(path) = by {
            Use::Group.check(path, names)?;
        }
    }
    if let Some(tree) = &statement.having {
        tree.each_test(&mut |test| check_aggregate(&test.left, names))?;
    }
    // What groups are ordered by is grouped by, or an alias.
    if statement.group.is_some() || selected.clone().any(Expr::is_aggregate) {
        return Ok(());
    }
    for by in ordered {
        if let Expr::Field(path) = by {
            Use::Order.check(path, names)?;
        }
    }
    Ok(())
}

fn check_aggregate(expr: &Expr, names: &Names<'_>) -> Result<()> {
    match expr {
        Expr::Aggregate(_, path) => Use::Aggregate.check(path, names),
        _ => Ok(()),
    }
}

fn check_condition(tree: &Condition, names: &Names<'_>) -> Result<()> {
    tree.each_test(&mut |test| {
        if let Some(path) = test.left.path() {
            Use::Condition.check(path, names)?;
        }
        match &test.test {
            Test::InQuery(_, join) => match &join.condition {
                Some(tree) => check_condition(tree, &join_names(join, names)?),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    })
}
