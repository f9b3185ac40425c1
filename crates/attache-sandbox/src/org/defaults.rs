//! What everybody may do with the rows of an object, before any row is shared by itself.

use super::Org;
use super::table::Slot;
use std::collections::{HashMap, HashSet};

/// The organisation-wide default of an object whose rows have owners.
///
/// Details of a master always follow the master, and what has no owner is everybody's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrgWide {
    /// A row is its owner's, and of whomever it is shared with.
    #[default]
    Private,
    /// Everybody sees every row.
    Read,
    /// Everybody sees and changes every row.
    ReadWrite,
    /// Who may see or change the account of a row may do so with the row; one without an account is its owner's.
    ControlledByParent,
}

impl OrgWide {
    /// Reads the word that a file or a control call uses, such as `private`.
    pub(crate) fn parse(word: &str) -> Option<OrgWide> {
        match word {
            "private" => Some(OrgWide::Private),
            "read" => Some(OrgWide::Read),
            "read_write" => Some(OrgWide::ReadWrite),
            "controlled_by_parent" => Some(OrgWide::ControlledByParent),
            _ => None,
        }
    }
}

/// The settings of all objects, by index; what is missing is private and follows the hierarchy.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    wide: HashMap<usize, OrgWide>,
    flat: HashSet<usize>,
}

impl Defaults {
    pub(super) fn of(&self, object: usize) -> OrgWide {
        match self.wide.is_empty() {
            true => OrgWide::Private,
            false => self.wide.get(&object).copied().unwrap_or_default(),
        }
    }

    /// Says whether the role hierarchy gives rows of an object to the managers.
    pub(super) fn is_hierarchical(&self, object: usize) -> bool {
        self.flat.is_empty() || !self.flat.contains(&object)
    }
}

impl Org {
    /// Sets the organisation-wide default of an object. No row is touched.
    ///
    /// # Errors
    ///
    /// Says that the org has no such object, that its rows have no owner, or that they have no account to follow.
    pub fn set_org_wide(&mut self, object: &str, default: OrgWide) -> Result<(), String> {
        let at = self
            .schema
            .index(object)
            .ok_or_else(|| format!("there is no object {object}"))?;
        let definition = &self.schema.objects()[at];
        let master = |field: &&crate::schema::FieldDef| field.relationship_order.is_some();
        if definition.index("OwnerId").is_none() || definition.fields.iter().any(|f| master(&f)) {
            return Err(format!("rows of {object} have no owner of their own"));
        }
        if default == OrgWide::ControlledByParent && definition.index("AccountId").is_none() {
            return Err(format!("rows of {object} have no account to follow"));
        }
        self.sharing.defaults.wide.insert(at, default);
        Ok(())
    }

    /// Says whether the role hierarchy gives what users see and change of an object to those above them. It does
    /// until this turns it off, which a real org allows for custom objects only.
    pub fn set_hierarchy(&mut self, object: &str, grants: bool) {
        let Some(at) = self.schema.index(object) else {
            return;
        };
        match grants {
            true => self.sharing.defaults.flat.remove(&at),
            false => self.sharing.defaults.flat.insert(at),
        };
    }

    /// Finds the account that a row follows, if its object's default says so.
    pub(super) fn controlling_field(&self, object: usize, slot: Slot) -> Option<usize> {
        if self.sharing.defaults.of(object) != OrgWide::ControlledByParent {
            return None;
        }
        let at = self.schema.objects()[object].index("AccountId")?;
        let has = !self.tables[object].value(slot, at).is_null();
        has.then_some(at)
    }
}
