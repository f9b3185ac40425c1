//! Who sees which row.

use super::access::Access;
use super::coverage::Coverage;
use super::table::{IdKey, Slot, key};
use super::{Org, Viewer};
use crate::schema::{ObjectDef, Schema};
use std::collections::{HashMap, HashSet};

/// What a user may do beyond their own rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Sees every row.
    pub view_all: bool,
    /// Sees, changes and deletes every row.
    pub modify_all: bool,
}

/// How the rows of one object are shared.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Model {
    /// Everybody sees and changes every row.
    Public,
    /// Everybody sees every row and changes the one about themselves.
    Setup,
    /// The owner, or who is in the group that owns it, and whoever may see one of the rows these lookups name.
    Private { owner: usize, through: Vec<Through> },
    /// Whoever may see the master.
    ByMaster { master: usize },
    /// The owner, and whoever may see one of the rows that its links (by object and field) hang it on.
    File {
        owner: usize,
        links: usize,
        document: usize,
    },
    /// Whoever may see the row that this lookup names, and the user it names.
    Link { holder: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Through {
    field: usize,
    /// Seeing the target is not enough, one must own it.
    owned: bool,
}

/// Rights, and the rows granted one by one.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    models: Vec<Model>,
    coverage: Vec<Coverage>,
    rights: HashMap<IdKey, Rights>,
    pub(super) access: HashMap<(IdKey, usize), Access>,
    /// (row, user) -> may edit.
    grants: HashMap<(IdKey, IdKey), bool>,
    hidden_fields: HashSet<(IdKey, usize, usize)>,
    /// Fields that nobody sees, by object and field.
    gone_fields: HashSet<(usize, usize)>,
}

/// Objects that only administrators change.
const SETUP: [&str; 10] = [
    "Organization",
    "User",
    "Group",
    "GroupMember",
    "RecordType",
    "Profile",
    "UserRole",
    "Territory2",
    "UserTerritory2Association",
    "ObjectTerritory2Association",
];

/// How far a chain of rows that share each other is followed.
const DEPTH: u8 = 5;

impl Sharing {
    pub(super) fn coverage(&self, object: usize) -> Option<&Coverage> {
        self.coverage.get(object)
    }

    pub(super) fn refresh(&mut self, schema: &Schema) {
        let objects = 0..schema.objects().len();
        self.coverage = objects.map(|at| Coverage::of(schema, at)).collect();
        self.models = schema
            .objects()
            .iter()
            .map(|object| {
                let master = object
                    .fields
                    .iter()
                    .position(|field| field.relationship_order == Some(0));
                if let Some(model) = of_files(schema, object) {
                    return model;
                }
                match (master, object.index("OwnerId")) {
                    (_, _) if SETUP.contains(&object.name.as_str()) => Model::Setup,
                    (Some(master), _) => Model::ByMaster { master },
                    (None, Some(owner)) => {
                        let lookup =
                            |name, owned| object.index(name).map(|field| Through { field, owned });
                        let through = match object.name.as_str() {
                            "Contact" | "Opportunity" => vec![lookup("AccountId", true)],
                            "Task" | "Event" => {
                                vec![lookup("WhatId", false), lookup("WhoId", false)]
                            }
                            _ => Vec::new(),
                        };
                        Model::Private {
                            owner,
                            through: through.into_iter().flatten().collect(),
                        }
                    }
                    (None, None) => Model::Public,
                }
            })
            .collect();
    }

    pub(super) fn set_gone(&mut self, object: usize, field: usize, gone: bool) {
        if gone {
            self.gone_fields.insert((object, field));
        } else {
            self.gone_fields.remove(&(object, field));
        }
    }

    pub(super) fn rights(&self, user: &IdKey) -> Rights {
        self.rights.get(user).copied().unwrap_or_default()
    }
}

