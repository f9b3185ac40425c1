//! Reads conditions.
//!
//! The grammar is the server's, with what it refuses: what is read here may be
//! sent. Reference, section 4.2.

use super::ast::*;
use super::cursor::Cursor;
use super::token::Kind;
use super::value::{decimal, literal, pattern};
use crate::error::Result;

/// Where a condition stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind WHERE, or alone.
    Where,
    /// Behind the WHERE of a semi-join.
    Join,
    /// Behind HAVING.
    Having,
}

/// How many semi-joins the server takes in one WHERE.
const JOINS_MAX: usize = 2;

/// Reads a whole condition and holds its semi-joins against the server's limits.
pub(super) fn whole(cursor: &mut Cursor<'_>, place: Place) -> Result<Condition> {
    let condition = condition(cursor, place)?;
    let mut joins = Vec::new();
    find_joins(&condition, Under::And, &mut joins);
    if let Some((_, at)) = joins.iter().find(|(under, _)| *under == Under::OrOrNot) {
        return Err(cursor.refused_at(
            *at,
            "expected no subquery under OR or NOT: the server refuses it there",
        ));
    }
    match joins.get(JOINS_MAX) {
        Some((_, at)) => Err(cursor.refused_at(
            *at,
            format!("expected at most {JOINS_MAX} subqueries in a condition"),
        )),
        None => Ok(condition),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Under {
    And,
    OrOrNot,
}

fn find_joins(condition: &Condition, under: Under, found: &mut Vec<(Under, At)>) {
    match condition {
        Condition::And(list) => list.iter().for_each(|c| find_joins(c, under, found)),
        Condition::Or(list) => list
            .iter()
            .for_each(|c| find_joins(c, Under::OrOrNot, found)),
        Condition::Not(inner) => find_joins(inner, Under::OrOrNot, found),
        Condition::Test(Comparison {
            left,
            test: Test::InQuery(..),
        }) => found.push((under, left.at())),
        Condition::Test(_) => {}
    }
}

/// Reads a list joined by AND, one joined by OR, or a single test.
fn condition(cursor: &mut Cursor<'_>, place: Place) -> Result<Condition> {
    let at = cursor.at();
    let begins_with_not = cursor.sees(&["NOT"]);
    let first = unary(cursor, place)?;
    let word = if cursor.sees(&["AND"]) {
        "AND"
    } else if cursor.sees(&["OR"]) {
        "OR"
    } else {
        return Ok(first);
    };
    // The server reads `NOT a AND b` in no way at all, only `(NOT a) AND b`.
    let bare_not = format!("expected parentheses around a NOT that is joined by {word}");
    if begins_with_not {
        return Err(cursor.refused_at(at, bare_not));
    }
    let mut list = vec![first];
    while cursor.takes(&[word]) {
        if cursor.sees(&["NOT"]) {
            return Err(cursor.refused(bare_not));
        }
        list.push(unary(cursor, place)?);
    }
    if cursor.sees(&["AND"]) || cursor.sees(&["OR"]) {
        return Err(cursor.refused(
            "expected parentheses where AND and OR meet, as in `a AND (b OR c)`, found none",
        ));
    }
    Ok(match word {
        "AND" => Condition::And(list),
        _ => Condition::Or(list),
    })
}

fn unary(cursor: &mut Cursor<'_>, place: Place) -> Result<Condition> {
    cursor.nested(|cursor| {
        if cursor.takes(&["NOT"]) {
            return unary(cursor, place).map(|inner| Condition::Not(Box::new(inner)));
        }
        if cursor.takes_symbol("(") {
            let inner = condition(cursor, place)?;
            if !cursor.takes_symbol(")") {
                return Err(cursor.expected("AND, OR or `)`"));
            }
            return Ok(inner);
        }
        comparison(cursor, place).map(Condition::Test)
    })
}

fn comparison(cursor: &mut Cursor<'_>, place: Place) -> Result<Comparison> {
    let left = expr(cursor, "a field name")?;
    if left.is_aggregate() && place != Place::Having {
        return Err(cursor.refused_at(
            left.at(),
            "expected a field name, found an aggregate, which only HAVING may test",
        ));
    }
    let test = test(cursor, &left, place)?;
    Ok(Comparison { left, test })
}

/// Reads a field or a function of one.
pub(super) fn expr(cursor: &mut Cursor<'_>, what: &str) -> Result<Expr> {
    let at = cursor.at();
    const NEVER: [&str; 7] = ["AND", "FROM", "NOT", "NULL", "OR", "SELECT", "WHERE"];
    let Kind::Word(word) = cursor.peek() else {
        return Err(cursor.expected(what));
    };
    if NEVER.iter().any(|own| own.eq_ignore_ascii_case(word)) {
        return Err(cursor.expected(what));
    }
    if !cursor.sees_symbol(1, "(") {
        return cursor.path(what).map(Expr::Field);
    }
    cursor.advance();
    cursor.advance();
    let expr = if let Some(function) = DateFunction::from_word(word) {
        Expr::Date(function, date_argument(cursor)?)
    } else if let Some(aggregate) = Aggregate::from_word(word) {
        if aggregate == Aggregate::Count && cursor.sees_symbol(0, ")") {
            Expr::CountAll(at)
        } else {
            Expr::Aggregate(aggregate, cursor.path("a field name")?)
        }
    } else if word.eq_ignore_ascii_case("GROUPING") {
        Expr::Grouping(cursor.path("a field name")?)
    } else if word.eq_ignore_ascii_case("toLabel") {
        Expr::Label(cursor.path("a field name")?)
    } else if word.eq_ignore_ascii_case("DISTANCE") {
        Expr::Distance(distance(cursor)?)
    } else {
        return Err(cursor.refused_at(at, unknown_function(word)));
    };
    cursor.symbol(")")?;
    Ok(expr)
}

fn unknown_function(word: &str) -> String {
    let why = match word.to_ascii_uppercase().as_str() {
        "FORMAT" => "FORMAT writes values as the server does: format them on the device",
        "CONVERTCURRENCY" => "the rates of exchange are at the server only",
        "CONVERTTIMEZONE" => "convertTimezone stands inside of a date function only",
        "GEOLOCATION" => "GEOLOCATION stands inside of DISTANCE only",
        _ => return String::from("expected a function that this device knows"),
    };
    format!("expected a field or another function: {why}")
}

fn date_argument(cursor: &mut Cursor<'_>) -> Result<DateArgument> {
    if cursor.sees(&["convertTimezone"]) && cursor.sees_symbol(1, "(") {
        cursor.advance();
        cursor.advance();
        let path = cursor.path("a field name")?;
        cursor.symbol(")")?;
        let zone = Zone::User;
        return Ok(DateArgument { path, zone });
    }
    let path = cursor.path("a field name")?;
    let zone = Zone::Utc;
    Ok(DateArgument { path, zone })
}

fn distance(cursor: &mut Cursor<'_>) -> Result<Distance> {
    let path = cursor.path("a geolocation field")?;
    cursor.symbol(",")?;
    cursor.word("GEOLOCATION")?;
    cursor.symbol("(")?;
    let latitude = number(cursor, "a latitude")?;
    cursor.symbol(",")?;
    let longitude = number(cursor, "a longitude")?;
    cursor.symbol(")")?;
    cursor.symbol(",")?;
    let unit = match cursor.peek() {
        Kind::Text(unit) if unit.eq_ignore_ascii_case("mi") => DistanceUnit::Miles,
        Kind::Text(unit) if unit.eq_ignore_ascii_case("km") => DistanceUnit::Kilometres,
        _ => return Err(cursor.refused("expected 'mi' or 'km'")),
    };
    cursor.advance();
    Ok(Distance {
        path,
        latitude,
        longitude,
        unit,
    })
}

fn number(cursor: &mut Cursor<'_>, what: &str) -> Result<rust_decimal::Decimal> {
    let Kind::Figure(raw) = cursor.peek() else {
        return Err(cursor.expected(what));
    };
    let number = decimal(raw).ok_or_else(|| cursor.expected(what))?;
    cursor.advance();
    Ok(number)
}

fn test(cursor: &mut Cursor<'_>, left: &Expr, place: Place) -> Result<Test> {
    const OPERATORS: [(&str, Operator); 7] = [
        ("=", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<>", Operator::NotEqual),
        ("<", Operator::Less),
        ("<=", Operator::LessOrEqual),
        (">", Operator::Greater),
        (">=", Operator::GreaterOrEqual),
    ];
    for (symbol, operator) in OPERATORS {
        if !cursor.takes_symbol(symbol) {
            continue;
        }
        let value = literal(cursor, &format!("a value after {symbol}"))?;
        let is_equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        let is_unordered = matches!(value.value, Constant::Null | Constant::Boolean(_));
        if is_unordered && !is_equality {
            return Err(cursor.refused_at(
                value.at,
                format!(
                    "expected a value that has an order after {symbol}, found null or a boolean"
                ),
            ));
        }
        return Ok(Test::Compare(operator, value));
    }
    if cursor.takes(&["LIKE"]) {
        let at = cursor.at();
        return Ok(Test::Like(pattern(cursor)?, at));
    }
    if cursor.takes(&["INCLUDES"]) {
        return Ok(Test::Includes(Sense::Is, values(cursor)?));
    }
    if cursor.takes(&["EXCLUDES"]) {
        return Ok(Test::Includes(Sense::IsNot, values(cursor)?));
    }
    let sense = if cursor.takes(&["NOT", "IN"]) {
        Sense::IsNot
    } else if cursor.takes(&["IN"]) {
        Sense::Is
    } else if cursor.sees(&["NOT", "LIKE"]) {
        return Err(cursor
            .refused("expected an operator, found NOT LIKE: write `(NOT field LIKE 'pattern')`"));
    } else if cursor.sees(&["IS"]) {
        return Err(cursor.refused("expected an operator, found `IS`: write `= null`"));
    } else {
        return Err(cursor.expected("an operator"));
    };
    if cursor.sees_symbol(0, "(") && cursor.sees_word(1, "SELECT") {
        return join(cursor, left, place).map(|join| Test::InQuery(sense, Box::new(join)));
    }
    Ok(Test::In(sense, values(cursor)?))
}

fn values(cursor: &mut Cursor<'_>) -> Result<Vec<Literal>> {
    cursor.symbol("(")?;
    cursor.list(|cursor| literal(cursor, "a value"))
}

fn join(cursor: &mut Cursor<'_>, left: &Expr, place: Place) -> Result<Join> {
    if place != Place::Where {
        return Err(cursor.refused("expected a list of values, found a subquery, which may only stand in the WHERE of the statement itself"));
    }
    match left {
        Expr::Field(path) if path.steps.len() == 1 => {}
        left => {
            return Err(cursor.refused_at(
                left.at(),
                "expected a field of the object itself before IN and a subquery",
            ));
        }
    }
    cursor.nested(|cursor| {
        cursor.symbol("(")?;
        cursor.word("SELECT")?;
        let field = cursor.path("a field name")?;
        if cursor.sees_symbol(0, "(") || cursor.sees_symbol(0, ",") {
            return Err(cursor.expected("FROM after the one field of a subquery in a condition"));
        }
        cursor.word("FROM")?;
        let object = cursor.name("an object name")?;
        let alias = cursor.object_alias()?;
        let aliased = |name: &str| {
            [Some(&object), alias.as_ref()]
                .iter()
                .flatten()
                .any(|own| own.text.eq_ignore_ascii_case(name))
        };
        if field.steps.len() > 2 || (field.steps.len() == 2 && !aliased(&field.steps[0])) {
            return Err(cursor.refused_at(
                field.at,
                "expected a field of the object itself, found a path to a parent",
            ));
        }
        let condition = if cursor.takes(&["WHERE"]) {
            Some(condition(cursor, Place::Join)?)
        } else {
            None
        };
        if !cursor.takes_symbol(")") {
            return Err(cursor.expected("`)` after the subquery of a condition"));
        }
        Ok(Join {
            field,
            object,
            alias,
            condition,
        })
    })
}
