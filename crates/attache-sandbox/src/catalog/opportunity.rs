//! Opportunity and its stages.

use super::build::*;
use crate::schema::{FieldDef, Formula, ObjectDef, Stage};
use rust_decimal::Decimal;

pub(super) fn opportunity() -> ObjectDef {
    let names: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
    ObjectDef::new("Opportunity", "Opportunity", "Opportunities", "006")
        .scoped(&["everything", "mine", "scopingRule", "team"])
        .with([
            id("Opportunity ID"),
            deleted(),
            lookup("AccountId", "Account ID", &["Account"], "Account")
                .children("Opportunities")
                .cascade(),
            flag("IsPrivate", "Private"),
            text("Name", "Name", 120)
                .required()
                .name_of_row()
                .upsert_key(),
            area("Description", "Description", 32_000),
            pick("StageName", "Stage", 255, &names).required(),
            currency("Amount", "Amount", 18, 2),
            percent("Probability", "Probability (%)", 3, 0).defaulted(),
            currency("ExpectedRevenue", "Expected Amount", 18, 2)
                .computed(Formula::ExpectedRevenue),
            double("TotalOpportunityQuantity", "Quantity", 18, 2),
            date("CloseDate", "Close Date").required(),
            pick("Type", "Opportunity Type", 255, TYPES),
            text("NextStep", "Next Step", 255),
            pick("LeadSource", "Lead Source", 255, SOURCES),
            flag("IsClosed", "Closed").computed(Formula::StageClosed),
            flag("IsWon", "Won").computed(Formula::StageWon),
            pick("ForecastCategory", "Forecast Category", 40, FORECASTS)
                .required()
                .read_only()
                .restricted(),
            pick(
                "ForecastCategoryName",
                "Forecast Category",
                255,
                FORECAST_NAMES,
            )
            .defaulted()
            .restricted(),
            flag("HasOpportunityLineItem", "Has Line Item").read_only(),
            owner("Owner ID", &["User"]),
        ])
        .with(stamps())
        .with([
            date("LastActivityDate", "Last Activity").read_only(),
            datetime("LastStageChangeDate", "Last Stage Change Date").read_only(),
            // The platform has no path up from here, though it has one down.
            FieldDef {
                relationship_name: None,
                ..lookup("ContactId", "Contact ID", &["Contact"], "")
                    .insert_only()
                    .children("Opportunities")
            },
        ])
        .with(viewed())
        .with([text("Account_Name__c", "Account Name (formula)", 1_300)
            .computed(Formula::Parent("AccountId", "Name"))])
}

/// The stages of a new org, in the order of the picklist.
pub fn stages() -> &'static [Stage] {
    STAGES
}

const TYPES: &[&str] = &[
    "Existing Customer - Upgrade",
    "Existing Customer - Replacement",
    "Existing Customer - Downgrade",
    "New Customer",
];

const FORECASTS: &[&str] = &[
    "Omitted",
    "Pipeline",
    "BestCase|Best Case",
    "MostLikely|Most Likely",
    "Forecast|Commit",
    "Closed",
];

const FORECAST_NAMES: &[&str] = &["Omitted", "Pipeline", "Best Case", "Commit", "Closed"];

static STAGES: &[Stage] = &[
    open("Prospecting", 10),
    open("Qualification", 10),
    open("Needs Analysis", 20),
    open("Value Proposition", 50),
    open("Id. Decision Makers", 60),
    open("Perception Analysis", 70),
    open("Proposal/Price Quote", 75),
    open("Negotiation/Review", 90),
    Stage {
        forecast: "Closed",
        closed: true,
        won: true,
        ..open("Closed Won", 100)
    },
    Stage {
        forecast: "Omitted",
        closed: true,
        won: false,
        ..open("Closed Lost", 0)
    },
];

const fn open(name: &'static str, percent: u32) -> Stage {
    let probability = Decimal::from_parts(percent, 0, 0, false, 0);
    Stage {
        name,
        probability,
        forecast: "Pipeline",
        closed: false,
        won: false,
    }
}
