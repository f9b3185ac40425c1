//! The books of a walk: who wrote what, who had seen what, and what became of it.
//!
//! Every edit of a walk writes a value that nobody else ever writes, so that a
//! value found at the org tells who made it and when.

use crate::oracle::same;
use crate::world::World;
use attache::{Attache, Conflict, ConflictKind, Record, RecordId, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The objects of a walk: their name field, and the fields that are edited.
///
/// No trigger changes these fields, and none belongs to a group.
pub(super) const OBJECTS: [(&str, &str, &[&str]); 5] = [
    ("Account", "Name", &["Site", "Fax", "AccountNumber"]),
    ("Contact", "LastName", &["Title", "Department", "Fax"]),
    ("Opportunity", "Name", &["NextStep", "Description"]),
    (
        "Task",
        "Subject",
        &["Description", "CallDisposition", "CallObject"],
    ),
    ("Lead", "LastName", &["Title", "Fax", "Description"]),
];

/// Who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Device(usize),
    Colleague,
}

struct Edit {
    device: usize,
    record: RecordId,
    field: String,
    /// It reached the org.
    arrived: bool,
    /// Somebody decided that it should not.
    dropped: bool,
}

struct Create {
    device: usize,
    object: &'static str,
    record: RecordId,
    dropped: bool,
}

struct Delete {
    device: usize,
    object: String,
    record: RecordId,
    id: String,
    /// When the version was made that the person deleted.
    version: Value,
    dropped: bool,
}

/// The books.
#[derive(Default)]
pub(super) struct Ledger {
    count: u64,
    /// The org's values when it was last looked at: id -> field -> value.
    shadow: BTreeMap<String, BTreeMap<String, String>>,
    edits: BTreeMap<String, Edit>,
    /// The order in which values were made.
    order: Vec<String>,
    /// What a device has seen of a field before it wrote it.
    seen: BTreeMap<(usize, RecordId, String), BTreeSet<String>>,
    creates: BTreeMap<String, Create>,
    /// The rows that ever had a name, those that were purged since included.
    named: BTreeMap<String, BTreeSet<String>>,
    /// How often a record of this name was made again by decision.
    again: BTreeMap<String, usize>,
    deletes: Vec<Delete>,
    /// Values in transactions that were still open.
    late: BTreeSet<String>,
    /// What must never happen, and did.
    pub wrong: Vec<String>,
}

impl Ledger {
    /// Makes a value that nobody has made before.
    pub(super) fn mark(&mut self, by: char) -> String {
        self.count += 1;
        format!("{by}{}", self.count)
    }

    /// Notes an edit, before it is made.
    pub(super) fn edited(
        &mut self,
        device: usize,
        record: &RecordId,
        field: &str,
        before: &Value,
        value: &str,
    ) {
        let seen = self.seen_of(device, record, field);
        seen.insert(text(before));
        seen.insert(value.to_owned());
        let edit = Edit {
            device,
            record: record.clone(),
            field: field.to_owned(),
            arrived: false,
            dropped: false,
        };
        self.edits.insert(value.to_owned(), edit);
        self.order.push(value.to_owned());
    }

    fn seen_of(&mut self, device: usize, record: &RecordId, field: &str) -> &mut BTreeSet<String> {
        let key = (device, record.clone(), field.to_owned());
        self.seen.entry(key).or_default()
    }

    pub(super) fn created(&mut self, device: usize, at: usize, record: &RecordId, mark: &str) {
        let (object, ..) = OBJECTS[at];
        let create = Create {
            device,
            object,
            record: record.clone(),
            dropped: false,
        };
        self.creates.insert(mark.to_owned(), create);
    }

    /// Notes that a host deleted a record: what it had written there may never arrive.
    pub(super) fn deleted(&mut self, device: usize, before: &Record) {
        self.drop_record(device, &before.id);
        let field = |name| before.fields.get(name).cloned().unwrap_or(Value::Null);
        let id = text(&field("Id"));
        if !id.starts_with("local-") {
            self.deletes.push(Delete {
                device,
                object: before.object.clone(),
                record: before.id.clone(),
                id,
                version: field("SystemModstamp"),
                dropped: false,
            });
        }
    }

