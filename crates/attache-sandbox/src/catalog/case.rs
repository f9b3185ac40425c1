//! Case. An org has it only once it is turned on ([`Org::enable_cases`](crate::org::Org::enable_cases)).

use super::build::*;
use crate::schema::ObjectDef;
use crate::value::Value;

pub(crate) fn case() -> ObjectDef {
    ObjectDef::new("Case", "Case", "Cases", "500")
        .scoped(&[
            "everything",
            "mine",
            "queue_owned",
            "team_by_role",
            "user_owned",
        ])
        .with([
            id("Case ID"),
            deleted(),
            lookup(
                "MasterRecordId",
                "Master Record ID",
                &["Case"],
                "MasterRecord",
            )
            .read_only(),
            text("CaseNumber", "Case Number", 30)
                .numbered("{00000000}")
                .name_of_row(),
            lookup("ContactId", "Contact ID", &["Contact"], "Contact").children("Cases"),
            lookup("AccountId", "Account ID", &["Account"], "Account")
                .children("Cases")
                .cascade(),
            lookup("ParentId", "Parent Case ID", &["Case"], "Parent").children("Cases"),
            text("SuppliedName", "Name", 80),
            email("SuppliedEmail", "Email Address"),
            phone("SuppliedPhone", "Phone"),
            text("SuppliedCompany", "Company", 80),
            pick("Type", "Case Type", 255, TYPES),
            pick("Status", "Status", 255, STATUSES).default_to(Value::text(STATUSES[0])),
            pick("Reason", "Case Reason", 255, REASONS),
            pick("Origin", "Case Origin", 255, ORIGINS),
            text("Subject", "Subject", 255),
            pick("Priority", "Priority", 255, PRIORITIES).default_to(Value::text(PRIORITIES[1])),
            area("Description", "Description", 32_000),
            flag("IsClosed", "Closed").read_only(),
            datetime("ClosedDate", "Closed Date").read_only(),
            flag("IsEscalated", "Escalated"),
            owner("Owner ID", &["Group", "User"]),
        ])
        .with(stamps())
        .with(viewed())
}

const TYPES: &[&str] = &["Question", "Problem", "Feature Request"];
const STATUSES: &[&str] = &["New", "Working", "Escalated", "Closed"];
const REASONS: &[&str] = &["Installation", "Performance", "Breakdown", "Other"];
const ORIGINS: &[&str] = &["Email", "Phone", "Web"];
const PRIORITIES: &[&str] = &["High", "Medium", "Low"];
