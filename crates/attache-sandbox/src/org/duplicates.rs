//! Duplicate rules: whether a row that is about to be saved is there already.

use super::save::Draft;
use super::{Org, SaveError, Slot, Viewer};
use crate::schema::ObjectDef;
use crate::value::Value;

/// What a duplicate rule does about a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateAction {
    /// Refuses the row, unless the client says that it is to be saved all the same.
    Alert,
    /// Refuses the row, whatever the client says.
    Block,
}

/// A rule by which rows of an object are taken for the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateRule {
    /// What the refusal calls it.
    pub name: String,
    /// The object's API name.
    pub object: String,
    /// The fields that all have to agree, whatever the case of their letters; one that is empty agrees with none.
    pub fields: Vec<String>,
    /// What it does.
    pub action: DuplicateAction,
}

/// What a rule found: `duplicateResult` of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicates {
    /// The rule's name.
    pub rule: String,
    /// The object's API name.
    pub object: String,
    /// The client may have the row saved all the same.
    pub allow_save: bool,
    /// The fields that agree.
    pub fields: Vec<String>,
    /// 18-character ids of the rows that it may be, as far as the user sees them.
    pub matches: Vec<String>,
}

/// Matches that a refusal tells at most.
const MATCHES_MAX: usize = 100;

impl Org {
    /// Adds a duplicate rule. Rules are tried in the order they were added.
    ///
    /// # Errors
    ///
    /// Says which name the org does not know, or that the rule compares nothing.
    pub fn add_duplicate_rule(&mut self, mut rule: DuplicateRule) -> Result<(), String> {
        let object = self
            .schema
            .object(&rule.object)
            .ok_or_else(|| format!("there is no object {}", rule.object))?;
        rule.object.clone_from(&object.name);
        if rule.fields.is_empty() {
            return Err(format!("the rule {} names no fields", rule.name));
        }
        for name in &mut rule.fields {
            let field = object
                .field(name)
                .ok_or_else(|| format!("{} has no field {name}", rule.object))?;
            name.clone_from(&field.name);
        }
        self.duplicate_rules.push(rule);
        Ok(())
    }

    /// Runs writes that are saved although a rule takes them for duplicates, as far as the rule allows that.
    pub fn allowing_duplicates<T>(&mut self, write: impl FnOnce(&mut Org) -> T) -> T {
        let before = std::mem::replace(&mut self.allows_duplicates, true);
        let outcome = write(self);
        self.allows_duplicates = before;
        outcome
    }

    /// Sets whether writes may be duplicates, and gives how it was.
    pub(crate) fn set_allows_duplicates(&mut self, allowed: bool) -> bool {
        std::mem::replace(&mut self.allows_duplicates, allowed)
    }

    /// Refuses a draft that is there already.
    pub(super) fn check_duplicates(&self, viewer: &Viewer, draft: &Draft) -> Vec<SaveError> {
        let definition = &self.schema.objects()[draft.object];
        let of_object = self
            .duplicate_rules
            .iter()
            .filter(|rule| rule.object == definition.name);
        let mut errors = Vec::new();
        for rule in of_object {
            let allow_save = rule.action == DuplicateAction::Alert;
            if allow_save && self.allows_duplicates {
                continue;
            }
            let matches = self.matches(viewer, definition, draft, rule);
            if matches.is_empty() {
                continue;
            }
            let found = Duplicates {
                rule: rule.name.clone(),
                object: definition.name.clone(),
                allow_save,
                fields: rule.fields.clone(),
                matches,
            };
            errors.push(SaveError::duplicates(found));
        }
        errors
    }

    fn matches(
        &self,
        viewer: &Viewer,
        definition: &ObjectDef,
        draft: &Draft,
        rule: &DuplicateRule,
    ) -> Vec<String> {
        let columns = rule.fields.iter().map(|name| definition.index(name));
        let Some(columns) = columns.collect::<Option<Vec<usize>>>() else {
            // A field of it is gone since: the rule rests.
            return Vec::new();
        };
        let before = |at: usize| draft.before.as_ref().and_then(|row| row.get(at));
        let moved = |at: &usize| before(*at).unwrap_or(&Value::Null) != &draft.row[*at];
        if !draft.is_new() && !columns.iter().any(moved) {
            return Vec::new();
        }
        let wanted: Option<Vec<String>> = columns
            .iter()
            .map(|&at| comparable(&draft.row[at]))
            .collect();
        let Some(wanted) = wanted else {
            return Vec::new();
        };
        let table = &self.tables[draft.object];
        let same = |slot: Slot| {
            let mut pairs = columns.iter().zip(&wanted);
            pairs.all(|(&at, wanted)| comparable(table.value(slot, at)).as_ref() == Some(wanted))
        };
        table
            .slots()
            .map(|(slot, _)| slot)
            .filter(|&slot| Some(slot) != draft.slot && !table.is_deleted(slot) && same(slot))
            .filter(|&slot| self.visible(viewer, draft.object, slot))
            .take(MATCHES_MAX)
            .map(|slot| table.id(slot).to_owned())
            .collect()
    }
}

/// The form in which values of a rule are compared; `None` of nothing.
fn comparable(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Text(text) => Some(text.trim().to_lowercase()),
        other => Some(format!("{other:?}")),
    }
}
