//! Organization, Group and RecordType: read only, as far as lookups need them.

use super::build::*;
use crate::schema::ObjectDef;

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
            int("FiscalYearStartMonth", "Fiscal Year Starts In").read_only(),
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
        .locked()
        .scoped(&["everything"])
        .with([
            id("Group ID"),
            text("Name", "Name", 40)
                .required()
                .read_only()
                .name_of_row(),
            text("DeveloperName", "Developer Name", 80).read_only(),
            pick("Type", "Type", 40, &["Regular|Public Group", "Queue"])
                .required()
                .read_only(),
            email("Email", "Email").read_only(),
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
