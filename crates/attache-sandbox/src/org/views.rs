//! Who looked at which row last: `LastViewedDate` and `LastReferencedDate` differ by who asks.

use super::table::{IdKey, Slot, key};
use super::{Org, Viewer};
use crate::value::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Rows of an object that a user's list of recents remembers.
const RECENTS_MAX: usize = 200;

/// Who looked at which row, and when.
#[derive(Debug, Default)]
pub(super) struct Views {
    /// (row, user) -> when, in seconds since the epoch.
    seen: HashMap<(IdKey, IdKey), i64>,
    recent: BTreeMap<IdKey, Recents>,
}

/// What a user looked at last, newest first, as (object, id).
pub(crate) type Recents = Vec<(usize, String)>;

impl Org {
    /// Notes that a user looks at a row now, as a page that shows it does. The row itself is not touched.
    pub fn look(&mut self, user: &str, id: &str) {
        let (Some(row), Some(user)) = (key(id), key(user)) else {
            return;
        };
        self.views.seen.insert((row, user), self.now);
        let Some((object, slot)) = self.locate(id) else {
            return;
        };
        let id = self.tables[object].id(slot).to_owned();
        let rows = self.views.recent.entry(user).or_default();
        rows.retain(|(_, known)| *known != id);
        rows.insert(0, (object, id));
        let mut of_object = rows
            .iter()
            .enumerate()
            .filter(|(_, (own, _))| *own == object);
        if let Some((oldest, _)) = of_object.nth(RECENTS_MAX) {
            rows.remove(oldest);
        }
    }

    /// The rows a user looked at last, newest first, as (object, id); those they may no longer see among them.
    pub(crate) fn recents(&self, user: &str) -> impl Iterator<Item = (&str, &str)> {
        let rows = key(user).and_then(|user| self.views.recent.get(&user));
        rows.into_iter()
            .flatten()
            .map(|(object, id)| (self.schema.objects()[*object].name.as_str(), id.as_str()))
    }

    /// A user's list of recents, to be put back by [`Org::restore_recents`].
    pub(crate) fn saved_recents(&self, user: &str) -> Recents {
        let rows = key(user).and_then(|user| self.views.recent.get(&user));
        rows.cloned().unwrap_or_default()
    }

    /// Takes back what a user looked at since [`Org::saved_recents`].
    pub(crate) fn restore_recents(&mut self, user: &str, recents: Recents) {
        if let Some(user) = key(user) {
            self.views.recent.insert(user, recents);
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
        if !self.views.seen.is_empty()
            && matches!(
                &*self.schema.objects()[object].fields[field].name,
                "LastViewedDate" | "LastReferencedDate"
            )
        {
            let row = key(self.tables[object].id(slot));
            let at = row.and_then(|row| self.views.seen.get(&(row, viewer.key)));
            return Cow::Owned(at.map_or(Value::Null, |at| Value::DateTime(*at)));
        }
        self.value(object, slot, field)
    }
}
