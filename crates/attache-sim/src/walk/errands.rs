//! What people do with their devices: what is taken along, carried over and given up.

use super::Scene;
use super::ledger::{By, OBJECTS, Who, is_in_sight, text, values_of};
use super::scenario::Class;
use crate::random::Prng;
use crate::run::wait;
use attache::{Briefcase, ErrorKind, MutationState, Record, RecordId, Unsent};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

/// What belongs to a person in the field.
const FIELD: &str = r#"{"version": 1, "objects": {"Account": {"client_key": "External_Id__c"}}, "rules": [
    {"object": "Account", "scope": "mine", "related": [
        {"children": "Contact.AccountId"}, {"children": "Opportunity.AccountId"}, {"children": "Task.WhatId"}]},
    {"object": "Opportunity", "scope": "mine", "where": "CloseDate = NEXT_N_DAYS:90", "related": [{"parent": "AccountId"}]},
    {"object": "Task", "scope": "mine", "where": "ActivityDate = THIS_WEEK"},
    {"object": "Lead", "scope": "mine"}]}"#;
/// What a person in the office takes: all of it.
const OFFICE: &str = r#"{"version": 1, "objects": {"Account": {"client_key": "External_Id__c"}},
    "rules": ["Account", "Contact", "Opportunity", "Task", {"object": "Lead", "order_by": "Company", "limit": 5}]}"#;
/// Without a key, and less of it.
const LESS: &str = r#"{"version": 1, "objects": {"Task": {}}, "rules": [
    {"object": "Account", "scope": "mine", "related": [{"children": "Contact.AccountId"}]},
    {"object": "Contact", "where": "LastModifiedDate = LAST_N_DAYS:7"},
    {"object": "Opportunity", "scope": "mine"},
    {"object": "Lead", "order_by": "Company DESC", "limit": 3}]}"#;
/// The files of accounts come along.
const FILES: &str = r#"{"version": 1, "objects": {"Account": {"client_key": "External_Id__c", "files": {}}}, "rules": [
    {"object": "Account", "scope": "mine", "related": [{"children": "Contact.AccountId"}, {"children": "Task.WhatId"}]},
    {"object": "Opportunity", "scope": "mine"}, {"object": "Lead", "scope": "mine"}]}"#;

/// Unsent work in a file, and what it holds.
pub(super) struct Carried {
    user: usize,
    file: Vec<u8>,
    values: BTreeSet<String>,
}

impl Carried {
    pub(super) fn is_for(&self, user: usize) -> bool {
        self.user == user
    }
}

/// A file that somebody attached.
pub(super) struct Attached {
    pub device: usize,
    pub record: RecordId,
    /// Its title at the org.
    pub mark: String,
    pub bytes: Vec<u8>,
    /// Its record was made again after it had been deleted at the org.
    pub again: bool,
}

/// The briefcase of a device at the start, and those that it may get later.
pub(super) fn briefcase(of: usize) -> &'static str {
    [FIELD, OFFICE, LESS, FILES][of % 4]
}

impl Scene {
    /// Takes other records along from now on.
    pub(super) fn change_briefcase(&self, who: Who, chance: &mut Prng) {
        if !self.has(Class::Briefcases) {
            return;
        }
        let chosen = chance.below(4);
        self.tell(format_args!("device {} takes briefcase {chosen}", who.0));
        if let Ok(briefcase) = Briefcase::from_json(briefcase(chosen)) {
            let _ = self.at(who.0).set_briefcase(briefcase);
        }
    }

    /// Makes several edits at once.
    pub(super) fn changeset(&self, who: Who, chance: &mut Prng) {
        if !self.has(Class::Changesets) {
            return self.create(who, chance);
        }
        let device = self.at(who.0);
        let mut drafts: Vec<_> = (0..2 + chance.below(3))
            .map(|_| self.draft(&device, chance))
            .collect();
        let whole = chance.percent(60);
        // Children of the changeset's own account: they are written in order, or all together.
        let own = chance.percent(60);
        drafts.sort_by_key(|draft| draft.object != "Account");
        let made = device.changeset(|edits| {
            if whole {
                edits.all_or_none();
            }
            let mut made: Vec<RecordId> = Vec::new();
            for draft in &drafts {
                let mut fields = draft.fields.clone();
                let parent = made
                    .first()
                    .filter(|_| own && drafts[0].object == "Account");
                let lookup = match draft.object {
                    "Contact" | "Opportunity" => Some("AccountId"),
                    "Task" => Some("WhatId"),
                    _ => None,
                };
                if let Some((parent, lookup)) = parent.zip(lookup) {
                    fields.set(lookup, parent);
                }
                made.push(edits.create(draft.object, fields)?);
            }
            Ok(made)
        });
        let names: Vec<String> = drafts.iter().map(|draft| draft.name.clone()).collect();
        self.tell(format_args!(
            "device {} makes {names:?} at once, all or none: {whole} -> {made:?}",
            who.0
        ));
        if let Ok(made) = made {
            for (record, draft) in made.iter().zip(&drafts) {
                self.noted(who, record, draft);
            }
            if whole {
                self.ledger().tied(names);
            }
        }
    }

