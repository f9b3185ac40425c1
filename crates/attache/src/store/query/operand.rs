//! The left sides of comparisons, and what is grouped and ordered by, as SQL.

use super::calendar;
use super::source::{Column, Source};
use super::sql::Sql;
use crate::error::Result;
use crate::filter::ast::*;
use crate::filter::check::{Kind, kind_of};
use crate::schema::{FieldSchema, FieldType};
use crate::store::value::number;

/// An expression as SQL, with what is needed to compare, order and read it.
pub(super) struct Operand<'a> {
    pub(super) sql: Sql,
    pub(super) kind: Kind,
    pub(super) ty: FieldType,
    /// The canonical spelling, by which equal expressions are known.
    pub(super) name: String,
    /// SQLite's own order of the values is right.
    pub(super) order: Native,
    /// The entries of a picklist: its values sort as these do.
    pub(super) field: Option<&'a FieldSchema>,
    pub(super) targets: Vec<&'a str>,
}

/// Whether SQLite orders the stored forms of a number as we do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Native {
    Ordered,
    /// Integers, reals and texts mixed: see `store/value.rs`.
    Mixed,
}

impl<'a> Operand<'a> {
    pub(super) fn of(source: &mut Source<'a>, expr: &Expr) -> Result<Operand<'a>> {
        let mut operand = Operand::plain(source, expr)?;
        if source.is_rolled_up(&operand.name) {
            operand.sql = Sql::new("NULL");
        }
        Ok(operand)
    }

    fn plain(source: &mut Source<'a>, expr: &Expr) -> Result<Operand<'a>> {
        // Names and types first: one place says what is wrong with them.
        let kind = kind_of(expr, &source.names)?;
        let integer = |sql: Sql, name: String| Operand {
            sql,
            kind,
            ty: FieldType::Int,
            name,
            order: Native::Ordered,
            field: None,
            targets: Vec::new(),
        };
        match expr {
            Expr::Field(path) => Ok(source.column(path)?.into()),
            Expr::Label(path) => Ok(labelled(source.column(path)?)),
            Expr::Date(function, argument) => {
                let (sql, name) = date_part(source, *function, argument)?;
                let mut operand = integer(sql, name);
                if *function == DateFunction::DayOnly {
                    operand.ty = FieldType::Date;
                }
                Ok(operand)
            }
            Expr::Distance(distance) => {
                let mut operand = integer(distance_to(source, distance)?, expr.to_string());
                operand.ty = FieldType::Double;
                Ok(operand)
            }
            Expr::CountAll(_) => Ok(integer(Sql::new("COUNT(*)"), expr.to_string())),
            Expr::Grouping(path) => {
                let column = source.column(path)?;
                let rolled_up = if source.is_rolled_up(&column.name) {
                    "1"
                } else {
                    "0"
                };
                let name = format!("GROUPING({})", column.name);
                Ok(integer(Sql::new(rolled_up), name))
            }
            Expr::Aggregate(aggregate, path) => {
                let inner = Operand::from(source.column(path)?);
                Ok(aggregated(*aggregate, inner, kind))
            }
        }
    }

    /// Says whether the values sort as the entries of a picklist do.
    pub(super) fn is_picklist(&self) -> bool {
        let entries = self.field.is_some_and(|field| !field.picklist.is_empty());
        entries && self.kind == Kind::Text
    }

    /// The place of the value among the picklist's entries; values that are none come behind.
    pub(super) fn rank(&self) -> Sql {
        let entries = self.field.map_or(&[][..], |field| &field.picklist);
        let mut sql = Sql::around("CASE ", &self.sql, " COLLATE attache_text");
        for (rank, entry) in entries.iter().enumerate() {
            sql.push(" WHEN ").bind(entry.value.clone());
            sql.push(&format!(" THEN {rank}"));
        }
        sql.push(&format!(" ELSE {} END", entries.len()));
        sql
    }

    /// The expression with the collation of its type.
    pub(super) fn collated(&self) -> Sql {
        match self.kind {
            Kind::Text => Sql::around("", &self.sql, " COLLATE attache_text"),
            Kind::Boolean => Sql::around("COALESCE(", &self.sql, ", 0)"),
            _ => self.sql.clone(),
        }
    }

    /// The terms that order by this expression, and by id what is equal.
    pub(super) fn last_order_terms(&self, order: &Order, id: &Sql) -> Vec<Term> {
        let mut terms = self.order_terms(order.direction, order.nulls);
        if self.order == Native::Mixed {
            let sign = match order.direction {
                Direction::Ascending => ", 1.0)",
                Direction::Descending => ", -1.0)",
            };
            terms.pop();
            let mut tie = Sql::around("attache_tie(", &self.sql, ", ");
            tie.add(id).push(sign);
            terms.push(Term::new(tie, ""));
        } else {
            // In the same direction, so that one index that ends with the id does for both.
            let direction = match order.direction {
                Direction::Ascending => "",
                Direction::Descending => " DESC",
            };
            terms.push(Term::new(id.clone(), direction));
        }
        terms
    }

    /// The terms that order by this expression.
    pub(super) fn order_terms(&self, direction: Direction, nulls: Nulls) -> Vec<Term> {
        let direction = match direction {
            Direction::Ascending => " ASC",
            Direction::Descending => " DESC",
        };
        let (null_test, nulls) = match nulls {
            Nulls::First => (" IS NOT NULL", " NULLS FIRST"),
            Nulls::Last => (" IS NULL", " NULLS LAST"),
        };
        let by_case = match self.kind {
            Kind::Text => " COLLATE attache_text",
            _ => "",
        };
        if self.is_picklist() {
            return vec![
                Term::new(Sql::around("", &self.sql, null_test), ""),
                Term::new(self.rank(), direction),
                Term::new(self.sql.clone(), &format!("{by_case}{direction}")),
            ];
        }
        if self.order == Native::Mixed {
            let real = Sql::around("CAST(", &self.sql, " AS REAL)");
            let rest = Sql::around("attache_remainder(", &self.sql, ")");
            return vec![
                Term::new(real, &format!("{direction}{nulls}")),
                Term::new(rest, direction),
            ];
        }
        let key = match self.kind {
            Kind::Boolean => self.collated(),
            _ => self.sql.clone(),
        };
        vec![Term::new(key, &format!("{by_case}{direction}{nulls}"))]
    }
}

/// One term of an ORDER BY.
pub(super) struct Term {
    pub(super) key: Sql,
    /// Its collation, direction and place of nulls.
    pub(super) how: String,
}

impl Term {
    fn new(key: Sql, how: &str) -> Term {
        Term {
            key,
            how: how.to_owned(),
        }
    }
}

impl<'a> From<Column<'a>> for Operand<'a> {
    fn from(column: Column<'a>) -> Operand<'a> {
        let order = match column.ty {
            FieldType::Double | FieldType::Currency | FieldType::Percent => Native::Mixed,
            _ => Native::Ordered,
        };
        Operand {
            sql: column.sql,
            kind: column.kind,
            ty: column.ty,
            name: column.name,
            order,
            field: column.field,
            targets: column.targets,
        }
    }
}

/// The label of a picklist's value; a value that is no entry is its own label.
fn labelled<'a>(column: Column<'a>) -> Operand<'a> {
    let entries = column.field.map_or(&[][..], |field| &field.picklist);
    let mut sql = Sql::around("CASE ", &column.sql, " COLLATE attache_text");
    for entry in entries {
        sql.push(" WHEN ").bind(entry.value.clone());
        sql.push(" THEN ").bind(entry.label.clone());
    }
    // A CASE without any WHEN is no SQL.
    sql.push(" WHEN NULL THEN NULL ELSE ")
        .add(&column.sql)
        .push(" END");
    Operand {
        sql,
        kind: Kind::Text,
        ty: FieldType::String,
        field: None,
        ..Operand::from(column)
    }
}

