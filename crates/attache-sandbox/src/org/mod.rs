//! The org itself: rows, and what happens to them when somebody saves, deletes or asks.
//!
//! [`Org`] is a pure state machine. It reads no clock (the caller sets
//! [`Org::set_now`] before each request) and draws no random numbers, so the same
//! calls always give the same org.
//!
//! A write goes through one pipeline, in `save`: `input` turns JSON into values,
//! `check` compares them with the schema, `rules` runs the automation, and
//! `journal` writes the row so that it can be taken back.

mod access;
mod approval;
mod assignment;
mod automation;
mod check;
mod config;
mod coverage;
mod defaults;
mod delete;
mod duplicates;
mod error;
mod evolve;
mod files;
mod forms;
mod formula;
mod held;
mod history;
mod input;
mod journal;
mod merge;
mod named_parent;
mod people;
mod query;
mod record_types;
mod replicate;
mod roles;
mod roll_up;
mod row;
mod rule_file;
mod rules;
mod save;
mod shares;
mod sharing;
mod size;
mod table;
pub(crate) mod time;
mod view;
mod views;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use access::Access;
pub use assignment::{AssignmentRule, AutoAssign};
pub use automation::{Saved, Saving};
pub use config::{OrgConfig, Switches};
pub use defaults::OrgWide;
pub use duplicates::{DuplicateAction, DuplicateRule, Duplicates};
pub use error::SaveError;
pub use forms::{LayoutDef, LayoutItem, LayoutSection, ListCondition, ListViewDef};
pub use journal::Savepoint;
pub use merge::Converted;
pub use query::Cursor;
pub use replicate::Deleted;
pub use roll_up::{RollUp, Summary};
pub use save::{Input, UpsertFailure, Upserted};
pub use sharing::Rights;
pub use view::RowView;

pub(crate) use people::Viewer;
pub(crate) use row::Row;
pub(crate) use table::{IdKey, Slot, Table, folded, key};
pub(crate) use view::{write_text, write_value};

use crate::schema::Schema;
use crate::value::Value;
use held::Held;
use journal::Journal;
use replicate::DeleteLog;
use sharing::Sharing;
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

/// A Salesforce-like org: a schema, its rows and its rules.
///
/// A user is named by id in every call, and sees and changes only what sharing
/// allows. Ids are accepted with 15 or 18 characters and given with 18.
#[derive(Debug)]
pub struct Org {
    schema: Schema,
    config: OrgConfig,
    now: i64,
    tables: Vec<Table>,
    journal: Journal,
    sharing: Sharing,
    delete_log: DeleteLog,
    held: Vec<Held>,
    views: views::Views,
    forms: forms::Forms,
    bodies: files::Bodies,
    duplicate_rules: Vec<DuplicateRule>,
    /// The write at hand is to be saved although it may be a duplicate.
    allows_duplicates: bool,
    automation: automation::Automation,
    assignments: Vec<assignment::Assignment>,
    /// What the write at hand asks of them.
    auto_assign: AutoAssign,
    /// Rows that wait for an approval.
    in_approval: BTreeSet<(usize, Slot)>,
    roll_ups: Vec<roll_up::Known>,
    /// Objects whose history is kept.
    tracked: Vec<history::Tracked>,
}

impl Org {
    /// Makes an org without rows, at the epoch.
    pub fn new(schema: Schema, config: OrgConfig) -> Org {
        let mut org = Org {
            schema,
            config,
            now: 0,
            tables: Vec::new(),
            roll_ups: Vec::new(),
            journal: Journal::default(),
            sharing: Sharing::default(),
            delete_log: DeleteLog::default(),
            held: Vec::new(),
            views: views::Views::default(),
            forms: forms::Forms::default(),
            bodies: files::Bodies::default(),
            duplicate_rules: Vec::new(),
            allows_duplicates: false,
            automation: automation::Automation::default(),
            assignments: Vec::new(),
            auto_assign: AutoAssign::default(),
            in_approval: BTreeSet::new(),
            tracked: Vec::new(),
        };
        org.refresh();
        org
    }

    /// Gives the schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Gives the schema for a change; the org takes notice when the guard is dropped.
    ///
    /// Objects and fields may be added, and fields altered where they stand. Costs
    /// a pass over the rows of an object that gained a lookup or a unique field.
    pub fn schema_mut(&mut self) -> SchemaMut<'_> {
        SchemaMut(self)
    }

    /// Gives the settings.
    pub fn config(&self) -> &OrgConfig {
        &self.config
    }

    /// Gives the settings for a change.
    pub fn config_mut(&mut self) -> &mut OrgConfig {
        &mut self.config
    }

    /// Tells the time, in seconds since the epoch.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Sets the time, in seconds since the epoch. Transactions of [`Org::hold_open`] that are due commit.
    pub fn set_now(&mut self, epoch_seconds: i64) {
        self.now = epoch_seconds;
        self.commit_due();
    }

    /// Adds an existing row as it is: no defaults, no rules, no stamps.
    ///
    /// `row` holds a value for each field of the object with index `object`, in
    /// order. Fails if the row has no id, or one that is taken.
    pub fn put(&mut self, object: usize, row: Vec<Value>) -> Result<(), String> {
        let definition = self
            .schema
            .objects()
            .get(object)
            .ok_or_else(|| format!("there is no object {object}"))?;
        self.tables[object]
            .insert(definition, row.into())
            .map(|_| ())
    }

    /// Counts the rows of an object that are not deleted, whoever may see them. Costs a pass over them.
    pub fn count(&self, object: &str) -> usize {
        let Some(table) = self.schema.index(object).map(|at| &self.tables[at]) else {
            return 0;
        };
        table
            .slots()
            .filter(|(slot, _)| !table.is_deleted(*slot))
            .count()
    }

    pub(crate) fn table(&self, object: usize) -> &Table {
        &self.tables[object]
    }

    /// Finds the object of a name, or words the refusal.
    fn object(&self, name: &str) -> Result<usize, SaveError> {
        self.schema.index(name).ok_or_else(SaveError::not_found)
    }

    /// Finds a row by its id, deleted or not.
    pub(crate) fn locate(&self, id: &str) -> Option<(usize, Slot)> {
        let prefix = id.get(..3)?;
        let object = self
            .schema
            .objects()
            .iter()
            .position(|object| object.key_prefix == prefix)?;
        Some((object, self.tables[object].find(&key(id)?)?))
    }

    /// Takes notice of a changed schema.
    fn refresh(&mut self) {
        self.tables
            .resize_with(self.schema.objects().len(), Table::default);
        for (table, object) in self.tables.iter_mut().zip(self.schema.objects()) {
            table.refresh(object);
        }
        self.sharing.refresh(&self.schema);
    }
}

/// The schema of an org, open for a change.
#[derive(Debug)]
pub struct SchemaMut<'a>(&'a mut Org);

impl Deref for SchemaMut<'_> {
    type Target = Schema;

    fn deref(&self) -> &Schema {
        &self.0.schema
    }
}

impl DerefMut for SchemaMut<'_> {
    fn deref_mut(&mut self) -> &mut Schema {
        &mut self.0.schema
    }
}

impl Drop for SchemaMut<'_> {
    fn drop(&mut self) {
        self.0.refresh();
    }
}
