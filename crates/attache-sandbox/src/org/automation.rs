//! Triggers and flows that a test, a host or a file of rules adds to an org.

use super::rules::Fields;
use super::save::{Draft, one};
use super::{Org, SaveError, Slot};
use crate::value::Value;
use std::fmt;
use std::sync::Arc;

/// Triggers that may start each other at most.
const DEPTH_MAX: usize = 16;

type Before = dyn Fn(&mut Saving<'_, '_>) -> Result<(), SaveError> + Send + Sync;
type After = dyn Fn(&mut Org, &Saved) -> Result<(), SaveError> + Send + Sync;

/// A row that is about to be saved, for a trigger that may change it.
pub struct Saving<'a, 'b>(&'a mut Fields<'b>);

impl Saving<'_, '_> {
    /// Gives a field's value; null for a field there is none of.
    pub fn get(&self, field: &str) -> &Value {
        self.0.get(field)
    }

    /// Says whether this save gives a field another value than it had.
    pub fn changes(&self, field: &str) -> bool {
        self.0.changes(field)
    }

    /// Says whether the row is created.
    pub fn is_new(&self) -> bool {
        self.0.is_new()
    }

    /// Sets a field. One there is none of is left.
    pub fn set(&mut self, field: &str, value: Value) {
        self.0.set(field, value);
    }
}

/// A row that was saved and is not committed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Id of the user who saved it.
    pub actor: String,
    /// The object's API name.
    pub object: String,
    /// 18-character id.
    pub id: String,
    /// It was created, not changed.
    pub created: bool,
}

/// The triggers of an org.
#[derive(Clone, Default)]
pub(super) struct Automation {
    before: Vec<(String, Arc<Before>)>,
    after: Vec<(String, Arc<After>)>,
    depth: usize,
}

impl fmt::Debug for Automation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |it: Vec<&String>| it.into_iter().cloned().collect::<Vec<_>>();
        f.debug_struct("Automation")
            .field(
                "before",
                &names(self.before.iter().map(|(of, _)| of).collect()),
            )
            .field(
                "after",
                &names(self.after.iter().map(|(of, _)| of).collect()),
            )
            .finish()
    }
}

impl Org {
    /// Adds a trigger that runs before rows of an object are written, after those that the org has.
    ///
    /// An error refuses the row; its code is the trigger's to choose, that of an Apex trigger being
    /// `CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY`.
    pub fn before_save(
        &mut self,
        object: &str,
        trigger: impl Fn(&mut Saving<'_, '_>) -> Result<(), SaveError> + Send + Sync + 'static,
    ) {
        let trigger: Arc<Before> = Arc::new(trigger);
        self.automation.before.push((object.to_owned(), trigger));
    }

    /// Adds a trigger that runs after rows of an object were written, in the same transaction.
    ///
    /// It may write other rows, and the same one. An error takes everything back.
    pub fn after_save(
        &mut self,
        object: &str,
        trigger: impl Fn(&mut Org, &Saved) -> Result<(), SaveError> + Send + Sync + 'static,
    ) {
        let trigger: Arc<After> = Arc::new(trigger);
        self.automation.after.push((object.to_owned(), trigger));
    }

    /// Lets the added triggers change a draft.
    pub(super) fn run_added_before(&self, draft: &mut Draft) -> Result<(), Vec<SaveError>> {
        let name = self.schema.objects()[draft.object].name.as_str();
        let of_object = self.automation.before.iter();
        for (_, trigger) in of_object.filter(|(of, _)| of.eq_ignore_ascii_case(name)) {
            trigger(&mut Saving(&mut self.fields_of(draft))).map_err(one)?;
        }
        Ok(())
    }

    /// Runs the added triggers that follow a write.
    pub(super) fn run_added_after(
        &mut self,
        actor: &str,
        object: usize,
        slot: Slot,
        created: bool,
    ) -> Result<(), SaveError> {
        let name = self.schema.objects()[object].name.clone();
        let of_object = self.automation.after.iter();
        let triggers: Vec<Arc<After>> = of_object
            .filter(|(of, _)| of.eq_ignore_ascii_case(&name))
            .map(|(_, trigger)| Arc::clone(trigger))
            .collect();
        if triggers.is_empty() {
            return Ok(());
        }
        if self.automation.depth == DEPTH_MAX {
            let message = format!("{name}: maximum trigger depth exceeded");
            return Err(SaveError::new(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                message,
            ));
        }
        let saved = Saved {
            actor: actor.to_owned(),
            object: name,
            id: self.tables[object].id(slot).to_owned(),
            created,
        };
        self.automation.depth += 1;
        let outcome = triggers
            .iter()
            .try_for_each(|trigger| trigger(self, &saved));
        self.automation.depth -= 1;
        outcome
    }
}
