//! Prints trees as SOQL, in one spelling that reads back as the same tree.

use super::ast::*;
use crate::record::Value;
use std::fmt::{self, Display, Formatter, Write};

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        joined(f, &self.steps, ".")
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (list, word) = match self {
            Condition::And(list) => (list, " AND "),
            Condition::Or(list) => (list, " OR "),
            Condition::Not(inner) => {
                f.write_str("NOT ")?;
                return operand(f, inner);
            }
            Condition::Test(comparison) => return comparison.fmt(f),
        };
        for (nr, part) in list.iter().enumerate() {
            if nr > 0 {
                f.write_str(word)?;
            }
            operand(f, part)?;
        }
        Ok(())
    }
}

/// Prints a part of a list or of a NOT: in parentheses unless it is a single test.
fn operand(f: &mut Formatter<'_>, part: &Condition) -> fmt::Result {
    match part {
        Condition::Test(comparison) => comparison.fmt(f),
        other => write!(f, "({other})"),
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.left)?;
        match &self.test {
            Test::Compare(operator, literal) => write!(f, "{} {literal}", operator.symbol()),
            Test::Like(pattern, _) => {
                f.write_str("LIKE '")?;
                for glyph in pattern {
                    match glyph {
                        Glyph::Many => f.write_char('%')?,
                        Glyph::One => f.write_char('_')?,
                        Glyph::Char(c @ ('%' | '_')) => write!(f, "\\{c}")?,
                        Glyph::Char(c) => escaped(f, *c)?,
                    }
                }
                f.write_char('\'')
            }
            Test::In(sense, list) => {
                f.write_str(sense.pick("IN (", "NOT IN ("))?;
                joined(f, list, ", ")?;
                f.write_char(')')
            }
            Test::InQuery(sense, join) => write!(f, "{} ({join})", sense.pick("IN", "NOT IN")),
            Test::Includes(sense, list) => {
                f.write_str(sense.pick("INCLUDES (", "EXCLUDES ("))?;
                joined(f, list, ", ")?;
                f.write_char(')')
            }
        }
    }
}

impl Sense {
    fn pick<'a>(self, is: &'a str, is_not: &'a str) -> &'a str {
        match self {
            Sense::Is => is,
            Sense::IsNot => is_not,
        }
    }
}

impl Operator {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
        }
    }
}

impl Display for Join {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "SELECT {} FROM {}", self.field, self.object)?;
        if let Some(alias) = &self.alias {
            write!(f, " {alias}")?;
        }
        match &self.condition {
            Some(condition) => write!(f, " WHERE {condition}"),
            None => Ok(()),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.value {
            Constant::Null => f.write_str("null"),
            Constant::Boolean(value) => write!(f, "{value}"),
            Constant::Number(value) => write!(f, "{value}"),
            Constant::Money(code, value) => write!(f, "{code}{value}"),
            Constant::Text(text) => {
                f.write_char('\'')?;
                text.chars().try_for_each(|c| escaped(f, c))?;
                f.write_char('\'')
            }
            Constant::Date(value) => Value::Date(*value).fmt(f),
            Constant::DateTime(value) => f.write_str(&value.to_soql()),
            Constant::Relative(literal) => literal.fmt(f),
        }
    }
}

fn escaped(f: &mut Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '\\' | '\'' => write!(f, "\\{c}"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\u{8}' => f.write_str("\\b"),
        '\u{c}' => f.write_str("\\f"),
        c if c.is_control() => write!(f, "\\u{:04X}", u32::from(c)),
        c => f.write_char(c),
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Field(path) => path.fmt(f),
            Expr::Date(function, argument) => match argument.zone {
                Zone::Utc => write!(f, "{}({})", function.word(), argument.path),
                Zone::User => write!(f, "{}(convertTimezone({}))", function.word(), argument.path),
            },
            Expr::Distance(distance) => write!(
                f,
                "DISTANCE({}, GEOLOCATION({}, {}), '{}')",
                distance.path,
                distance.latitude,
                distance.longitude,
                match distance.unit {
                    DistanceUnit::Miles => "mi",
                    DistanceUnit::Kilometres => "km",
                }
            ),
            Expr::CountAll(_) => f.write_str("COUNT()"),
            Expr::Aggregate(aggregate, path) => write!(f, "{}({path})", aggregate.word()),
            Expr::Label(path) => write!(f, "toLabel({path})"),
            Expr::Grouping(path) => write!(f, "GROUPING({path})"),
        }
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        joined(f, &self.items, ", ")?;
        write!(f, " FROM {}", self.object)?;
        if let Some(alias) = &self.alias {
            write!(f, " {alias}")?;
        }
        for (path, alias) in &self.parents {
            write!(f, ", {path} {alias}")?;
        }
        if let Some(scope) = &self.scope {
            write!(f, " USING SCOPE {scope}")?;
        }
        if let Some(condition) = &self.condition {
            write!(f, " WHERE {condition}")?;
        }
        if let Some(group) = &self.group {
            f.write_str(match group.kind {
                GroupKind::Plain => " GROUP BY ",
                GroupKind::Rollup => " GROUP BY ROLLUP(",
                GroupKind::Cube => " GROUP BY CUBE(",
            })?;
            joined(f, &group.by, ", ")?;
            if group.kind != GroupKind::Plain {
                f.write_char(')')?;
            }
        }
        if let Some(having) = &self.having {
            write!(f, " HAVING {having}")?;
        }
        if !self.order.is_empty() {
            f.write_str(" ORDER BY ")?;
            joined(f, &self.order, ", ")?;
        }
        if let Some(limit) = self.limit {
            write!(f, " LIMIT {limit}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, " OFFSET {offset}")?;
        }
        match self.view {
            Some(view) => write!(f, " FOR {}", view.word()),
            None => Ok(()),
        }
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Item::Expr(expr, None) => expr.fmt(f),
            Item::Expr(expr, Some(alias)) => write!(f, "{expr} {alias}"),
            Item::Fields(set, _) => write!(f, "FIELDS({})", set.word()),
            Item::Children(child) => write!(f, "({child})"),
            Item::TypeOf(type_of) => {
                write!(f, "TYPEOF {}", type_of.path)?;
                for (object, paths) in &type_of.cases {
                    write!(f, " WHEN {object} THEN ")?;
                    joined(f, paths, ", ")?;
                }
                if !type_of.otherwise.is_empty() {
                    f.write_str(" ELSE ")?;
                    joined(f, &type_of.otherwise, ", ")?;
                }
                f.write_str(" END")
            }
        }
    }
}

impl Display for Order {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // The server's defaults are not documented for every case: say both.
        let direction = match self.direction {
            Direction::Ascending => "ASC",
            Direction::Descending => "DESC",
        };
        let nulls = match self.nulls {
            Nulls::First => "FIRST",
            Nulls::Last => "LAST",
        };
        write!(f, "{} {direction} NULLS {nulls}", self.by)
    }
}

fn joined<T: Display>(f: &mut Formatter<'_>, parts: &[T], separator: &str) -> fmt::Result {
    for (nr, part) in parts.iter().enumerate() {
        if nr > 0 {
            f.write_str(separator)?;
        }
        part.fmt(f)?;
    }
    Ok(())
}
