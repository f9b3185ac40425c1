//! SOQL that the engine sends. Names come from describes, literals are escaped here.

use crate::store::Table;

/// A text literal.
pub(super) fn text(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('\'');
    for c in value.chars() {
        match c {
            '\'' => literal.push_str("\\'"),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            _ => literal.push(c),
        }
    }
    literal.push('\'');
    literal
}

/// Text literals with commas between.
pub(super) fn list(values: &[String]) -> String {
    values
        .iter()
        .map(|value| text(value))
        .collect::<Vec<_>>()
        .join(",")
}

/// Characters of a statement (reference, section 3.1).
const STATEMENT_CHARS_MAX: usize = 100_000;
/// Characters of an id in a list: 18, quotes and a comma.
const ID_CHARS: usize = 21;

/// A statement that reads fields of records that meet all conditions.
pub(super) struct Statement<'a> {
    pub fields: &'a str,
    pub object: &'a str,
    pub scope: Option<&'a str>,
    pub conditions: Vec<String>,
    /// `ORDER BY ...` and what follows it.
    pub tail: &'a str,
}

impl Statement<'_> {
    pub(super) fn print(&self) -> String {
        let mut soql = format!("SELECT {} FROM {}", self.fields, self.object);
        if let Some(scope) = self.scope {
            soql.push_str(" USING SCOPE ");
            soql.push_str(scope);
        }
        match self.conditions.as_slice() {
            [] => {}
            [one] => {
                soql.push_str(" WHERE ");
                soql.push_str(one);
            }
            // AND and OR may not meet at one level.
            many => {
                soql.push_str(" WHERE ");
                soql.push_str(
                    &many
                        .iter()
                        .map(|condition| format!("({condition})"))
                        .collect::<Vec<_>>()
                        .join(" AND "),
                );
            }
        }
        if !self.tail.is_empty() {
            soql.push(' ');
            soql.push_str(self.tail);
        }
        soql
    }
}

/// How many ids a condition on them may list, at most `max`, in a statement that has so many characters without it.
pub(super) fn ids_that_fit(statement: &str, max: usize) -> usize {
    // A hundred for the condition's own words: the longest name of a field has 43 characters.
    let room = STATEMENT_CHARS_MAX.saturating_sub(statement.len() + 100);
    (room / ID_CHARS).clamp(1, max.max(1))
}

/// The carried fields of a table.
pub(super) fn fields(table: &Table) -> String {
    table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_cannot_end_early() {
        assert_eq!(text("O'Neil \\"), "'O\\'Neil \\\\'");
    }

    #[test]
    fn a_list_of_ids_leaves_room_for_the_rest_of_its_statement() {
        let id = "001D000000JliSTIAZ".to_owned();
        for rest in [50, 40_000, 58_000, 70_000, 99_000] {
            let rest = "x".repeat(rest);
            let ids = ids_that_fit(&rest, 2_000);
            let condition = format!(" AND (Id IN ({}))", list(&vec![id.clone(); ids]));
            assert!(rest.len() + condition.len() <= STATEMENT_CHARS_MAX);
            let more = rest.len() + condition.len() + 100 + ID_CHARS;
            assert!(ids == 2_000 || more > STATEMENT_CHARS_MAX, "{ids}");
        }
        assert_eq!(ids_that_fit(&"x".repeat(200_000), 2_000), 1);
    }

    #[test]
    fn conditions_are_kept_apart() {
        let statement = Statement {
            fields: "Id",
            object: "Account",
            scope: None,
            conditions: vec!["A = 1 OR B = 2".into(), "C = 3".into()],
            tail: "ORDER BY Id",
        };
        assert_eq!(
            statement.print(),
            "SELECT Id FROM Account WHERE (A = 1 OR B = 2) AND (C = 3) ORDER BY Id"
        );
    }
}
