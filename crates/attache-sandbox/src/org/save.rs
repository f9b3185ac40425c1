//! Saving a row: one pipeline for creates and updates.

use super::row::Row;
use super::table::folded;
use super::{Org, SaveError, Slot, Viewer, check, input, key, record_types};
use crate::id;
use crate::schema::FieldKind;
use crate::value::Value;
use serde_json::value::RawValue;

/// The fields of a write as they came, in order; numbers stay text, because money is exact.
pub type Input = [(String, Box<RawValue>)];

/// What an upsert did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upserted {
    /// 18-character id of the row.
    pub id: String,
    /// A row was created, not changed.
    pub created: bool,
}

/// Why an upsert did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpsertFailure {
    /// Several rows carry the key: their ids.
    Multiple(Vec<String>),
    /// The row was refused.
    Errors(Vec<SaveError>),
}

impl From<Vec<SaveError>> for UpsertFailure {
    fn from(errors: Vec<SaveError>) -> UpsertFailure {
        UpsertFailure::Errors(errors)
    }
}

/// A row on its way through the pipeline.
#[derive(Debug)]
pub(super) struct Draft {
    pub object: usize,
    /// Where the row stands, if it exists.
    pub slot: Option<Slot>,
    pub before: Option<Row>,
    pub row: Vec<Value>,
    /// The fields the client gave.
    pub touched: Vec<usize>,
}

impl Draft {
    pub(super) fn is_new(&self) -> bool {
        self.slot.is_none()
    }

    /// Says whether the client gave a field another value than it had.
    pub(super) fn moves(&self, field: usize) -> bool {
        let before = self
            .before
            .as_ref()
            .and_then(|row| row.get(field))
            .unwrap_or(&Value::Null);
        self.touched.contains(&field) && *before != self.row[field]
    }
}

impl Org {
    /// Creates a row and gives its 18-character id.
    pub fn create(
        &mut self,
        actor: &str,
        object: &str,
        fields: &Input,
    ) -> Result<String, Vec<SaveError>> {
        if object.eq_ignore_ascii_case(super::files::VERSION) {
            return self.create_file_of_json(actor, fields);
        }
        let object = self.object_for(actor, object).map_err(one)?;
        let definition = &self.schema.objects()[object];
        let viewer = self.viewer(actor);
        if self.is_setup(object) && !viewer.rights.modify_all {
            return Err(one(no_access()));
        }
        if !definition.createable || !self.access(&viewer, object).create {
            let message = format!("entity type cannot be inserted: {}", definition.label);
            return Err(one(SaveError::new(
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                message,
            )));
        }
        let row = vec![Value::Null; definition.fields.len()];
        let draft = Draft {
            object,
            slot: None,
            before: None,
            row,
            touched: Vec::new(),
        };
        let slot = self.save(actor, draft, fields)?;
        Ok(self.tables[object].id(slot).to_owned())
    }

    /// Changes the given fields of a row.
    ///
    /// With `unmodified_since` (seconds since the epoch) a row that was modified
    /// later is left alone and the error has status 412.
    pub fn update(
        &mut self,
        actor: &str,
        object: &str,
        id: &str,
        fields: &Input,
        unmodified_since: Option<i64>,
    ) -> Result<(), Vec<SaveError>> {
        let viewer = self.viewer(actor);
        let (object, slot) = self.reach(&viewer, object, id).map_err(one)?;
        if unmodified_since.is_some_and(|since| self.precondition_stamp(object, slot) > since) {
            let message = "One or more preconditions given in the request headers failed";
            return Err(one(
                SaveError::new("PRECONDITION_FAILED", message).with_status(412)
            ));
        }
        let definition = &self.schema.objects()[object];
        let may = definition.updateable && self.access(&viewer, object).edit;
        if !may || !self.editable(&viewer, object, slot) {
            return Err(one(no_access()));
        }
        self.check_lock(object, slot).map_err(one)?;
        self.check_approval(&viewer, object, slot).map_err(one)?;
        if let Some(error) = self.converted_lead(object, slot) {
            return Err(one(error));
        }
        let before = self.tables[object].row(slot).cloned();
        let row = self.whole_row(object, slot).unwrap_or_default();
        let draft = Draft {
            object,
            slot: Some(slot),
            before,
            row,
            touched: Vec::new(),
        };
        self.save(actor, draft, fields).map(|_| ())
    }

