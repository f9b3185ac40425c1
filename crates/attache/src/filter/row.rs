//! One row of a list view: a field, an operator and a value, without a text to parse.

use super::Filter;
use super::ast::{Comparison, Condition, Constant, Expr, Glyph, Literal, Operator, Sense, Test};
use super::condition::expr;
use super::cursor::Cursor;
use super::value::{decimal, literal};
use crate::error::{Error, ErrorKind, Result};

/// Operators of rows, as they are written.
pub(crate) const OPERATORS: [&str; 13] = [
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "contains",
    "starts with",
    "like",
    "in",
    "not in",
    "includes",
    "excludes",
];

/// A test of one field, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// The left side: a field, a path to a parent's field, or a date function of one.
    pub field: String,
    /// One of [`OPERATORS`].
    pub op: String,
    pub value: RowValue,
}

/// What a row compares with. The variant says the type, which SOQL says by its quotes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RowValue {
    Null,
    Boolean(bool),
    /// Digits, as JSON writes them.
    Number(String),
    Text(String),
    /// What SOQL writes without quotes: a date, an instant, a date literal, an amount of a currency.
    Literal(String),
    /// A subquery, for `in` and `not in`.
    Select(String),
    List(Vec<RowValue>),
}

/// The part of a row that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowPart {
    Field,
    Op,
    Value,
}

impl Row {
    /// Puts the row together, by the rules that a condition in SOQL has.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedQuery`] with the part that is to blame.
    pub(crate) fn filter(&self) -> Result<Filter, (RowPart, Error)> {
        let left = self.left().map_err(|error| (RowPart::Field, error))?;
        if !OPERATORS.contains(&self.op.as_str()) {
            let known = OPERATORS.join("`, `");
            return Err((
                RowPart::Op,
                malformed(format!("expected one of `{known}`, found another operator")),
            ));
        }
        self.whole(left).map_err(|error| (RowPart::Value, error))
    }

    fn left(&self) -> Result<Expr> {
        let mut cursor = Cursor::new(&self.field)?;
        let left = expr(&mut cursor, "a field name")?;
        cursor.end("nothing behind the field")?;
        if left.is_aggregate() {
            return Err(malformed(
                "expected a field name, found an aggregate, which only HAVING may test",
            ));
        }
        Ok(left)
    }

    fn whole(&self, left: Expr) -> Result<Filter> {
        if let RowValue::Select(select) = &self.value {
            if !matches!(self.op.as_str(), "in" | "not in") {
                return Err(malformed("expected a value, found a subquery"));
            }
            let word = self.op.to_ascii_uppercase();
            // The left side was read to its end, and the parentheses close what they open or nothing reads.
            return single(&format!("{left} {word} ({select})"));
        }
        let comparison = Comparison {
            left,
            test: self.test()?,
        };
        // The grammar has more to say than the tree: null has no order, texts have a longest length.
        single(&comparison.to_string())
    }

    fn test(&self) -> Result<Test> {
        let is = if self.op == "not in" || self.op == "excludes" {
            Sense::IsNot
        } else {
            Sense::Is
        };
        Ok(match self.op.as_str() {
            "in" | "not in" => Test::In(is, self.list()?),
            "includes" | "excludes" => Test::Includes(is, self.list()?),
            "contains" | "starts with" | "like" => {
                let RowValue::Text(text) = &self.value else {
                    return Err(malformed(format!(
                        "expected a text for `{}`, found another value",
                        self.op
                    )));
                };
                let plain = text.chars().map(Glyph::Char);
                let glyphs = match self.op.as_str() {
                    "like" => pattern(text),
                    "contains" => [Glyph::Many]
                        .into_iter()
                        .chain(plain)
                        .chain([Glyph::Many])
                        .collect(),
                    _ => plain.chain([Glyph::Many]).collect(),
                };
                Test::Like(glyphs, Default::default())
            }
            symbol => {
                let operator = OPERATOR_SYMBOLS
                    .into_iter()
                    .find(|op| op.symbol() == symbol);
                let operator = operator.ok_or_else(|| malformed("expected an operator"))?;
                Test::Compare(operator, self.value.literal()?)
            }
        })
    }

    fn list(&self) -> Result<Vec<Literal>> {
        match &self.value {
            RowValue::List(list) if !list.is_empty() => {
                list.iter().map(RowValue::literal).collect()
            }
            _ => Err(malformed(format!(
                "expected a list of values for `{}`, found none",
                self.op
            ))),
        }
    }

