//! Roles and share rows. An org has them only once the feature is on
//! ([`Org::enable_roles`](crate::org::Org::enable_roles), [`enable_shares`](crate::org::Org::enable_shares)).

use super::build::*;
use crate::schema::{FieldDef, ObjectDef};
use crate::value::Value;

const LEVELS: &[&str] = &["Read|Read Only", "Edit|Read/Write", "All|Owner"];
const CAUSES: &[&str] = &["Owner", "Manual|Manual Sharing", "Rule|Sharing Rule"];

/// A place in the hierarchy of roles.
pub(crate) fn user_role() -> ObjectDef {
    ObjectDef::new("UserRole", "Role", "Role", "00E")
        .scoped(&["everything"])
        .with([
            id("Role ID"),
            deleted(),
            text("Name", "Name", 80).required().name_of_row(),
            lookup(
                "ParentRoleId",
                "Parent Role ID",
                &["UserRole"],
                "ParentRole",
            ),
            text("DeveloperName", "Developer Name", 80),
            text("RollupDescription", "Description", 80),
        ])
        .with(stamps().into_iter().skip(2))
}

/// The role of a user.
pub(crate) fn role_of_user() -> FieldDef {
    lookup("UserRoleId", "Role ID", &["UserRole"], "UserRole")
}

/// The role whose users are in a group.
pub(crate) fn role_of_group() -> FieldDef {
    lookup("RelatedId", "Related ID", &["UserRole"], "Related")
}

/// That a row is shared with a user or a group. `children` are objects whose rows under the same account are shared
/// along, each with a level of its own.
pub(crate) fn share(of: &ObjectDef, prefix: &str, children: &[&str]) -> ObjectDef {
    let (name, parent, level) = share_names(of);
    let label = format!("{} Share", of.label);
    let access = |name: &str, label: &str| {
        pick(name, label, 40, LEVELS)
            .restricted()
            .default_to(Value::text("Read"))
    };
    let below = children
        .iter()
        .map(|child| pick(&format!("{child}AccessLevel"), child, 40, LEVELS).restricted());
    ObjectDef::new(&name, &label, &format!("{label}s"), prefix)
        .scoped(&["everything"])
        .with([
            id(&format!("{label} ID")),
            deleted(),
            lookup(
                &parent,
                &format!("{} ID", of.label),
                &[&of.name],
                parent_name(&parent),
            )
            .children("Shares")
            .required()
            .insert_only()
            .cascade(),
            lookup(
                "UserOrGroupId",
                "User/Group ID",
                &["Group", "User"],
                "UserOrGroup",
            )
            .required()
            .insert_only(),
            access(&level, "Access Level"),
        ])
        .with(below)
        .with([pick("RowCause", "Row Cause", 40, CAUSES)
            .restricted()
            .insert_only()
            .default_to(Value::text("Manual"))])
        .with(stamps().into_iter().skip(2).take(2))
}

/// Names the share object of an object, its lookup to the row, and the field of the level.
pub(crate) fn share_names(of: &ObjectDef) -> (String, String, String) {
    match of.name.strip_suffix("__c") {
        Some(name) => (
            format!("{name}__Share"),
            "ParentId".into(),
            "AccessLevel".into(),
        ),
        None => (
            format!("{}Share", of.name),
            format!("{}Id", of.name),
            format!("{}AccessLevel", of.name),
        ),
    }
}

fn parent_name(lookup: &str) -> &str {
    lookup.strip_suffix("Id").unwrap_or(lookup)
}