    /// Creates the row with this key, or changes it if it exists.
    ///
    /// `key_field` is an external id, or `Id`. The key's text is read as a value
    /// of that field.
    pub fn upsert(
        &mut self,
        actor: &str,
        object: &str,
        key_field: &str,
        key: &str,
        fields: &Input,
    ) -> Result<Upserted, UpsertFailure> {
        let at = self.object(object).map_err(one)?;
        let definition = &self.schema.objects()[at];
        if key_field.eq_ignore_ascii_case("Id") {
            self.update(actor, object, key, fields, None)?;
            let id = id::parse(key).unwrap_or_default();
            return Ok(Upserted { id, created: false });
        }
        let field = definition
            .index(key_field)
            .filter(|&field| definition.fields[field].external_id);
        let Some(field) = field else {
            let message = format!(
                "Provided external ID field does not exist or is not accessible: {key_field}"
            );
            return Err(one(SaveError::new("NOT_FOUND", message).with_status(404)).into());
        };
        let name = definition.fields[field].name.clone();
        let text = serde_json::value::to_raw_value(key).map_err(|_| one(SaveError::not_found()))?;
        let value =
            input::read(&text, &definition.fields[field], &self.config.switches).map_err(one)?;
        let mut found = self.keyed_rows(actor, at, field, &value);
        match (found.pop(), found.is_empty()) {
            (Some(id), true) => {
                self.update(actor, object, &id, fields, None)?;
                Ok(Upserted { id, created: false })
            }
            (Some(id), false) => {
                found.push(id);
                Err(UpsertFailure::Multiple(found))
            }
            (None, _) => {
                let rest = fields
                    .iter()
                    .filter(|(field, _)| !field.eq_ignore_ascii_case(&name))
                    .cloned();
                let all: Vec<_> = rest.chain([(name.clone(), text)]).collect();
                Ok(Upserted {
                    id: self.create(actor, object, &all)?,
                    created: true,
                })
            }
        }
    }

    /// Finds the ids of visible rows by an external id.
    pub fn find_by_key(
        &self,
        actor: &str,
        object: &str,
        key_field: &str,
        key: &str,
    ) -> Result<Vec<String>, SaveError> {
        let at = self.object(object)?;
        let definition = &self.schema.objects()[at];
        let field = definition
            .index(key_field)
            .filter(|&field| definition.fields[field].external_id);
        let field = field.ok_or_else(|| {
            let message = format!(
                "Provided external ID field does not exist or is not accessible: {key_field}"
            );
            SaveError::new("NOT_FOUND", message).with_status(404)
        })?;
        let text = serde_json::value::to_raw_value(key).map_err(|_| SaveError::not_found())?;
        let value = input::read(&text, &definition.fields[field], &self.config.switches)?;
        Ok(self.keyed_rows(actor, at, field, &value))
    }

    fn keyed_rows(&self, actor: &str, object: usize, field: usize, value: &Value) -> Vec<String> {
        let (viewer, table) = (self.viewer(actor), &self.tables[object]);
        let Some(value) = folded(&self.schema.objects()[object], field, value) else {
            return Vec::new();
        };
        let rows = table.keyed(field, &value).iter();
        rows.filter(|&&slot| !table.is_deleted(slot) && self.visible(&viewer, object, slot))
            .map(|&slot| table.id(slot).to_owned())
            .collect()
    }

    /// Finds a row the user may see, or words why there is none.
    pub(super) fn reach(
        &self,
        viewer: &Viewer,
        object: &str,
        id: &str,
    ) -> Result<(usize, Slot), SaveError> {
        let object = self.known_object(viewer, object)?;
        let found = id::parse(id).and_then(|id| self.tables[object].find(&key(&id)?));
        let slot = found
            .filter(|&slot| self.visible(viewer, object, slot))
            .ok_or_else(SaveError::not_found)?;
        if self.is_purged(object, slot) {
            return Err(SaveError::not_found());
        }
        if self.tables[object].is_deleted(slot) {
            return Err(SaveError::deleted());
        }
        Ok((object, slot))
    }

    fn precondition_stamp(&self, object: usize, slot: Slot) -> i64 {
        let columns = &self.tables[object].columns;
        let column = match self.config.switches.precondition_reads_system_modstamp {
            true => columns.stamp,
            false => columns.modified,
        };
        match column.map(|at| self.tables[object].value(slot, at)) {
            Some(Value::DateTime(at)) => *at,
            _ => i64::MIN,
        }
    }

