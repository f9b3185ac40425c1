//! Deleting a row, what hangs on it, and bringing both back.

use super::replicate::DeleteEntry;
use super::save::{no_access, one};
use super::{Org, SaveError, Slot, key};
use crate::id;
use crate::schema::FieldKind;
use crate::value::Value;
use indexmap::IndexSet;

/// What becomes of a row when the row its lookup names is deleted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Deleted,
    Keeps,
    Loses,
}

impl Org {
    /// Moves a row and what belongs to it to the recycle bin.
    ///
    /// Rows of lookups that cascade go too, other lookups are emptied, all with
    /// one stamp. The row's children that the user may not see go with it.
    pub fn delete(&mut self, actor: &str, object: &str, id: &str) -> Result<(), Vec<SaveError>> {
        let viewer = self.viewer(actor);
        let (object, slot) = self.reach(&viewer, object, id).map_err(one)?;
        if !self.schema.objects()[object].deletable {
            let message = format!(
                "entity type is not deletable: {}",
                self.schema.objects()[object].label
            );
            return Err(one(SaveError::new(
                "INSUFFICIENT_ACCESS_OR_READONLY",
                message,
            )
            .with_status(403)));
        }
        if !self.access(&viewer, object).delete || !self.removable(&viewer, object, slot) {
            return Err(one(no_access()));
        }
        self.check_approval(&viewer, object, slot).map_err(one)?;
        let group = self.atomically(|org| {
            let mut group = IndexSet::new();
            org.delete_with_children(actor, object, slot, &mut group)
                .map_err(one)?;
            Ok::<_, Vec<SaveError>>(group)
        })?;
        self.delete_log
            .remember_group((object, slot), group.into_iter().collect());
        Ok(())
    }

    fn delete_with_children(
        &mut self,
        actor: &str,
        object: usize,
        slot: Slot,
        group: &mut IndexSet<(usize, Slot)>,
    ) -> Result<(), SaveError> {
        self.check_lock(object, slot)?;
        group.insert((object, slot));
        for (child, field, fate) in self.lookups_to(object) {
            for at in self.living_children(child, field, object, slot) {
                if group.contains(&(child, at)) {
                    continue;
                }
                match fate {
                    Fate::Deleted => self.delete_with_children(actor, child, at, group)?,
                    Fate::Keeps => return Err(self.held_by(object, slot, child)),
                    Fate::Loses => self.empty_lookup(child, at, field)?,
                }
            }
        }
        self.mark(actor, object, slot, true);
        let at = self.now;
        self.log_deletion(object, DeleteEntry { slot, at });
        Ok(())
    }

    /// Lists the lookups that may name a row of an object.
    fn lookups_to(&self, object: usize) -> Vec<(usize, usize, Fate)> {
        let name = &self.schema.objects()[object].name;
        let mut found = Vec::new();
        for (child, definition) in self.schema.objects().iter().enumerate() {
            for &field in &self.tables[child].columns.references {
                let lookup = &definition.fields[field];
                if lookup.kind == FieldKind::Reference && lookup.reference_to.contains(name) {
                    let fate = match (
                        lookup.restricted_delete,
                        lookup.cascade_delete,
                        lookup.nillable,
                    ) {
                        (true, _, _) => Fate::Keeps,
                        (_, true, _) => Fate::Deleted,
                        (_, _, true) => Fate::Loses,
                        (_, _, false) => continue,
                    };
                    found.push((child, field, fate));
                }
            }
        }
        found
    }

    pub(super) fn living_children(
        &self,
        child: usize,
        field: usize,
        object: usize,
        slot: Slot,
    ) -> Vec<Slot> {
        let Some(target) = key(self.tables[object].id(slot)) else {
            return Vec::new();
        };
        let table = &self.tables[child];
        table
            .children(field, target)
            .filter(|&at| !table.is_deleted(at))
            .collect()
    }

    fn held_by(&self, object: usize, slot: Slot, child: usize) -> SaveError {
        let message = format!(
            "Your attempt to delete {} could not be completed because it is associated with the following {}.",
            self.tables[object].id(slot),
            self.schema.objects()[child].label_plural.to_lowercase()
        );
        SaveError::new("DELETE_FAILED", message)
    }

    fn empty_lookup(&mut self, object: usize, slot: Slot, field: usize) -> Result<(), SaveError> {
        self.check_lock(object, slot)?;
        let Some(mut row) = self.whole_row(object, slot) else {
            return Ok(());
        };
        row[field] = Value::Null;
        self.stamp_system(object, &mut row);
        if let Some(at) = self.tables[object].columns.modified
            && self.config.switches.lookup_nulling_moves_last_modified
        {
            row[at] = Value::DateTime(self.now);
        }
        self.replace_row(object, slot, row.into());
        Ok(())
    }

