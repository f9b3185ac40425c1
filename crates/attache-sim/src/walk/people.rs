//! What people do with records on their devices.

use super::Scene;
use super::errands::server_id;
use super::ledger::{OBJECTS, Who, name_of, text};
use super::scenario::Class;
use crate::random::Prng;
use attache::{
    Attache, Conflict, ConflictKind, Fields, Keep, Mutation, MutationKind, MutationState, RecordId,
    Resolution, Value,
};

/// A value that the org refuses in an account, and a device does not know to be wrong.
pub(super) const REFUSED: (&str, i32) = ("NumberOfEmployees", -1);

/// A record about to be written: its fields, and what of them the books want to know.
pub(super) struct Draft {
    pub object: &'static str,
    pub name: String,
    pub fields: Fields,
    /// Fields with the values made for them.
    pub marks: Vec<(&'static str, String)>,
}

impl Scene {
    pub(super) fn records(&self, device: &Attache, object: &str) -> Vec<RecordId> {
        let rows = device.query(&format!("SELECT Id FROM {object} ORDER BY Id"));
        rows.map(|rows| rows.filter_map(|row| row.id().cloned()).collect())
            .unwrap_or_default()
    }

    /// Some record of a device.
    pub(super) fn any(&self, device: &Attache, chance: &mut Prng) -> Option<(usize, RecordId)> {
        let at = chance.below(OBJECTS.len());
        let records = self.records(device, OBJECTS[at].0);
        Some((at, chance.pick(&records)?.clone()))
    }

    /// A record that is being sent, with the fields that are.
    fn on_the_wire(
        &self,
        device: &Attache,
        chance: &mut Prng,
    ) -> Option<(usize, RecordId, Vec<&'static str>)> {
        let mut pending = device.pending().unwrap_or_default();
        pending.retain(|it| it.state == MutationState::Sending);
        let mutation = chance.pick(&pending)?;
        let at = OBJECTS.iter().position(|it| it.0 == mutation.object)?;
        let mut fields = OBJECTS[at].2.to_vec();
        fields.retain(|field| mutation.fields.contains(field));
        (!fields.is_empty()).then(|| (at, mutation.record.clone(), fields))
    }

    /// Edits a record on a device.
    pub(super) fn edit(&self, who: Who, chance: &mut Prng) {
        let device = self.at(who.0);
        // What is on the wire is edited again more often than it would be by chance.
        let on_the_wire = match chance.percent(30) {
            true => self.on_the_wire(&device, chance),
            false => None,
        };
        let (at, record, fields) = match on_the_wire {
            Some(found) => found,
            None => match self.any(&device, chance) {
                Some((at, record)) => (at, record, OBJECTS[at].2.to_vec()),
                None => return,
            },
        };
        let Ok(Some(before)) = device.get(&record) else {
            return;
        };
        let object = OBJECTS[at].0;
        let mut edits = Fields::new();
        let mut marks = Vec::new();
        for _ in 0..=chance.below(2) {
            let field = fields[chance.below(fields.len())];
            if !edits.contains(field) && before.fields.contains(field) {
                let mark = self.ledger().mark('d');
                edits.set(field, mark.as_str());
                marks.push((field, mark));
            }
        }
        match object {
            "Account" if chance.percent(8) => {
                edits.set(REFUSED.0, REFUSED.1);
            }
            "Contact" | "Opportunity" | "Task" if chance.percent(15) => {
                let lookup = if object == "Task" {
                    "WhatId"
                } else {
                    "AccountId"
                };
                if let Some(parent) = chance.pick(&self.records(&device, "Account")) {
                    edits.set(lookup, parent);
                }
            }
            _ => {}
        }
        let done = device.update(&record, edits);
        self.tell(format_args!(
            "device {} edits {object} {record}: {marks:?} -> {:?}",
            who.0,
            done.as_ref().err()
        ));
        if done.is_ok() {
            for (field, mark) in marks {
                let before = before.fields.get(field).unwrap_or(&Value::Null);
                self.ledger().edited(who, &record, field, before, &mark);
            }
        }
    }

