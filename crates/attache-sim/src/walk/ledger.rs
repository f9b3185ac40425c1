//! The books of a walk: who wrote what, who had seen what, and what became of it.
//!
//! Every edit of a walk writes a value that nobody else ever writes, so that a
//! value found at the org, in a journal or on a device tells who made it and when.

use super::deletions::Delete;
use super::org::{Removed, Shot};
use crate::oracle::same;
use crate::world::World;
use attache::{Conflict, ConflictKind, Mutation, MutationKind, RecordId, Value};
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
    /// A device, and its user.
    Device(usize, usize),
    Colleague,
    /// Some device, a while ago.
    Straggler,
}

/// A device and its user.
pub(super) type Who = (usize, usize);

pub(super) struct Edit {
    device: usize,
    pub(super) user: usize,
    record: RecordId,
    field: String,
    /// What stood there before, on that device.
    before: String,
    /// What the person had seen there before the value was written.
    seen: BTreeSet<String>,
    /// It reached the org.
    arrived: bool,
    /// Somebody decided that it should not.
    dropped: bool,
    /// It was written to settle a conflict.
    is_decision: bool,
}

struct Create {
    device: usize,
    user: usize,
    object: &'static str,
    dropped: bool,
}

/// The books.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) count: u64,
    /// The org when it was last looked at.
    pub(super) shadow: Shot,
    /// Every value that a field ever had at the org.
    history: BTreeMap<(String, String), BTreeSet<String>>,
    pub(super) edits: BTreeMap<String, Edit>,
    creates: BTreeMap<String, Create>,
    /// The rows that ever had a name, those that were purged since included.
    named: BTreeMap<String, BTreeSet<String>>,
    /// How often a record of this name was made again by decision.
    again: BTreeMap<String, usize>,
    pub(super) deletes: Vec<Delete>,
    /// What was at the org when the session of each device began.
    pub(super) begun: BTreeMap<usize, Shot>,
    /// Values in transactions that were still open.
    late: BTreeSet<String>,
    /// The same, those that were committed since included.
    pub(super) ever_late: BTreeSet<String>,
    /// Values that are in a file only: their device was wiped.
    filed: BTreeSet<String>,
    /// Values of mutations that were taken back, or had to go.
    gone: BTreeSet<String>,
    /// The names of records that the org is to take all together.
    together: Vec<Vec<String>>,
    /// Unsent work goes by files, too.
    carries: bool,
    /// What an administrator removed.
    pub(super) removed: Removed,
    /// The fields of rows that lost their values when they became others: nobody wrote there.
    emptied: BTreeSet<(String, String)>,
    /// What must never happen, and did.
    pub wrong: Vec<String>,
}

impl Ledger {
    /// Opens the books. `carries`: unsent work goes by files, too.
    pub(super) fn new(carries: bool) -> Ledger {
        Ledger {
            carries,
            ..Ledger::default()
        }
    }

    /// Makes a value that nobody has made before.
    pub(super) fn mark(&mut self, by: char) -> String {
        self.count += 1;
        format!("{by}{}", self.count)
    }

    /// Notes an edit.
    pub(super) fn edited(
        &mut self,
        who: Who,
        record: &RecordId,
        field: &str,
        before: &Value,
        value: &str,
    ) {
        let before = text(before);
        let mut seen = match self.edits.get(&before) {
            Some(edit) if edit.user == who.1 => edit.seen.clone(),
            _ => BTreeSet::new(),
        };
        seen.insert(before.clone());
        seen.insert(value.to_owned());
        let edit = Edit {
            device: who.0,
            user: who.1,
            record: record.clone(),
            field: field.to_owned(),
            before,
            seen,
            arrived: false,
            dropped: false,
            is_decision: false,
        };
        self.edits.insert(value.to_owned(), edit);
    }

    pub(super) fn created(&mut self, who: Who, object: &'static str, mark: &str) {
        let create = Create {
            device: who.0,
            user: who.1,
            object,
            dropped: false,
        };
        self.creates.insert(mark.to_owned(), create);
    }

