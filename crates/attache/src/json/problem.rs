//! Problems as the store keeps them.
//!
//! Each is a list of its fields, its code, its message and, where the server told them, its
//! duplicates. The last one came later: a list may end before it.

use crate::duplicates::Duplicates;
use crate::error::{Error, Problem, Result};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Kept {
    fields: Vec<String>,
    code: String,
    message: String,
    #[serde(default)]
    duplicates: Option<Duplicates>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Keep<'a> {
    Plain(&'a [String], &'a str, &'a str),
    Duplicate(&'a [String], &'a str, &'a str, &'a Duplicates),
}

/// Writes problems so that [`load_problems`] gives the same back.
pub(crate) fn store_problems(problems: &[Problem]) -> String {
    let list: Vec<Keep<'_>> = problems
        .iter()
        .map(|it| match &it.duplicates {
            None => Keep::Plain(&it.fields, &it.code, &it.message),
            Some(found) => Keep::Duplicate(&it.fields, &it.code, &it.message, found),
        })
        .collect();
    serde_json::to_string(&list).expect("lists of text print as JSON")
}

/// Reads what [`store_problems`] wrote.
///
/// # Errors
/// [`ErrorKind::Internal`](crate::ErrorKind) for any other text.
pub(crate) fn load_problems(json: &str) -> Result<Vec<Problem>> {
    let list: Vec<Kept> = serde_json::from_str(json).map_err(|error| {
        Error::internal("the problems of a mutation cannot be read").with_source(error)
    })?;
    Ok(list
        .into_iter()
        .map(|kept| Problem {
            fields: kept.fields,
            code: kept.code,
            message: kept.message,
            duplicates: kept.duplicates.map(Box::new),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duplicates::Candidate;

    #[test]
    fn problems_read_back_with_and_without_duplicates() {
        let plain = Problem::new("A", "words").of_fields(["Name"]);
        let found = Duplicates {
            rule: "Same mail".into(),
            may_save: true,
            candidates: vec![Candidate {
                id: "003000000000001AAA".into(),
                object: "Contact".into(),
                fields: vec!["Email".into()],
            }],
        };
        let duplicate = Problem {
            duplicates: Some(Box::new(found)),
            ..Problem::new("DUPLICATES_DETECTED", "Use one of these records?")
        };
        let problems = vec![plain, duplicate];
        assert_eq!(load_problems(&store_problems(&problems)).unwrap(), problems);
    }

    #[test]
    fn what_earlier_formats_kept_is_read() {
        let read = load_problems(r#"[[["Name"],"A","words"]]"#).unwrap();
        assert_eq!(read, [Problem::new("A", "words").of_fields(["Name"])]);
        assert!(load_problems("{}").is_err());
    }
}
