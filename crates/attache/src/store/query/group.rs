//! Statements with aggregates.

use super::condition::condition;
use super::operand::Operand;
use super::select::{Compiled, Identity, Reader, bounds, filter, order_by};
use super::source::{Source, malformed};
use super::sql::Sql;
use crate::error::Result;
use crate::filter::ast::*;
use crate::filter::check::Kind;
use crate::schema::FieldType;

/// Compiles a statement that counts, or groups.
pub(super) fn grouped(statement: &Statement, source: &mut Source<'_>) -> Result<Compiled> {
    if let [Item::Expr(Expr::CountAll(_), _)] = statement.items.as_slice() {
        return count(statement, source);
    }
    let by = match &statement.group {
        Some(group) if group.kind != GroupKind::Plain => {
            return Err(malformed(
                group.by.first().map_or(At(0), Expr::at),
                "ROLLUP and CUBE can be evaluated by the org only",
            ));
        }
        Some(group) => group
            .by
            .iter()
            .map(|expr| Operand::of(source, expr))
            .collect::<Result<Vec<_>>>()?,
        None => Vec::new(),
    };
    let mut list = Sql::default();
    let mut columns: Vec<String> = Vec::new();
    let mut readers = Vec::new();
    let mut unnamed = 0;
    for item in &statement.items {
        let Item::Expr(expr, alias) = item else {
            continue;
        };
        let operand = Operand::of(source, expr)?;
        let name = match (alias, expr) {
            (Some(alias), _) => alias.text.clone(),
            (None, Expr::Field(_)) => operand.name.clone(),
            (None, _) => {
                unnamed += 1;
                format!("expr{}", unnamed - 1)
            }
        };
        if columns.contains(&name) {
            return Err(malformed(expr.at(), format!("{name} is selected twice")));
        }
        list.push(if columns.is_empty() { "" } else { ", " });
        list.add(&shown(expr, &operand, &by)?);
        columns.push(name);
        readers.push(Reader::Column(operand.ty));
    }
    let mut sql = Sql::default();
    let filter = filter(statement, source)?;
    sql.push(" WHERE ").add(&filter);
    for (nr, operand) in by.iter().enumerate() {
        sql.push(if nr == 0 { " GROUP BY " } else { ", " });
        sql.add(&operand.collated());
    }
    if let Some(having) = &statement.having {
        let having = condition(source, having)?;
        sql.push(" HAVING ").add(&having);
    }
    let order = order(statement, source, &by)?;
    sql.add(&order).add(&bounds(statement));
    let mut whole = Sql::around("SELECT ", &list, " FROM ");
    whole.push(&source.from()).add(&sql);
    Ok(compiled(whole, columns, readers, source.objects()))
}

/// `SELECT COUNT() FROM ...`: one row with the number of rows, at most the LIMIT.
fn count(statement: &Statement, source: &mut Source<'_>) -> Result<Compiled> {
    let filter = filter(statement, source)?;
    let mut sql = Sql::new("SELECT COUNT(*) FROM (SELECT 1 FROM ");
    sql.push(&source.from()).push(" WHERE ").add(&filter);
    sql.add(&bounds(statement)).push(")");
    let columns = vec![String::from("expr0")];
    Ok(compiled(
        sql,
        columns,
        vec![Reader::Column(FieldType::Int)],
        source.objects(),
    ))
}

fn compiled(
    sql: Sql,
    columns: Vec<String>,
    readers: Vec<Reader>,
    objects: Vec<String>,
) -> Compiled {
    Compiled {
        sql: sql.text,
        params: sql.params,
        parent: None,
        columns: columns.into(),
        readers,
        identity: Identity::None,
        objects,
    }
}

/// What stands in the select list or in the order for an expression.
fn shown(expr: &Expr, operand: &Operand<'_>, by: &[Operand<'_>]) -> Result<Sql> {
    if expr.is_aggregate() {
        return Ok(operand.sql.clone());
    }
    if !by.iter().any(|own| own.name == operand.name) {
        return Err(malformed(
            expr.at(),
            format!("{} must be grouped by or aggregated", operand.name),
        ));
    }
    Ok(match operand.kind {
        // A group may hold several spellings: show always the same one.
        Kind::Text => Sql::around("MIN(", &operand.sql, ")"),
        Kind::Boolean => operand.collated(),
        _ => operand.sql.clone(),
    })
}

fn order(statement: &Statement, source: &mut Source<'_>, by: &[Operand<'_>]) -> Result<Sql> {
    let mut terms = Vec::new();
    for order in &statement.order {
        let mut operand = Operand::of(source, aliased(statement, &order.by))?;
        operand.sql = shown(aliased(statement, &order.by), &operand, by)?;
        terms.extend(operand.order_terms(order.direction, order.nulls));
    }
    Ok(order_by(&terms))
}

/// Finds what an alias of the select list stands for.
fn aliased<'s>(statement: &'s Statement, expr: &'s Expr) -> &'s Expr {
    let Expr::Field(path) = expr else {
        return expr;
    };
    let found = statement.items.iter().find_map(|item| match item {
        Item::Expr(own, Some(alias))
            if path.steps.len() == 1 && alias.text.eq_ignore_ascii_case(&path.steps[0]) =>
        {
            Some(own)
        }
        _ => None,
    });
    found.unwrap_or(expr)
}
