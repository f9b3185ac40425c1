//! Filter rows and a logic line (`1 AND (2 OR 3)`), as list views have them.

use super::Filter;
use super::ast::{At, Condition};
use super::cursor::Cursor;
use super::token::Kind;
use crate::error::Result;
use std::fmt::Write;

impl Filter {
    /// Joins rows by a logic line that calls them by their numbers, from 1.
    ///
    /// An empty line joins all rows by AND.
    ///
    /// # Errors
    /// [`MalformedQuery`](crate::ErrorKind::MalformedQuery) with the position in the line if it
    /// cannot be read, names a row that is not there, or leaves a row out;
    /// also if there are no rows.
    ///
    /// # Examples
    /// ```
    /// use attache::Filter;
    ///
    /// let rows = ["Rating = 'Hot'", "AnnualRevenue > 1000", "Type = 'Customer'"];
    /// let rows: Vec<Filter> = rows.iter().map(|row| row.parse()).collect::<Result<_, _>>()?;
    /// let filter = Filter::from_rows(&rows, "1 AND (2 OR 3)")?;
    /// assert_eq!(
    ///     filter.to_string(),
    ///     "Rating = 'Hot' AND (AnnualRevenue > 1000 OR Type = 'Customer')",
    /// );
    /// assert_eq!(filter.to_rows(), (rows, String::from("1 AND (2 OR 3)")));
    /// # Ok::<(), attache::Error>(())
    /// ```
    pub fn from_rows(rows: &[Filter], logic: &str) -> Result<Filter> {
        let mut cursor = Cursor::new(logic)?;
        let mut used = vec![false; rows.len()];
        let condition = match (cursor.peek(), rows) {
            (_, []) => return Err(cursor.refused("expected at least one row, found none")),
            (Kind::End, [row]) => return Ok(row.clone()),
            (Kind::End, rows) => {
                let list = rows.iter().map(|row| row.condition.clone()).collect();
                return Ok(Filter::from(Condition::And(list)));
            }
            _ => line(&mut cursor, rows, &mut used)?,
        };
        cursor.end("AND, OR or the end")?;
        match used.iter().position(|used| !used) {
            Some(row) => Err(cursor.refused_at(
                At(0),
                format!(
                    "expected every row in the logic, found none for row {}",
                    row + 1
                ),
            )),
            None => Ok(Filter::from(condition)),
        }
    }

    /// Takes the filter apart into rows of one test each and a logic line.
    pub fn to_rows(&self) -> (Vec<Filter>, String) {
        let mut rows = Vec::new();
        let mut logic = String::new();
        take_apart(&self.condition, &mut rows, &mut logic);
        (rows, logic)
    }
}

fn line(cursor: &mut Cursor<'_>, rows: &[Filter], used: &mut [bool]) -> Result<Condition> {
    let first = unary(cursor, rows, used)?;
    let word = match (cursor.sees(&["AND"]), cursor.sees(&["OR"])) {
        (true, _) => "AND",
        (_, true) => "OR",
        _ => return Ok(first),
    };
    let mut list = vec![first];
    while cursor.takes(&[word]) {
        list.push(unary(cursor, rows, used)?);
    }
    if cursor.sees(&["AND"]) || cursor.sees(&["OR"]) {
        return Err(cursor.refused(
            "expected parentheses where AND and OR meet, as in `1 AND (2 OR 3)`, found none",
        ));
    }
    Ok(match word {
        "AND" => Condition::And(list),
        _ => Condition::Or(list),
    })
}

