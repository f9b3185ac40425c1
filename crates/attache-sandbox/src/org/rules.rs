//! The org's automation: triggers that change fields at save, and validation rules.
//!
//! Few, but of each kind a client can meet, and none of them told by a describe.

use super::save::Draft;
use super::{Org, SaveError, Slot};
use crate::schema::{ObjectDef, Stage};
use crate::value::Value;
use rust_decimal::Decimal;
use std::borrow::Cow;

/// A draft with names for its fields.
pub(super) struct Fields<'a> {
    object: &'a ObjectDef,
    draft: &'a mut Draft,
    stages: &'a [Stage],
    today: jiff::civil::Date,
}

impl Fields<'_> {
    pub(super) fn get(&self, name: &str) -> &Value {
        self.object
            .index(name)
            .map_or(&Value::Null, |at| &self.draft.row[at])
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).as_text()
    }

    /// Says whether this save gives a field another value than it had.
    pub(super) fn changes(&self, name: &str) -> bool {
        self.object.index(name).is_some_and(|at| {
            self.draft
                .before
                .as_ref()
                .map_or(!self.draft.row[at].is_null(), |before| {
                    before.get(at).unwrap_or(&Value::Null) != &self.draft.row[at]
                })
        })
    }

    fn given(&self, name: &str) -> bool {
        self.object
            .index(name)
            .is_some_and(|at| self.draft.touched.contains(&at))
    }

    pub(super) fn is_new(&self) -> bool {
        self.draft.is_new()
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        if let Some(at) = self.object.index(name) {
            self.draft.row[at] = value;
        }
    }
}

/// A trigger that runs before the row is written.
struct Before {
    object: &'static str,
    run: fn(&mut Fields<'_>),
}

/// A validation rule: refuses the row when `violated` says so.
struct Validation {
    object: &'static str,
    violated: fn(&Fields<'_>) -> bool,
    message: &'static str,
    /// Where the error is shown; none: at the top of the page.
    field: Option<&'static str>,
}

const BEFORE: &[Before] = &[
    Before {
        object: "Account",
        run: normalise_website,
    },
    Before {
        object: "Contact",
        run: lower_email,
    },
    Before {
        object: "Lead",
        run: lower_email,
    },
    Before {
        object: "Opportunity",
        run: follow_stage,
    },
];

const VALIDATIONS: &[Validation] = &[
    Validation {
        object: "Account",
        violated: |row| negative(row.get("NumberOfEmployees")),
        message: "The number of employees cannot be negative.",
        field: Some("NumberOfEmployees"),
    },
    Validation {
        object: "Opportunity",
        violated: |row| negative(row.get("Amount")),
        message: "The amount cannot be negative.",
        field: Some("Amount"),
    },
    Validation {
        object: "Opportunity",
        violated: |row| {
            row.changes("StageName")
                && row.text("StageName") == Some("Closed Won")
                && row.get("Amount").is_null()
        },
        message: "A won opportunity needs an amount.",
        field: None,
    },
    Validation {
        object: "Contact",
        violated: |row| matches!(row.get("Birthdate"), Value::Date(born) if *born > row.today),
        message: "The birthdate cannot be in the future.",
        field: Some("Birthdate"),
    },
    Validation {
        object: "Task",
        violated: |row| {
            (row.changes("Priority") || row.changes("ActivityDate"))
                && row.text("Priority") == Some("High")
                && row.get("ActivityDate").is_null()
        },
        message: "A task of high priority needs a due date.",
        field: Some("ActivityDate"),
    },
    Validation {
        object: "Visit__c",
        violated: |row| row.text("Outcome__c").is_some() && row.get("Visited_On__c").is_null(),
        message: "A visit with an outcome needs the day it took place.",
        field: Some("Visited_On__c"),
    },
];

/// `EXAMPLE.com/Path` becomes `https://example.com/Path`.
fn normalise_website(row: &mut Fields<'_>) {
    let Some(url) = row.text("Website").filter(|_| row.changes("Website")) else {
        return;
    };
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (Cow::Owned(scheme.to_ascii_lowercase()), rest),
        None => (Cow::Borrowed("https"), url),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let url = format!("{scheme}://{}{path}", host.to_ascii_lowercase());
    // A trigger that made the text longer than the field would fail the save.
    if url.chars().count()
        <= row
            .object
            .field("Website")
            .map_or(255, |field| field.length as usize)
    {
        row.set("Website", Value::text(url));
    }
}

fn lower_email(row: &mut Fields<'_>) {
    if let Some(email) = row.text("Email").filter(|_| row.changes("Email")) {
        let email = email.to_lowercase();
        row.set("Email", Value::text(email));
    }
}

/// A stage brings its probability and forecast category, unless they came with it.
fn follow_stage(row: &mut Fields<'_>) {
    if !row.changes("StageName") {
        return;
    }
    let Some(stage) = row
        .stages
        .iter()
        .find(|stage| Some(stage.name) == row.text("StageName"))
    else {
        return;
    };
    if !row.given("Probability") || row.get("Probability").is_null() {
        row.set("Probability", Value::Number(stage.probability));
    }
    row.set("ForecastCategory", Value::text(stage.forecast));
    if !row.given("ForecastCategoryName") {
        let category = row.object.field("ForecastCategory");
        let label = category.and_then(|field| {
            field
                .picklist
                .iter()
                .find(|entry| entry.value == stage.forecast)
        });
        row.set(
            "ForecastCategoryName",
            Value::text(label.map_or(stage.forecast, |entry| &entry.label)),
        );
    }
}

fn negative(value: &Value) -> bool {
    matches!(value, Value::Number(number) if *number < Decimal::ZERO)
}

impl Org {
    /// Lets the triggers change a draft.
    pub(super) fn run_before(&self, draft: &mut Draft) {
        let mut row = self.fields_of(draft);
        for trigger in BEFORE
            .iter()
            .filter(|trigger| trigger.object == row.object.name)
        {
            (trigger.run)(&mut row);
        }
    }

