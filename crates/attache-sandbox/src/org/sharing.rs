//! Who sees which row.

use super::access::Access;
use super::coverage::Coverage;
use super::defaults::{Defaults, OrgWide};
use super::shares::Shares;
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
    /// Seen by who sees the row shared, written by who may give that row away.
    Share { object: usize, row: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Through {
    field: usize,
    /// Seeing the target is not enough, one must own it.
    owned: bool,
}

impl Through {
    /// A step to a row that is enough to see.
    fn seen(field: usize) -> Through {
        Through {
            field,
            owned: false,
        }
    }
}

/// Rights, and the rows granted one by one.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    models: Vec<Model>,
    coverage: Vec<Coverage>,
    shares: Vec<Vec<Shares>>,
    /// By object: the lookups of other objects' rows, whose seeing shows the row they name.
    implied: Vec<Vec<(usize, usize)>>,
    pub(super) defaults: Defaults,
    rights: HashMap<IdKey, Rights>,
    pub(super) access: HashMap<(IdKey, usize), Access>,
    /// Row -> the users and groups it was given to, and whether they may edit.
    grants: HashMap<IdKey, Vec<(IdKey, bool)>>,
    hidden_fields: HashSet<(IdKey, usize, usize)>,
    /// Fields that nobody sees, by object and field.
    gone_fields: HashSet<(usize, usize)>,
}

