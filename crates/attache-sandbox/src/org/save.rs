//! Saving a row.

use super::{Org, SaveError};
use serde_json::value::RawValue;

/// The fields of a write as they came, in order; numbers stay text, because money is exact.
pub type Input = [(String, Box<RawValue>)];

/// What an upsert did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upserted {
    /// 18-character id of the row.
    pub id: String,
    /// A row was created, not changed.
    pub created: bool,
}

/// Why an upsert did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpsertFailure {
    /// Several rows carry the key: their ids.
    Multiple(Vec<String>),
    /// The row was refused.
    Errors(Vec<SaveError>),
}

impl Org {
    /// Creates a row and gives its 18-character id.
    pub fn create(
        &mut self,
        actor: &str,
        object: &str,
        fields: &Input,
    ) -> Result<String, Vec<SaveError>> {
        let _ = (actor, object, fields);
        Err(vec![SaveError::not_found()])
    }

    /// Changes the given fields of a row.
    ///
    /// With `unmodified_since` (seconds since the epoch) a row that was modified
    /// later is left alone and the error has status 412.
    pub fn update(
        &mut self,
        actor: &str,
        object: &str,
        id: &str,
        fields: &Input,
        unmodified_since: Option<i64>,
    ) -> Result<(), Vec<SaveError>> {
        let _ = (actor, object, id, fields, unmodified_since);
        Err(vec![SaveError::not_found()])
    }

    /// Creates the row with this key, or changes it if it exists.
    pub fn upsert(
        &mut self,
        actor: &str,
        object: &str,
        key_field: &str,
        key: &str,
        fields: &Input,
    ) -> Result<Upserted, UpsertFailure> {
        let _ = (actor, object, key_field, key, fields);
        Err(UpsertFailure::Errors(vec![SaveError::not_found()]))
    }
}
