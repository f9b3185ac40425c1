//! Account.

use super::build::*;
use crate::schema::{FieldDef, ObjectDef};

pub(super) fn account() -> ObjectDef {
    ObjectDef::new("Account", "Account", "Accounts", "001")
        .scoped(&["everything", "mine", "team"])
        .with([
            id("Account ID"),
            deleted(),
            lookup(
                "MasterRecordId",
                "Master Record ID",
                &["Account"],
                "MasterRecord",
            )
            .read_only(),
            text("Name", "Account Name", 255)
                .required()
                .part_of("Name")
                .name_of_row()
                .info("switchablepersonname"),
            pick("Type", "Account Type", 40, TYPES),
            lookup(
                "RecordTypeId",
                "Record Type ID",
                &["RecordType"],
                "RecordType",
            ),
            lookup("ParentId", "Parent Account ID", &["Account"], "Parent")
                .children("ChildAccounts"),
        ])
        .with(address("Billing"))
        .with(address("Shipping"))
        .with([
            phone("Phone", "Account Phone"),
            phone("Fax", "Account Fax"),
            text("AccountNumber", "Account Number", 40),
            url("Website", "Website"),
            url("PhotoUrl", "Photo URL").read_only().info("imageurl"),
            text("Sic", "SIC Code", 20),
            pick("Industry", "Industry", 40, INDUSTRIES),
            currency("AnnualRevenue", "Annual Revenue", 18, 0),
            int("NumberOfEmployees", "Employees"),
            pick(
                "Ownership",
                "Ownership",
                40,
                &["Public", "Private", "Subsidiary", "Other"],
            ),
            text("TickerSymbol", "Ticker Symbol", 20),
            area("Description", "Account Description", 32_000),
            pick("Rating", "Account Rating", 40, RATINGS),
            text("Site", "Account Site", 80),
            owner("Owner ID", &["User"]),
        ])
        .with(stamps())
        .with([date("LastActivityDate", "Last Activity").read_only()])
        .with(viewed())
        .with(company())
        .with(own())
}

/// What is known of the company from outside.
fn company() -> impl IntoIterator<Item = FieldDef> {
    [
        flag("IsPartner", "Partner Account").update_only(),
        flag("IsCustomerPortal", "Customer Portal Account").update_only(),
        text("ChannelProgramName", "Channel Program Name", 255)
            .read_only()
            .unfiltered(),
        text("ChannelProgramLevelName", "Channel Program Level Name", 255)
            .read_only()
            .unfiltered(),
        text("Jigsaw", "Data.com Key", 20),
        text("JigsawCompanyId", "Jigsaw Company ID", 20).read_only(),
        pick("CleanStatus", "Clean Status", 40, CLEAN_STATUSES).restricted(),
        pick("AccountSource", "Account Source", 40, SOURCES),
        text("DunsNumber", "D-U-N-S Number", 9),
        text("Tradestyle", "Tradestyle", 255),
        text("NaicsCode", "NAICS Code", 8),
        text("NaicsDesc", "NAICS Description", 120),
        text("YearStarted", "Year Started", 4),
        text("SicDesc", "SIC Description", 80),
    ]
}

/// The custom fields, those of the shared data set among them.
fn own() -> impl IntoIterator<Item = FieldDef> {
    [
        external_id("External_Id__c", "External Id", 40),
        flag("Active__c", "Active"),
        multi("Regions__c", "Regions", &["AMER", "APAC", "EMEA", "LATAM"]),
        date("Renewal_Date__c", "Renewal Date"),
        double("Score__c", "Score", 18, 0),
    ]
}

const TYPES: &[&str] = &[
    "Prospect",
    "Customer - Direct",
    "Customer - Channel",
    "Channel Partner / Reseller",
    "Installation Partner",
    "Technology Partner",
    "Other",
];