    /// Takes a filter of a single test apart; `None` for any other.
    pub(crate) fn of(filter: &Filter) -> Option<Row> {
        let Condition::Test(comparison) = filter.condition() else {
            return None;
        };
        let field = comparison.left.to_string();
        let list = |list: &[Literal]| RowValue::List(list.iter().map(RowValue::of).collect());
        let (op, value) = match &comparison.test {
            Test::Compare(operator, literal) => (operator.symbol(), RowValue::of(literal)),
            Test::Like(glyphs, _) => {
                let (op, text) = like(glyphs);
                (op, RowValue::Text(text))
            }
            Test::In(Sense::Is, values) => ("in", list(values)),
            Test::In(Sense::IsNot, values) => ("not in", list(values)),
            Test::InQuery(Sense::Is, join) => ("in", RowValue::Select(join.to_string())),
            Test::InQuery(Sense::IsNot, join) => ("not in", RowValue::Select(join.to_string())),
            Test::Includes(Sense::Is, values) => ("includes", list(values)),
            Test::Includes(Sense::IsNot, values) => ("excludes", list(values)),
        };
        Some(Row {
            field,
            op: op.to_owned(),
            value,
        })
    }
}

const OPERATOR_SYMBOLS: [Operator; 6] = [
    Operator::Equal,
    Operator::NotEqual,
    Operator::Less,
    Operator::LessOrEqual,
    Operator::Greater,
    Operator::GreaterOrEqual,
];

impl RowValue {
    fn literal(&self) -> Result<Literal> {
        let value = match self {
            RowValue::Null => Constant::Null,
            RowValue::Boolean(value) => Constant::Boolean(*value),
            RowValue::Text(text) => Constant::Text(text.clone()),
            RowValue::Number(digits) => Constant::Number(decimal(digits).ok_or_else(|| {
                malformed("expected a number of at most 28 digits without an exponent")
            })?),
            RowValue::Literal(text) => return unquoted(text),
            RowValue::Select(_) | RowValue::List(_) => {
                return Err(malformed("expected a single value"));
            }
        };
        Ok(Literal {
            value,
            at: Default::default(),
        })
    }

    fn of(literal: &Literal) -> RowValue {
        match &literal.value {
            Constant::Null => RowValue::Null,
            Constant::Boolean(value) => RowValue::Boolean(*value),
            Constant::Number(value) => RowValue::Number(value.to_string()),
            Constant::Text(text) => RowValue::Text(text.clone()),
            Constant::Money(..)
            | Constant::Date(_)
            | Constant::DateTime(_)
            | Constant::Relative(_) => RowValue::Literal(literal.to_string()),
        }
    }
}

/// Reads a date, an instant, a date literal or an amount of a currency.
fn unquoted(text: &str) -> Result<Literal> {
    const WHAT: &str =
        "a date, a datetime with its zone, a date literal or an amount of a currency";
    let mut cursor = Cursor::new(text)?;
    let literal = literal(&mut cursor, WHAT)?;
    cursor.end("nothing behind the literal")?;
    match literal.value {
        Constant::Money(..) | Constant::Date(_) | Constant::DateTime(_) | Constant::Relative(_) => {
            Ok(literal)
        }
        _ => Err(malformed(format!("expected {WHAT}, found another value"))),
    }
}

/// Reads a pattern: `%` and `_` are wild unless a `\` stands before them.
fn pattern(text: &str) -> Vec<Glyph> {
    let mut glyphs = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        glyphs.push(match c {
            '%' => Glyph::Many,
            '_' => Glyph::One,
            '\\' => Glyph::Char(
                chars
                    .next_if(|next| matches!(next, '%' | '_' | '\\'))
                    .unwrap_or('\\'),
            ),
            c => Glyph::Char(c),
        });
    }
    glyphs
}

/// The operator and the text of a LIKE: the plainest words that mean it.
fn like(glyphs: &[Glyph]) -> (&'static str, String) {
    let plain = |glyphs: &[Glyph]| -> Option<String> {
        glyphs
            .iter()
            .map(|glyph| match glyph {
                Glyph::Char(c) => Some(*c),
                Glyph::One | Glyph::Many => None,
            })
            .collect()
    };
    if let [rest @ .., Glyph::Many] = glyphs {
        if let Some(text) = plain(rest).filter(|text| !text.is_empty()) {
            return ("starts with", text);
        }
        if let [Glyph::Many, inner @ ..] = rest
            && let Some(text) = plain(inner).filter(|text| !text.is_empty())
        {
            return ("contains", text);
        }
    }
    let mut text = String::new();
    for glyph in glyphs {
        match glyph {
            Glyph::Many => text.push('%'),
            Glyph::One => text.push('_'),
            Glyph::Char(c) => {
                if matches!(c, '%' | '_' | '\\') {
                    text.push('\\');
                }
                text.push(*c);
            }
        }
    }
    ("like", text)
}

