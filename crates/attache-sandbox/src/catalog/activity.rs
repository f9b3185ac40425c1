//! Task and Event. Series of recurring activities are not modelled.

use super::build::*;
use crate::schema::{Formula, ObjectDef};
use crate::value::Value;

pub(super) fn task() -> ObjectDef {
    ObjectDef::new("Task", "Task", "Tasks", "00T")
        .scoped(&["delegated", "everything", "mine", "scopingRule", "team"])
        .with([
            id("Activity ID"),
            lookup("WhoId", "Name ID", WHO, "Who")
                .children("Tasks")
                .cascade(),
            lookup("WhatId", "Related To ID", WHAT, "What")
                .children("Tasks")
                .cascade(),
            combo(
                "Subject",
                "Subject",
                &["Call", "Email", "Send Letter", "Send Quote", "Other"],
            )
            .ungrouped()
            .name_of_row(),
            date("ActivityDate", "Due Date Only"),
            pick("Status", "Status", 255, STATUSES)
                .required()
                .default_to(Value::text(STATUSES[0])),
            pick("Priority", "Priority", 255, &["High", "Normal", "Low"])
                .required()
                .default_to(Value::text("Normal")),
            flag("IsHighPriority", "High Priority").read_only(),
            owner("Assigned To ID", &["Group", "User"]),
            area("Description", "Description", 32_000),
            deleted(),
            lookup("AccountId", "Account ID", &["Account"], "Account").read_only(),
            flag("IsClosed", "Closed").computed(Formula::TaskClosed),
        ])
        .with(stamps())
        .with([
            flag("IsArchived", "Archived").read_only(),
            int("CallDurationInSeconds", "Call Duration"),
            pick(
                "CallType",
                "Call Type",
                40,
                &["Internal", "Inbound", "Outbound"],
            )
            .restricted(),
            text("CallDisposition", "Call Result", 255),
            text("CallObject", "Call Object Identifier", 255),
            datetime("ReminderDateTime", "Reminder Date/Time"),
            flag("IsReminderSet", "Reminder Set"),
            pick("TaskSubtype", "Task Subtype", 40, SUBTYPES)
                .insert_only()
                .default_to(Value::text("Task"))
                .restricted(),
            datetime("CompletedDateTime", "Completed Date").read_only(),
        ])
}

pub(super) fn event() -> ObjectDef {
    ObjectDef::new("Event", "Event", "Events", "00U")
        .scoped(&["delegated", "everything", "mine", "scopingRule", "team"])
        .with([
            id("Activity ID"),
            lookup("WhoId", "Name ID", WHO, "Who")
                .children("Events")
                .cascade(),
            lookup("WhatId", "Related To ID", WHAT, "What")
                .children("Events")
                .cascade(),
            combo("Subject", "Subject", EVENT_SUBJECTS)
                .ungrouped()
                .name_of_row(),
            text("Location", "Location", 255),
            flag("IsAllDayEvent", "All-Day Event"),
            datetime("ActivityDateTime", "Due Date Time"),
            date("ActivityDate", "Due Date Only"),
            int("DurationInMinutes", "Duration"),
            datetime("StartDateTime", "Start Date Time"),
            datetime("EndDateTime", "End Date Time"),
            date("EndDate", "End Date").read_only(),
            area("Description", "Description", 32_000),
            lookup("AccountId", "Account ID", &["Account"], "Account").read_only(),
            owner("Assigned To ID", &["User"]),
            flag("IsPrivate", "Private"),
            pick(
                "ShowAs",
                "Show Time As",
                40,
                &["Busy", "OutOfOffice|Out of Office", "Free"],
            )
            .default_to(Value::text("Busy"))
            .restricted(),
            deleted(),
            flag("IsChild", "Is Child").read_only(),
            flag("IsGroupEvent", "Is Group Event").read_only(),
            pick("GroupEventType", "Group Event Type", 40, GROUP_EVENT_TYPES)
                .read_only()
                .default_to(Value::text("0"))
                .restricted(),
        ])
        .with(stamps())
        .with([
            flag("IsArchived", "Archived").read_only(),
            datetime("ReminderDateTime", "Reminder Date/Time"),
            flag("IsReminderSet", "Reminder Set"),
            pick("EventSubtype", "Event Subtype", 40, &["Event"])
                .insert_only()
                .restricted(),
        ])
}

const WHO: &[&str] = &["Contact", "Lead"];

const WHAT: &[&str] = &["Account", "Opportunity", "Visit__c"];

const STATUSES: &[&str] = &[
    "Not Started",
    "In Progress",
    "Completed",
    "Waiting on someone else",
    "Deferred",
];

const SUBTYPES: &[&str] = &[
    "Task",
    "Email",
    "ListEmail|List Email",
    "Cadence",
    "Call",
    "LinkedIn",
];

const EVENT_SUBJECTS: &[&str] = &["Call", "Email", "Meeting", "Send Letter/Quote", "Other"];

const GROUP_EVENT_TYPES: &[&str] = &[
    "0|Non-group Event",
    "1|Group Event",
    "2|Proposed Event",
    "3|IsRecurrence2 Series Pattern",
];