/// Objects that only administrators change.
const SETUP: [&str; 11] = [
    "AssignmentRule",
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
        self.coverage = objects.clone().map(|at| Coverage::of(schema, at)).collect();
        self.shares = objects.clone().map(|at| Shares::of(schema, at)).collect();
        self.implied = objects.map(|at| implied(schema, at)).collect();
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
                if let Some(model) = of_shares(schema, object) {
                    return model;
                }
                match (master, object.index("OwnerId")) {
                    (_, _) if SETUP.contains(&object.name.as_str()) => Model::Setup,
                    (Some(master), _) => Model::ByMaster { master },
                    (None, Some(owner)) => {
                        let lookup =
                            |name, owned| object.index(name).map(|field| Through { field, owned });
                        let through = match object.name.as_str() {
                            "Contact" | "Opportunity" | "Case" => vec![lookup("AccountId", true)],
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

    /// Lists what shares rows of an object.
    pub(super) fn shares(&self, object: usize) -> &[Shares] {
        self.shares.get(object).map_or(&[], Vec::as_slice)
    }

    /// Finds the object whose rows an object's rows share, and how.
    pub(super) fn shared_by(&self, share: usize) -> Option<(usize, Shares)> {
        let Model::Share { object, row } = self.models.get(share)? else {
            return None;
        };
        let way = self
            .shares(*object)
            .iter()
            .find(|way| way.table == share && way.row == *row)?;
        Some((*object, *way))
    }

    pub(super) fn rights(&self, user: &IdKey) -> Rights {
        self.rights.get(user).copied().unwrap_or_default()
    }
}

/// Finds the rows that show an account to whoever sees them.
fn implied(schema: &Schema, object: usize) -> Vec<(usize, usize)> {
    if schema.objects()[object].name != "Account" {
        return Vec::new();
    }
    let children = ["Contact", "Opportunity", "Case"].into_iter();
    children
        .filter_map(|name| {
            let at = schema.index(name)?;
            Some((at, schema.objects()[at].index("AccountId")?))
        })
        .collect()
}

/// How share rows are shared: as what they share is.
fn of_shares(schema: &Schema, share: &ObjectDef) -> Option<Model> {
    share
        .index("UserOrGroupId")
        .filter(|_| share.index("RowCause").is_some())?;
    let row = share.fields.iter().position(|field| field.cascade_delete)?;
    let object = schema.index(share.fields[row].reference_to.first()?)?;
    Some(Model::Share { object, row })
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

    /// Shares a row with a user or a group, for reading and changing. The row itself is not touched.
    pub fn grant(&mut self, object: &str, id: &str, user: &str) {
        self.share(object, id, user, true);
    }

    /// Shares a row with a user or a group, for reading only.
    pub fn grant_read(&mut self, object: &str, id: &str, user: &str) {
        self.share(object, id, user, false);
    }

    /// Takes back what [`Org::grant`] gave.
    pub fn revoke(&mut self, _object: &str, id: &str, user: &str) {
        if let (Some(row), Some(user)) = (key(id), key(user))
            && let Some(given) = self.sharing.grants.get_mut(&row)
        {
            given.retain(|(who, _)| *who != user);
            if given.is_empty() {
                self.sharing.grants.remove(&row);
            }
        }
    }

    fn share(&mut self, object: &str, id: &str, user: &str, edit: bool) {
        self.revoke(object, id, user);
        if let (Some(row), Some(user)) = (key(id), key(user)) {
            self.sharing
                .grants
                .entry(row)
                .or_default()
                .push((user, edit));
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

    /// Says whether only an administrator adds rows of an object.
    pub(super) fn is_setup(&self, object: usize) -> bool {
        self.sharing.models[object] == Model::Setup
    }

    /// Says whether a user may delete a row they can see: it is theirs, or in their charge, not merely shared.
    pub(crate) fn removable(&self, viewer: &Viewer, object: usize, slot: Slot) -> bool {
        if viewer.rights.modify_all {
            return true;
        }
        match &self.sharing.models[object] {
            Model::Public => true,
            Model::Setup => false,
            Model::ByMaster { .. } | Model::Link { .. } | Model::Share { .. } => {
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
        let model = &self.sharing.models[object];
        match (model, self.sharing.defaults.of(object)) {
            (Model::Public, _) => return true,
            (Model::Setup, _) => {
                return !edit || key(self.tables[object].id(slot)) == Some(viewer.key);
            }
            (Model::Private { .. }, OrgWide::ReadWrite) => return true,
            (Model::Private { .. }, OrgWide::Read) if !edit => return true,
            _ => {}
        }
        if let (Some(account), true) = (self.controlling_field(object, slot), depth > 0) {
            return self.step(viewer, object, slot, Through::seen(account), edit, depth);
        }
        if self.direct(viewer, object, slot, edit) {
            return true;
        }
        if depth == 0 {
            return false;
        }
        match model {
            Model::Public | Model::Setup => true,
            Model::Private { through, .. } => {
                through
                    .iter()
                    .any(|step| self.step(viewer, object, slot, *step, edit, depth))
                    || (!edit && self.is_implied(viewer, object, slot))
            }
            Model::ByMaster { master: lookup } | Model::Link { holder: lookup } => {
                self.step(viewer, object, slot, Through::seen(*lookup), edit, depth)
            }
            Model::Share { row, .. } if !edit => {
                self.step(viewer, object, slot, Through::seen(*row), false, depth)
            }
            Model::Share { object: of, row } => {
                let row = self.tables[object].value(slot, *row).as_text();
                let place = row.and_then(|id| self.tables[*of].find(&key(id)?));
                place.is_some_and(|place| self.removable(viewer, *of, place))
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

    /// Says whether a row is a user's own, was shared with them by itself, or is so to somebody below them.
    fn direct(&self, viewer: &Viewer, object: usize, slot: Slot, edit: bool) -> bool {
        let own = match &self.sharing.models[object] {
            Model::Private { owner: lookup, .. }
            | Model::File { owner: lookup, .. }
            | Model::Link { holder: lookup } => self.names(object, slot, *lookup, viewer),
            _ => false,
        };
        let who = |id| self.stands_for(viewer, object, id);
        own || self.granted_to(object, slot, edit, who)
            || self.has_share(object, slot, edit, who)
            || self.covers(viewer, object, slot, edit)
    }

    /// Says whether a user sees a row that shows the one it belongs to: an account by its contacts, opportunities and
    /// cases, as far as those are theirs or were shared by themselves.
    fn is_implied(&self, viewer: &Viewer, object: usize, slot: Slot) -> bool {
        if !self.config.switches.children_show_accounts {
            return false;
        }
        let ways = self.sharing.implied[object].iter();
        let mut ways = ways
            .filter(|(child, _)| self.sharing.defaults.of(*child) != OrgWide::ControlledByParent);
        key(self.tables[object].id(slot)).is_some_and(|id| {
            ways.any(|(child, lookup)| {
                let table = &self.tables[*child];
                table
                    .children(*lookup, id)
                    .any(|at| !table.is_deleted(at) && self.direct(viewer, *child, at, false))
            })
        })
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
        let owner = owner.and_then(|owner| self.tables[object].value(slot, owner).as_text());
        owner.and_then(key).is_some_and(|owner| viewer.is(owner))
    }

    /// Says whether a row was shared with a user by itself, or with a group they are in.
    pub(crate) fn granted(&self, viewer: &Viewer, object: usize, slot: Slot, edit: bool) -> bool {
        let who = |id| viewer.is(id);
        self.granted_to(object, slot, edit, who) || self.has_share(object, slot, edit, who)
    }

    fn granted_to(
        &self,
        object: usize,
        slot: Slot,
        edit: bool,
        who: impl Fn(IdKey) -> bool,
    ) -> bool {
        let grants = &self.sharing.grants;
        let given = (!grants.is_empty())
            .then(|| grants.get(&key(self.tables[object].id(slot))?))
            .flatten();
        given.is_some_and(|given| given.iter().any(|&(id, may)| (may || !edit) && who(id)))
    }

    /// Says whether a field names the user, a group they are in, or somebody below them.
    fn names(&self, object: usize, slot: Slot, field: usize, viewer: &Viewer) -> bool {
        let named = self.tables[object].value(slot, field).as_text();
        named
            .and_then(key)
            .is_some_and(|named| self.stands_for(viewer, object, named))
    }

    /// Says whether what belongs to somebody, of an object, belongs to a user as well.
    pub(super) fn stands_for(&self, viewer: &Viewer, object: usize, id: IdKey) -> bool {
        viewer.is(id)
            || (viewer.below.contains(&id) && self.sharing.defaults.is_hierarchical(object))
    }
}