    /// Pins a record, leaves one to the rules again, looks at one, or brings one here by its id.
    pub(super) fn pin(&self, who: Who, chance: &mut Prng) {
        if !self.has(Class::Pins) {
            return;
        }
        let device = self.at(who.0);
        let Some((at, record)) = self.any(&device, chance) else {
            return;
        };
        match chance.below(6) {
            0 | 1 => {
                if device.pin(&record).is_ok()
                    && let Ok(Some(before)) = device.get(&record)
                    && let Some(id) = server_id(&before)
                {
                    self.tell(format_args!("device {} pins {record}", who.0));
                    self.pins().insert((who.0, id));
                }
            }
            2 => {
                let _ = device.viewed(&record);
            }
            3 => {
                for pin in device.pins().unwrap_or_default() {
                    let _ = device.unpin(&pin.record);
                }
                self.tell(format_args!("device {} has no pins", who.0));
                self.pins().retain(|(device, _)| *device != who.0);
            }
            _ => {
                let object = OBJECTS[at].0;
                let soql = format!("SELECT Id FROM {object} ORDER BY Id");
                let rows = self.world.rows(self.world.boss(), &soql);
                let rows = rows.unwrap_or_default();
                let id = chance.pick(&rows).and_then(|row| row.text("Id"));
                if let Some(id) = id.and_then(|id| RecordId::parse(&id).ok()) {
                    // Inside a session it is refused.
                    let _ = wait(device.fetch(&[id]));
                }
            }
        }
    }

    /// Forgets the pin of a record that its person deleted: the pin may end with it.
    pub(super) fn unpinned(&self, device: usize, record: &Record) {
        if let Some(id) = server_id(record) {
            self.pins().remove(&(device, id));
        }
    }

    /// Attaches a file to a record, sent or not.
    pub(super) fn attach(&self, who: Who, chance: &mut Prng) {
        if !self.has(Class::Files) {
            return;
        }
        let device = self.at(who.0);
        let Some((_, record)) = self.any(&device, chance) else {
            return;
        };
        let mark = self.ledger().mark('f');
        let bytes: Vec<u8> = (0..1 + chance.below(5_000))
            .map(|_| chance.next().to_le_bytes()[0])
            .collect();
        let done = device.attach(&record, &format!("{mark}.bin"), &bytes[..]);
        self.tell(format_args!(
            "device {} attaches {mark} to {record} -> {done:?}",
            who.0
        ));
        if done.is_ok() {
            let device = who.0;
            self.attached().push(Attached {
                device,
                record,
                mark,
                bytes,
                again: false,
            });
        }
    }

    /// Copies unsent work to another device of the same user; what is in the file may be sent by both.
    pub(super) fn carry(&self, who: Who, chance: &mut Prng) {
        if !self.has(Class::Carry) || self.has_files(who.0) {
            return;
        }
        let device = self.at(who.0);
        let Ok(file) = device.export_unsent(None) else {
            return;
        };
        let pending = device.pending().unwrap_or_default();
        self.tell(format_args!(
            "device {} exports {} edits",
            who.0,
            pending.len()
        ));
        let values: BTreeSet<String> = pending.iter().flat_map(values_of).collect();
        let gone = chance.percent(60) && {
            drop(device);
            self.ledger().filed(&pending);
            self.wipe(who, Unsent::Discard)
        };
        if !gone {
            // Without a key, two devices that send the same create within minutes make two records of it.
            let mut ledger = self.ledger();
            ledger.unfiled(&values);
            for value in &values {
                ledger.made_again(value);
            }
        }
        self.carried().push(Carried {
            user: who.1,
            file,
            values,
        });
        if chance.percent(70) {
            let of_user = self.devices_of(who.1);
            let to = *chance.pick(&of_user).unwrap_or(&who.0);
            self.take_in((to, who.1));
        }
    }

