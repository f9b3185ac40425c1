//! Error answers: the array of `message`, `errorCode` and, where a field is to blame, `fields`.

use super::message::Response;
use crate::{json, org::SaveError};
use serde::Serialize;

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
            })
            .collect();
        Failure { status, problems }
    }

    /// Prints the answer.
    pub(crate) fn answer(&self) -> Response {
        Response::json(self.status, json::write(&self.problems))
    }
}