/// Reads a condition that is one test.
fn single(text: &str) -> Result<Filter> {
    // Positions count in a text that nobody wrote, so only the words are passed on.
    let filter = Filter::parse(text).map_err(|error| {
        let words = error.to_string();
        let words = words.split_once(": ").map_or(&*words, |(_, words)| words);
        malformed(words)
    })?;
    match filter.condition() {
        Condition::Test(_) => Ok(filter),
        _ => Err(malformed("expected one test, found several")),
    }
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::MalformedQuery, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(field: &str, op: &str, value: RowValue) -> Row {
        Row {
            field: field.into(),
            op: op.into(),
            value,
        }
    }

    #[test]
    fn a_row_says_what_a_condition_says_and_comes_back() {
        let text = |text: &str| RowValue::Text(text.into());
        let literal = |text: &str| RowValue::Literal(text.into());
        for (row, soql) in [
            (row("Name", "=", text("O'Neil \\")), r"Name = 'O\'Neil \\'"),
            (row("Name", "!=", text("TODAY")), "Name != 'TODAY'"),
            (
                row("CloseDate", "<=", literal("NEXT_N_DAYS:90")),
                "CloseDate <= NEXT_N_DAYS:90",
            ),
            (
                row(
                    "Amount",
                    ">",
                    RowValue::Number("12345678901234567890.25".into()),
                ),
                "Amount > 12345678901234567890.25",
            ),
            (row("Amount", ">", literal("USD5000")), "Amount > USD5000"),
            (row("IsWon", "=", RowValue::Boolean(true)), "IsWon = true"),
            (row("AccountId", "=", RowValue::Null), "AccountId = null"),
            (
                row("Name", "contains", text("50% off")),
                r"Name LIKE '%50\% off%'",
            ),
            (
                row("Name", "starts with", text("a_b")),
                r"Name LIKE 'a\_b%'",
            ),
            (
                row("Name", "like", text(r"a_\%\\%c")),
                r"Name LIKE 'a_\%\\%c'",
            ),
            (
                row(
                    "Owner.Name",
                    "in",
                    RowValue::List(vec![text("a"), text("b")]),
                ),
                "Owner.Name IN ('a', 'b')",
            ),
            (
                row("Tags__c", "excludes", RowValue::List(vec![text("a;b")])),
                "Tags__c EXCLUDES ('a;b')",
            ),
            (
                row(
                    "CALENDAR_YEAR(CreatedDate)",
                    "=",
                    RowValue::Number("2026".into()),
                ),
                "CALENDAR_YEAR(CreatedDate) = 2026",
            ),
            (
                row(
                    "Id",
                    "not in",
                    RowValue::Select("SELECT AccountId FROM Contact".into()),
                ),
                "Id NOT IN (SELECT AccountId FROM Contact)",
            ),
        ] {
            let filter = row
                .filter()
                .map_err(|(part, error)| format!("{part:?} {error}"));
            let filter = filter.unwrap_or_else(|error| panic!("{soql}: {error}"));
            assert_eq!(filter.to_string(), soql);
            assert_eq!(Row::of(&filter).as_ref(), Some(&row), "{soql}");
        }
    }

    #[test]
    fn a_row_cannot_say_more_than_one_test() {
        let text = RowValue::Text("x".into());
        for (row, part) in [
            (row("a = 1 OR b", "=", text.clone()), RowPart::Field),
            (row("", "=", text.clone()), RowPart::Field),
            (row("COUNT(Id)", "=", text.clone()), RowPart::Field),
            (row("a", "LIKE", text.clone()), RowPart::Op),
            (row("a", "< 3 OR b =", text.clone()), RowPart::Op),
            (row("a", "<", RowValue::Null), RowPart::Value),
            (row("a", "in", text.clone()), RowPart::Value),
            (row("a", "in", RowValue::List(vec![])), RowPart::Value),
            (
                row("a", "=", RowValue::List(vec![text.clone()])),
                RowPart::Value,
            ),
            (row("a", "contains", RowValue::Null), RowPart::Value),
            (
                row("a", "=", RowValue::Literal("TODAY OR b = 1".into())),
                RowPart::Value,
            ),
            (
                row("a", "=", RowValue::Literal("'TODAY'".into())),
                RowPart::Value,
            ),
            (
                row("a", "=", RowValue::Number("1e9".into())),
                RowPart::Value,
            ),
            (
                row("a", "=", RowValue::Select("SELECT Id FROM B".into())),
                RowPart::Value,
            ),
            (
                row(
                    "a",
                    "in",
                    RowValue::Select("SELECT Id FROM B) OR c IN (1".into()),
                ),
                RowPart::Value,
            ),
            (
                row("a", "=", RowValue::Text("x".repeat(4_001))),
                RowPart::Value,
            ),
        ] {
            let refused = row.filter().map_err(|(part, _)| part);
            assert_eq!(refused, Err(part), "{row:?}");
        }
    }
}
