//! Duplicate rules, assignment rules, roll-ups, validation rules and flows, read from a file of JSON.
//!
//! ```json
//! {"version": 1,
//!  "duplicate_rules": [
//!     {"name": "Same mail", "object": "Contact", "fields": ["Email"], "action": "alert"}],
//!  "assignment_rules": [
//!     {"name": "Standard", "object": "Lead", "active": true,
//!      "entries": [{"if": "Rating = 'Hot'", "owner": "kim@example.com"}, {"owner": "Inbox"}]}],
//!  "roll_ups": [
//!     {"parent": "Account", "field": "Open_Deals__c", "child": "Opportunity", "lookup": "AccountId",
//!      "of": {"sum": "Amount"}, "if": "IsClosed = false"}],
//!  "rules": [
//!     {"object": "Contact", "if": "Email = null AND Phone = null",
//!      "refuse": {"message": "Give a mail address or a phone.", "field": "Email"}},
//!     {"object": "Case", "on": "create", "set": {"Priority": "Low"}},
//!     {"object": "Task", "if": "Status = 'Completed'", "parent": "WhatId", "set": {"Rating": "Hot"}},
//!     {"object": "Account", "if": "Name LIKE 'Bad%'", "throw": "NullPointerException"}]}
//! ```
//!
//! A rule runs after its row was written, in the same transaction, so its condition is a SOQL condition like any
//! other. Rules run in the order of the file; what one sets, the next ones see.

use super::automation::Saved;
use super::{AssignmentRule, DuplicateAction, DuplicateRule, Org, RollUp, SaveError, input};
use crate::id;
use crate::value::Value;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// The version of the format that is read.
const VERSION: u32 = 1;
/// Who evaluates conditions: a user that is no row, and sees everything.
pub(super) const PLATFORM: &str = "005000000000000AAA";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default)]
    duplicate_rules: Vec<Duplicate>,
    #[serde(default)]
    assignment_rules: Vec<Assignment>,
    #[serde(default)]
    roll_ups: Vec<RollUp>,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Assignment {
    name: String,
    object: String,
    #[serde(default)]
    active: bool,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(rename = "if")]
    condition: Option<String>,
    owner: String,
}