fn unary(cursor: &mut Cursor<'_>, rows: &[Filter], used: &mut [bool]) -> Result<Condition> {
    cursor.nested(|cursor| {
        if cursor.takes(&["NOT"]) {
            let inner = unary(cursor, rows, used)?;
            return Ok(Condition::Not(Box::new(inner)));
        }
        if cursor.takes_symbol("(") {
            let inner = line(cursor, rows, used)?;
            cursor.symbol(")")?;
            return Ok(inner);
        }
        let Kind::Figure(number) = cursor.peek() else {
            return Err(cursor.expected("the number of a row"));
        };
        let nr = number
            .parse::<usize>()
            .ok()
            .and_then(|nr| nr.checked_sub(1));
        let Some((nr, row)) = nr.and_then(|nr| Some((nr, rows.get(nr)?))) else {
            return Err(
                cursor.refused(format!("expected the number of one of {} rows", rows.len()))
            );
        };
        used[nr] = true;
        cursor.advance();
        Ok(row.condition.clone())
    })
}

fn take_apart(tree: &Condition, rows: &mut Vec<Filter>, logic: &mut String) {
    let (list, word) = match tree {
        Condition::And(list) => (list.as_slice(), " AND "),
        Condition::Or(list) => (list.as_slice(), " OR "),
        Condition::Not(inner) => {
            logic.push_str("NOT ");
            (std::slice::from_ref(&**inner), "")
        }
        Condition::Test(_) => {
            let row = Filter::from(tree.clone());
            let nr = rows.iter().position(|own| *own == row).unwrap_or_else(|| {
                rows.push(row);
                rows.len() - 1
            });
            // Writing to a text cannot fail.
            let _ = write!(logic, "{}", nr + 1);
            return;
        }
    };
    for (nr, part) in list.iter().enumerate() {
        logic.push_str(if nr == 0 { "" } else { word });
        if matches!(part, Condition::Test(_)) {
            take_apart(part, rows, logic);
        } else {
            logic.push('(');
            take_apart(part, rows, logic);
            logic.push(')');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(texts: &[&str]) -> Vec<Filter> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn rows_and_logic_become_one_filter() {
        let rows = rows(&["a = 1", "b = 2", "c = 3"]);
        for (logic, expected) in [
            ("", "a = 1 AND b = 2 AND c = 3"),
            ("1 and 2 and 3", "a = 1 AND b = 2 AND c = 3"),
            ("1 AND (2 OR 3)", "a = 1 AND (b = 2 OR c = 3)"),
            (
                "(1 OR 2) AND (1 OR 3)",
                "(a = 1 OR b = 2) AND (a = 1 OR c = 3)",
            ),
            ("1 AND NOT 2 AND 3", "a = 1 AND (NOT b = 2) AND c = 3"),
        ] {
            let filter = Filter::from_rows(&rows, logic).unwrap();
            assert_eq!(filter.to_string(), expected, "{logic}");
            assert_eq!(Filter::parse(expected).unwrap(), filter, "{logic}");
        }
    }

    #[test]
    fn a_line_that_means_nothing_is_refused_with_its_place() {
        let rows = rows(&["a = 1", "b = 2"]);
        for (logic, at, message) in [
            ("1 AND 3", 6, "one of 2 rows"),
            ("0 AND 1", 0, "one of 2 rows"),
            ("1", 0, "found none for row 2"),
            ("1 AND 2 OR 1", 8, "parentheses"),
            ("1 AND", 5, "the number of a row"),
            ("(1 AND 2", 8, "expected `)`"),
            ("1 2", 2, "AND, OR or the end"),
        ] {
            let error = Filter::from_rows(&rows, logic).unwrap_err();
            assert_eq!(error.position(), Some(at), "{logic}: {error}");
            assert!(error.to_string().contains(message), "{logic}: {error}");
        }
        assert!(Filter::from_rows(&[], "").is_err());
    }

    #[test]
    fn a_filter_taken_apart_goes_together_again() {
        for text in [
            "a = 1",
            "a = 1 AND (b = 2 OR (NOT a = 1))",
            "NOT (a = 1 AND b = 2)",
            "NOT (NOT a = 1)",
            "(a = 1 AND b = 2) AND c IN (1, 2)",
        ] {
            let filter = Filter::parse(text).unwrap();
            let (rows, logic) = filter.to_rows();
            assert_eq!(
                Filter::from_rows(&rows, &logic).unwrap(),
                filter,
                "{text}: {logic}"
            );
        }
    }
}