fn date_part(
    source: &mut Source<'_>,
    function: DateFunction,
    argument: &DateArgument,
) -> Result<(Sql, String)> {
    let column = source.column(&argument.path)?;
    let word = function.word();
    let (zone, name) = match argument.zone {
        Zone::Utc => (String::from("UTC"), format!("{word}({})", column.name)),
        Zone::User => (
            calendar::zone_name(&source.context.time_zone, source.context.now),
            format!("{word}(convertTimezone({}))", column.name),
        ),
    };
    let (month, year_name) = calendar::fiscal(source.context);
    let mut sql = Sql::new("attache_date(");
    sql.bind(word.to_owned()).push(", ").add(&column.sql);
    sql.push(", ").bind(zone).push(", ").bind(month);
    sql.push(", ").bind(year_name).push(")");
    Ok((sql, name))
}

fn distance_to(source: &mut Source<'_>, distance: &Distance) -> Result<Sql> {
    let (latitude, longitude) = source.place(distance)?;
    let unit = match distance.unit {
        DistanceUnit::Miles => "mi",
        DistanceUnit::Kilometres => "km",
    };
    let mut sql = Sql::new("attache_distance(");
    sql.add(&latitude).push(", ").add(&longitude);
    sql.push(", ").bind(number(distance.latitude));
    sql.push(", ").bind(number(distance.longitude));
    sql.push(", ").bind(unit.to_owned()).push(")");
    Ok(sql)
}

fn aggregated<'a>(aggregate: Aggregate, inner: Operand<'a>, kind: Kind) -> Operand<'a> {
    let mixed = inner.order == Native::Mixed;
    let collated = inner.collated();
    let sql = match aggregate {
        Aggregate::Count => Sql::around("COUNT(", &inner.sql, ")"),
        Aggregate::CountDistinct => Sql::around("COUNT(DISTINCT ", &collated, ")"),
        Aggregate::Sum => Sql::around("attache_sum(", &inner.sql, ")"),
        Aggregate::Average => Sql::around("attache_avg(", &inner.sql, ")"),
        Aggregate::Min if mixed => Sql::around("attache_min(", &inner.sql, ")"),
        Aggregate::Max if mixed => Sql::around("attache_max(", &inner.sql, ")"),
        Aggregate::Min | Aggregate::Max => {
            let word = match aggregate {
                Aggregate::Min => "MIN(",
                _ => "MAX(",
            };
            if inner.is_picklist() {
                // The rank leads the value through the comparison and is cut off behind it.
                let mut sql = Sql::new(format!("substr({word}printf('%06d', "));
                sql.add(&inner.rank()).push(") || ");
                sql.add(&inner.sql).push("), 7)");
                sql
            } else {
                Sql::around(word, &collated, ")")
            }
        }
    };
    let is_count = matches!(aggregate, Aggregate::Count | Aggregate::CountDistinct);
    let ty = match aggregate {
        _ if is_count => FieldType::Int,
        Aggregate::Average => FieldType::Double,
        _ => inner.ty,
    };
    let is_sum = matches!(aggregate, Aggregate::Sum | Aggregate::Average);
    Operand {
        sql,
        kind,
        ty,
        name: format!("{}({})", aggregate.word(), inner.name),
        order: if is_sum || (mixed && !is_count) {
            Native::Mixed
        } else {
            Native::Ordered
        },
        field: if is_count { None } else { inner.field },
        targets: Vec::new(),
    }
}
