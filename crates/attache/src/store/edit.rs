//! Edits of a host: each changes the row and the journal in one transaction.

use super::checked::{Given, default_of};
use super::conflict::client_key;
use super::journal::NewEntry;
use super::rows::{Place, Row};
use super::standing::Standing;
use super::{Entry, Reading, State, Table, Writing};
use crate::env::LocalTime;
use crate::error::{Error, ErrorKind, Result};
use crate::journal_states::Event;
use crate::merge;
use crate::outcome::{JournalSeq, MutationKind};
use crate::record::{Fields, RecordId, Value, is_local, not_found};
use crate::schema::ObjectSchema;
use std::sync::Arc;

/// When and in which changeset an edit is made.
#[derive(Clone, Copy)]
pub(crate) struct Stamp {
    pub changeset: i64,
    pub now: LocalTime,
}

impl Writing<'_> {
    /// Creates a record under a local key.
    pub(crate) fn create_record<'g>(
        &self,
        object: &str,
        given: impl Into<Given<'g>>,
        key: &RecordId,
        stamp: Stamp,
    ) -> Result<()> {
        let table = self.carried(object)?;
        let fields = self.checked_create(&table, given.into())?;
        let values = table.values(&self.shown_when_created(&table, &fields, key.as_str())?);
        self.insert_row(
            &table,
            &Row {
                values,
                rules: 0,
                key: Some(key.as_str().to_owned()),
            },
        )?;
        self.append(&NewEntry {
            changeset: stamp.changeset,
            object: &table.object.name,
            record: key.as_str(),
            kind: MutationKind::Create,
            fields: &fields,
            client_key: Some(client_key(key)),
            made_at: stamp.now,
        })?;
        Ok(())
    }

    /// Puts an empty record in the place of one whose fields are wrong, in a transaction that will be taken back.
    pub(crate) fn stand_in(&self, object: &str, key: &RecordId, stamp: Stamp) -> Result<()> {
        let table = self.carried(object)?;
        let fields = Fields::new();
        let values = table.values(&self.shown_when_created(&table, &fields, key.as_str())?);
        let key = key.as_str();
        let row = Row {
            values,
            rules: 0,
            key: Some(key.to_owned()),
        };
        self.insert_row(&table, &row)?;
        self.append(&NewEntry {
            changeset: stamp.changeset,
            object: &table.object.name,
            record: key,
            kind: MutationKind::Create,
            fields: &fields,
            client_key: None,
            made_at: stamp.now,
        })?;
        Ok(())
    }

    /// What a new record shows until the server has completed it.
    pub(super) fn shown_when_created(
        &self,
        table: &Table,
        fields: &Fields,
        id: &str,
    ) -> Result<Fields> {
        let mut shown = self.assumed(table, fields)?;
        for (name, value) in fields.iter() {
            shown.set(name, value.clone());
        }
        shown.set("Id", id);
        name_person(&table.object, &mut shown);
        Ok(shown)
    }

    fn assumed(&self, table: &Table, fields: &Fields) -> Result<Fields> {
        let mut assumed = Fields::new();
        for field in &table.object.fields {
            if let Some(value) = default_of(field) {
                assumed.set(field.name.as_str(), value);
            }
        }
        if !fields.contains("OwnerId")
            && let Some(user) = self.reading().setting("user_id")?
            && table.place("OwnerId").is_some()
        {
            assumed.set("OwnerId", user);
        }
        Ok(assumed)
    }

    /// Changes fields of a record.
    pub(crate) fn update_record<'g>(
        &self,
        id: &RecordId,
        given: impl Into<Given<'g>>,
        stamp: Stamp,
    ) -> Result<()> {
        let given = given.into();
        let Standing {
            table,
            current,
            before,
            unkept,
            is_held_up,
        } = self
            .reading()
            .standing(id, given.fields)?
            .ok_or_else(|| not_found(id))?;
        let mut fields = self.checked_update(&table, &current, &before, given)?;
        // A value that is already there is not an edit.
        let same: Vec<String> = fields
            .iter()
            .filter(|(name, value)| {
                let ty = table.object.field(name).map(|field| &field.field_type);
                before
                    .get(name)
                    .zip(ty)
                    .is_some_and(|(old, ty)| merge::same(ty, old, value))
            })
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in same {
            fields.remove(&name);
        }
        if fields.is_empty() {
            return Ok(());
        }
        if let Some(row) = unkept {
            self.store_row_as_base(&table, &current, &row)?;
        }
        let mut shown = fields.clone();
        let part = |name: &str| fields.get(name).or_else(|| before.get(name));
        if let Some((name, whole)) = person_name(&table.object, part) {
            shown.set(name, whole);
        }
        // A column that is set has its indexes written anew, be its value the same.
        let changed: Fields = shown
            .into_iter()
            .filter(|(name, value)| before.get(name) != Some(value))
            .collect();
        self.set_fields(&table, &current, &changed)?;
        self.append(&NewEntry {
            changeset: stamp.changeset,
            object: &table.object.name,
            record: &current,
            kind: MutationKind::Update,
            fields: &fields,
            client_key: None,
            made_at: stamp.now,
        })?;
        if is_held_up {
            self.revive(&current)?;
        }
        Ok(())
    }

    /// Deletes a record. One that the server never saw is dropped with its journal.
    pub(crate) fn delete_record(&self, id: &RecordId, stamp: Stamp) -> Result<()> {
        let reading = self.reading();
        let (Place { table, id: current }, row) = reading.find(id)?.ok_or_else(|| not_found(id))?;
        if !table.object.deletable {
            return Err(Error::invalid(format!(
                "records of {} cannot be deleted",
                table.object.name
            )));
        }
        let entries = reading.entries_of(&current)?;
        // Its edits may all have been refused before the conflict began.
        if entries.iter().any(|entry| entry.state == State::Conflicted)
            || reading.is_in_dispute(&current, &entries)?
        {
            return Err(Error::invalid(format!(
                "record {id} is in a conflict: resolve it first"
            )));
        }
        if is_local(&current) {
            let on_the_wire = entries
                .iter()
                .any(|entry| matches!(entry.state, State::Sending | State::InDoubt));
            if on_the_wire {
                return Err(Error::invalid(format!(
                    "record {id} was sent and not answered: the next sync finds out what became of it, then it can be deleted"
                )));
            }
            return self.drop_created(&table, &current);
        }
        self.unhang(&current)?;
        self.keep_base(&table, &current, &row)?;
        self.keep_membership(&current, &row)?;
        self.delete_row(&table, &current)?;
        self.append(&NewEntry {
            changeset: stamp.changeset,
            object: &table.object.name,
            record: &current,
            kind: MutationKind::Delete,
            fields: &Fields::new(),
            client_key: None,
            made_at: stamp.now,
        })?;
        self.revive(&current)
    }

    /// Refuses the deletion of a record that unsent work hangs on: the server would delete that as well, or refuse it.
    fn unhang(&self, current: &str) -> Result<()> {
        let reading = self.reading();
        let itself = Value::from(current);
        for entry in reading.entries_that_mention(current)? {
            let lookups = || entry.fields.iter().filter(|(_, value)| **value == itself);
            if entry.record == current || lookups().next().is_none() {
                continue;
            }
            // As it is now: it may be deleted, or point elsewhere, since.
            let child = self.catalogue().known(&entry.object)?;
            let Some(row) = reading.row(child, &entry.record)? else {
                continue;
            };
            let now = child.fields(&row.values);
            if lookups().any(|(name, _)| now.get(name) == Some(&itself)) {
                return Err(pointed_at(&entry.object));
            }
        }
        Ok(())
    }

    fn drop_created(&self, table: &Table, current: &str) -> Result<()> {
        let pointing: Vec<_> = self
            .reading()
            .entries_that_mention(current)?
            .into_iter()
            .filter(|entry| entry.record != current)
            .collect();
        if let Some(child) = pointing.first() {
            return Err(pointed_at(&child.object));
        }
        let seqs: Vec<i64> = self
            .reading()
            .entries_of(current)?
            .iter()
            .map(|entry| entry.seq)
            .collect();
        self.forget(&seqs)?;
        self.forget_aliases(current)?;
        self.delete_row(table, current)
    }

    /// Takes a mutation back: the record is as it would be without it.
    pub(crate) fn discard(&self, seq: JournalSeq) -> Result<()> {
        let reading = self.reading();
        let entry = reading.entry(seq)?;
        let undecided = entry.kind == MutationKind::Create && entry.is_undecided();
        if matches!(entry.state, State::Sending | State::InDoubt) && !undecided {
            return Err(Error::invalid(format!(
                "mutation {} was sent and not answered: the next sync finds out what became of it",
                seq.0
            )));
        }
        if reading.is_disputed_by_import(&entry.record)? {
            return Err(Error::invalid(format!(
                "mutation {} is in a conflict with imported work: resolve it first",
                seq.0
            )));
        }
        if let Some(file) = reading.file_of(&entry.object, &entry.record)? {
            self.forget(&[seq.0])?;
            return self.drop_file(file.nr);
        }
        let table = Arc::clone(self.catalogue().known(&entry.object)?);
        if entry.kind == MutationKind::Create {
            return self.drop_created(&table, &entry.record);
        }
        self.forget(&[seq.0])?;
        if self.reconsider(&table, &entry.record)? {
            return Ok(());
        }
        if planted!(UndoKeepsRow) {
            return Ok(());
        }
        if reading.base(&entry.record)?.is_none() {
            return self.show_without(&table, &entry);
        }
        self.rebuild(&table, &entry.record)
    }

    /// Shows a record that the server has yet to see as it is without an edit.
    fn show_without(&self, table: &Table, gone: &Entry) -> Result<()> {
        let left: Fields = self
            .reading()
            .entries_of(&gone.record)?
            .into_iter()
            .flat_map(|entry| entry.fields)
            .collect();
        let mut whole = self.assumed(table, &left)?;
        for (name, value) in left.iter() {
            whole.set(name, value.clone());
        }
        name_person(&table.object, &mut whole);
        let derived = table.object.name_field().map(|field| field.name.as_str());
        let shown: Fields = gone
            .fields
            .names()
            .chain(derived)
            .map(|name| (name, whole.get(name).cloned().unwrap_or(Value::Null)))
            .collect();
        self.set_fields(table, &gone.record, &shown)
    }

    /// Sends what the server refused once more, or what it may have done without anybody being able to tell.
    pub(crate) fn retry(&self, seq: JournalSeq) -> Result<()> {
        let entry = self.reading().entry(seq)?;
        match entry.state {
            State::Rejected if self.lacks_a_field_of(&entry) => Err(Error::invalid(format!(
                "mutation {} is about a field that the org does not show: it is sent when the field is back, or can be discarded",
                seq.0
            ))),
            State::Rejected => self.revive(&entry.record),
            State::InDoubt if entry.is_undecided() => self.send_again(&entry.record),
            _ => Err(Error::invalid(format!(
                "mutation {} was neither rejected nor looked for in vain",
                seq.0
            ))),
        }
    }

    /// A person says that a create in doubt was not done.
    fn send_again(&self, record: &str) -> Result<()> {
        let entries = self.reading().entries_of(record)?;
        for entry in entries.iter().filter(|entry| entry.is_undecided()) {
            // The problems stay as the note of that, so that a copy elsewhere does not bring the doubt back.
            self.advance(&[entry.seq], Event::Retry, &entry.problems)?;
        }
        Ok(())
    }

    /// Says whether an edit is about a field that was taken off this device: what others write there is not seen here,
    /// so it cannot be sent before the field is back.
    fn lacks_a_field_of(&self, entry: &Entry) -> bool {
        let table = self.catalogue().table(&entry.object);
        table.is_some_and(|table| {
            let is_gone = |name| table.object.field(name).is_none();
            entry.kind != MutationKind::Delete && entry.fields.names().any(is_gone)
        })
    }

    /// What was refused goes out again, together with a new edit.
    pub(super) fn revive(&self, record: &str) -> Result<()> {
        let entries = self.reading().entries_of(record)?;
        let rejected: Vec<i64> = entries
            .iter()
            .filter(|entry| entry.state == State::Rejected && !self.lacks_a_field_of(entry))
            .map(|entry| entry.seq)
            .collect();
        self.advance(&rejected, Event::Retry, &[])?;
        // A record in conflict stays so as a whole, be it that all its edits had been refused.
        let conflicted = entries.iter().any(|entry| entry.state == State::Conflicted);
        if conflicted || self.reading().is_in_dispute(record, &entries)? {
            let all: Vec<i64> = entries.iter().map(|entry| entry.seq).collect();
            self.advance(&all, Event::Dispute, &[])?;
        }
        Ok(())
    }

    fn keep_base(&self, table: &Table, current: &str, row: &Row) -> Result<()> {
        if self.reading().has_base(current)? {
            return Ok(());
        }
        self.store_row_as_base(table, current, row)
    }

    pub(crate) fn carried(&self, object: &str) -> Result<Arc<Table>> {
        self.catalogue().table(object).cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownObject,
                format!("the briefcase does not carry the object {object}"),
            )
        })
    }
}

