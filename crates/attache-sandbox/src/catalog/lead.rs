//! Lead.

use super::build::*;
use crate::schema::{FieldDef, ObjectDef};
use crate::value::Value;

pub(super) fn lead() -> ObjectDef {
    ObjectDef::new("Lead", "Lead", "Leads", "00Q")
        .scoped(&[
            "everything",
            "mine",
            "queue_owned",
            "scopingRule",
            "team",
            "user_owned",
        ])
        .with([
            id("Lead ID"),
            deleted(),
            lookup(
                "MasterRecordId",
                "Master Record ID",
                &["Lead"],
                "MasterRecord",
            )
            .read_only(),
        ])
        .with(person(&["Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."]))
        .with([
            text("Title", "Title", 128),
            text("Company", "Company", 255).required(),
        ])
        .with(address(""))
        .with([
            phone("Phone", "Phone"),
            phone("MobilePhone", "Mobile Phone"),
            phone("Fax", "Fax"),
            email("Email", "Email").upsert_key(),
            url("Website", "Website"),
            url("PhotoUrl", "Photo URL").read_only().info("imageurl"),
            area("Description", "Description", 32_000),
            pick("LeadSource", "Lead Source", 255, SOURCES),
            pick("Status", "Status", 255, STATUSES)
                .required()
                .default_to(Value::text(STATUSES[0])),
            pick("Industry", "Industry", 255, INDUSTRIES),
            pick("Rating", "Rating", 255, RATINGS),
            currency("AnnualRevenue", "Annual Revenue", 18, 0),
            int("NumberOfEmployees", "Employees"),
            owner("Owner ID", &["Group", "User"]),
        ])
        .with(conversion())
        .with([flag("IsUnreadByOwner", "Unread By Owner")])
        .with(stamps())
        .with([date("LastActivityDate", "Last Activity").read_only()])
        .with(viewed())
        .with([
            text("Jigsaw", "Data.com Key", 20),
            text("JigsawContactId", "Jigsaw Contact ID", 20).read_only(),
            pick("CleanStatus", "Clean Status", 40, CLEAN_STATUSES).restricted(),
            text("CompanyDunsNumber", "Company D-U-N-S Number", 9),
            text("EmailBouncedReason", "Email Bounced Reason", 255).update_only(),
            datetime("EmailBouncedDate", "Email Bounced Date").update_only(),
        ])
}

/// What became of a converted lead.
fn conversion() -> impl IntoIterator<Item = FieldDef> {
    [
        flag("IsConverted", "Converted").insert_only(),
        date("ConvertedDate", "Converted Date").read_only(),
        lookup(
            "ConvertedAccountId",
            "Converted Account ID",
            &["Account"],
            "ConvertedAccount",
        )
        .read_only(),
        lookup(
            "ConvertedContactId",
            "Converted Contact ID",
            &["Contact"],
            "ConvertedContact",
        )
        .read_only(),
        lookup(
            "ConvertedOpportunityId",
            "Converted Opportunity ID",
            &["Opportunity"],
            "ConvertedOpportunity",
        )
        .read_only(),
    ]
}

const STATUSES: &[&str] = &[
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Converted",
    "Closed - Not Converted",
];
