//! Why a request was refused.

use super::Duplicates;

/// One reason for a refusal, as the API words it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct SaveError {
    /// The platform's code, `REQUIRED_FIELD_MISSING`.
    pub code: &'static str,
    /// The HTTP status of a single-row request.
    pub status: u16,
    /// The text for a person.
    pub message: String,
    /// API names of the fields it is about, if any.
    pub fields: Vec<String>,
    /// The rows that a duplicate rule found, if that is why.
    pub duplicates: Option<Box<Duplicates>>,
}

impl SaveError {
    /// Makes a refusal with status 400 that names no field.
    pub fn new(code: &'static str, message: impl Into<String>) -> SaveError {
        SaveError {
            code,
            status: 400,
            message: message.into(),
            fields: Vec::new(),
            duplicates: None,
        }
    }

    /// Makes a refusal of a field's value.
    pub(crate) fn field(code: &'static str, field: &str, message: impl Into<String>) -> SaveError {
        SaveError {
            fields: vec![field.to_owned()],
            ..SaveError::new(code, message)
        }
    }

    pub(crate) fn with_status(self, status: u16) -> SaveError {
        SaveError { status, ..self }
    }

    /// The answer for a row that a duplicate rule takes for others.
    pub(crate) fn duplicates(found: Duplicates) -> SaveError {
        SaveError {
            duplicates: Some(Box::new(found)),
            // Recorded.
            ..SaveError::new("DUPLICATES_DETECTED", "Use one of these records?")
        }
    }

    /// The answer for a row that does not exist, or that the user may not see.
    pub(crate) fn not_found() -> SaveError {
        SaveError::new("NOT_FOUND", "The requested resource does not exist").with_status(404)
    }

    /// The answer for a row in the recycle bin.
    pub(crate) fn deleted() -> SaveError {
        SaveError::new("ENTITY_IS_DELETED", "entity is deleted").with_status(404)
    }

    pub(crate) fn unsupported_object(name: &str) -> SaveError {
        SaveError::new(
            "INVALID_TYPE",
            format!(
                "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to \
                 append the '__c' after the entity name. Please reference your WSDL or the describe call for the \
                 appropriate names."
            ),
        )
    }
}

impl From<SaveError> for Vec<SaveError> {
    fn from(error: SaveError) -> Vec<SaveError> {
        vec![error]
    }
}
