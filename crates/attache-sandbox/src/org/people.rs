//! Who is asking: a user's id, zone and locale.

use super::rule_file::PLATFORM;
use super::table::{IdKey, key};
use super::{Org, Rights};
use jiff::tz::TimeZone;
use std::collections::HashSet;

/// A user as one request sees them.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    pub key: IdKey,
    pub rights: Rights,
    /// The groups they are in, directly or not.
    pub groups: HashSet<IdKey>,
    /// Whom they stand above by role, and the groups that those are in.
    pub below: HashSet<IdKey>,
}

impl Org {
    /// Looks a user up. An unknown one sees only what is public.
    ///
    /// Costs a walk over the groups of the user, and over the users of the roles below theirs.
    pub(crate) fn viewer(&self, actor: &str) -> Viewer {
        let key = key(actor).unwrap_or_default();
        if actor == PLATFORM {
            return Viewer {
                key,
                rights: Rights {
                    view_all: true,
                    modify_all: true,
                },
                groups: HashSet::new(),
                below: HashSet::new(),
            };
        }
        Viewer {
            key,
            rights: self.sharing.rights(&key),
            groups: self.groups_of(key),
            below: self.below(key),
        }
    }

    /// Gives the zone a user's date literals are read in.
    pub(crate) fn time_zone(&self, viewer: &Viewer) -> TimeZone {
        self.user_text(viewer, "TimeZoneSidKey")
            .and_then(|name| TimeZone::get(name).ok())
            .or_else(|| TimeZone::get(&self.config.time_zone).ok())
            .unwrap_or(TimeZone::UTC)
    }

    /// Gives the locale that decides a user's first day of the week.
    pub(crate) fn locale(&self, viewer: &Viewer) -> &str {
        self.user_text(viewer, "LocaleSidKey")
            .unwrap_or(&self.config.locale)
    }

    fn user_text(&self, viewer: &Viewer, field: &str) -> Option<&str> {
        let users = self.schema.index("User")?;
        let field = self.schema.objects()[users].index(field)?;
        let slot = self.tables[users].find(&viewer.key)?;
        self.tables[users].value(slot, field).as_text()
    }
}