    /// Makes up a record, often under one that is there.
    pub(super) fn draft(&self, device: &Attache, chance: &mut Prng) -> Draft {
        let (object, name_field, texts) = OBJECTS[chance.below(OBJECTS.len())];
        let name = self.ledger().mark('n');
        let mut fields = Fields::from([(name_field, name.as_str())]);
        let accounts = self.records(device, "Account");
        let parent = chance.pick(&accounts).filter(|_| chance.percent(80));
        match (object, parent) {
            ("Contact" | "Opportunity", Some(parent)) => {
                fields.set("AccountId", parent);
            }
            ("Account", Some(parent)) if chance.percent(40) => {
                fields.set("ParentId", parent);
            }
            ("Task", Some(parent)) => {
                fields.set("WhatId", parent);
            }
            ("Lead", _) => {
                fields.set("Company", "Walk");
            }
            _ => {}
        }
        if object == "Opportunity" {
            fields.set("StageName", "Prospecting");
            fields.set("CloseDate", Value::Date(jiff::civil::date(2026, 12, 24)));
        }
        if object == "Contact" && self.has(Class::Duplicates) && chance.percent(50) {
            fields.set("Email", "twin@example.com");
        }
        let mut marks = Vec::new();
        if chance.percent(50) {
            let field = texts[chance.below(texts.len())];
            let mark = self.ledger().mark('d');
            fields.set(field, mark.as_str());
            marks.push((field, mark));
        }
        Draft {
            object,
            name,
            fields,
            marks,
        }
    }

    /// Notes a record that was made as a draft says.
    pub(super) fn noted(&self, who: Who, record: &RecordId, draft: &Draft) {
        let mut ledger = self.ledger();
        ledger.created(who, draft.object, &draft.name);
        for (field, mark) in &draft.marks {
            ledger.edited(who, record, field, &Value::Null, mark);
        }
    }

    /// Creates a record on a device.
    pub(super) fn create(&self, who: Who, chance: &mut Prng) {
        let device = self.at(who.0);
        let draft = self.draft(&device, chance);
        let made = device.create(draft.object, draft.fields.clone());
        self.tell(format_args!(
            "device {} creates {} {} ({:?}) -> {made:?}",
            who.0, draft.object, draft.name, draft.marks
        ));
        if let Ok(record) = made {
            self.noted(who, &record, &draft);
        }
    }

    /// Deletes a record on a device.
    pub(super) fn delete(&self, who: Who, chance: &mut Prng) {
        let device = self.at(who.0);
        let Some((_, record)) = self.any(&device, chance) else {
            return;
        };
        let Ok(Some(before)) = device.get(&record) else {
            return;
        };
        let mutations = self.mutations_of(&device, &record);
        let done = device.delete(&record);
        self.tell(format_args!(
            "device {} deletes {record} -> {done:?}",
            who.0
        ));
        if done.is_ok() {
            let mut ledger = self.ledger();
            ledger.dropped(who.1, &mutations);
            ledger.deleted(who, &before);
            drop(ledger);
            self.unpinned(who.0, &before);
        }
    }

    pub(super) fn mutations_of(&self, device: &Attache, record: &RecordId) -> Vec<Mutation> {
        let mut mutations = device.pending().unwrap_or_default();
        mutations.retain(|mutation| mutation.record == *record);
        mutations
    }

    /// Settles a conflict, one way or another, or all of them.
    pub(super) fn resolve(&self, who: Who, chance: &mut Prng) {
        let device = self.at(who.0);
        let conflicts = device.conflicts().unwrap_or_default();
        let Some(conflict) = chance.pick(&conflicts) else {
            return;
        };
        if chance.percent(15) {
            let resolution = match chance.percent(50) {
                true => Resolution::Mine,
                false => Resolution::Theirs,
            };
            return self.resolve_all(who, &conflicts, &resolution);
        }
        let mut ledger = self.ledger();
        ledger.saw(conflict);
        self.tell(format_args!("device {} looks at {conflict:?}", who.0));
        let (resolution, marks) = match chance.below(4) {
            0 => (Resolution::Mine, Vec::new()),
            1 => (Resolution::Theirs, Vec::new()),
            _ if conflict.kind != ConflictKind::Fields => (Resolution::Theirs, Vec::new()),
            _ => {
                let mut marks = Vec::new();
                let mut choose = |field: &attache::ConflictField| match chance.below(5) {
                    0 | 1 => Keep::Mine,
                    2 | 3 => Keep::Theirs,
                    _ if is_walked(conflict, &field.name) => {
                        let mark = ledger.mark('d');
                        marks.push((field.name.clone(), mark.clone()));
                        Keep::Value(mark.into())
                    }
                    _ => Keep::Theirs,
                };
                let fields = conflict.fields.iter();
                let choices: Vec<_> = fields
                    .map(|field| (field.name.clone(), choose(field)))
                    .collect();
                (Resolution::per_field(choices), marks)
            }
        };
        drop(ledger);
        let before = self.mutations_of(&device, &conflict.record);
        let record = device.get(&conflict.record).ok().flatten();
        let done = device.resolve(conflict.id, resolution.clone());
        self.tell(format_args!(
            "device {} settles {:?} of {} with {resolution:?} -> {done:?}",
            who.0, conflict.kind, conflict.record
        ));
        if done.is_err() {
            return;
        }
        self.decided(who, conflict, &resolution, &before, record.as_ref());
        for (field, mark) in marks {
            let local = conflict.fields.iter().find(|it| it.name == field);
            let local = local.map_or(&Value::Null, |it| &it.local);
            let mut ledger = self.ledger();
            ledger.edited(who, &conflict.record, &field, local, &mark);
            ledger.decided(&mark);
            // It stands over all three of them.
            let mut shown = conflict.clone();
            for shown in shown.fields.iter_mut().filter(|it| it.name == field) {
                shown.local = mark.as_str().into();
            }
            ledger.saw(&shown);
        }
    }