impl Reading<'_> {
    /// Counts mutations by state.
    pub(crate) fn count_entries(&self, states: &[State]) -> Result<u64> {
        Ok(self
            .entries()?
            .iter()
            .filter(|entry| states.contains(&entry.state))
            .count() as u64)
    }
}

/// A person's name is made of its parts by the server; until then, by us.
fn name_person(object: &ObjectSchema, fields: &mut Fields) {
    if let Some((name, whole)) = person_name(object, |part| fields.get(part)) {
        fields.set(name, whole);
    }
}

/// The field of a person's name, and the name that these parts make.
fn person_name<'o, 'f>(
    object: &'o ObjectSchema,
    value: impl Fn(&str) -> Option<&'f Value>,
) -> Option<(&'o str, String)> {
    let name = object.name_field().filter(|field| !field.createable)?;
    let part = |part: &str| {
        let of_name = object
            .field(part)
            .is_some_and(|field| field.compound.as_deref() == Some(&name.name));
        value(part).and_then(Value::as_text).filter(|_| of_name)
    };
    let parts: Vec<&str> = ["FirstName", "LastName"]
        .into_iter()
        .filter_map(part)
        .collect();
    (!parts.is_empty()).then(|| (name.name.as_str(), parts.join(" ")))
}

fn pointed_at(object: &str) -> Error {
    Error::new(
        ErrorKind::UnsentWork,
        format!("unsent records point at this one ({object}): delete or change those first"),
    )
}
