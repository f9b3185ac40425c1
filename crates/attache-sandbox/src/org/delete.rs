//! Deleting a row, what hangs on it, and bringing both back.

use super::{Org, SaveError};

impl Org {
    /// Moves a row and what belongs to it to the recycle bin.
    pub fn delete(&mut self, actor: &str, object: &str, id: &str) -> Result<(), Vec<SaveError>> {
        let _ = (actor, object, id);
        Err(vec![SaveError::not_found()])
    }

    /// Brings a row back from the recycle bin, with the rows its deletion took along.
    pub fn undelete(&mut self, actor: &str, object: &str, id: &str) -> Result<(), Vec<SaveError>> {
        let _ = (actor, object, id);
        Err(vec![SaveError::not_found()])
    }
}
