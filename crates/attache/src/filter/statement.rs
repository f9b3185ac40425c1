//! Reads statements.

use super::ast::*;
use super::condition::{Place, expr, whole};
use super::cursor::Cursor;
use super::token::Kind;
use crate::error::{Error, Result};

/// The highest offset that the server takes.
const OFFSET_MAX: u32 = 2_000;
/// How many subqueries of children a statement may have, and how deep statements may stand in each other.
const CHILDREN_MAX: usize = 20;
const LEVELS_MAX: u32 = 5;
/// How many fields a ROLLUP or CUBE may have.
const ROLLUP_FIELDS_MAX: usize = 3;

/// Reads a whole statement.
pub(super) fn whole_statement(cursor: &mut Cursor<'_>) -> Result<Statement> {
    let statement = statement(cursor, 1)?;
    cursor.end("the end of the statement")?;
    Ok(statement)
}

fn statement(cursor: &mut Cursor<'_>, level: u32) -> Result<Statement> {
    cursor.word("SELECT")?;
    let mut items = vec![item(cursor, level)?];
    while cursor.takes_symbol(",") {
        items.push(item(cursor, level)?);
    }
    if !cursor.takes(&["FROM"]) {
        return Err(cursor.expected("`,` or FROM"));
    }
    let object = cursor.name("an object name")?;
    let alias = cursor.object_alias()?;
    let mut parents = Vec::new();
    while cursor.takes_symbol(",") {
        let path = cursor.path("a relationship")?;
        let alias = cursor
            .object_alias()?
            .ok_or_else(|| cursor.expected("an alias of the relationship"))?;
        parents.push((path, alias));
    }
    let scope = if cursor.takes(&["USING"]) {
        cursor.word("SCOPE")?;
        Some(cursor.name("the name of a scope")?)
    } else {
        None
    };
    let condition = if cursor.takes(&["WHERE"]) {
        Some(whole(cursor, Place::Where)?)
    } else {
        None
    };
    if cursor.sees(&["WITH"]) {
        return Err(with(cursor));
    }
    let (group, having) = group(cursor)?;
    let order = order(cursor)?;
    let limit = count(cursor, "LIMIT", u32::MAX)?;
    let offset = count(cursor, "OFFSET", OFFSET_MAX)?;
    if offset.is_some() && cursor.sees(&["LIMIT"]) {
        return Err(cursor.refused("expected LIMIT before OFFSET, found it behind"));
    }
    let view = view(cursor)?;
    let statement = Statement {
        items,
        object,
        alias,
        parents,
        scope,
        condition,
        group,
        having,
        order,
        limit,
        offset,
        view,
    };
    check_items(cursor, &statement)?;
    Ok(statement)
}

/// Says why a WITH cannot be followed here.
fn with(cursor: &Cursor<'_>) -> Error {
    const WHY: [(&str, &str); 5] = [
        (
            "DATA",
            "articles are filed in categories at the server only",
        ),
        ("SECURITY_ENFORCED", "the server takes it from Apex only"),
        ("USER_MODE", "the server takes it from Apex only"),
        ("SYSTEM_MODE", "the server takes it from Apex only"),
        (
            "RecordVisibilityContext",
            "who else sees a record is known at the server only",
        ),
    ];
    let why = WHY
        .iter()
        .find(|(word, _)| cursor.sees_word(1, word))
        .map_or("this device cannot evaluate it", |(_, why)| why);
    cursor.refused(format!("expected no WITH: {why}"))
}

