//! Who looked at which row last: `LastViewedDate` and `LastReferencedDate` differ by who asks.

use super::table::{IdKey, Slot, key};
use super::{Org, Viewer};
use crate::value::Value;
use std::borrow::Cow;
use std::collections::HashMap;

/// (row, user) -> when, in seconds since the epoch.
pub(super) type Views = HashMap<(IdKey, IdKey), i64>;

impl Org {
    /// Notes that a user looks at a row now, as a page that shows it does. The row itself is not touched.
    pub fn look(&mut self, user: &str, id: &str) {
        if let (Some(row), Some(user)) = (key(id), key(user)) {
            self.views.insert((row, user), self.now);
        }
    }

    /// Gives a field's value as a user sees it.
    pub(crate) fn seen(
        &self,
        viewer: &Viewer,
        object: usize,
        slot: Slot,
        field: usize,
    ) -> Cow<'_, Value> {
        if !self.views.is_empty()
            && matches!(
                &*self.schema.objects()[object].fields[field].name,
                "LastViewedDate" | "LastReferencedDate"
            )
        {
            let row = key(self.tables[object].id(slot));
            let at = row.and_then(|row| self.views.get(&(row, viewer.key)));
            return Cow::Owned(at.map_or(Value::Null, |at| Value::DateTime(*at)));
        }
        self.value(object, slot, field)
    }
}