    /// Notes that creates of these names are taken all together, or not at all.
    pub(super) fn tied(&mut self, marks: Vec<String>) {
        self.together.push(marks);
    }

    /// Notes that what a colleague wrote will be seen later.
    pub(super) fn late(&mut self, mark: &str) {
        self.late.insert(mark.to_owned());
        self.ever_late.insert(mark.to_owned());
    }

    /// Notes that mutations may never arrive.
    pub(super) fn dropped<'a>(
        &mut self,
        user: usize,
        mutations: impl IntoIterator<Item = &'a Mutation>,
    ) {
        for mutation in mutations {
            for (_, value) in mutation.fields.iter() {
                self.drop_value(value);
                self.gone.insert(text(value));
            }
            match mutation.kind {
                MutationKind::Create => {
                    let name = name_of(mutation);
                    if let Some(create) = name.and_then(|name| self.creates.get_mut(&name)) {
                        create.dropped = true;
                    }
                }
                MutationKind::Update => {}
                MutationKind::Delete => self.undeleted(user, mutation.record.as_str()),
            }
        }
    }

    /// Notes that of two edits of one person, made on two devices, this one was not chosen, nor what it had replaced.
    pub(super) fn passed_over(&mut self, user: usize, value: &Value) {
        let mut at = text(value);
        let waits = |edit: &&mut Edit| edit.user == user && !edit.arrived;
        while let Some(edit) = self.edits.get_mut(&at).filter(waits) {
            edit.dropped = true;
            at = edit.before.clone();
        }
    }

    /// Notes that a value may never arrive, nor any that it was decided to replace.
    pub(super) fn drop_value(&mut self, value: &Value) {
        let mut at = text(value);
        let mut is_below = false;
        while let Some(edit) = self.edits.get_mut(&at).filter(|edit| !edit.arrived) {
            edit.dropped = true;
            is_below |= edit.is_decision;
            if !is_below {
                break;
            }
            at = edit.before.clone();
        }
    }

    /// Notes that a value came of a decision: what it replaced left the journal with that.
    pub(super) fn decided(&mut self, value: &str) {
        if let Some(edit) = self.edits.get_mut(value) {
            edit.is_decision = true;
        }
    }

    /// The rows of the org that have these names: their objects and ids.
    pub(super) fn rows_named(&self, names: &BTreeSet<String>) -> Vec<(&'static str, String)> {
        let rows = self.shadow.rows.iter();
        let named = rows.filter(|(_, row)| names.contains(&row.name));
        named.map(|(id, row)| (row.object, id.clone())).collect()
    }

    /// Says whether the file with this title, or what it was attached to, was given up.
    pub(super) fn is_dropped(&self, title: &str) -> bool {
        self.gone.contains(title)
    }

    /// Notes what a person who looks at a conflict sees.
    pub(super) fn saw(&mut self, conflict: &Conflict) {
        for field in &conflict.fields {
            let shown = [&field.base, &field.local, &field.remote].map(text);
            let of_both = [&field.local, &field.remote].map(text);
            let makers = of_both
                .each_ref()
                .map(|it| self.edits.get(it).map(|it| (it.user, it.device)));
            // Of two records that were edited here and merged, the other's edit stands where the server's value does; so
            // does one that came in a file.
            let are_both_ours = match makers {
                [Some(mine), Some(other)] if self.carries => mine.0 == other.0,
                [None, Some(_)] => true,
                _ => makers[0] == makers[1],
            };
            let shown = self.with_what_was_seen_there(shown);
            for top in of_both.into_iter().take(1 + usize::from(are_both_ours)) {
                // What the value on top replaced may come to the top again.
                let mut at = top;
                while let Some(edit) = self.edits.get_mut(&at) {
                    edit.seen.extend(shown.iter().cloned());
                    at = edit.before.clone();
                }
            }
            if self.is_with_oneself(conflict, &field.local, &field.remote) {
                self.wrong.push(format!(
                    "a conflict about {} of {} is between two edits of one device, one upon the other",
                    field.name, conflict.record
                ));
            }
            let base = text(&field.base);
            // What was edited of a record that was merged into this one has the base of that.
            let of_field = |at: &&(String, String)| at.1 == field.name;
            let mut known = self.history.keys().filter(of_field).peekable();
            let is_known =
                known.peek().is_none() || known.any(|at| self.history[at].contains(&base));
            if !(base.is_empty() || self.edits.contains_key(&base) || is_known) {
                self.wrong.push(format!(
                    "a conflict about {} of {} has the base {base:?}, which the org never had",
                    field.name, conflict.record
                ));
            }
        }
    }

    /// Adds to base, own and other value what their person had seen when they were written: whoever decides between two
    /// own edits, one of which was chosen over a third before, knows of that one.
    fn with_what_was_seen_there(&self, shown: [String; 3]) -> BTreeSet<String> {
        let edits = shown.iter().filter_map(|value| self.edits.get(value));
        let user = self.edits.get(&shown[1]).map(|edit| edit.user);
        let edits = edits.filter(|edit| Some(edit.user) == user);
        let seen = edits.flat_map(|edit| edit.seen.iter().cloned());
        seen.chain(shown.iter().cloned()).collect()
    }

    /// Says whether both values of a conflict are edits of one device, and this one's was made upon the server's: nobody
    /// else had a hand in it.
    ///
    /// Not so where work was carried in files: a device that was wiped begins from what the file says.
    fn is_with_oneself(&self, conflict: &Conflict, local: &Value, remote: &Value) -> bool {
        let edit = |value: &Value| self.edits.get(&text(value));
        let (Some(top), Some(below)) = (edit(local), edit(remote)) else {
            return false;
        };
        !self.carries
            && conflict.kind == ConflictKind::Fields
            && top.before == text(remote)
            && (top.device, &top.record) == (below.device, &below.record)
    }

    /// Notes that a record that is gone at the org, or a copy of one, may be made again.
    pub(super) fn made_again(&mut self, name: &str) {
        *self.again.entry(name.to_owned()).or_default() += 1;
    }

    /// Notes what is in a file only from here on.
    pub(super) fn filed<'a>(&mut self, mutations: impl IntoIterator<Item = &'a Mutation>) {
        let values = mutations.into_iter().flat_map(values_of);
        self.filed.extend(values);
    }

    /// Notes that a file was taken in.
    pub(super) fn unfiled(&mut self, values: &BTreeSet<String>) {
        self.filed.retain(|value| !values.contains(value));
    }

    /// Notes that a field of all rows lost its values.
    pub(super) fn emptied(&mut self, object: &str, field: &str) {
        let rows = self.shadow.rows.iter();
        let of_object = rows.filter(|(_, row)| row.object == object);
        let these = of_object.map(|(id, _)| (id.clone(), field.to_owned()));
        self.emptied.extend(these);
    }

    /// Looks at the org, and judges what is new there.
    pub(super) fn look(&mut self, world: &World, by: By) {
        let now = match Shot::take(world, &self.removed, &self.shadow) {
            Ok(now) => now,
            Err(error) => return self.wrong.push(error),
        };
        for (id, row) in &now.rows {
            self.count_name(world, &now, id, &row.name);
            if row
                .parents
                .iter()
                .any(|parent| parent.starts_with("local-"))
            {
                self.wrong
                    .push(format!("{id} at the org points at a local key"));
            }
        }
        let before = std::mem::replace(&mut self.shadow, now);
        let now = std::mem::take(&mut self.shadow);
        for (id, row) in &now.rows {
            let old_row = before.rows.get(id);
            for (field, new) in &row.fields {
                let old = old_row.and_then(|row| row.fields.get(field));
                if old != Some(new) {
                    self.judge(by, id, field, old.map(String::as_str), new);
                    let key = (id.clone(), field.clone());
                    self.history.entry(key).or_default().insert(new.clone());
                }
            }
        }
        if let By::Device(device, user) = by {
            for id in before.rows.keys().filter(|id| !now.rows.contains_key(*id)) {
                self.judge_deletion((device, user), &before, id);
            }
            self.judge_together();
        }
        self.shadow = now;
    }

    fn count_name(&mut self, world: &World, now: &Shot, id: &str, name: &str) {
        let ids = self.named.entry(name.to_owned()).or_default();
        if ids.contains(id) {
            return;
        }
        // One that was deleted or given away before it was found is made anew, not twice.
        let maker = self.creates.get(name).map(|create| create.user);
        let gone = |id: &String| match now.rows.get(id) {
            None => true,
            Some(row) => maker.is_some_and(|maker| !is_in_sight(world, maker, row.object, id)),
        };
        if !ids.is_empty() && ids.iter().all(gone) {
            *self.again.entry(name.to_owned()).or_default() += 1;
        }
        ids.insert(id.to_owned());
    }

    /// A device writes its own values only, and over nothing that its person had not seen.
    fn judge(&mut self, by: By, id: &str, field: &str, old: Option<&str>, new: &str) {
        let edit = self.edits.get_mut(new);
        let (device, user) = match (by, edit) {
            (By::Device(device, user), _) => (device, user),
            (By::Straggler, Some(edit)) => (edit.device, edit.user),
            // Nobody but its device writes such a value: it was in a request that came late.
            (_, edit) => return edit.into_iter().for_each(|edit| edit.arrived = true),
        };
        if self.late.remove(new) {
            return;
        }
        // The first attempt of what went on by a second one: its device can neither know of it nor call it back.
        let is_outdated = by == By::Straggler && old.is_some_and(|old| self.stands_upon(old, new));
        let Some(edit) = self.edits.get_mut(new) else {
            if old.is_some() {
                self.wrong.push(format!(
                    "device {device} wrote {new:?} over {old:?} in {field} of {id}, which it never edited"
                ));
            }
            return;
        };
        // A record that is made again brings back what others had written there.
        let is_copy = old.is_none() && edit.arrived;
        edit.arrived = true;
        let is_own = (edit.user == user || is_copy) && edit.field == field;
        let is_emptied =
            |old: &str| old.is_empty() && self.emptied.contains(&(id.to_owned(), field.to_owned()));
        let has_seen = old.is_none_or(|old| edit.seen.contains(old) || is_emptied(old));
        if !(is_own && (has_seen || is_outdated)) {
            self.wrong.push(format!(
                "device {device} overwrote {old:?} in {field} of {id} with {new:?} unseen"
            ));
        }
    }

    /// Says whether a value was written upon another one, at once or in steps.
    fn stands_upon(&self, value: &str, other: &str) -> bool {
        let mut at = value;
        while let Some(edit) = self.edits.get(at) {
            at = &edit.before;
            if at == other {
                return true;
            }
        }
        false
    }

    /// What is taken together is at the org whole, or not at all.
    fn judge_together(&mut self) {
        for marks in &self.together {
            let dropped = |mark: &String| self.creates.get(mark).is_none_or(|it| it.dropped);
            let there = marks.iter().filter(|mark| self.named.contains_key(*mark));
            let there = there.count();
            if there > 0 && there < marks.len() && !marks.iter().any(dropped) {
                self.wrong.push(format!(
                    "of {marks:?}, which are all or none, {there} are at the org"
                ));
            }
        }
    }

    /// Says whether an edit has been replaced by a later one that still stands.
    fn is_replaced(&self, value: &str, by: &BTreeMap<&str, Vec<&str>>) -> bool {
        by.get(value).into_iter().flatten().any(|later| {
            let edit = &self.edits[*later];
            edit.arrived || !edit.dropped || self.is_replaced(later, by)
        })
    }

    /// The edits and creates that must still arrive.
    fn owed(&self) -> Vec<(&String, &Edit)> {
        let mut by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (value, edit) in &self.edits {
            by.entry(&edit.before).or_default().push(value);
        }
        let mut owed: Vec<(&String, &Edit)> = self
            .edits
            .iter()
            .filter(|(_, edit)| !(edit.arrived || edit.dropped))
            .collect();
        owed.retain(|(value, _)| !self.is_replaced(value, &by));
        owed
    }

    /// Every edit that has not arrived is in a journal, in a conflict or in a file, never nowhere.
    pub(super) fn account(&mut self, journals: &BTreeSet<String>) {
        let is_kept = |value: &str| journals.contains(value) || self.filed.contains(value);
        let mut lost = Vec::new();
        for (value, edit) in self.owed() {
            if !is_kept(value) {
                lost.push(format!(
                    "device {} set {} of {} to {value}, and no journal has it",
                    edit.device, edit.field, edit.record
                ));
            }
        }
        for (mark, create) in &self.creates {
            if !(create.dropped || self.named.contains_key(mark) || is_kept(mark)) {
                lost.push(format!(
                    "device {} made {} {mark}, and no journal has it",
                    create.device, create.object
                ));
            }
        }
        self.wrong.extend(lost);
    }

    /// Says whether a device may show a value: the org had it, or this user wrote it.
    pub(super) fn is_true(&self, user: usize, id: &str, field: &str, value: &str) -> bool {
        if value.is_empty() || self.edits.get(value).is_some_and(|edit| edit.user == user) {
            return true;
        }
        let known = self.history.get(&(id.to_owned(), field.to_owned()));
        // Of rows that the books never saw nothing can be told.
        known.is_none_or(|known| known.contains(value))
    }

    /// Says what was lost, or happened twice, once all devices have settled.
    pub(super) fn close(&mut self, world: &World) -> Vec<String> {
        let mut wrong = std::mem::take(&mut self.wrong);
        for (mark, create) in &self.creates {
            let again = self.again.get(mark).copied().unwrap_or(0);
            let times = self.named.get(mark).map_or(0, BTreeSet::len);
            let least = usize::from(!create.dropped);
            if times < least || times > 1 + again {
                wrong.push(format!(
                    "device {} made {} {mark}, and it is at the org {times} times",
                    create.device, create.object
                ));
            }
        }
        for (value, edit) in self.owed() {
            wrong.push(format!(
                "device {} set {} of {} to {value}, and nobody knows of it",
                edit.device, edit.field, edit.record
            ));
        }
        for delete in self.deletes.iter().filter(|delete| !delete.dropped) {
            let soql = format!(
                "SELECT Id, SystemModstamp, LastModifiedById FROM {} WHERE Id = '{}'",
                delete.object, delete.id
            );
            // What went out of the person's sight cannot be deleted any more.
            let rows = world.rows(&world.users[delete.user].id, &soql);
            let rows = rows.unwrap_or_default();
            // What somebody else did to it meanwhile beats a deletion, be it that its lookup was cleared.
            let is = |field, value| {
                let there = rows.first().and_then(|row| row.raw(field));
                there.is_some_and(|there| same(value, there))
            };
            if is("SystemModstamp", &delete.version) && is("LastModifiedById", &delete.by) {
                wrong.push(format!(
                    "user {} deleted {} {}, and it is still there",
                    delete.user, delete.object, delete.id
                ));
            }
        }
        wrong
    }
}

/// The name that a create gives its record.
pub(super) fn name_of(mutation: &Mutation) -> Option<String> {
    let (_, name, _) = OBJECTS
        .iter()
        .find(|(object, ..)| *object == mutation.object)?;
    mutation.fields.get(name).map(text)
}

/// The texts that a mutation sets.
pub(super) fn values_of(mutation: &Mutation) -> impl Iterator<Item = String> {
    let values = mutation.fields.iter().map(|(_, value)| text(value));
    values.filter(|text| !text.is_empty())
}

/// Says whether a user sees a row of the org.
pub(super) fn is_in_sight(world: &World, user: usize, object: &str, id: &str) -> bool {
    let user = &world.users[user].id;
    world
        .sandbox
        .with_org(|org| org.read(user, object, id).is_some())
}

/// A text value; empty for null.
pub(super) fn text(value: &Value) -> String {
    value.as_text().unwrap_or_default().to_owned()
}
