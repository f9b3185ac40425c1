//! Rows that wait for an approval: nobody but an administrator may write them.

use super::{Org, SaveError, Slot, Viewer, key};

impl Org {
    /// Submits a row for approval: writes to it answer ENTITY_IS_LOCKED until it is released.
    ///
    /// Who may change everything may change it still. One that does not exist is left.
    pub fn submit_for_approval(&mut self, object: &str, id: &str) {
        if let Some(place) = self.row_of(object, id) {
            self.in_approval.insert(place);
        }
    }

    /// Ends the approval of a row, be it approved, rejected or recalled.
    pub fn release_approval(&mut self, object: &str, id: &str) {
        if let Some(place) = self.row_of(object, id) {
            self.in_approval.remove(&place);
        }
    }

    fn row_of(&self, object: &str, id: &str) -> Option<(usize, Slot)> {
        let at = self.schema.index(object)?;
        Some((at, self.tables[at].find(&key(id)?)?))
    }

    /// Refuses to write a row that waits for an approval.
    pub(super) fn check_approval(
        &self,
        viewer: &Viewer,
        object: usize,
        slot: Slot,
    ) -> Result<(), SaveError> {
        if viewer.rights.modify_all || !self.in_approval.contains(&(object, slot)) {
            return Ok(());
        }
        let message = "This record is locked. If you need to edit it, contact your admin.";
        Err(SaveError::new("ENTITY_IS_LOCKED", message))
    }
}
