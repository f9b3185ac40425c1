//! Conditions as SQL.
//!
//! SOQL knows true and false only: a comparison with null is false, and NOT of
//! it is true. SQL's unknown counts as false wherever it meets AND, OR or
//! WHERE, so comparisons stay plain, for the sake of indexes, and only a
//! negation says `IS NOT TRUE`.
//!
//! So `F != 'x'` holds for a null F, as it does at the server; `NOT IN`,
//! `EXCLUDES` and `NOT (F LIKE ..)` follow it, where the sources disagree about
//! the server (reference, section 4.2).

use super::operand::{Native, Operand};
use super::source::{Source, malformed};
use super::sql::{Sql, joined, quote};
use crate::error::Result;
use crate::filter::ast::*;
use crate::filter::check::{Kind, accepts, join_names};
use crate::filter::date::DateLiteral;
use crate::record::{is_local, remote_id};
use crate::store::value::number;
use rusqlite::types::Value;
use rust_decimal::Decimal;

/// Compiles a condition.
pub(super) fn condition(source: &mut Source<'_>, tree: &Condition) -> Result<Sql> {
    match tree {
        Condition::And(list) => Ok(joined(all(source, list)?, " AND ")),
        Condition::Or(list) => Ok(joined(all(source, list)?, " OR ")),
        Condition::Not(inner) => Ok(negated(&condition(source, inner)?)),
        Condition::Test(comparison) => test(source, comparison),
    }
}

fn all(source: &mut Source<'_>, list: &[Condition]) -> Result<Vec<Sql>> {
    list.iter().map(|part| condition(source, part)).collect()
}

fn negated(inner: &Sql) -> Sql {
    Sql::around("((", inner, ") IS NOT TRUE)")
}

fn with_sense(sense: Sense, sql: Sql) -> Sql {
    match sense {
        Sense::Is => sql,
        Sense::IsNot => negated(&sql),
    }
}

fn test(source: &mut Source<'_>, comparison: &Comparison) -> Result<Sql> {
    let left = Operand::of(source, &comparison.left)?;
    accepts(left.kind, comparison)?;
    match &comparison.test {
        Test::Compare(operator, literal) => compare(source, &left, *operator, literal),
        Test::Like(pattern, _) => Ok(like(&left, pattern)),
        Test::In(sense, list) => Ok(with_sense(*sense, among(source, &left, list)?)),
        Test::Includes(sense, list) => {
            let any = list
                .iter()
                .map(|literal| match &literal.value {
                    Constant::Text(text) if !text.is_empty() => {
                        let mut sql = Sql::around("attache_includes(", &left.sql, ", ");
                        sql.bind(text.clone()).push(")");
                        sql
                    }
                    _ => is_null(&left),
                })
                .collect();
            Ok(with_sense(*sense, joined(any, " OR ")))
        }
        Test::InQuery(sense, join) => Ok(with_sense(*sense, in_query(source, &left, join)?)),
    }
}

fn in_query(source: &mut Source<'_>, left: &Operand<'_>, join: &Join) -> Result<Sql> {
    let names = join_names(join, &source.names)?;
    let mut inner = Source::new(source.tables, source.context, names, "attache_j");
    let column = inner.column(&join.field)?;
    let filter = match &join.condition {
        Some(tree) => condition(&mut inner, tree)?,
        None => Sql::new("1"),
    };
    source.read_too(inner.objects());
    let mut sql = Sql::around("", &left.sql, " IN (SELECT ");
    sql.add(&column.sql).push(" FROM ").push(&inner.from());
    sql.push(" WHERE ").add(&filter).push(")");
    Ok(sql)
}

fn is_null(left: &Operand<'_>) -> Sql {
    match left.kind {
        Kind::Boolean => Sql::around("", &left.sql, " IS NOT 1"),
        _ => Sql::around("", &left.sql, " IS NULL"),
    }
}