    fn resolve_all(&self, who: Who, conflicts: &[Conflict], resolution: &Resolution) {
        let device = self.at(who.0);
        for conflict in conflicts {
            self.ledger().saw(conflict);
        }
        let before: Vec<_> = conflicts
            .iter()
            .map(|conflict| {
                let record = device.get(&conflict.record).ok().flatten();
                (self.mutations_of(&device, &conflict.record), record)
            })
            .collect();
        let done = device.resolve_all(None, resolution);
        self.tell(format_args!(
            "device {} settles all {resolution:?} -> {done:?}",
            who.0
        ));
        if done.is_ok() {
            for (conflict, (before, record)) in conflicts.iter().zip(&before) {
                self.decided(who, conflict, resolution, before, record.as_ref());
            }
        }
    }

    /// Notes what a decision means for the edits of a record.
    fn decided(
        &self,
        who: Who,
        conflict: &Conflict,
        resolution: &Resolution,
        before: &[Mutation],
        record: Option<&attache::Record>,
    ) {
        let mut ledger = self.ledger();
        let theirs = |name: &str| match resolution {
            Resolution::Mine => false,
            Resolution::Theirs => true,
            Resolution::PerField(choices) => choices.get(name) == Some(&Keep::Theirs),
        };
        match conflict.kind {
            ConflictKind::DeletedAtRemote if *resolution == Resolution::Mine => {
                // What was attached to the one that is gone is attached to the new one as well.
                let mut attached = self.attached();
                let of_record = attached
                    .iter_mut()
                    .filter(|it| it.record == conflict.record);
                of_record.for_each(|file| file.again = true);
                drop(attached);
                let name = OBJECTS.iter().find(|(it, ..)| *it == conflict.object);
                if let Some((record, (_, field, _))) = record.zip(name) {
                    ledger.made_again(&record.fields.get(field).map(text).unwrap_or_default());
                    // One create takes the place of all edits, with the last value of each field.
                    let values = before.iter().flat_map(|it| it.fields.iter());
                    values
                        .filter(|(name, value)| record.fields.get(name) != Some(value))
                        .for_each(|(_, value)| ledger.drop_value(value));
                }
            }
            ConflictKind::DeletedAtRemote => ledger.dropped(who.1, before),
            ConflictKind::DeletedHere => {
                if *resolution != Resolution::Mine {
                    ledger.undeleted(who.1, conflict.record.as_str());
                }
            }
            _ => {
                for field in &conflict.fields {
                    let mutations = before.iter().filter_map(|it| it.fields.get(&field.name));
                    match theirs(&field.name) {
                        true => mutations.for_each(|value| ledger.drop_value(value)),
                        false => ledger.passed_over(who.1, &field.remote),
                    }
                }
            }
        }
    }

    /// Takes a mutation, a record's mutations or a changeset back.
    pub(super) fn discard(&self, who: Who, chance: &mut Prng) {
        if !self.has(Class::Undo) {
            return;
        }
        let device = self.at(who.0);
        let pending = device.pending().unwrap_or_default();
        let Some(mutation) = chance.pick(&pending) else {
            return;
        };
        match chance.below(5) {
            0 => self.taken_back(who, "undo", |device| device.undo()),
            1 => self.taken_back(who, "undo_changeset", |device| {
                device.undo_changeset(mutation.changeset)
            }),
            2 => self.taken_back(who, "discard_record", |device| {
                device.discard_record(&mutation.record)
            }),
            _ => self.take_back(who, mutation),
        }
    }

