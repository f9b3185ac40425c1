//! What a profile lets a user do with an object as a whole, whichever of its rows they see.

use super::table::key;
use super::{Org, SaveError, Viewer};

/// What a user may do with the rows of an object. Without the right to read there is no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Knows the object at all: without it there is no describe, no query and no row.
    pub read: bool,
    /// Inserts rows.
    pub create: bool,
    /// Changes rows they may change.
    pub edit: bool,
    /// Deletes rows they may delete.
    pub delete: bool,
}

impl Default for Access {
    fn default() -> Access {
        Access {
            read: true,
            create: true,
            edit: true,
            delete: true,
        }
    }
}

impl Access {
    /// Nothing but reading.
    pub fn read_only() -> Access {
        Access {
            create: false,
            edit: false,
            delete: false,
            ..Access::default()
        }
    }

    /// Nothing at all.
    pub fn none() -> Access {
        Access {
            read: false,
            ..Access::read_only()
        }
    }
}

impl Org {
    /// Sets what a user may do with an object, as a change of their profile does. No row is touched; the user's next
    /// describe tells.
    pub fn set_access(&mut self, user: &str, object: &str, access: Access) {
        if let (Some(user), Some(object)) = (key(user), self.schema.index(object)) {
            self.sharing.access.insert((user, object), access);
        }
    }

    /// Tells what a user may do with an object.
    pub(crate) fn access(&self, viewer: &Viewer, object: usize) -> Access {
        let access = &self.sharing.access;
        let own = (!access.is_empty()).then(|| access.get(&(viewer.key, object)));
        own.flatten().copied().unwrap_or_default()
    }

    /// Finds an object by name, if the user may know of it.
    pub(crate) fn known(&self, viewer: &Viewer, name: &str) -> Option<usize> {
        let at = self.schema.index(name)?;
        self.access(viewer, at).read.then_some(at)
    }

    /// Finds the object of a name as a user knows it, or words the refusal.
    pub(super) fn object_for(&self, actor: &str, name: &str) -> Result<usize, SaveError> {
        self.known_object(&self.viewer(actor), name)
    }

    /// Does what `object_for` does for somebody who was looked up already.
    pub(super) fn known_object(&self, viewer: &Viewer, name: &str) -> Result<usize, SaveError> {
        self.known(viewer, name).ok_or_else(SaveError::not_found)
    }
}