    /// Takes in what is carried for the user of a device.
    pub(super) fn take_in(&self, who: Who) {
        // A store that could not be made anew was noted when that happened.
        let Some(device) = self.open_at(who.0) else {
            return;
        };
        let mut carried = std::mem::take(&mut *self.carried());
        carried.retain(|it| {
            if it.user != who.1 {
                return true;
            }
            let before = device.pending().unwrap_or_default();
            let taken = device.import_unsent(&it.file, None);
            self.tell(format_args!(
                "device {} takes {:?} in -> {taken:?}",
                who.0, it.values
            ));
            let Ok(taken) = taken else { return true };
            let after = device.pending().unwrap_or_default();
            let again = device.import_unsent(&it.file, None);
            let shown = |record| server_id(&device.get(record).ok()??);
            let back: Vec<String> = taken.withdrawn.iter().filter_map(shown).collect();
            let mut ledger = self.ledger();
            back.iter().for_each(|id| ledger.undeleted(who.1, id));
            if again
                .as_ref()
                .is_ok_and(|again| again.mutations + again.conflicts > 0)
            {
                let line = format!("device {} took the same file in twice: {again:?}", who.0);
                ledger.wrong.push(line);
            }
            for record in &taken.withdrawn {
                ledger.undeleted(who.1, record.as_str());
                let of = |it: &&attache::Mutation| it.record == *record;
                let gone = |it: &&attache::Mutation| !after.iter().any(|left| left.seq == it.seq);
                ledger.dropped(who.1, before.iter().filter(of).filter(gone));
            }
            if taken.waiting.is_empty() {
                ledger.unfiled(&it.values);
            }
            !taken.waiting.is_empty()
        });
        self.carried().extend(carried);
    }

    /// Wipes a device, and starts it anew; says whether it did.
    pub(super) fn wipe(&self, who: Who, unsent: Unsent) -> bool {
        let device = self.at(who.0);
        let pending = device.pending().unwrap_or_default();
        let done = device.wipe(unsent);
        self.tell(format_args!(
            "device {} is wiped: {unsent:?} -> {done:?}",
            who.0
        ));
        if done.is_err() {
            // One that is at work, or has unsent edits, is not wiped.
            return false;
        }
        if unsent == Unsent::Refuse && !pending.is_empty() {
            let count = pending.len();
            let line = format!("device {} was wiped with {count} unsent edits", who.0);
            self.ledger().wrong.push(line);
        }
        self.pins().retain(|(device, _)| *device != who.0);
        self.attached().retain(|file| file.device != who.0);
        // Whoever is rid of a store has the room that it took.
        self.devices[who.0].room.store(u64::MAX, Ordering::Relaxed);
        if let Err(error) = self.start_anew(who.0) {
            self.ledger()
                .wrong
                .push(format!("device {}: {error:?}", who.0));
        }
        true
    }

    /// Logs out, if nothing is unsent.
    pub(super) fn log_out(&self, who: Who) {
        if self.has(Class::Carry) {
            self.wipe(who, Unsent::Refuse);
        }
    }

    /// Runs a session with the token of somebody else.
    pub(super) fn stranger(&self, who: Who, chance: &mut Prng) {
        if !self.has(Class::Strangers) {
            return;
        }
        let other = (who.1 + 1 + chance.below(3)) % self.world.users.len();
        let device = self.at(who.0);
        let Ok(remote) = self.world.remote(other) else {
            return;
        };
        let is_owned = device
            .status()
            .is_ok_and(|status| status.username.is_some());
        if other == who.1 || !is_owned {
            return;
        }
        let before = self.contents(who.0);
        let done = wait(device.with_remote(remote).sync());
        self.tell(format_args!(
            "device {} syncs as user {other} -> {:?}",
            who.0,
            done.as_ref().err()
        ));
        let refused = matches!(&done, Err(error) if error.kind() == ErrorKind::WrongOwner);
        // The books of this device know nothing of the other user.
        self.ledger().look(&self.world, By::Device(who.0, who.1));
        if !refused || self.contents(who.0) != before {
            let line = format!("device {} served user {other}: {done:?}", who.0);
            self.ledger().wrong.push(line);
        }
    }