    /// Lists the validation rules a draft breaks.
    pub(super) fn validate(&self, draft: &mut Draft) -> Vec<SaveError> {
        let row = self.fields_of(draft);
        let broken = VALIDATIONS
            .iter()
            .filter(|rule| rule.object == row.object.name && (rule.violated)(&row));
        broken
            .map(|rule| SaveError {
                fields: rule.field.into_iter().map(str::to_owned).collect(),
                ..SaveError::new("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message)
            })
            .collect()
    }

    pub(super) fn fields_of<'a>(&'a self, draft: &'a mut Draft) -> Fields<'a> {
        Fields {
            object: &self.schema.objects()[draft.object],
            draft,
            stages: crate::catalog::stages(),
            today: super::time::civil_utc(self.now).date(),
        }
    }

    /// Runs what follows a write: an activity or a visit tells its account when it took place.
    pub(super) fn run_after(&mut self, object: usize, slot: Slot) -> Result<(), SaveError> {
        let definition = &self.schema.objects()[object];
        let (day, lookups): (_, &[&str]) = match definition.name.as_str() {
            "Task" | "Event" => ("ActivityDate", &["WhatId", "AccountId"]),
            "Visit__c" => ("Visited_On__c", &["Account__c"]),
            _ => return Ok(()),
        };
        let table = &self.tables[object];
        let Some(&Value::Date(day)) = definition.index(day).map(|at| table.value(slot, at)) else {
            return Ok(());
        };
        let mut accounts: Vec<String> = lookups
            .iter()
            .filter_map(|name| table.value(slot, definition.index(name)?).as_text())
            .filter(|id| {
                self.schema
                    .by_prefix(id)
                    .is_some_and(|target| target.name == "Account")
            })
            .map(str::to_owned)
            .collect();
        accounts.dedup();
        for id in accounts {
            self.roll_up_activity(&id, day)?;
        }
        Ok(())
    }

    /// Moves `Account.LastActivityDate` on, never back.
    fn roll_up_activity(&mut self, account: &str, day: jiff::civil::Date) -> Result<(), SaveError> {
        let Some((object, slot)) = self.locate(account) else {
            return Ok(());
        };
        let Some(field) = self.schema.objects()[object].index("LastActivityDate") else {
            return Ok(());
        };
        let earlier = match self.tables[object].value(slot, field) {
            Value::Date(known) => *known < day,
            _ => true,
        };
        if !earlier {
            return Ok(());
        }
        self.check_lock(object, slot)?;
        let Some(mut row) = self.whole_row(object, slot) else {
            return Ok(());
        };
        row[field] = Value::Date(day);
        if self.config.switches.roll_ups_move_parent {
            self.stamp_system(object, &mut row);
        }
        self.replace_row(object, slot, row.into());
        Ok(())
    }
}
