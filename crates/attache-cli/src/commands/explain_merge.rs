//! `attache explain merge`: what becomes of each field of a record that both sides changed.

use crate::error::Result;
use crate::lines;
use crate::output::Output;
use attache::{Error, ErrorKind, Explanation, MergePolicy, ObjectSchema, explain_merge};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;

/// What a line may hold, for people.
const SHAPE: &str = r#"A line is one object:
  base    what both sides last agreed on; null, or left out: they never did
  local   this device's fields; null: deleted here
  remote  the server's fields; null: deleted there
  policy  as under objects.NAME.merge of a briefcase, such as {"fields": {"Phone": "local"}} [default: ask]
  schema  the answer to a describe call; without it types are guessed from the values

{"base": {"Phone": "1"}, "local": {"Phone": "2"}, "remote": {"Phone": "3"}, "policy": {"default": "local"}}"#;

/// Nothing but standard input.
#[derive(Args)]
#[command(after_help = SHAPE)]
pub struct Arguments {}

/// One line of the input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question<'a> {
    /// The answer to a describe call; without it types are guessed from the values.
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
    /// As under `objects.<Name>.merge` in a briefcase.
    policy: Option<&'a RawValue>,
    #[serde(default)]
    base: Side<'a>,
    local: Side<'a>,
    remote: Side<'a>,
}

/// A side as it is written: unlike an `Option`, it tells `null` from a member that is not there.
#[derive(Deserialize)]
#[serde(transparent)]
struct Side<'a>(#[serde(borrow)] &'a RawValue);

impl Default for Side<'_> {
    fn default() -> Self {
        Side(RawValue::NULL)
    }
}

#[derive(Serialize)]
struct Refused {
    error: Refusal,
}

#[derive(Serialize)]
struct Refusal {
    message: String,
    problems: Vec<String>,
}

/// Explains each line of standard input.
pub fn run(_: &Arguments, output: &Output) -> Result<()> {
    lines::each(|line| match line.map(explain) {
        Ok(Ok(explanation)) => output.data(&explanation),
        Ok(Err(error)) => output.data(&Refused::new(
            error.to_string(),
            error
                .problems()
                .iter()
                .map(|problem| problem.message.clone())
                .collect(),
        )),
        Err(failure) => output.data(&Refused::new(failure.sentence(), Vec::new())),
    })
}

impl Refused {
    fn new(message: String, problems: Vec<String>) -> Refused {
        Refused {
            error: Refusal { message, problems },
        }
    }
}

fn explain(line: &str) -> attache::Result<Explanation> {
    let question: Question<'_> = serde_json::from_str(line).map_err(|error| {
        let message =
            format!("a line is one object of schema, policy, base, local and remote: {error}");
        Error::new(ErrorKind::InvalidArgument, message)
    })?;
    let given = |member: Option<&RawValue>| member.map(RawValue::get).map(str::to_owned);
    let object = given(question.schema)
        .map(|json| ObjectSchema::from_describe(&json).map_err(|error| no_describe(&error)))
        .transpose()?;
    let policy = given(question.policy)
        .map(|json| MergePolicy::from_json(&json))
        .transpose()?
        .unwrap_or_default();
    let [base, local, remote] =
        [question.base, question.local, question.remote].map(|side| side.0.get());
    explain_merge(object.map(Arc::new), &policy, base, local, remote)
}

fn no_describe(error: &Error) -> Error {
    let why =
        std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    let message = format!(
        "schema is to be the answer to a describe call, {{\"name\": ..., \"fields\": [{{\"name\": ..., \"type\": ...}}, ...]}}: {why}"
    );
    Error::new(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        match explain(line) {
            Ok(explanation) => serde_json::to_string(&explanation).expect("it prints"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_line_that_the_help_shows_is_explained() {
        let line = SHAPE.lines().last().expect("it has lines");
        assert!(told(line).contains("the policy is local"), "{}", told(line));
    }

    #[test]
    fn a_schema_that_is_no_describe_is_told_what_it_should_be() {
        let line = r#"{"schema":{"A":"string"},"base":{},"local":{},"remote":{}}"#;
        assert!(told(line).starts_with("schema is to be the answer to a describe call"));
        assert!(
            told(line).contains("missing field `name`"),
            "{}",
            told(line)
        );
    }

    #[test]
    fn a_line_tells_each_field_and_why() {
        assert_eq!(
            told(r#"{"base":{"Phone":"1"},"local":{"Phone":"2"},"remote":{"Phone":"3"}}"#),
            r#"{"outcome":"conflict","reason":"a field is in conflict","fields":{"Phone":{"outcome":"conflict","reason":"changed on both sides; the policy is ask","value":"2"}}}"#
        );
        assert_eq!(
            told(
                r#"{"policy":{"deletion":"ask"},"base":{"Phone":"1"},"local":null,"remote":{"Phone":"3"}}"#
            ),
            r#"{"outcome":"conflict","reason":"deleted here, changed at the server; the policy is ask","fields":{}}"#
        );
    }

    #[test]
    fn a_schema_gives_types_and_groups() {
        let field = |name: &str| {
            format!(
                r#"{{"name":"{name}","type":"string","createable":true,"compoundFieldName":"Address"}}"#
            )
        };
        let schema = format!(
            r#"{{"name":"Lead","fields":[{},{}]}}"#,
            field("Street"),
            field("City")
        );
        let line = format!(
            r#"{{"schema":{schema},"policy":{{"default":"remote"}},"base":{{"Street":"a","City":"b"}},"local":{{"Street":"c"}},"remote":{{"City":"d"}}}}"#
        );
        let told = told(&line);
        assert!(told.contains(r#""Street":{"outcome":"taken","reason":"its group was changed on both sides; the policy is remote","value":"a","group":["Street","City"]}"#), "{told}");
    }

    #[test]
    fn a_bad_line_says_what_is_wrong_with_it() {
        for (line, part) in [
            ("[]", "a line is one object"),
            (r#"{"base":{},"local":{}}"#, "missing field `remote`"),
            (
                r#"{"local":{},"remote":{},"rules":1}"#,
                "unknown field `rules`",
            ),
            (r#"{"local":1,"remote":{}}"#, "JSON objects or null"),
            (
                r#"{"local":{"A":[]},"remote":{}}"#,
                "A is a list or an object",
            ),
            (
                r#"{"local":{"A":1},"remote":{"A":"x"}}"#,
                "A is not of one kind",
            ),
            (
                r#"{"local":{},"remote":{},"policy":{"default":"mine"}}"#,
                "unknown variant `mine`",
            ),
            (
                r#"{"local":{},"remote":{},"schema":{"fields":[]}}"#,
                "describe",
            ),
        ] {
            let told = told(line);
            assert!(told.contains(part), "{line}: {told}");
        }
    }
}