/// How files are shared: as what they hang on is.
fn of_files(schema: &Schema, object: &ObjectDef) -> Option<Model> {
    match object.name.as_str() {
        super::files::DOCUMENT => {
            let links = schema.index(super::files::LINK)?;
            Some(Model::File {
                owner: object.index("OwnerId")?,
                links,
                document: schema.objects()[links].index("ContentDocumentId")?,
            })
        }
        super::files::VERSION => Some(Model::ByMaster {
            master: object.index("ContentDocumentId")?,
        }),
        super::files::LINK => Some(Model::Link {
            holder: object.index("LinkedEntityId")?,
        }),
        _ => None,
    }
}

impl Org {
    /// Sets what a user may do beyond their own rows.
    pub fn set_rights(&mut self, user: &str, rights: Rights) {
        if let Some(user) = key(user) {
            self.sharing.rights.insert(user, rights);
        }
    }

    /// Shares a row with a user, for reading and changing. The row itself is not touched.
    pub fn grant(&mut self, object: &str, id: &str, user: &str) {
        self.share(object, id, user, true);
    }

    /// Shares a row with a user, for reading only.
    pub fn grant_read(&mut self, object: &str, id: &str, user: &str) {
        self.share(object, id, user, false);
    }

    /// Takes back what [`Org::grant`] gave.
    pub fn revoke(&mut self, _object: &str, id: &str, user: &str) {
        if let (Some(row), Some(user)) = (key(id), key(user)) {
            self.sharing.grants.remove(&(row, user));
        }
    }

    fn share(&mut self, _object: &str, id: &str, user: &str, edit: bool) {
        if let (Some(row), Some(user)) = (key(id), key(user)) {
            self.sharing.grants.insert((row, user), edit);
        }
    }

    /// Hides a field from a user, or shows it again, as field-level security does.
    pub fn hide_field(&mut self, user: &str, object: &str, field: &str, hidden: bool) {
        let Some(at) = self.schema.index(object) else {
            return;
        };
        let field = self.schema.objects()[at].index(field);
        if let (Some(user), Some(field)) = (key(user), field) {
            if hidden {
                self.sharing.hidden_fields.insert((user, at, field));
            } else {
                self.sharing.hidden_fields.remove(&(user, at, field));
            }
        }
    }

    /// Says whether a user may see a field.
    pub(crate) fn readable(&self, viewer: &Viewer, object: usize, field: usize) -> bool {
        let sharing = &self.sharing;
        let hidden = !sharing.hidden_fields.is_empty()
            && sharing.hidden_fields.contains(&(viewer.key, object, field));
        let gone =
            !sharing.gone_fields.is_empty() && sharing.gone_fields.contains(&(object, field));
        !hidden && !gone
    }

    /// Says whether a user may see a row. Deleted rows are judged as they were.
    pub(crate) fn visible(&self, viewer: &Viewer, object: usize, slot: Slot) -> bool {
        viewer.rights.view_all
            || viewer.rights.modify_all
            || self.shared(viewer, object, slot, false, DEPTH)
    }

    /// Says whether a user may change a row they can see.
    pub(crate) fn editable(&self, viewer: &Viewer, object: usize, slot: Slot) -> bool {
        viewer.rights.modify_all || self.shared(viewer, object, slot, true, DEPTH)
    }

    /// Says whether a user may delete a row they can see: it is theirs, or in their charge, not merely shared.
    pub(crate) fn removable(&self, viewer: &Viewer, object: usize, slot: Slot) -> bool {
        if viewer.rights.modify_all {
            return true;
        }
        match &self.sharing.models[object] {
            Model::Public => true,
            Model::Setup => false,
            Model::ByMaster { .. } | Model::Link { .. } => {
                self.shared(viewer, object, slot, true, DEPTH)
            }
            Model::File { owner, .. } => self.names(object, slot, *owner, viewer),
            Model::Private { owner, through } => {
                self.names(object, slot, *owner, viewer)
                    || through.iter().any(|step| {
                        step.owned && self.step(viewer, object, slot, *step, true, DEPTH)
                    })
            }
        }
    }