    /// Sets `IsDeleted` and the stamps that go with it.
    pub(super) fn mark(&mut self, actor: &str, object: usize, slot: Slot, deleted: bool) {
        let Some(mut row) = self.whole_row(object, slot) else {
            return;
        };
        let columns = &self.tables[object].columns;
        let actor = id::parse(actor).map_or(Value::Null, Value::text);
        let changes = [
            (columns.is_deleted, Value::Bool(deleted)),
            (columns.modified, Value::DateTime(self.now)),
            (columns.modified_by, actor),
        ];
        for (column, value) in changes {
            if let Some(at) = column {
                row[at] = value;
            }
        }
        self.stamp_system(object, &mut row);
        self.replace_row(object, slot, row.into());
    }

    /// Brings a row back from the recycle bin, with the rows its deletion took along.
    ///
    /// Lookups that were emptied stay empty.
    pub fn undelete(&mut self, actor: &str, object: &str, id: &str) -> Result<(), Vec<SaveError>> {
        let viewer = self.viewer(actor);
        let object = self.object(object).map_err(one)?;
        let found = id::parse(id).and_then(|id| self.tables[object].find(&key(&id)?));
        let slot = found
            .filter(|&slot| self.visible(&viewer, object, slot) && !self.is_purged(object, slot))
            .ok_or_else(|| one(SaveError::not_found()))?;
        if !self.tables[object].is_deleted(slot) {
            let message = format!("Entity is not in the recycle bin: {id}");
            return Err(one(SaveError::new("UNDELETE_FAILED", message)));
        }
        if !self.removable(&viewer, object, slot) {
            return Err(one(no_access()));
        }
        if self.owner_row_is_deleted(object, slot) {
            return Err(one(SaveError::deleted()));
        }
        let group = self.delete_log.group((object, slot));
        self.atomically(|org| {
            for (object, slot) in group.into_iter().rev() {
                if org.tables[object].is_deleted(slot) {
                    org.restore(actor, object, slot).map_err(one)?;
                }
            }
            Ok(())
        })
    }

    fn restore(&mut self, actor: &str, object: usize, slot: Slot) -> Result<(), SaveError> {
        if let Some(error) = self.taken_meanwhile(object, slot) {
            return Err(error);
        }
        self.mark(actor, object, slot, false);
        if !self.config.switches.restored_rows_stay_in_delete_log {
            self.unlog_deletion(object, slot);
        }
        Ok(())
    }

    /// Says whether a row that this one would be deleted with is deleted.
    fn owner_row_is_deleted(&self, object: usize, slot: Slot) -> bool {
        let definition = &self.schema.objects()[object];
        let table = &self.tables[object];
        table
            .columns
            .references
            .iter()
            .filter(|&&at| definition.fields[at].cascade_delete)
            .any(|&at| {
                let parent = table
                    .value(slot, at)
                    .as_text()
                    .and_then(|id| self.locate(id));
                parent.is_some_and(|(parent, at)| self.tables[parent].is_deleted(at))
            })
    }

    /// Finds a living row that took a unique value of a deleted one.
    fn taken_meanwhile(&self, object: usize, slot: Slot) -> Option<SaveError> {
        let (table, definition) = (&self.tables[object], &self.schema.objects()[object]);
        table
            .columns
            .keys
            .iter()
            .filter(|&&at| definition.fields[at].unique)
            .find_map(|&at| {
                let value = super::table::folded(definition, at, table.value(slot, at))?;
                let twin = table
                    .keyed(at, &value)
                    .iter()
                    .find(|&&other| other != slot && !table.is_deleted(other))?;
                let name = &definition.fields[at].name;
                let message = format!(
                    "duplicate value found: {name} duplicates value on record with id: {}",
                    &table.id(*twin)[..15]
                );
                Some(SaveError::field("DUPLICATE_VALUE", name, message))
            })
    }

    /// Says whether a deleted row left the recycle bin for good.
    pub(crate) fn is_purged(&self, object: usize, slot: Slot) -> bool {
        let table = &self.tables[object];
        let deleted_at = match table.columns.stamp.map(|at| table.value(slot, at)) {
            Some(Value::DateTime(at)) => *at,
            _ => i64::MAX,
        };
        table.is_deleted(slot) && deleted_at < self.now - self.config.switches.recycle_bin_seconds
    }
}
