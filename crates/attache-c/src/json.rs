//! What the engine tells, and what a host says, as JSON.

use crate::enter::Result;
use crate::error::Failure;
use serde::Deserialize;

/// Prints what the engine tells, in the form that it gives itself.
pub(crate) fn print(value: &(impl serde::Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("maps with text keys and finite numbers print")
}

/// Reads what the host says.
pub(crate) fn parse<'a, T: Deserialize<'a>>(json: &'a str, name: &str) -> Result<T> {
    serde_json::from_str(json)
        .map_err(|error| Failure::argument(format!("{name} cannot be read: {error}")))
}
