//! Teams and territories: who works on a row that is not theirs.
//!
//! An org has these only once the feature is on ([`Org::enable_teams`](crate::org::Org::enable_teams),
//! [`enable_territories`](crate::org::Org::enable_territories)). The prefixes of the two associations are made up.

use super::build::*;
use crate::schema::ObjectDef;

const LEVELS: &[&str] = &["Read|Read Only", "Edit|Read/Write"];
const ROLES: &[&str] = &["Account Manager", "Sales Rep", "Sales Engineer"];

/// That a user is in the team of an account or an opportunity.
pub(crate) fn team_member(of: &str, prefix: &str) -> ObjectDef {
    let name = format!("{of}TeamMember");
    let label = format!("{of} Team Member");
    ObjectDef::new(&name, &label, &format!("{label}s"), prefix)
        .scoped(&["everything"])
        .with([
            id(&format!("{label} ID")),
            deleted(),
            lookup(&format!("{of}Id"), &format!("{of} ID"), &[of], of)
                .children(&format!("{of}TeamMembers"))
                .master(),
            lookup("UserId", "User ID", &["User"], "User")
                .required()
                .insert_only(),
            pick("TeamMemberRole", "Team Role", 40, ROLES),
            pick(
                &format!("{of}AccessLevel"),
                &format!("{of} Access"),
                40,
                LEVELS,
            )
            .restricted(),
        ])
        .with(stamps())
}

pub(crate) fn territory() -> ObjectDef {
    ObjectDef::new("Territory2", "Territory", "Territories", "0MI")
        .scoped(&["everything"])
        .with([
            id("Territory ID"),
            deleted(),
            text("Name", "Label", 80).required().name_of_row(),
            text("DeveloperName", "Territory Name", 80).required(),
            lookup(
                "ParentTerritory2Id",
                "Parent Territory ID",
                &["Territory2"],
                "ParentTerritory2",
            )
            .children("ChildTerritories"),
            pick("AccountAccessLevel", "Account Access", 40, LEVELS).restricted(),
        ])
        .with(stamps())
}

/// That a user works in a territory.
pub(crate) fn user_in_territory() -> ObjectDef {
    association("UserTerritory2Association", "User in Territory", "0MU")
        .with([lookup("UserId", "User ID", &["User"], "User")
            .required()
            .insert_only()])
        .with(stamps())
}

/// That an account lies in a territory.
pub(crate) fn row_in_territory() -> ObjectDef {
    association("ObjectTerritory2Association", "Object in Territory", "0MO")
        .with([lookup("ObjectId", "Object ID", &["Account"], "Object")
            .required()
            .insert_only()])
        .with(stamps())
}

fn association(name: &str, label: &str, prefix: &str) -> ObjectDef {
    let mut association = ObjectDef::new(name, label, label, prefix)
        .scoped(&["everything"])
        .with([
            id(&format!("{label} ID")),
            deleted(),
            lookup(
                "Territory2Id",
                "Territory ID",
                &["Territory2"],
                "Territory2",
            )
            .required()
            .insert_only(),
        ]);
    association.updateable = false;
    association
}
