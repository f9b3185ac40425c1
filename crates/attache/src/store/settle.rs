//! What an answer to a write settles: exactly the mutations that were sent.

use super::conflict::is_deletion;
use super::journal::NewEntry;
use super::merges::Edits;
use super::{Count, Entry, Table, Writing};
use crate::env::LocalTime;
use crate::error::{Problem, Result};
use crate::journal_states::{Event, State};
use crate::outcome::MutationKind;
use crate::plan::{Outgoing, client_key};
use crate::record::{Fields, ServerTime, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What became of a write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Settlement {
    /// The record exists at the server under this id.
    Created(String),
    Updated,
    Deleted,
    /// There is nothing left to delete.
    Gone,
    /// Nothing was written; it may be sent again.
    NotDone,
    /// No answer.
    InDoubt,
    /// No answer, and a look at the server could not tell what became of it.
    Undecided(Vec<Problem>),
    Rejected(Vec<Problem>),
}

impl Writing<'_> {
    /// Makes the intent to send durable. `known` is what the server's clock last showed.
    ///
    /// `keys` names the field of each object that carries a client key. Gives the
    /// writes that may be sent: of the others, somebody took a mutation back after
    /// the plan was made.
    pub(crate) fn intend(
        &self,
        writes: Vec<Outgoing>,
        known: Option<ServerTime>,
        keys: &BTreeMap<String, String>,
    ) -> Result<Vec<Outgoing>> {
        let mut intended = Vec::with_capacity(writes.len());
        for mut write in writes {
            let entries = self.reading().entries_of(&write.record)?;
            let waits = |seq: &i64| {
                entries
                    .iter()
                    .any(|entry| entry.seq == *seq && entry.state == State::Pending)
            };
            if !write.seqs.iter().all(waits) {
                continue;
            }
            if !planted!(ForgetsIntent) {
                self.advance(&write.seqs, Event::Send, &[])?;
            }
            if let Some(time) = known.filter(|_| write.kind == MutationKind::Create) {
                self.set_sent_after(&write.seqs, time)?;
            }
            if let Some(made) = &write.client_key {
                let (sent_under, key) = client_key(made);
                let field = sent_under.or(keys.get(&write.object).map(String::as_str));
                // A key that a person has chosen may be another record's: it must not find one.
                let field = field.filter(|field| !write.fields.contains(field));
                let fresh =
                    planted!(FreshKeyEachTime).then(|| format!("{:?}{known:?}", write.seqs));
                let key = fresh.as_deref().unwrap_or(key);
                write.client_key = field.map(|field| format!("{field}:{key}"));
                self.set_client_key(&write.seqs, write.client_key.as_deref())?;
            }
            intended.push(write);
        }
        Ok(intended)
    }

    /// Stores what became of a write.
    pub(crate) fn settle(
        &self,
        write: &Outgoing,
        settlement: &Settlement,
        now: LocalTime,
    ) -> Result<()> {
        match settlement {
            Settlement::Created(id) => self.settle_create(write, id, now),
            Settlement::Updated => {
                self.forget(&write.seqs)?;
                if planted!(AcknowledgesWholeRecord) {
                    let left = self.reading().entries_of(&write.record)?;
                    self.forget(&left.iter().map(|it| it.seq).collect::<Vec<_>>())?;
                }
                self.tally(Count::PushedUpdates, 1)?;
                self.confirm(&write.object, &write.record, &write.fields)
            }
            Settlement::Deleted | Settlement::Gone => {
                let done = u64::from(*settlement == Settlement::Deleted);
                self.tally(Count::PushedDeletes, done)?;
                self.forget(&write.seqs)?;
                self.let_go(&write.record)?;
                self.drop_base(&write.record)
            }
            Settlement::NotDone => self.advance(&write.seqs, Event::NotDone, &[]),
            Settlement::InDoubt
                if planted!(TakesSilenceForSuccess) && write.kind == MutationKind::Update =>
            {
                self.forget(&write.seqs)?;
                self.confirm(&write.object, &write.record, &write.fields)
            }
            Settlement::InDoubt => self.advance(&write.seqs, Event::NoAnswer, &[]),
            Settlement::Undecided(problems) => self.advance(&write.seqs, Event::NoAnswer, problems),
            Settlement::Rejected(_)
                if planted!(TakesRefusalForSuccess) && write.kind == MutationKind::Update =>
            {
                self.forget(&write.seqs)
            }
            Settlement::Rejected(problems) => {
                if let Some(made) = &write.client_key {
                    // Nothing was made, so nothing has to be found: the next attempt may name another field.
                    self.set_client_key(&write.seqs, Some(client_key(made).1))?;
                }
                // What is wrong by now, a person has not seen: they decide anew.
                self.allow_duplicates(&write.seqs, false)?;
                self.advance(&write.seqs, Event::Refuse, problems)
            }
        }
    }

    /// Stores what became of writes that were sent together. Creates stand before what points at them.
    pub(crate) fn settle_together(
        &self,
        writes: &[Outgoing],
        settlements: &[Settlement],
        now: LocalTime,
    ) -> Result<()> {
        let made: BTreeMap<&str, &str> = writes
            .iter()
            .zip(settlements)
            .filter_map(|(write, settlement)| match settlement {
                Settlement::Created(id) => Some((write.record.as_str(), id.as_str())),
                _ => None,
            })
            .collect();
        for (write, settlement) in writes.iter().zip(settlements) {
            let mut write = write.clone();
            if matches!(settlement, Settlement::Created(_) | Settlement::Updated) {
                // What was left out of a create went with the others, and all have their ids by now.
                for (name, value) in std::mem::take(&mut write.deferred) {
                    write.fields.set(name, value);
                }
                let named = write.fields.iter();
                let pointing: Vec<(String, &str)> = named
                    .filter_map(|(name, value)| {
                        Some((name.to_owned(), *made.get(value.as_text()?)?))
                    })
                    .collect();
                for (name, id) in pointing {
                    write.fields.set(name, id);
                }
            }
            self.settle(&write, settlement, now)?;
        }
        self.untie()
    }

    fn settle_create(&self, write: &Outgoing, id: &str, now: LocalTime) -> Result<()> {
        if let Some(file) = self.reading().file_of(&write.object, &write.record)? {
            self.tally(Count::PushedCreates, u64::from(file.is_queued()))?;
            self.confirm_file(file.nr, id, now)?;
            return self.forget(&write.seqs);
        }
        if self.reading().current(&write.record)? == id {
            // Another session has found it already.
            return self.forget(&write.seqs);
        }
        let table = Arc::clone(self.catalogue().known(&write.object)?);
        let own = self.reading().entries_of(id)?;
        let odds = self.at_odds_with_create(&table, write, id, &own)?;
        let Some(odds) = odds else {
            // Both are in conflict, or soon will be: it is found again when that is over.
            return self.advance(&write.seqs, Event::NoAnswer, &[]);
        };
        self.tally(Count::PushedCreates, 1)?;
        let pulled = self.give_way(&table, write, id)?;
        self.rename(&table, &write.record, id)?;
        // Rules may lead on from it now that the server knows it.
        self.unsettle_relations(&table.object.name)?;
        self.forget(&write.seqs)?;
        if !write.deferred.is_empty() {
            // Renaming may have changed what the lookups that were left out hold by now.
            let mut deferred = Fields::new();
            for (name, value) in write.deferred.iter() {
                let current = value
                    .as_text()
                    .map(|text| self.reading().current(text))
                    .transpose()?;
                deferred.set(name, current.map_or_else(|| value.clone(), Into::into));
            }
            self.append(&NewEntry {
                changeset: self.reading().next_changeset()?,
                object: &write.object,
                record: id,
                kind: MutationKind::Update,
                fields: &deferred,
                client_key: None,
                made_at: now,
            })?;
        }
        let Some(pulled) = pulled else {
            return self.confirm(&write.object, id, &write.fields);
        };
        let mut moved = self.reading().entries_of(id)?;
        moved.retain(|entry| own.iter().all(|own| own.seq != entry.seq));
        if own.is_empty() && moved.is_empty() {
            return self.drop_base(id);
        }
        if moved.is_empty() || is_deletion(&own) || is_deletion(&moved) {
            return self.rebuild(&table, id);
        }
        let edits = Edits {
            own: &own,
            moved: &moved,
            made_upon: &self.shown_when_created(&table, &write.fields, id)?,
        };
        self.join_with_moved(&table, id, &pulled, &edits, &odds)
    }

    /// The fields that were edited both of a create and of the record that it turned out to be, with what they are to
    /// be by the edits of the create. `None`: that cannot be asked about yet.
    fn at_odds_with_create(
        &self,
        table: &Table,
        write: &Outgoing,
        id: &str,
        own: &[Entry],
    ) -> Result<Option<Fields>> {
        let reading = self.reading();
        let mut moved = reading.entries_of(&write.record)?;
        moved.retain(|entry| !write.seqs.contains(&entry.seq));
        if own.is_empty() || moved.is_empty() || is_deletion(own) || is_deletion(&moved) {
            return Ok(Some(Fields::new()));
        }
        let odds = self.at_odds(table, id, own, &moved)?;
        let can_be_asked = odds.is_empty() || self.can_be_asked_about(id, own)?;
        let waits = !can_be_asked || reading.is_disputed_by_import(id)?;
        Ok((!waits).then_some(odds))
    }

    /// A pull may have brought the record in before we knew that it is ours: what it says, and
    /// what was edited upon it, stands over what we sent. Gives what it says, if that is so.
    fn give_way(&self, table: &Table, write: &Outgoing, id: &str) -> Result<Option<Vec<Value>>> {
        let reading = self.reading();
        let (twin, base) = (reading.row(table, id)?, reading.base(id)?);
        let says = match (&twin, &base) {
            (_, Some(base)) => table.values(&base.fields),
            (Some(twin), None) => twin.values.clone(),
            (None, None) => return Ok(None),
        };
        let identity = reading.identity(&write.record)?;
        self.delete_row(table, &write.record)?;
        if let (Some(twin), None) = (&twin, &base) {
            // Edits made here since are made upon it from now on; without any it is dropped again.
            let fields = table.fields(&twin.values);
            self.put_base(table, id, &fields, twin.rules, twin.key.as_deref())?;
        }
        self.set_key(table, id, &identity)?;
        Ok(Some(says))
    }

    /// The server has these values now. Edits made meanwhile stay on top of them.
    fn confirm(&self, object: &str, id: &str, sent: &Fields) -> Result<()> {
        let table = Arc::clone(self.catalogue().known(object)?);
        if self.reading().entries_of(id)?.is_empty() {
            // An older date would make our own write look like somebody else's.
            self.set_fields(&table, id, &[("LastModifiedDate", Value::Null)].into())?;
            return self.drop_base(id);
        }
        let (mut base, rules, key) = match self.reading().base(id)? {
            Some(base) => (base.fields, base.rules, base.key),
            None => {
                let key = self.reading().row(&table, id)?.and_then(|row| row.key);
                (Fields::new(), 0, key)
            }
        };
        if !planted!(BaseStaysAfterPush) {
            for (name, value) in sent.iter() {
                base.set(name, value.clone());
            }
        }
        base.set("Id", id);
        // When that was is known only when the record is read back.
        base.remove("LastModifiedDate");
        self.put_base(&table, id, &base, rules, key.as_deref())
    }
}