    /// Takes a draft through the pipeline; nothing is left behind when it is refused.
    fn save(
        &mut self,
        actor: &str,
        mut draft: Draft,
        fields: &Input,
    ) -> Result<Slot, Vec<SaveError>> {
        let viewer = self.viewer(actor);
        self.take_fields(&viewer, &mut draft, fields)?;
        let definition = &self.schema.objects()[draft.object];
        record_types::unname_master(&mut draft, definition);
        self.check_transfer(&viewer, &draft)?;
        self.check_share(&viewer, &draft)?;
        if draft.is_new() {
            self.fill_in(actor, &mut draft);
        }
        let rules_first = self.config.switches.validation_rules_first;
        if rules_first {
            self.run_before(&mut draft);
            self.run_added_before(&mut draft)?;
            refuse(self.check_duplicates(&viewer, &draft))?;
            refuse(self.validate(&mut draft))?;
        }
        refuse(check::values(
            &draft,
            &self.schema.objects()[draft.object],
            &self.config.switches,
        ))?;
        refuse(self.check_references(&viewer, &draft))?;
        if !rules_first {
            self.run_before(&mut draft);
            self.run_added_before(&mut draft)?;
            refuse(self.check_duplicates(&viewer, &draft))?;
            refuse(self.validate(&mut draft))?;
        }
        refuse(self.check_unique(&draft))?;
        self.atomically(|org| {
            let slot = org.write(actor, draft)?;
            Ok(slot)
        })
    }

    /// Reads the client's fields into the draft, or lists the ones that cannot be written.
    pub(super) fn take_fields(
        &self,
        viewer: &Viewer,
        draft: &mut Draft,
        fields: &Input,
    ) -> Result<(), Vec<SaveError>> {
        let definition = &self.schema.objects()[draft.object];
        let mut locked = Vec::new();
        for (name, raw) in fields {
            if name == "attributes" {
                continue;
            }
            let known = definition
                .index(name)
                .filter(|&at| self.readable(viewer, draft.object, at));
            let Some(at) = known else {
                let (at, value) = self
                    .by_external_id(viewer, definition, name, raw)
                    .map_err(one)?;
                draft.row[at] = value;
                draft.touched.push(at);
                continue;
            };
            let field = &definition.fields[at];
            let writable = if draft.is_new() {
                field.createable
            } else {
                field.updateable
            };
            if !writable {
                locked.push(field.name.clone());
                continue;
            }
            draft.row[at] = input::read(raw, field, &self.config.switches).map_err(one)?;
            if !draft.touched.contains(&at) {
                draft.touched.push(at);
            }
        }
        if locked.is_empty() {
            return Ok(());
        }
        let message = format!(
            "Unable to create/update fields: {}. Please check the security settings of this field and verify that it \
             is read/write for your profile or permission set.",
            locked.join(", ")
        );
        Err(one(SaveError {
            fields: locked,
            ..SaveError::new("INVALID_FIELD_FOR_INSERT_UPDATE", message)
        }))
    }

    /// Refuses a change of owner by somebody who may only edit.
    fn check_transfer(&self, viewer: &Viewer, draft: &Draft) -> Result<(), Vec<SaveError>> {
        let (Some(owner), Some(slot)) = (self.tables[draft.object].columns.owner, draft.slot)
        else {
            return Ok(());
        };
        let moved = draft.touched.contains(&owner)
            && draft.row[owner] != *self.tables[draft.object].value(slot, owner);
        if moved && !self.removable(viewer, draft.object, slot) {
            return Err(one(no_access()));
        }
        Ok(())
    }

    /// Gives a new row what the client left out: its id, defaults, numbers and name.
    pub(super) fn fill_in(&mut self, actor: &str, draft: &mut Draft) {
        let definition = &self.schema.objects()[draft.object];
        let id = self.tables[draft.object].next_id(&definition.key_prefix);
        record_types::fill_in(draft, definition);
        for (at, field) in definition.fields.iter().enumerate() {
            if draft.row[at].is_null() && !draft.touched.contains(&at) && field.formula.is_none() {
                let entry = field.picklist.iter().find(|entry| entry.default);
                draft.row[at] = match (&field.default, entry) {
                    (Some(value), _) => value.clone(),
                    (None, Some(entry)) if field.createable => Value::text(&entry.value),
                    _ if field.kind == FieldKind::Boolean => Value::Bool(false),
                    _ => continue,
                };
            }
        }
        let columns = self.tables[draft.object].columns.clone();
        draft.row[columns.id] = Value::text(&id);
        if let Some(owner) = columns.owner.filter(|&at| draft.row[at].is_null()) {
            draft.row[owner] = id::parse(actor).map_or(Value::Null, Value::text);
        }
        let (mut numbered, mut named) = (None, None);
        for (at, field) in definition.fields.iter().enumerate() {
            if let Some(format) = &field.auto_number {
                numbered = Some((at, format.clone()));
            } else if field.name_field && definition.custom && draft.row[at].is_null() {
                named = Some(at);
            }
        }
        if let Some((at, format)) = numbered {
            let number = self.tables[draft.object].next_number();
            draft.row[at] = Value::text(auto_number(&format, number));
        }
        if let Some(at) = named {
            draft.row[at] = Value::text(&id[..15]);
        }
    }