/// Refuses what each clause allows and all of them together do not.
fn check_items(cursor: &Cursor<'_>, statement: &Statement) -> Result<()> {
    let grouped = statement.group.is_some();
    let has_aggregate = statement
        .items
        .iter()
        .any(|item| matches!(item, Item::Expr(expr, _) if expr.is_aggregate()));
    for item in &statement.items {
        match item {
            Item::Expr(Expr::CountAll(at), alias) => {
                if statement.items.len() > 1 || alias.is_some() || grouped {
                    return Err(cursor.refused_at(
                        *at,
                        "expected COUNT() alone in the list, without alias or GROUP BY: write COUNT(Id)",
                    ));
                }
            }
            Item::Expr(Expr::Field(_), Some(alias)) if !grouped => {
                return Err(cursor.refused_at(
                    alias.at,
                    "expected `,` or FROM, found an alias, which only functions and grouped fields have",
                ));
            }
            Item::Expr(expr, _) if has_aggregate && !grouped && !expr.is_aggregate() => {
                return Err(cursor.refused_at(
                    expr.at(),
                    "expected a GROUP BY of a field that stands beside an aggregate",
                ));
            }
            Item::Expr(..) => {}
            Item::Fields(_, at)
            | Item::TypeOf(TypeOf {
                path: Path { at, .. },
                ..
            }) if grouped || has_aggregate => {
                return Err(cursor.refused_at(*at, "expected no FIELDS or TYPEOF in a grouping"));
            }
            Item::Children(child) if grouped || has_aggregate => {
                return Err(
                    cursor.refused_at(child.object.at, "expected no subquery in a grouping")
                );
            }
            Item::Fields(..) | Item::TypeOf(_) | Item::Children(_) => {}
        }
    }
    let mut children = statement.items.iter().filter_map(|item| match item {
        Item::Children(child) => Some(child.object.at),
        _ => None,
    });
    if let Some(at) = children.nth(CHILDREN_MAX) {
        return Err(cursor.refused_at(
            at,
            format!("expected at most {CHILDREN_MAX} subqueries of children"),
        ));
    }
    let is_count = matches!(
        statement.items.first(),
        Some(Item::Expr(Expr::CountAll(_), _))
    );
    if statement.limit.is_some() && has_aggregate && !grouped && !is_count {
        return Err(cursor.refused("expected no LIMIT of an aggregate without GROUP BY"));
    }
    if let Some(order) = statement.order.first().filter(|_| is_count) {
        return Err(cursor.refused_at(
            order.by.at(),
            "expected no ORDER BY of COUNT(), which gives a number: write COUNT(Id)",
        ));
    }
    Ok(())
}

fn item(cursor: &mut Cursor<'_>, level: u32) -> Result<Item> {
    if cursor.sees_symbol(0, "(") {
        if level == LEVELS_MAX {
            return Err(cursor.refused(format!(
                "expected at most {LEVELS_MAX} levels of statements"
            )));
        }
        return cursor.nested(|cursor| {
            cursor.symbol("(")?;
            let at = cursor.at();
            let child = statement(cursor, level + 1)?;
            cursor.symbol(")")?;
            let is_plain = child.group.is_none()
                && child.scope.is_none()
                && !child
                    .items
                    .iter()
                    .any(|item| matches!(item, Item::Expr(expr, _) if expr.is_aggregate()));
            if !is_plain {
                return Err(cursor.refused_at(
                    at,
                    "expected no aggregate, GROUP BY or USING SCOPE in a subquery of children",
                ));
            }
            Ok(Item::Children(Box::new(child)))
        });
    }
    if cursor.sees(&["TYPEOF"]) && !cursor.sees_symbol(1, ",") && !cursor.sees_word(1, "FROM") {
        return type_of(cursor).map(Item::TypeOf);
    }
    if cursor.sees(&["FIELDS"]) && cursor.sees_symbol(1, "(") {
        let at = cursor.at();
        cursor.advance();
        cursor.advance();
        let set = match cursor.peek() {
            Kind::Word(word) => FieldSet::from_word(word),
            _ => None,
        };
        let set = set.ok_or_else(|| cursor.expected("ALL, STANDARD or CUSTOM"))?;
        cursor.advance();
        cursor.symbol(")")?;
        return Ok(Item::Fields(set, at));
    }
    let expr = expr(cursor, "a field name")?;
    let alias = cursor.alias();
    Ok(Item::Expr(expr, alias))
}

fn type_of(cursor: &mut Cursor<'_>) -> Result<TypeOf> {
    cursor.word("TYPEOF")?;
    let path = cursor.path("a relationship")?;
    let mut cases = Vec::new();
    while cursor.takes(&["WHEN"]) {
        let object = cursor.name("an object name")?;
        cursor.word("THEN")?;
        cases.push((object, paths(cursor)?));
    }
    if cases.is_empty() {
        return Err(cursor.expected("WHEN"));
    }
    let otherwise = if cursor.takes(&["ELSE"]) {
        paths(cursor)?
    } else {
        Vec::new()
    };
    cursor.word("END")?;
    Ok(TypeOf {
        path,
        cases,
        otherwise,
    })
}

fn paths(cursor: &mut Cursor<'_>) -> Result<Vec<Path>> {
    let mut paths = vec![cursor.path("a field name")?];
    while cursor.takes_symbol(",") {
        paths.push(cursor.path("a field name")?);
    }
    Ok(paths)
}

