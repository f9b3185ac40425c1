//! Roles and groups: whom a user stands for, and whom they stand above.

use super::table::{IdKey, key};
use super::{Org, Viewer};
use crate::catalog::sharing;
use std::collections::{BTreeSet, HashSet};

/// The lookup of a user to their role.
const ROLE: &str = "UserRoleId";

impl Org {
    /// Turns roles on: the object UserRole, `User.UserRoleId`, and groups of a role by `Group.RelatedId`.
    ///
    /// Who has a role sees and changes what users of the roles below it do, whatever way they came to it, unless
    /// [`Org::set_hierarchy`] turns that off for an object. A group of the type `Role` has the users of its
    /// `RelatedId` as members, one of the type `RoleAndSubordinates` also those of the roles below; they are
    /// members of other groups as any group is.
    pub fn enable_roles(&mut self) {
        self.schema_mut().insert(sharing::user_role());
        self.alter_object("User", |user| {
            if user.index(ROLE).is_none() {
                user.extend([sharing::role_of_user()]);
            }
        });
        self.alter_object("Group", |group| {
            if group.index("RelatedId").is_none() {
                group.extend([sharing::role_of_group()]);
            }
        });
    }

    /// Finds the groups that a user is in: as a member, through a group that is one, or by their role.
    pub(super) fn groups_of(&self, user: IdKey) -> HashSet<IdKey> {
        let mut groups = HashSet::new();
        let mut open: Vec<IdKey> = self.role_groups(user);
        open.extend(self.groups_with(user));
        while let Some(group) = open.pop() {
            if groups.insert(group) {
                open.extend(self.groups_with(group));
            }
        }
        groups
    }

    /// Lists the groups that name a user or a group as a member.
    fn groups_with(&self, member: IdKey) -> impl Iterator<Item = IdKey> {
        let at = self.schema.index("GroupMember");
        let way = at.and_then(|at| {
            let object = &self.schema.objects()[at];
            let (of, who) = (object.index("GroupId")?, object.index("UserOrGroupId")?);
            Some((&self.tables[at], of, who))
        });
        way.into_iter().flat_map(move |(table, of, who)| {
            let rows = table.children(who, member);
            rows.filter(|slot| !table.is_deleted(*slot))
                .filter_map(move |slot| key(table.value(slot, of).as_text()?))
        })
    }

    /// Lists the groups of a user's role, and those of the roles above it that take in who is below.
    fn role_groups(&self, user: IdKey) -> Vec<IdKey> {
        let mut found = Vec::new();
        let Some(own) = self.role_of(user) else {
            return found;
        };
        let (mut next, mut known) = (Some(own), HashSet::new());
        while let Some(role) = next.filter(|role| known.insert(*role)) {
            found.extend(self.groups_of_role(role, role == own));
            next = self.lookup("UserRole", "ParentRoleId", role);
        }
        found
    }

    fn groups_of_role(&self, role: IdKey, own: bool) -> impl Iterator<Item = IdKey> {
        let at = self.schema.index("Group");
        let way = at.and_then(|at| {
            let object = &self.schema.objects()[at];
            let (of, kind) = (object.index("RelatedId")?, object.index("Type")?);
            Some((&self.tables[at], of, kind))
        });
        way.into_iter().flat_map(move |(table, of, kind)| {
            let rows = table.children(of, role);
            rows.filter(move |&slot| match table.value(slot, kind).as_text() {
                Some("Role") => own,
                Some("RoleAndSubordinates") => true,
                _ => false,
            })
            .filter_map(|slot| key(table.id(slot)))
        })
    }

    /// Finds everybody below a user in the hierarchy of roles, and the groups that those are in.
    pub(super) fn below(&self, user: IdKey) -> HashSet<IdKey> {
        let mut below = HashSet::new();
        let Some(own) = self.role_of(user) else {
            return below;
        };
        let mut roles = BTreeSet::new();
        let mut open = self.named_by("UserRole", "ParentRoleId", own);
        while let Some(role) = open.pop().filter(|role| *role != own) {
            if roles.insert(role) {
                open.extend(self.named_by("UserRole", "ParentRoleId", role));
            }
        }
        for role in roles {
            for user in self.named_by("User", ROLE, role) {
                below.extend(self.groups_of(user));
                below.insert(user);
            }
        }
        below
    }

    fn role_of(&self, user: IdKey) -> Option<IdKey> {
        self.lookup("User", ROLE, user)
    }

    /// Tells what a lookup of a living row names.
    fn lookup(&self, object: &str, field: &str, row: IdKey) -> Option<IdKey> {
        let at = self.schema.index(object)?;
        let field = self.schema.objects()[at].index(field)?;
        let table = &self.tables[at];
        let slot = table.find(&row).filter(|slot| !table.is_deleted(*slot))?;
        key(table.value(slot, field).as_text()?)
    }

    /// Lists the living rows whose lookup names a row.
    fn named_by(&self, object: &str, field: &str, row: IdKey) -> Vec<IdKey> {
        let way = self.schema.index(object).and_then(|at| {
            let field = self.schema.objects()[at].index(field)?;
            Some((&self.tables[at], field))
        });
        let Some((table, field)) = way else {
            return Vec::new();
        };
        let rows = table.children(field, row);
        rows.filter(|slot| !table.is_deleted(*slot))
            .filter_map(|slot| key(table.id(slot)))
            .collect()
    }
}

impl Viewer {
    /// Says whether an id is the user's own, or that of a group they are in.
    pub(crate) fn is(&self, id: IdKey) -> bool {
        id == self.key || self.groups.contains(&id)
    }
}