fn compare(
    source: &Source<'_>,
    left: &Operand<'_>,
    operator: Operator,
    literal: &Literal,
) -> Result<Sql> {
    match (operator, &literal.value) {
        (Operator::Equal, _) => equal(source, left, literal),
        (Operator::NotEqual, _) => Ok(negated(&equal(source, left, literal)?)),
        (_, Constant::Relative(relative)) => {
            let (start, end) = range(source, left, *relative);
            Ok(match operator {
                Operator::Less => ordered(left, "<", start),
                Operator::LessOrEqual => ordered(left, "<", end),
                Operator::GreaterOrEqual => ordered(left, ">=", start),
                _ => ordered(left, ">=", end),
            })
        }
        (_, Constant::Number(value)) => Ok(ordered_number(left, operator, *value)),
        _ => Ok(ordered(left, operator.symbol(), plain(left, literal)?)),
    }
}

fn equal(source: &Source<'_>, left: &Operand<'_>, literal: &Literal) -> Result<Sql> {
    match &literal.value {
        Constant::Null => return Ok(is_null(left)),
        Constant::Text(text) if text.is_empty() => return Ok(is_null(left)),
        Constant::Boolean(true) => return Ok(Sql::around("", &left.sql, " = 1")),
        Constant::Boolean(false) => return Ok(Sql::around("", &left.sql, " IS NOT 1")),
        Constant::Relative(relative) => {
            let (start, end) = range(source, left, *relative);
            let both = vec![ordered(left, ">=", start), ordered(left, "<", end)];
            return Ok(joined(both, " AND "));
        }
        Constant::Text(text) if left.kind == Kind::Set => {
            let mut sql = Sql::around("attache_same_set(", &left.sql, ", ");
            sql.bind(text.clone()).push(")");
            return Ok(sql);
        }
        Constant::Number(value) if left.order == Native::Mixed => {
            // The reals find it through the index that also serves < and ORDER BY.
            let (low, high) = real_bounds(*value);
            let mut sql = Sql::around("(CAST(", &left.sql, " AS REAL) BETWEEN ");
            sql.bind(low).push(" AND ").bind(high).push(" AND ");
            sql.add(&left.sql)
                .push(" = ")
                .bind(number(*value))
                .push(")");
            return Ok(sql);
        }
        _ => {}
    }
    let mut sql = Sql::around("", &left.collated(), " = ");
    sql.add(&bound(left, literal)?);
    Ok(sql)
}

/// `field IN (...)`: one list of what is compared plainly, and by itself what is not.
fn among(source: &Source<'_>, left: &Operand<'_>, list: &[Literal]) -> Result<Sql> {
    let mut any = Vec::new();
    let mut values = Vec::new();
    for literal in list {
        let is_plain = match &literal.value {
            Constant::Text(text) => !text.is_empty() && left.kind != Kind::Set,
            Constant::Number(_) | Constant::Date(_) | Constant::DateTime(_) => true,
            _ => false,
        };
        if is_plain {
            values.push(bound(left, literal)?);
        } else {
            any.push(equal(source, left, literal)?);
        }
    }
    if !values.is_empty() {
        let mut sql = Sql::around("", &left.collated(), " IN (");
        for (nr, value) in values.iter().enumerate() {
            sql.push(if nr == 0 { "" } else { ", " }).add(value);
        }
        sql.push(")");
        any.push(sql);
    }
    Ok(joined(any, " OR "))
}

fn ordered(left: &Operand<'_>, symbol: &str, value: Value) -> Sql {
    let mut sql = Sql::around("", &left.collated(), &format!(" {symbol} "));
    sql.bind(value);
    sql
}

/// Compares numbers exactly, in whatever form they are stored.
///
/// The nearest reals decide, through an index on them if there is one; only
/// what they let pass is compared digit by digit.
fn ordered_number(left: &Operand<'_>, operator: Operator, value: Decimal) -> Sql {
    let stored = number(value);
    if left.order == Native::Ordered && !matches!(stored, Value::Text(_)) {
        return ordered(left, operator.symbol(), stored);
    }
    let symbol = operator.symbol();
    let (low, high) = real_bounds(value);
    let (coarse, bound) = match operator {
        Operator::Less | Operator::LessOrEqual => ("<=", high),
        _ => (">=", low),
    };
    let mut sql = Sql::around("(CAST(", &left.sql, &format!(" AS REAL) {coarse} "));
    sql.bind(bound).push(" AND attache_compare(");
    sql.add(&left.sql).push(", ").bind(stored);
    sql.push(&format!(") {symbol} 0)"));
    sql
}