    /// Notes that a deletion was taken back.
    pub(super) fn undeleted(&mut self, device: usize, record: &RecordId) {
        let deletes = self.deletes.iter_mut();
        deletes
            .filter(|delete| delete.device == device && delete.record == *record)
            .for_each(|delete| delete.dropped = true);
    }

    /// Notes that what a colleague wrote will be seen later.
    pub(super) fn late(&mut self, mark: &str) {
        self.late.insert(mark.to_owned());
    }

    /// Notes that all that a device wrote to a record may never arrive.
    pub(super) fn drop_record(&mut self, device: usize, record: &RecordId) {
        let edits = self.edits.values_mut();
        let edits = edits.filter(|edit| edit.device == device && edit.record == *record);
        edits.for_each(|edit| edit.dropped = true);
        let creates = self.creates.values_mut();
        let creates = creates.filter(|create| create.device == device && create.record == *record);
        creates.for_each(|create| create.dropped = true);
    }

    /// Notes that a value may never arrive.
    pub(super) fn drop_value(&mut self, value: &Value) {
        if let Some(edit) = self.edits.get_mut(&text(value)) {
            edit.dropped = true;
        }
    }

    /// Notes what a person who looks at a conflict sees.
    pub(super) fn saw(&mut self, device: usize, conflict: &Conflict) {
        for field in &conflict.fields {
            let seen = self.seen_of(device, &conflict.record, &field.name);
            seen.extend([text(&field.base), text(&field.local), text(&field.remote)]);
        }
    }

    /// Notes that a record that is gone at the org is made again.
    pub(super) fn made_again(&mut self, name: &Value) {
        *self.again.entry(text(name)).or_default() += 1;
    }

    /// Looks at the org, and judges what is new there.
    pub(super) fn look(&mut self, world: &World, by: By) {
        let mut now: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (object, name, fields) in OBJECTS {
            let soql = format!("SELECT Id, {name}, {} FROM {object}", fields.join(", "));
            match world.rows(world.boss(), &soql) {
                Ok(rows) => {
                    let here: BTreeSet<String> =
                        rows.iter().filter_map(|row| row.text("Id")).collect();
                    for row in rows {
                        let id = row.text("Id").unwrap_or_default();
                        let name = row.text(name).unwrap_or_default();
                        let ids = self.named.entry(name.clone()).or_default();
                        // One that was deleted or given away before it was found is made anew, not twice.
                        let maker = self.creates.get(&name).map(|create| create.device);
                        let gone = |id: &String| {
                            !here.contains(id)
                                || maker.is_some_and(|maker| !is_in_sight(world, maker, object, id))
                        };
                        if !ids.is_empty() && !ids.contains(&id) && ids.iter().all(gone) {
                            *self.again.entry(name).or_default() += 1;
                        }
                        ids.insert(id.clone());
                        let value = |field: &&str| {
                            ((*field).to_owned(), row.text(field).unwrap_or_default())
                        };
                        now.insert(id, fields.iter().map(value).collect());
                    }
                }
                Err(error) => self.wrong.push(error),
            }
        }
        for (id, fields) in &now {
            let before = self.shadow.get(id).cloned();
            for (field, new) in fields {
                let old = before.as_ref().and_then(|before| before.get(field));
                if old != Some(new) {
                    self.judge(by, id, field, old.map(String::as_str), new);
                }
            }
        }
        self.shadow = now;
    }

