//! Organization, Group, GroupMember, RecordType and AssignmentRule, as far as lookups, queues and clients need them.
//! Groups and who is in them are an administrator's to write, the rest is read only.

use super::build::*;
use crate::schema::{Formula, ObjectDef};

pub(super) fn organization() -> ObjectDef {
    ObjectDef::new("Organization", "Organization", "Organizations", "00D")
        .locked()
        .scoped(&["everything"])
        .with([
            id("Organization ID"),
            text("Name", "Name", 80)
                .required()
                .read_only()
                .name_of_row(),
            phone("Phone", "Phone").read_only(),
            text("PrimaryContact", "Primary Contact", 80).read_only(),
            pick("DefaultLocaleSidKey", "Locale", 40, &[])
                .required()
                .read_only(),
            pick("TimeZoneSidKey", "Time Zone", 40, &[])
                .required()
                .read_only(),
            pick("LanguageLocaleKey", "Language", 40, &[])
                .required()
                .read_only(),
            int("FiscalYearStartMonth", "Fiscal Year Starts In").computed(Formula::FiscalStart),
            flag("UsesStartDateAsFiscalYearName", "Fiscal Year Name by Start")
                .computed(Formula::FiscalNamedByStart),
            pick("OrganizationType", "Edition", 40, &["Developer Edition"]).read_only(),
            text("NamespacePrefix", "Namespace Prefix", 15).read_only(),
            text("InstanceName", "Instance Name", 5).read_only(),
            flag("IsSandbox", "Is Sandbox").read_only(),
        ])
        .with(stamps())
}

/// A queue or public group.
pub(super) fn group() -> ObjectDef {
    ObjectDef::new("Group", "Group", "Group", "00G")
        .scoped(&["everything"])
        .with([
            id("Group ID"),
            text("Name", "Name", 40).required().name_of_row(),
            text("DeveloperName", "Developer Name", 80),
            pick("Type", "Type", 40, GROUP_TYPES)
                .required()
                .insert_only(),
            email("Email", "Email"),
        ])
        .with(stamps())
}

const GROUP_TYPES: &[&str] = &[
    "Regular|Public Group",
    "Role",
    "RoleAndSubordinates|Role and Subordinates",
    "Queue",
];

/// That a user, or another group, is in a group. One is put in or taken out, never changed.
///
/// A real one has no `IsDeleted`; the sandbox keeps what was deleted by that field.
pub(super) fn group_member() -> ObjectDef {
    let mut member = ObjectDef::new("GroupMember", "Group Member", "Group Member", "011")
        .scoped(&["everything"])
        .with([
            id("Group Member ID"),
            deleted(),
            lookup("GroupId", "Group ID", &["Group"], "Group")
                .required()
                .insert_only(),
            lookup(
                "UserOrGroupId",
                "User/Group ID",
                &["Group", "User"],
                "UserOrGroup",
            )
            .required()
            .insert_only(),
        ])
        .with(stamps().into_iter().skip(4));
    member.updateable = false;
    member
}

/// An assignment rule, as far as a client needs to name it. An org has the object once it has a rule.
pub(crate) fn assignment_rule() -> ObjectDef {
    ObjectDef::new(
        "AssignmentRule",
        "Assignment Rule",
        "Assignment Rules",
        "01Q",
    )
    .locked()
    .scoped(&["everything"])
    .with([
        id("Assignment Rule ID"),
        text("Name", "Name", 120)
            .required()
            .read_only()
            .name_of_row(),
        pick("SobjectType", "SObject Type", 40, &["Lead", "Case"]).read_only(),
        flag("Active", "Active").read_only(),
    ])
    .with(stamps())
}

pub(super) fn record_type() -> ObjectDef {
    let object_types = ["Account", "Contact", "Opportunity", "Lead", "Visit__c"];
    ObjectDef::new("RecordType", "Record Type", "Record Types", "012")
        .locked()
        .scoped(&["everything"])
        .with([
            id("Record Type ID"),
            text("Name", "Name", 80)
                .required()
                .read_only()
                .name_of_row(),
            text("DeveloperName", "Record Type Name", 80)
                .required()
                .read_only(),
            text("Description", "Description", 255).read_only(),
            pick("SobjectType", "SObject Type Name", 40, &object_types)
                .required()
                .read_only(),
            flag("IsActive", "Active").read_only(),
        ])
        .with(stamps())
}