    /// Takes a mutation back; a create takes the other edits of its record along.
    fn take_back(&self, who: Who, mutation: &Mutation) {
        self.taken_back(who, "discard", |device| {
            let taken = match mutation.kind {
                MutationKind::Create => self.mutations_of(device, &mutation.record),
                _ => vec![mutation.clone()],
            };
            device.discard(mutation.seq).map(|()| taken)
        });
    }

    fn taken_back(
        &self,
        who: Who,
        how: &str,
        act: impl FnOnce(&Attache) -> attache::Result<Vec<Mutation>>,
    ) {
        let device = self.at(who.0);
        let before = device.pending().unwrap_or_default();
        let done = act(&device);
        self.tell(format_args!(
            "device {} takes back by {how} -> {done:?}",
            who.0
        ));
        let Ok(taken) = done else { return };
        let after = device.pending().unwrap_or_default();
        // What stands in the journal still, or again, is not gone.
        let gone = |it: &&Mutation| !after.iter().any(|left| left.seq == it.seq);
        let of_taken = |it: &&Mutation| taken.iter().any(|taken| taken.record == it.record);
        let lost: Vec<&Mutation> = before.iter().filter(gone).filter(of_taken).collect();
        // Another device has another name for the record that it deleted.
        let shown = taken.iter().filter_map(|it| device.get(&it.record).ok()?);
        let ids: Vec<String> = shown.filter_map(|it| server_id(&it)).collect();
        let mut ledger = self.ledger();
        ids.iter().for_each(|id| ledger.undeleted(who.1, id));
        ledger.dropped(who.1, lost);
        // A decision that is taken back takes the value along that it made.
        ledger.dropped(who.1, taken.iter().filter(|it| gone(it)));
    }

    /// Clears up what the org refused: what cannot be sent is taken back, the rest is sent once more.
    ///
    /// For good, everything that is left is taken back, newest first, so that
    /// nothing unsent points at what goes.
    pub(super) fn clear_up(&self, who: Who, for_good: bool) {
        let device = self.at(who.0);
        let pending = device.pending().unwrap_or_default();
        for mutation in pending.iter().rev() {
            let refused = matches!(mutation.state, MutationState::Rejected(_));
            let undecided =
                matches!(&mutation.state, MutationState::InDoubt(problems) if !problems.is_empty());
            if for_good && let Some(key) = self.waits_in_vain(&device, mutation, &pending) {
                self.ledger().wrong.push(format!(
                    "device {}: {mutation:?} waits for {key}, which the org has",
                    who.0
                ));
            }
            if for_good || refused && mutation.fields.contains(REFUSED.0) {
                self.take_back(who, mutation);
            } else if refused && device.save_anyway(mutation.seq).is_err() {
                let _ = device.retry(mutation.seq);
            } else if undecided && device.retry(mutation.seq).is_ok() {
                // A person was told that it may be there twice then.
                let name = name_of(mutation).unwrap_or_default();
                self.ledger().made_again(&name);
            }
        }
    }
}

impl Scene {
    /// The local key that an edit points at and waits for, although its record is not to be created any more.
    ///
    /// What came by a file may point at what nobody brought along.
    fn waits_in_vain<'m>(
        &self,
        device: &Attache,
        mutation: &'m Mutation,
        pending: &[Mutation],
    ) -> Option<&'m str> {
        let to_come = |key: &str| {
            let mut creates = pending.iter().filter(|it| it.kind == MutationKind::Create);
            // A record that is made again is known by the id that it had.
            let shown = RecordId::parse(key).map(|key| device.get(&key));
            let known = shown.ok().and_then(|it| it.ok()?).map(|it| it.id);
            creates.any(|it| it.record.as_str() == key || Some(&it.record) == known.as_ref())
        };
        let texts = mutation
            .fields
            .iter()
            .filter_map(|(_, value)| value.as_text());
        let mut keys = texts.filter(|text| text.starts_with("local-"));
        let waits = mutation.state == MutationState::Pending && !self.has(Class::Carry);
        keys.find(|key| waits && !to_come(key))
    }
}

/// Says whether a field of a conflict is one that walks edit.
fn is_walked(conflict: &Conflict, field: &str) -> bool {
    let object = OBJECTS.iter().find(|(it, ..)| *it == conflict.object);
    object.is_some_and(|(_, _, fields)| fields.contains(&field))
}