fn group(cursor: &mut Cursor<'_>) -> Result<(Option<Group>, Option<Condition>)> {
    if !cursor.takes(&["GROUP"]) {
        if cursor.sees(&["HAVING"]) {
            return Err(cursor.expected("GROUP BY before HAVING"));
        }
        return Ok((None, None));
    }
    cursor.word("BY")?;
    let kind = match cursor.peek() {
        Kind::Word(word) if cursor.sees_symbol(1, "(") => {
            match word.to_ascii_uppercase().as_str() {
                "ROLLUP" => GroupKind::Rollup,
                "CUBE" => GroupKind::Cube,
                _ => GroupKind::Plain,
            }
        }
        _ => GroupKind::Plain,
    };
    let by_at = cursor.at();
    let by = if kind == GroupKind::Plain {
        let mut by = vec![expr(cursor, "a field name")?];
        while cursor.takes_symbol(",") {
            by.push(expr(cursor, "a field name")?);
        }
        by
    } else {
        cursor.advance();
        cursor.advance();
        cursor.list(|cursor| expr(cursor, "a field name"))?
    };
    if kind != GroupKind::Plain && by.len() > ROLLUP_FIELDS_MAX {
        return Err(cursor.refused_at(
            by_at,
            format!("expected at most {ROLLUP_FIELDS_MAX} fields in ROLLUP or CUBE"),
        ));
    }
    if let Some(aggregate) = by.iter().find(|expr| expr.is_aggregate()) {
        return Err(cursor.refused_at(
            aggregate.at(),
            "expected a field to group by, found an aggregate",
        ));
    }
    let having = if cursor.takes(&["HAVING"]) {
        Some(whole(cursor, Place::Having)?)
    } else {
        None
    };
    Ok((Some(Group { kind, by }), having))
}

fn order(cursor: &mut Cursor<'_>) -> Result<Vec<Order>> {
    if !cursor.takes(&["ORDER"]) {
        return Ok(Vec::new());
    }
    cursor.word("BY")?;
    order_terms(cursor)
}

/// Reads the terms of an order.
pub(super) fn order_terms(cursor: &mut Cursor<'_>) -> Result<Vec<Order>> {
    let mut order = Vec::new();
    loop {
        let by = expr(cursor, "a field name")?;
        let direction = if cursor.takes(&["DESC"]) {
            Direction::Descending
        } else {
            cursor.takes(&["ASC"]);
            Direction::Ascending
        };
        let nulls = if cursor.takes(&["NULLS"]) {
            if cursor.takes(&["LAST"]) {
                Nulls::Last
            } else {
                cursor
                    .word("FIRST")
                    .map_err(|_| cursor.expected("FIRST or LAST"))?;
                Nulls::First
            }
        } else {
            Nulls::First
        };
        order.push(Order {
            by,
            direction,
            nulls,
        });
        if !cursor.takes_symbol(",") {
            return Ok(order);
        }
    }
}

fn count(cursor: &mut Cursor<'_>, word: &str, max: u32) -> Result<Option<u32>> {
    if !cursor.takes(&[word]) {
        return Ok(None);
    }
    let what = format!("a whole number after {word}");
    let Kind::Figure(raw) = cursor.peek() else {
        return Err(cursor.expected(what));
    };
    if !raw.bytes().all(|b| b.is_ascii_digit()) {
        return Err(cursor.expected(what));
    }
    let number = raw.parse().ok().filter(|number| *number <= max);
    let number =
        number.ok_or_else(|| cursor.refused(format!("expected at most {max} after {word}")))?;
    cursor.advance();
    Ok(Some(number))
}

fn view(cursor: &mut Cursor<'_>) -> Result<Option<View>> {
    let mut view = None;
    loop {
        if cursor.sees(&["FOR", "UPDATE"]) {
            return Err(
                cursor.refused("expected no FOR UPDATE: the server takes it from Apex only")
            );
        }
        if cursor.takes(&["UPDATE", "TRACKING"]) || cursor.takes(&["UPDATE", "VIEWSTAT"]) {
            // They count article views at the server and change no row.
            continue;
        }
        if !cursor.sees(&["FOR"]) {
            break;
        }
        cursor.advance();
        let word = match cursor.peek() {
            Kind::Word(word) => View::from_word(word),
            _ => None,
        };
        view = Some(word.ok_or_else(|| cursor.expected("VIEW or REFERENCE"))?);
        cursor.advance();
    }
    if cursor.sees(&["ALL", "ROWS"]) {
        return Err(cursor.refused("expected no ALL ROWS: the server takes it from Apex only"));
    }
    Ok(view)
}
