//! Assignment rules: whom a new lead or case goes to.

use super::save::one;
use super::table::key;
use super::{Org, SaveError, Slot};
use crate::catalog;
use crate::value::Value;

/// The objects that rules hand out.
const ASSIGNED: [&str; 2] = ["Lead", "Case"];

/// The object that lists the rules.
const RULE: &str = "AssignmentRule";

/// A rule by which rows of an object find their owners: the first entry that holds names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentRule {
    /// `Lead` or `Case`.
    pub object: String,
    /// What an administrator calls it.
    pub name: String,
    /// It runs unless the client says otherwise; an object has one such rule at most.
    pub active: bool,
    /// SOQL conditions, `None` for always, and the owner: an id, a username, or the name of a queue.
    pub entries: Vec<(Option<String>, String)>,
}

/// Which rule is to run, as `Sforce-Auto-Assign` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AutoAssign {
    /// The active one.
    #[default]
    Active,
    /// None: the row stays whose it is.
    No,
    /// The one with this id, active or not.
    Rule(String),
}

impl AutoAssign {
    /// Reads the header; one that says nothing of use is as good as missing.
    pub(crate) fn read(header: Option<&str>) -> AutoAssign {
        match header.map(str::trim) {
            Some(word) if word.eq_ignore_ascii_case("false") => AutoAssign::No,
            Some(word) if !word.is_empty() && !word.eq_ignore_ascii_case("true") => {
                AutoAssign::Rule(word.to_owned())
            }
            _ => AutoAssign::Active,
        }
    }
}

/// A rule as the org keeps it.
#[derive(Debug)]
pub(super) struct Assignment {
    id: String,
    object: usize,
    active: bool,
    /// Conditions, and the ids of the owners.
    entries: Vec<(Option<String>, String)>,
}

impl Org {
    /// Turns cases on: the object Case.
    pub fn enable_cases(&mut self) {
        self.schema_mut().insert(catalog::case());
    }

    /// Adds an assignment rule and gives its id, which a client may name in `Sforce-Auto-Assign`. The object
    /// AssignmentRule lists them.
    ///
    /// The rule runs after the triggers of a save, and again when a row is changed as far as
    /// [`Switches::updates_assign`](super::Switches) says so. It overrules the owner that the client gave.
    ///
    /// # Errors
    ///
    /// Says which name the org does not know, or that there is an active rule already.
    pub fn add_assignment_rule(&mut self, rule: &AssignmentRule) -> Result<String, String> {
        let object = self.checked_assignment(rule)?;
        let mut entries = Vec::with_capacity(rule.entries.len());
        for (condition, owner) in &rule.entries {
            let owner = self
                .person_or_queue(owner)
                .ok_or_else(|| format!("there is no user or queue {owner}"))?;
            entries.push((condition.clone(), owner));
        }
        if self.schema.index(RULE).is_none() {
            self.schema_mut().insert(catalog::assignment_rule());
        }
        let at = self.schema.index(RULE).ok_or("no place for rules")?;
        let id = self.tables[at].next_id(&self.schema.objects()[at].key_prefix);
        let definition = &self.schema.objects()[at];
        let mut row = vec![Value::Null; definition.fields.len()];
        for (field, value) in [
            ("Id", Value::text(&id)),
            ("Name", Value::text(&rule.name)),
            (
                "SobjectType",
                Value::text(&self.schema.objects()[object].name),
            ),
            ("Active", Value::Bool(rule.active)),
            ("CreatedDate", Value::DateTime(self.now)),
            ("LastModifiedDate", Value::DateTime(self.now)),
            ("SystemModstamp", Value::DateTime(self.now)),
        ] {
            if let Some(field) = definition.index(field) {
                row[field] = value;
            }
        }
        self.put(at, row)?;
        self.assignments.push(Assignment {
            id: id.clone(),
            object,
            active: rule.active,
            entries,
        });
        Ok(id)
    }

    /// Finds the object of a rule that can be added.
    pub(super) fn checked_assignment(&self, rule: &AssignmentRule) -> Result<usize, String> {
        let known = ASSIGNED
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&rule.object));
        let object = self
            .schema
            .index(&rule.object)
            .filter(|_| known)
            .ok_or_else(|| format!("rows of {} are not assigned by rules", rule.object))?;
        let twin = |other: &Assignment| other.active && other.object == object;
        if rule.active && self.assignments.iter().any(twin) {
            return Err(format!("{} has an active assignment rule", rule.object));
        }
        for (condition, owner) in &rule.entries {
            self.check_condition(object, condition.as_deref())
                .map_err(|error| format!("if: {}", error.message))?;
            if self.person_or_queue(owner).is_none() {
                return Err(format!("there is no user or queue {owner}"));
            }
        }
        Ok(object)
    }

    /// Says which rule runs from now on, and gives what was said before.
    pub(crate) fn set_auto_assign(&mut self, assign: AutoAssign) -> AutoAssign {
        std::mem::replace(&mut self.auto_assign, assign)
    }

    /// Hands a row that was saved to whom the rules name.
    pub(super) fn assign(
        &mut self,
        actor: &str,
        object: usize,
        slot: Slot,
        created: bool,
    ) -> Result<(), Vec<SaveError>> {
        let runs = created || self.config.switches.updates_assign;
        let rule = self.assignments.iter().find(|rule| {
            rule.object == object
                && match &self.auto_assign {
                    AutoAssign::Active => rule.active,
                    AutoAssign::No => false,
                    AutoAssign::Rule(id) => key(id).is_some() && key(id) == key(&rule.id),
                }
        });
        let Some(rule) = rule.filter(|_| runs) else {
            return Ok(());
        };
        let id = self.tables[object].id(slot).to_owned();
        let mut found = None;
        for (condition, owner) in &rule.entries {
            if self
                .fulfils(object, condition.as_deref(), &id)
                .map_err(one)?
            {
                found = Some(owner.clone());
                break;
            }
        }
        let owner = self.tables[object].columns.owner;
        let (Some(to), Some(owner)) = (found, owner) else {
            return Ok(());
        };
        let to = Value::text(to);
        if *self.tables[object].value(slot, owner) != to {
            self.touch_by(actor, object, slot, |row| row[owner] = to);
            self.end_manual_shares(actor, object, slot);
        }
        Ok(())
    }

    /// Finds a user by id or username, or a group by id or name.
    fn person_or_queue(&self, named: &str) -> Option<String> {
        for (object, fields) in [
            ("User", ["Username", "Id"]),
            ("Group", ["DeveloperName", "Name"]),
        ] {
            let at = self.schema.index(object)?;
            let (definition, table) = (&self.schema.objects()[at], &self.tables[at]);
            if let Some(slot) = key(named).and_then(|id| table.find(&id)) {
                return Some(table.id(slot).to_owned());
            }
            let columns = fields.map(|field| definition.index(field));
            let found = table.slots().find(|(slot, row)| {
                let says = |at: &usize| row.get(*at).and_then(Value::as_text) == Some(named);
                !table.is_deleted(*slot) && columns.iter().flatten().any(says)
            });
            if let Some((slot, _)) = found {
                return Some(table.id(slot).to_owned());
            }
        }
        None
    }
}