    fn shared(&self, viewer: &Viewer, object: usize, slot: Slot, edit: bool, depth: u8) -> bool {
        let own = match &self.sharing.models[object] {
            Model::Public => return true,
            Model::Setup => return !edit || key(self.tables[object].id(slot)) == Some(viewer.key),
            Model::Private { owner, .. } | Model::File { owner, .. } => {
                self.names(object, slot, *owner, viewer)
            }
            Model::Link { holder } => self.names(object, slot, *holder, viewer),
            Model::ByMaster { .. } => false,
        };
        if own
            || self.granted(viewer, object, slot, edit)
            || self.covers(viewer, object, slot, edit)
        {
            return true;
        }
        if depth == 0 {
            return false;
        }
        match &self.sharing.models[object] {
            Model::Public | Model::Setup => true,
            Model::Private { through, .. } => through
                .iter()
                .any(|step| self.step(viewer, object, slot, *step, edit, depth)),
            Model::ByMaster { master } => {
                let step = Through {
                    field: *master,
                    owned: false,
                };
                self.step(viewer, object, slot, step, edit, depth)
            }
            Model::Link { holder } => {
                let step = Through {
                    field: *holder,
                    owned: false,
                };
                self.step(viewer, object, slot, step, edit, depth)
            }
            Model::File {
                links, document, ..
            } => key(self.tables[object].id(slot)).is_some_and(|id| {
                let table = &self.tables[*links];
                table.children(*document, id).any(|link| {
                    !table.is_deleted(link) && self.shared(viewer, *links, link, edit, depth - 1)
                })
            }),
        }
    }

    /// Looks at the row a lookup names.
    fn step(
        &self,
        viewer: &Viewer,
        object: usize,
        slot: Slot,
        step: Through,
        edit: bool,
        depth: u8,
    ) -> bool {
        let target = self.tables[object].value(slot, step.field).as_text();
        let Some((parent, at)) = target.and_then(|id| self.locate(id)) else {
            return false;
        };
        match (&self.sharing.models[parent], step.owned) {
            // A user is public; being named by a task does not share the task.
            (Model::Public | Model::Setup, _) => false,
            (Model::Private { owner, .. }, true) => self.names(parent, at, *owner, viewer),
            _ => self.shared(viewer, parent, at, edit, depth - 1),
        }
    }

    /// Says whether a row is owned by a user, or by a group they are in.
    pub(crate) fn owns(&self, viewer: &Viewer, object: usize, slot: Slot) -> bool {
        let owner = self.tables[object].columns.owner;
        owner.is_some_and(|owner| self.names(object, slot, owner, viewer))
    }

    /// Says whether a row was shared with a user by itself.
    pub(crate) fn granted(&self, viewer: &Viewer, object: usize, slot: Slot, edit: bool) -> bool {
        !self.sharing.grants.is_empty()
            && key(self.tables[object].id(slot))
                .and_then(|row| self.sharing.grants.get(&(row, viewer.key)))
                .is_some_and(|&may_edit| may_edit || !edit)
    }

    /// Says whether a field names the user, or a group they are in. A group within a group is not followed.
    fn names(&self, object: usize, slot: Slot, field: usize, viewer: &Viewer) -> bool {
        let named = self.tables[object].value(slot, field).as_text();
        named
            .and_then(key)
            .is_some_and(|named| named == viewer.key || self.is_member(named, viewer))
    }

    fn is_member(&self, group: IdKey, viewer: &Viewer) -> bool {
        let is_group = self
            .schema
            .object("Group")
            .is_some_and(|of| group.starts_with(of.key_prefix.as_bytes()));
        let Some(at) = self.schema.index("GroupMember").filter(|_| is_group) else {
            return false;
        };
        let (object, table) = (&self.schema.objects()[at], &self.tables[at]);
        let (Some(of), Some(member)) = (object.index("GroupId"), object.index("UserOrGroupId"))
        else {
            return false;
        };
        table.children(of, group).any(|slot| {
            !table.is_deleted(slot)
                && table.value(slot, member).as_text().and_then(key) == Some(viewer.key)
        })
    }
}