    /// Refuses to write a row while a transaction holds one that it belongs to.
    fn check_parent_locks(&self, draft: &Draft) -> Result<(), SaveError> {
        if !self.config.switches.writes_lock_parents {
            return Ok(());
        }
        let definition = &self.schema.objects()[draft.object];
        for &at in &self.tables[draft.object].columns.references {
            let owns = definition.fields[at].cascade_delete;
            let parent = draft.row[at].as_text().and_then(|id| self.locate(id));
            if let Some((object, slot)) = parent.filter(|_| owns) {
                self.check_lock(object, slot)?;
            }
        }
        Ok(())
    }

    /// Stamps and writes a checked draft, and runs what follows a write.
    pub(super) fn write(&mut self, actor: &str, draft: Draft) -> Result<Slot, Vec<SaveError>> {
        self.check_parent_locks(&draft).map_err(one)?;
        let created = draft.is_new();
        let Draft {
            object,
            slot,
            before,
            mut row,
            ..
        } = draft;
        let columns = &self.tables[object].columns;
        let (now, saver) = (
            Value::DateTime(self.now),
            id::parse(actor).map_or(Value::Null, Value::text),
        );
        let mut set = |column: Option<usize>, value: &Value| {
            if let Some(at) = column {
                row[at] = value.clone();
            }
        };
        if slot.is_none() {
            set(columns.created, &now);
            set(columns.created_by, &saver);
        }
        set(columns.modified, &now);
        set(columns.modified_by, &saver);
        self.stamp_system(object, &mut row);
        let slot = match slot {
            Some(slot) => {
                self.replace_row(object, slot, row.into());
                slot
            }
            None => self.insert_row(object, row.into()).map_err(|message| {
                one(SaveError::new("UNKNOWN_EXCEPTION", message).with_status(500))
            })?,
        };
        self.keep_history(actor, object, slot, before.as_ref())
            .map_err(one)?;
        self.end_shares_if_transferred(actor, object, slot, before.as_ref());
        self.run_after(object, slot).map_err(one)?;
        self.run_added_after(actor, object, slot, created)
            .map_err(one)?;
        self.assign(actor, object, slot, created)?;
        Ok(slot)
    }

    /// Moves a row's `SystemModstamp` to now; it never goes back.
    pub(super) fn stamp_system(&self, object: usize, row: &mut [Value]) {
        if let Some(at) = self.tables[object].columns.stamp {
            let before = match row[at] {
                Value::DateTime(before) => before,
                _ => i64::MIN,
            };
            row[at] = Value::DateTime(before.max(self.now));
        }
    }

    /// Touches a row as the platform's own jobs do: only `SystemModstamp` moves. One that a transaction holds is left.
    pub fn touch(&mut self, object: &str, id: &str) {
        let found = self
            .schema
            .index(object)
            .and_then(|at| Some((at, self.tables[at].find(&key(id)?)?)));
        let Some((object, slot)) = found else { return };
        if self.check_lock(object, slot).is_err() {
            return;
        }
        if let Some(mut row) = self.whole_row(object, slot) {
            self.stamp_system(object, &mut row);
            self.replace_row(object, slot, row.into());
        }
    }

    /// Copies a row, as long as the object has fields.
    pub(super) fn whole_row(&self, object: usize, slot: Slot) -> Option<Vec<Value>> {
        let row = self.tables[object]
            .row(slot)?
            .to_vec(self.schema.objects()[object].fields.len());
        Some(row)
    }
}

/// Writes a number the way a format such as `V-{00000}` asks.
fn auto_number(format: &str, number: u64) -> String {
    match (format.find('{'), format.find('}')) {
        (Some(open), Some(close)) if open < close => {
            let width = close - open - 1;
            format!(
                "{}{number:0width$}{}",
                &format[..open],
                &format[close + 1..]
            )
        }
        _ => format!("{format}{number}"),
    }
}

pub(super) fn no_access() -> SaveError {
    let message = "insufficient access rights on object id";
    SaveError::new("INSUFFICIENT_ACCESS_OR_READONLY", message).with_status(403)
}

pub(super) fn one(error: SaveError) -> Vec<SaveError> {
    vec![error]
}

fn refuse(errors: Vec<SaveError>) -> Result<(), Vec<SaveError>> {
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}