/// Two reals between which the nearest real of a number lies.
///
/// Not that real itself: SQLite may round a text to its neighbour.
fn real_bounds(value: Decimal) -> (f64, f64) {
    let real: f64 = value.to_string().parse().unwrap_or(0.0);
    (real.next_down(), real.next_up())
}

/// The range of a literal, in the stored form of the field.
fn range(source: &Source<'_>, left: &Operand<'_>, literal: DateLiteral) -> (Value, Value) {
    let range = literal.range(source.context);
    if left.kind == Kind::DateTime {
        let (start, end) = range.instants(&source.context.time_zone);
        return (Value::Integer(start.0), Value::Integer(end.0));
    }
    (
        Value::Text(range.start.to_string()),
        Value::Text(range.end.to_string()),
    )
}

/// A literal in the stored form of the field.
fn plain(left: &Operand<'_>, literal: &Literal) -> Result<Value> {
    Ok(match &literal.value {
        Constant::Null => Value::Null,
        Constant::Boolean(value) => Value::Integer(i64::from(*value)),
        Constant::Number(value) => number(*value),
        Constant::Text(text) if left.kind == Kind::Id => {
            Value::Text(remote_id(text).unwrap_or_else(|| text.clone()))
        }
        Constant::Text(text) => Value::Text(text.clone()),
        Constant::Date(day) => Value::Text(day.to_string()),
        Constant::DateTime(instant) => Value::Integer(instant.0),
        Constant::Money(..) => {
            return Err(malformed(
                literal.at,
                "an amount of a currency can be compared by the org only",
            ));
        }
        Constant::Relative(_) => {
            return Err(malformed(literal.at, "a relative date has no place here"));
        }
    })
}

/// A literal as a parameter; a local key finds the record even after the server gave it an id.
fn bound(left: &Operand<'_>, literal: &Literal) -> Result<Sql> {
    let value = plain(left, literal)?;
    let mut sql = Sql::default();
    match &value {
        Value::Text(key) if left.kind == Kind::Id && is_local(key) => {
            sql.push("COALESCE(");
            for target in &left.targets {
                sql.push(&format!(
                    "(SELECT \"Id\" FROM {} WHERE \"attache_key\" = ",
                    quote(target)
                ));
                sql.bind(value.clone()).push("), ");
            }
            sql.bind(value.clone()).push(", NULL)");
        }
        _ => {
            sql.bind(value);
        }
    }
    Ok(sql)
}

fn like(left: &Operand<'_>, pattern: &[Glyph]) -> Sql {
    let exact = left.kind == Kind::ExactText;
    let mut text = String::new();
    for glyph in pattern {
        match glyph {
            Glyph::Many => text.push('%'),
            Glyph::One => text.push('_'),
            Glyph::Char(c) => text.extend(['\\', *c]),
        }
    }
    let mut sql = Sql::new("(");
    let prefix: String = pattern
        .iter()
        .map_while(|glyph| match glyph {
            Glyph::Char(c) => Some(*c),
            _ => None,
        })
        .collect();
    if !prefix.is_empty() {
        // What begins so lies between these two, whether there is an index or not.
        sql.add(&ordered(left, ">=", Value::Text(prefix.clone())));
        sql.push(" AND ");
        let last = format!("{prefix}{}", char::MAX);
        sql.add(&ordered(left, "<=", Value::Text(last)))
            .push(" AND ");
    }
    sql.push("attache_like(").add(&left.sql).push(", ");
    sql.bind(text).push(", ").bind(i64::from(exact)).push("))");
    sql
}