    /// A device writes its own values only, and over nothing that its person had not seen.
    fn judge(&mut self, by: By, id: &str, field: &str, old: Option<&str>, new: &str) {
        let By::Device(device) = by else { return };
        if self.late.remove(new) {
            return;
        }
        let Some(edit) = self.edits.get_mut(new) else {
            if old.is_some() {
                let line = format!(
                    "device {device} wrote {new:?} over {old:?} in {field} of {id}, which it never edited"
                );
                self.wrong.push(line);
            }
            return;
        };
        edit.arrived = true;
        let Some(old) = old else { return };
        let key = (device, edit.record.clone(), field.to_owned());
        let is_own = edit.device == device && edit.field == field;
        let has_seen = self.seen.get(&key).is_some_and(|seen| seen.contains(old));
        if !(is_own && has_seen) {
            self.wrong.push(format!(
                "device {device} overwrote {old:?} in {field} of {id} with {new:?} unseen"
            ));
        }
    }

    /// Says what was lost, or happened twice, once all devices have settled.
    pub(super) fn close(&mut self, world: &World, devices: &[Attache]) -> Vec<String> {
        let mut wrong = std::mem::take(&mut self.wrong);
        for (mark, create) in &self.creates {
            let again = self.again.get(mark).copied().unwrap_or(0);
            let times = self.named.get(mark).map_or(0, BTreeSet::len);
            let least = usize::from(!create.dropped);
            if times < least || times > 1 + again {
                let who = create.device;
                wrong.push(format!(
                    "device {who} made {} {mark}, and it is at the org {times} times",
                    create.object
                ));
            }
        }
        for (at, value) in self.order.iter().enumerate() {
            let edit = &self.edits[value];
            let later = self.order[at + 1..].iter().map(|value| &self.edits[value]);
            let same = |other: &Edit| {
                other.device == edit.device
                    && other.record == edit.record
                    && other.field == edit.field
            };
            let replaced = later.into_iter().any(same);
            if !(edit.arrived || edit.dropped || replaced) {
                let (who, field) = (edit.device, &edit.field);
                wrong.push(format!(
                    "device {who} set {field} of {} to {value}, and nobody knows of it",
                    edit.record
                ));
            }
        }
        for delete in self.deletes.iter().filter(|delete| !delete.dropped) {
            let soql = format!(
                "SELECT Id, SystemModstamp FROM {} WHERE Id = '{}'",
                delete.object, delete.id
            );
            // What went out of the person's sight cannot be deleted any more.
            let user = &world.users[delete.device].id;
            let rows = world.rows(user, &soql).unwrap_or_default();
            // What somebody else did to it meanwhile beats a deletion, be it that its lookup was cleared.
            let version = rows.first().and_then(|row| row.raw("SystemModstamp"));
            if version.is_some_and(|version| same(&delete.version, version)) {
                wrong.push(format!(
                    "device {} deleted {} {}, and it is still there",
                    delete.device, delete.object, delete.id
                ));
            }
        }
        for (who, device) in devices.iter().enumerate() {
            match device.pending() {
                Ok(pending) if pending.is_empty() => {}
                other => wrong.push(format!("device {who} has not settled: {other:?}")),
            }
        }
        wrong
    }

    /// Notes what a person decides about a conflict, for one field.
    pub(super) fn decided(&mut self, device: usize, conflict: &Conflict, field: Option<&str>) {
        match (conflict.kind, field) {
            (ConflictKind::DeletedAtRemote, _) => self.drop_record(device, &conflict.record),
            (_, None) => conflict
                .fields
                .iter()
                .for_each(|field| self.drop_value(&field.local)),
            (_, Some(name)) => {
                let field = conflict.fields.iter().filter(|field| field.name == name);
                field.for_each(|field| self.drop_value(&field.local));
            }
        }
    }
}

/// Says whether the person of a device sees a row of the org.
fn is_in_sight(world: &World, device: usize, object: &str, id: &str) -> bool {
    let soql = format!("SELECT Id FROM {object} WHERE Id = '{id}'");
    let rows = world.rows(&world.users[device].id, &soql);
    rows.is_ok_and(|rows| !rows.is_empty())
}

/// A text value; empty for null.
pub(super) fn text(value: &Value) -> String {
    value.as_text().unwrap_or_default().to_owned()
}
