//! Error answers: the array of `message`, `errorCode` and, where a field is to blame, `fields`.

use super::message::Response;
use crate::{
    json,
    org::{Duplicates, SaveError},
};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// Why a call was refused.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) problems: Vec<Problem>,
}

/// One element of an error body.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Problem {
    pub(crate) message: String,
    #[serde(rename = "errorCode")]
    pub(crate) code: &'static str,
    /// Absent for what no field can be blamed for (a missing row, a query, a session).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fields: Option<Vec<String>>,
    /// What a duplicate rule found.
    #[serde(rename = "duplicateResult", skip_serializing_if = "Option::is_none")]
    pub(crate) duplicates: Option<DuplicateResult>,
}

/// What a duplicate rule found, as single rows tell it.
#[derive(Clone, Debug)]
pub(crate) struct DuplicateResult(pub(crate) Box<Duplicates>);

impl Serialize for DuplicateResult {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let found = &*self.0;
        let diffs: Vec<_> = found
            .fields
            .iter()
            .map(|name| serde_json::json!({"difference": "SAME", "name": name}))
            .collect();
        let records: Vec<_> = found
            .matches
            .iter()
            .map(|id| {
                let url = format!("/services/data/v67.0/sobjects/{}/{id}", found.object);
                serde_json::json!({
                    "additionalInformation": [],
                    "fieldDiffs": diffs,
                    "matchConfidence": 100.0,
                    "record": {"attributes": {"type": found.object, "url": url}, "Id": id},
                })
            })
            .collect();
        let result = serde_json::json!({
            "entityType": found.object,
            "errors": [],
            "matchEngine": "ExactMatchEngine",
            "matchRecords": records,
            "rule": found.rule,
            "size": found.matches.len(),
            "success": true,
        });
        let mut map = to.serialize_map(Some(5))?;
        map.serialize_entry("allowSave", &found.allow_save)?;
        map.serialize_entry("duplicateRule", &found.rule)?;
        map.serialize_entry("duplicateRuleEntityType", &found.object)?;
        map.serialize_entry("errorMessage", "Use one of these records?")?;
        map.serialize_entry("matchResults", &[result])?;
        map.end()
    }
}

impl Failure {
    /// Makes a failure without a `fields` key.
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Failure {
        Failure {
            status,
            problems: vec![Problem {
                message: message.into(),
                code,
                fields: None,
                duplicates: None,
            }],
        }
    }

    /// What a missing resource, a missing row and a row one may not see all answer.
    pub(crate) fn not_found() -> Failure {
        Failure::new(404, "NOT_FOUND", "The requested resource does not exist")
    }

    /// A body that is not the JSON asked for.
    pub(crate) fn malformed(error: impl std::fmt::Display) -> Failure {
        Failure::new(400, "JSON_PARSER_ERROR", error.to_string())
    }

    /// A method that a resource does not have. `allowed` in the order the real one prints it.
    pub(crate) fn method(method: &str, allowed: &str) -> Failure {
        let message = format!("HTTP Method '{method}' not allowed. Allowed are {allowed}");
        Failure::new(405, "METHOD_NOT_ALLOWED", message)
    }

    /// A parameter that is missing or cannot be read.
    pub(crate) fn parameter(message: impl Into<String>) -> Failure {
        Failure::new(400, "INVALID_PARAMETER", message)
    }

    /// Words a query's refusal.
    pub(crate) fn of_query(error: SaveError) -> Failure {
        Failure::new(error.status, error.code, error.message)
    }

    /// Words the refusal of a single row's write.
    pub(crate) fn of_save(errors: Vec<SaveError>) -> Failure {
        let status = errors.first().map_or(400, |error| error.status);
        let problems = errors
            .into_iter()
            .map(|error| Problem {
                message: error.message,
                // Recorded: these two blame the request, not a field.
                fields: (!matches!(error.code, "NOT_FOUND" | "INVALID_FIELD"))
                    .then_some(error.fields),
                code: error.code,
                duplicates: error.duplicates.map(DuplicateResult),
            })
            .collect();
        Failure { status, problems }
    }

    /// Prints the answer.
    pub(crate) fn answer(&self) -> Response {
        Response::json(self.status, json::write(&self.problems))
    }
}