impl From<Assignment> for AssignmentRule {
    fn from(rule: Assignment) -> AssignmentRule {
        let entries = rule.entries.into_iter();
        AssignmentRule {
            object: rule.object,
            name: rule.name,
            active: rule.active,
            entries: entries
                .map(|entry| (entry.condition, entry.owner))
                .collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Duplicate {
    name: String,
    object: String,
    fields: Vec<String>,
    action: Action,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Alert,
    Block,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    object: String,
    #[serde(default)]
    on: Event,
    /// A SOQL condition; none: always.
    #[serde(rename = "if")]
    condition: Option<String>,
    refuse: Option<Refusal>,
    /// Fields to set, of the row or of the one that `parent` leads to.
    set: Option<IndexMap<String, Box<RawValue>>>,
    parent: Option<String>,
    /// What a trigger throws.
    throw: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Event {
    Create,
    Update,
    #[default]
    Save,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    message: String,
    field: Option<String>,
}

impl Org {
    /// Adds the rules of a file: JSON with `version`, `duplicate_rules`, `assignment_rules`, `roll_ups` and `rules`, as
    /// the README shows.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the first rule that cannot be followed. Rules before it were not added either.
    pub fn add_rules(&mut self, json: &str) -> Result<(), String> {
        let file: File = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if file.version != VERSION {
            return Err(format!(
                "the rules have version {}, and {VERSION} is what can be read",
                file.version
            ));
        }
        for (at, rule) in file.rules.iter().enumerate() {
            self.check_rule(rule)
                .map_err(|error| format!("rules[{at}]: {error}"))?;
        }
        let assignments: Vec<AssignmentRule> =
            file.assignment_rules.into_iter().map(Into::into).collect();
        let mut active = BTreeSet::new();
        for (at, rule) in assignments.iter().enumerate() {
            let object = self
                .checked_assignment(rule)
                .map_err(|error| format!("assignment_rules[{at}]: {error}"))?;
            if rule.active && !active.insert(object) {
                return Err(format!(
                    "assignment_rules[{at}]: {} has an active assignment rule",
                    rule.object
                ));
            }
        }
        let mut summed = BTreeSet::new();
        for (at, roll_up) in file.roll_ups.iter().enumerate() {
            self.check_roll_up(roll_up)
                .map_err(|error| format!("roll_ups[{at}]: {error}"))?;
            if !summed.insert((roll_up.parent.to_lowercase(), roll_up.field.to_lowercase())) {
                return Err(format!("roll_ups[{at}]: another one has its field"));
            }
        }
        let known = self.duplicate_rules.len();
        for (at, duplicate) in file.duplicate_rules.into_iter().enumerate() {
            let rule = DuplicateRule {
                name: duplicate.name,
                object: duplicate.object,
                fields: duplicate.fields,
                action: match duplicate.action {
                    Action::Alert => DuplicateAction::Alert,
                    Action::Block => DuplicateAction::Block,
                },
            };
            if let Err(error) = self.add_duplicate_rule(rule) {
                self.duplicate_rules.truncate(known);
                return Err(format!("duplicate_rules[{at}]: {error}"));
            }
        }
        for rule in &assignments {
            self.add_assignment_rule(rule)?;
        }
        for roll_up in file.roll_ups {
            self.add_roll_up(roll_up)?;
        }
        for rule in file.rules {
            let object = rule.object.clone();
            self.after_save(&object, move |org, saved| org.follow(&rule, saved));
        }
        Ok(())
    }

    fn check_rule(&self, rule: &Rule) -> Result<(), String> {
        let object = self
            .schema
            .object(&rule.object)
            .ok_or_else(|| format!("there is no object {}", rule.object))?;
        let does = [
            rule.refuse.is_some(),
            rule.set.is_some(),
            rule.throw.is_some(),
        ];
        if does.iter().filter(|does| **does).count() != 1 {
            return Err("a rule has one of \"refuse\", \"set\" and \"throw\"".into());
        }
        let at = self.schema.index(&rule.object).unwrap_or_default();
        self.check_condition(at, rule.condition.as_deref())
            .map_err(|error| format!("if: {}", error.message))?;
        let blamed = rule
            .refuse
            .iter()
            .filter_map(|refusal| refusal.field.as_ref());
        for name in blamed.chain(&rule.parent) {
            if object.field(name).is_none() {
                return Err(format!("{} has no field {name}", object.name));
            }
        }
        let own = rule.parent.is_none();
        for name in rule.set.iter().flat_map(|set| set.keys()) {
            if own && object.field(name).is_none() {
                return Err(format!("{} has no field {name}", object.name));
            }
        }
        Ok(())
    }

    /// Says what is wrong with a condition, if anything is.
    pub(super) fn check_condition(
        &self,
        object: usize,
        condition: Option<&str>,
    ) -> Result<(), SaveError> {
        let nobody = id::make(&self.schema.objects()[object].key_prefix, 0);
        self.fulfils(object, condition, &nobody).map(|_| ())
    }

    /// Says whether a row fulfils a SOQL condition, whoever may see it.
    pub(super) fn fulfils(
        &self,
        object: usize,
        condition: Option<&str>,
        id: &str,
    ) -> Result<bool, SaveError> {
        let condition = condition.map_or_else(String::new, |text| format!(" AND ({text})"));
        let name = &self.schema.objects()[object].name;
        let soql = format!("SELECT Id FROM {name} WHERE Id = '{id}'{condition}");
        Ok(self.query(PLATFORM, &soql, false)?.total() > 0)
    }

    fn follow(&mut self, rule: &Rule, saved: &Saved) -> Result<(), SaveError> {
        let meant = match rule.on {
            Event::Create => saved.created,
            Event::Update => !saved.created,
            Event::Save => true,
        };
        let Some(object) = self.schema.index(&rule.object).filter(|_| meant) else {
            return Ok(());
        };
        if !self.fulfils(object, rule.condition.as_deref(), &saved.id)? {
            return Ok(());
        }
        if let Some(refusal) = &rule.refuse {
            return Err(SaveError {
                fields: refusal.field.iter().cloned().collect(),
                ..SaveError::new("FIELD_CUSTOM_VALIDATION_EXCEPTION", &refusal.message)
            });
        }
        if let Some(thrown) = &rule.throw {
            let message = format!(
                "{}Trigger: execution of AfterInsert caused by: System.{thrown}",
                rule.object
            );
            return Err(SaveError::new(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                message,
            ));
        }
        match &rule.set {
            Some(set) => self.set_by_rule(rule, set, saved),
            None => Ok(()),
        }
    }

    /// Sets fields of a row as a flow does: no trigger runs again.
    fn set_by_rule(
        &mut self,
        rule: &Rule,
        set: &IndexMap<String, Box<RawValue>>,
        saved: &Saved,
    ) -> Result<(), SaveError> {
        let place = self.locate(&saved.id);
        let place = match &rule.parent {
            None => place,
            Some(lookup) => place.and_then(|(object, slot)| {
                let at = self.schema.objects()[object].index(lookup)?;
                let target = self.tables[object].value(slot, at).as_text()?;
                self.locate(target)
            }),
        };
        let Some((object, slot)) = place else {
            return Ok(());
        };
        self.check_lock(object, slot)?;
        let definition = &self.schema.objects()[object];
        let mut values: Vec<(usize, Value)> = Vec::with_capacity(set.len());
        for (name, raw) in set {
            let Some(at) = definition.index(name) else {
                let message = format!("{} has no field {name}", definition.name);
                return Err(SaveError::new("CANNOT_EXECUTE_FLOW_TRIGGER", message));
            };
            let value = input::read(raw, &definition.fields[at], &self.config.switches)?;
            values.push((at, value));
        }
        self.touch_by(&saved.actor, object, slot, |row| {
            for (at, value) in values {
                row[at] = value;
            }
        });
        Ok(())
    }
}
