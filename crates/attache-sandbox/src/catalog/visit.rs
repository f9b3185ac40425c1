//! Visit__c, the custom object: a detail of Account with a field of each type.

use super::build::*;
use crate::schema::{Formula, ObjectDef};
use crate::value::Value;

/// A visit belongs to its account: it has no owner, and goes when the account goes.
pub(super) fn visit() -> ObjectDef {
    ObjectDef::new("Visit__c", "Visit", "Visits", "a00")
        .scoped(&["everything"])
        .with([
            id("Record ID"),
            deleted(),
            text("Name", "Visit Number", 80)
                .numbered("V-{00000}")
                .name_of_row()
                .upsert_key(),
        ])
        .with(stamps())
        .with([date("LastActivityDate", "Last Activity Date").read_only()])
        .with(viewed())
        .with([
            lookup("Account__c", "Account", &["Account"], "Account__r")
                .master()
                .children("Visits__r"),
            lookup("Contact__c", "Contact", &["Contact"], "Contact__r").children("Visits__r"),
            pick("Kind__c", "Kind", 255, KINDS).restricted(),
            pick("Outcome__c", "Outcome", 255, OUTCOMES)
                .restricted()
                .controlled_by("Kind__c", VALID_FOR),
            currency("Fee__c", "Fee", 18, 2),
            percent("Discount__c", "Discount", 5, 2),
            multi(
                "Topics__c",
                "Topics",
                &["Pricing", "Support", "Training", "Renewal"],
            )
            .restricted(),
            area("Notes__c", "Notes", 32_768),
            date("Visited_On__c", "Visited On"),
            datetime("Starts_At__c", "Starts At"),
            time("Arrival__c", "Arrival"),
            flag("Billable__c", "Billable").default_to(Value::Bool(true)),
            text("Account_Name__c", "Account Name", 1_300)
                .computed(Formula::Parent("Account__c", "Name")),
        ])
}

pub(crate) const KINDS: &[&str] = &["Sales", "Service", "Audit"];

pub(crate) const OUTCOMES: &[&str] = &[
    "Order Placed",
    "Follow-up",
    "Repaired",
    "Parts Needed",
    "Passed",
    "Failed",
    "No Show",
];

/// For each outcome, the kinds it is valid for.
pub(crate) const VALID_FOR: &[&[usize]] = &[&[0], &[0, 1], &[1], &[1], &[2], &[2], &[0, 1, 2]];