    /// The records of a device and its journal, as far as walks edit them.
    fn contents(&self, device: usize) -> Vec<String> {
        let device = self.at(device);
        let mut lines = Vec::new();
        for (object, name, fields) in OBJECTS {
            let soql = format!(
                "SELECT Id, {name}, {} FROM {object} ORDER BY Id",
                fields.join(", ")
            );
            if let Ok(rows) = device.query(&soql) {
                lines.extend(rows.map(|row| format!("{row:?}")));
            }
        }
        lines.extend(
            device
                .pending()
                .unwrap_or_default()
                .iter()
                .map(|it| format!("{it:?}")),
        );
        lines
    }

    /// Every value that a device shows is one that the org had, or that its user wrote.
    pub(super) fn check_contents(&self, who: Who) {
        let device = self.at(who.0);
        for (object, _, fields) in OBJECTS {
            let soql = format!("SELECT Id, {} FROM {object}", fields.join(", "));
            // A field may be hidden, an object gone.
            let Ok(rows) = device.query(&soql) else {
                continue;
            };
            for row in rows {
                let id = row.get("Id").map(text).unwrap_or_default();
                for field in fields {
                    let value = row.get(field).map(text).unwrap_or_default();
                    let mut ledger = self.ledger();
                    if !ledger.is_true(who.1, &id, field, &value) {
                        let line = format!(
                            "device {} shows {value:?} as {field} of {id}, which the org never had",
                            who.0
                        );
                        ledger.wrong.push(line);
                    }
                }
            }
        }
    }

    /// What a person edited and was not settled is what the device shows.
    pub(super) fn check_edits(&self, who: Who) {
        let device = self.at(who.0);
        let Ok(schema) = device.schema() else { return };
        let mut last: BTreeMap<(RecordId, String), String> = BTreeMap::new();
        for mutation in device.pending().unwrap_or_default() {
            let object = OBJECTS.iter().find(|it| it.0 == mutation.object);
            let Some((object, _, fields)) = object else {
                continue;
            };
            for (name, value) in mutation.fields.iter().filter(|it| fields.contains(&it.0)) {
                let at = (mutation.record.clone(), name.to_owned());
                // A text is not shown in a field that became a number.
                match mutation.state == MutationState::Conflicted || !is_text(&schema, object, name)
                {
                    true => last.remove(&at),
                    false => last.insert(at, text(value)),
                };
            }
        }
        for ((record, field), value) in last {
            // One that was deleted since is not shown.
            let Ok(Some(shown)) = device.get(&record) else {
                continue;
            };
            let here = shown.fields.get(&field).map(text);
            if here.as_ref().is_some_and(|here| *here != value) {
                let line = format!(
                    "device {} shows {here:?} as {field} of {record}, where {value:?} was written: {:?}",
                    who.0,
                    self.mutations_of(&device, &record)
                );
                self.ledger().wrong.push(line);
            }
        }
    }

    /// The pins of a device whose records its user sees, and that are not on it.
    pub(super) fn missing_pins(&self, device: usize, user: usize) -> Vec<String> {
        let host = self.at(device);
        let pins: Vec<String> = self
            .pins()
            .iter()
            .filter(|(of, _)| *of == device)
            .map(|(_, id)| id.clone())
            .collect();
        let missing = |id: &&String| {
            let here = RecordId::parse(id).map(|id| host.get(&id));
            let here = matches!(here, Ok(Ok(Some(_))));
            let seen = OBJECTS
                .iter()
                .any(|(object, ..)| is_in_sight(&self.world, user, object, id));
            let carried = host.schema().is_ok_and(|schema| {
                let prefix = |object: &attache::ObjectSchema| {
                    object
                        .key_prefix
                        .as_deref()
                        .is_some_and(|it| id.starts_with(it))
                };
                schema.objects().iter().any(|object| prefix(object))
            });
            seen && carried && !here
        };
        pins.iter()
            .filter(missing)
            .map(|id| format!("{id} is pinned and is not there"))
            .collect()
    }
}

pub(super) fn server_id(record: &Record) -> Option<String> {
    let id = text(record.fields.get("Id")?);
    (!id.starts_with("local-")).then_some(id)
}

/// Says whether a device knows a field as one that holds text.
fn is_text(schema: &attache::Schema, object: &str, field: &str) -> bool {
    let field = schema.object(object).and_then(|object| object.field(field));
    field.is_some_and(|field| field.field_type != attache::FieldType::Double)
}
