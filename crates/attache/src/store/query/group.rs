//! Statements with aggregates.

use super::condition::condition;
use super::operand::Operand;
use super::select::{Compiled, Identity, Reader, bounds, filter};
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
    let (columns, readers) = columns(statement, source)?;
    let mut sql = Sql::new("SELECT ");
    for nr in 0..columns.len() {
        sql.push(if nr == 0 { "" } else { ", " });
        sql.push(&format!("c{nr}"));
    }
    sql.push(" FROM (");
    let mut order = Vec::new();
    for (nr, set) in grouping_sets(statement).iter().enumerate() {
        sql.push(if nr == 0 { "" } else { " UNION ALL " });
        let rows;
        (rows, order) = rows_of(statement, source, set)?;
        sql.add(&rows);
    }
    sql.push(")");
    for (nr, how) in order.iter().enumerate() {
        sql.push(if nr == 0 { " ORDER BY " } else { ", " });
        sql.push(&format!("o{nr}{how}"));
    }
    sql.add(&bounds(statement));
    Ok(compiled(sql, columns, readers, source.objects()))
}

/// The names of the columns, and how they are read.
fn columns(statement: &Statement, source: &mut Source<'_>) -> Result<(Vec<String>, Vec<Reader>)> {
    let mut columns: Vec<String> = Vec::new();
    let mut readers = Vec::new();
    let mut unnamed = 0;
    for (expr, alias) in exprs(statement) {
        let operand = Operand::of(source, expr)?;
        let name = match (alias, expr) {
            (Some(alias), _) => alias.text.clone(),
            (None, Expr::Field(_)) => operand.name,
            (None, _) => {
                unnamed += 1;
                format!("expr{}", unnamed - 1)
            }
        };
        if columns.contains(&name) {
            return Err(malformed(expr.at(), format!("{name} is selected twice")));
        }
        columns.push(name);
        // The checkbox of a subtotal is null, not false.
        readers.push(Reader::Optional(operand.ty));
    }
    Ok((columns, readers))
}

fn exprs(statement: &Statement) -> impl Iterator<Item = (&Expr, Option<&Name>)> {
    statement.items.iter().filter_map(|item| match item {
        Item::Expr(expr, alias) => Some((expr, alias.as_ref())),
        _ => None,
    })
}

/// What is grouped by: all of it, then for a roll-up less and less, for a cube every part.
fn grouping_sets(statement: &Statement) -> Vec<Vec<&Expr>> {
    let Some(group) = &statement.group else {
        return vec![Vec::new()];
    };
    let all: Vec<&Expr> = group.by.iter().collect();
    match group.kind {
        GroupKind::Plain => vec![all],
        GroupKind::Rollup => (0..=all.len()).rev().map(|n| all[..n].to_vec()).collect(),
        GroupKind::Cube => (0..1_usize << all.len())
            .rev()
            .map(|set| {
                let chosen = all.iter().enumerate().filter(|(nr, _)| set >> nr & 1 == 1);
                chosen.map(|(_, expr)| *expr).collect()
            })
            .collect(),
    }
}

/// The rows of one grouping set, with what they are ordered by, and how.
fn rows_of(
    statement: &Statement,
    source: &mut Source<'_>,
    set: &[&Expr],
) -> Result<(Sql, Vec<String>)> {
    source.roll_up(Vec::new());
    // The conditions of rows come before there are groups, so nothing is rolled up there.
    let filter = filter(statement, source)?;
    let all = names(source, statement.group.iter().flat_map(|group| &group.by))?;
    let by = set
        .iter()
        .map(|expr| Operand::of(source, expr))
        .collect::<Result<Vec<_>>>()?;
    let gone = all
        .iter()
        .filter(|name| !by.iter().any(|own| own.name == **name));
    source.roll_up(gone.cloned().collect());

    let mut list = Sql::new("SELECT ");
    for (nr, (expr, _)) in exprs(statement).enumerate() {
        let operand = Operand::of(source, expr)?;
        list.push(if nr == 0 { "" } else { ", " });
        list.add(&shown(expr, &operand, &all)?);
        list.push(&format!(" AS c{nr}"));
    }
    let mut order = Vec::new();
    for by in &statement.order {
        let expr = aliased(statement, &by.by);
        let mut operand = Operand::of(source, expr)?;
        operand.sql = shown(expr, &operand, &all)?;
        for term in operand.order_terms(by.direction, by.nulls) {
            list.push(", ").add(&term.key);
            list.push(&format!(" AS o{}", order.len()));
            order.push(term.how);
        }
    }
    let mut rest = Sql::around(" WHERE ", &filter, "");
    for (nr, operand) in by.iter().enumerate() {
        rest.push(if nr == 0 { " GROUP BY " } else { ", " });
        rest.add(&operand.collated());
    }
    if let Some(having) = &statement.having {
        having.each_test(&mut |test| {
            let operand = Operand::of(source, &test.left)?;
            stands_for_group(&test.left, &operand, &all)
        })?;
        let having = condition(source, having)?;
        rest.push(" HAVING ").add(&having);
    }
    list.push(" FROM ").push(&source.from()).add(&rest);
    Ok((list, order))
}

fn names<'s>(
    source: &mut Source<'_>,
    exprs: impl Iterator<Item = &'s Expr>,
) -> Result<Vec<String>> {
    exprs
        .map(|expr| Operand::of(source, expr).map(|operand| operand.name))
        .collect()
}

/// `SELECT COUNT() FROM ...`: one row with the number of rows, at most the LIMIT.
fn count(statement: &Statement, source: &mut Source<'_>) -> Result<Compiled> {
    let filter = filter(statement, source)?;
    let mut sql = Sql::new("SELECT COUNT(*) FROM (SELECT 1 FROM ");
    sql.push(&source.from()).push(" WHERE ").add(&filter);
    sql.add(&bounds(statement)).push(")");
    let columns = vec![String::from("expr0")];
    let readers = vec![Reader::Column(FieldType::Int)];
    Ok(compiled(sql, columns, readers, source.objects()))
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

/// Refuses what differs from row to row of a group.
fn stands_for_group(expr: &Expr, operand: &Operand<'_>, grouped_by: &[String]) -> Result<()> {
    if expr.is_aggregate() || grouped_by.contains(&operand.name) {
        return Ok(());
    }
    Err(malformed(
        expr.at(),
        format!("{} must be grouped by or aggregated", operand.name),
    ))
}

/// What stands in the select list or in the order for an expression.
fn shown(expr: &Expr, operand: &Operand<'_>, grouped_by: &[String]) -> Result<Sql> {
    stands_for_group(expr, operand, grouped_by)?;
    Ok(match operand.kind {
        _ if expr.is_aggregate() => operand.sql.clone(),
        _ if operand.sql.text == "NULL" => operand.sql.clone(),
        // A group may hold several spellings: show always the same one.
        Kind::Text => Sql::around("MIN(", &operand.sql, ")"),
        Kind::Boolean => operand.collated(),
        _ => operand.sql.clone(),
    })
}

/// Finds what an alias of the select list stands for.
fn aliased<'s>(statement: &'s Statement, expr: &'s Expr) -> &'s Expr {
    let Expr::Field(path) = expr else {
        return expr;
    };
    let found = exprs(statement).find_map(|(own, alias)| {
        let alias = &alias?.text;
        (path.steps.len() == 1 && alias.eq_ignore_ascii_case(&path.steps[0])).then_some(own)
    });
    found.unwrap_or(expr)
}
