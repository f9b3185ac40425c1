//! What should happen to a record: pure decisions, apart from doing them.
//!
//! [`incoming`] answers for a record that came from the server, [`outgoing`]
//! for the journal. Each is one `match` or one loop, so that the whole policy
//! can be read in one place; each arm has a test of its name in `plan/tests.rs`.

use crate::merge::Survivor;
use crate::outcome::{ConflictKind, MutationKind, MutationState, Resolution};
use crate::record::{Fields, Value, is_local};
use std::collections::{BTreeMap, BTreeSet};

mod together;

pub(crate) use together::{Unit, tied, units};

/// How this device holds a record that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Not at all.
    Absent,
    /// As the server last confirmed it.
    Clean,
    /// With edits that the server has not confirmed.
    Edited,
    /// Deleted here; the server has not confirmed that.
    Deleted,
}

/// What the server says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It is there, and somebody changed it since we last knew.
    Changed,
    /// It is there as we know it.
    Same,
    /// It is deleted, or out of this user's sight.
    Missing,
}

/// What to do with a record that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// Store it.
    Insert,
    /// Store it over what is there.
    Replace,
    /// Leave all as it is.
    Keep,
    /// Join it with the edits made here.
    Merge,
    /// Bring the record back: an edit beats a deletion.
    WithdrawDelete,
    /// Ask: somebody edited what is deleted here.
    AskWithdraw,
    /// The deletion is done.
    SettleDelete,
    /// Take it off this device.
    Purge,
    /// Ask: the edits made here have no record to go to.
    AskDeleted,
    /// Nothing of it is here.
    Ignore,
}

/// Decides what happens to a record that came in. `deleted_here` is what the briefcase wants to
/// stand where a record that was deleted here was edited at the server.
pub(crate) fn incoming(known: Known, seen: Seen, deleted_here: Survivor) -> Incoming {
    match (known, seen) {
        (Known::Absent, Seen::Changed | Seen::Same) => Incoming::Insert,
        (Known::Absent, Seen::Missing) => Incoming::Ignore,
        (Known::Clean, Seen::Changed) => Incoming::Replace,
        (Known::Clean, Seen::Same) => Incoming::Keep,
        (Known::Clean, Seen::Missing) => Incoming::Purge,
        (Known::Edited, Seen::Changed) => Incoming::Merge,
        (Known::Edited, Seen::Same) => Incoming::Keep,
        (Known::Edited, Seen::Missing) => Incoming::AskDeleted,
        (Known::Deleted, Seen::Changed) => match deleted_here {
            Survivor::Edit => Incoming::WithdrawDelete,
            Survivor::Ask => Incoming::AskWithdraw,
            Survivor::Deletion => Incoming::Keep,
        },
        (Known::Deleted, Seen::Same) => Incoming::Keep,
        (Known::Deleted, Seen::Missing) => Incoming::SettleDelete,
    }
}

/// Decides a conflict by itself, if the briefcase says what stands where a record that was
/// edited here is deleted at the server.
pub(crate) fn answer(kind: ConflictKind, deleted_there: Survivor) -> Option<Resolution> {
    match (kind, deleted_there) {
        (ConflictKind::DeletedAtRemote, Survivor::Edit) => Some(Resolution::Mine),
        (ConflictKind::DeletedAtRemote, Survivor::Deletion) => Some(Resolution::Theirs),
        (ConflictKind::DeletedAtRemote, Survivor::Ask) => None,
        // Policies of fields, and of what is deleted here, had their say when it was opened.
        (ConflictKind::Fields | ConflictKind::DeletedHere, _) => None,
    }
}

/// A mutation as the plan sees it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub seq: i64,
    pub changeset: i64,
    pub object: String,
    pub record: String,
    pub kind: MutationKind,
    pub fields: Fields,
    pub state: MutationState,
    pub client_key: Option<String>,
}

/// Takes a create's key at the server apart: the field that carried it once it was sent, and the key.
///
/// The journal writes them as `External_Id__c:0192…`, and the key alone of a create that
/// was never sent. Only under that field is found what an attempt may have made,
/// and only under it is a second attempt no second record, whatever field the
/// briefcase names by then.
pub(crate) fn client_key(text: &str) -> (Option<&str>, &str) {
    match text.split_once(':') {
        Some((field, key)) => (Some(field), key),
        None => (None, text),
    }
}

/// One write that should leave this device: a record's mutations, squashed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outgoing {
    pub object: String,
    pub record: String,
    /// The mutations that an answer to this write settles, and no others.
    pub seqs: Vec<i64>,
    pub kind: MutationKind,
    pub fields: Fields,
    /// Lookups left out of a create to break a circle; they follow as an update.
    pub deferred: Fields,
    pub client_key: Option<String>,
}

/// What a round of pushing may send, and what has to wait.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// Writes that depend on nothing unsent, in order: creates, updates, deletes.
    pub ready: Vec<Outgoing>,
    /// Mutations that wait for one that a person or an answer has to settle first.
    pub blocked: Vec<i64>,
}

/// Orders and squashes the journal.
///
/// `optional` says whether a lookup may be left out of a create.
pub(crate) fn outgoing(steps: &[Step], optional: impl Fn(&str, &str) -> bool) -> Plan {
    let mut records: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
    for step in steps {
        records.entry(&step.record).or_default().push(step);
    }
    let held: BTreeSet<&str> = records
        .iter()
        .filter(|(_, steps)| {
            steps
                .iter()
                .any(|step| step.state != MutationState::Pending)
        })
        .map(|(record, _)| *record)
        .collect();
    let mut ready = Vec::new();
    let mut waiting = Vec::new();
    for steps in records
        .iter()
        .filter(|(record, _)| !held.contains(*record))
        .map(|(_, steps)| steps)
    {
        let write = squash(steps);
        if unsent_lookups(&write.fields).next().is_none() {
            ready.push(write)
        } else {
            waiting.push(write)
        }
    }
    let stuck = stuck(&ready, &waiting);
    if ready.is_empty()
        && let Some(write) = break_circle(&waiting, &stuck, optional)
    {
        ready.push(write);
    }
    let nothing_leaves = ready.is_empty();
    let mut blocked: Vec<i64> = waiting
        .iter()
        .filter(|write| nothing_leaves || stuck.contains(&write.record))
        .flat_map(|write| write.seqs.clone())
        .collect();
    // What was edited while a record was on the wire waits for what becomes of that.
    blocked.extend(
        steps
            .iter()
            .filter(|step| step.state == MutationState::Pending && held.contains(&*step.record))
            .map(|step| step.seq),
    );
    // A parent is deleted after its children were moved away or deleted.
    let last = if ready.iter().any(|write| write.kind != MutationKind::Delete) {
        MutationKind::Update
    } else {
        MutationKind::Delete
    };
    ready.retain(|write| last == MutationKind::Delete || write.kind != MutationKind::Delete);
    ready.sort_by_key(|write| {
        (
            write.kind as u8,
            write.object.clone(),
            write.seqs.first().copied(),
        )
    });
    Plan { ready, blocked }
}

/// Squashes a record anew for a write that was planned a while ago; `None` if the plan no longer holds for it.
///
/// What was edited since travels along. What was taken back, what became another
/// kind of write, and what points at an unsent record by now is left to the next plan.
pub(crate) fn renewed(planned: &Outgoing, steps: &[Step]) -> Option<Outgoing> {
    let steps: Vec<&Step> = steps.iter().collect();
    let pending = |step: &&Step| step.state == MutationState::Pending;
    if steps.is_empty() || !steps.iter().all(pending) {
        return None;
    }
    let mut write = squash(&steps);
    for (name, _) in planned.deferred.iter() {
        if let Some(value) = write.fields.remove(name) {
            write.deferred.set(name, value);
        }
    }
    (write.kind == planned.kind && unsent_lookups(&write.fields).next().is_none()).then_some(write)
}

/// Joins a record's mutations into one write. The journal holds no create that is also deleted.
fn squash(steps: &[&Step]) -> Outgoing {
    let first = steps[0];
    let deleted = steps.iter().any(|step| step.kind == MutationKind::Delete);
    let kind = if deleted {
        MutationKind::Delete
    } else {
        first.kind
    };
    let mut fields = Fields::new();
    let forgotten = usize::from(planted!(SquashForgetsFields) && steps.len() > 1);
    if kind != MutationKind::Delete {
        for (name, value) in steps
            .iter()
            .skip(forgotten)
            .flat_map(|step| step.fields.iter())
        {
            fields.set(name, value.clone());
        }
    }
    Outgoing {
        object: first.object.clone(),
        record: first.record.clone(),
        seqs: steps.iter().map(|step| step.seq).collect(),
        kind,
        fields,
        deferred: Fields::new(),
        client_key: first.client_key.clone(),
    }
}

fn unsent_lookups(fields: &Fields) -> impl Iterator<Item = (&str, &str)> {
    // A text that looks like a local key is one: 128 bits make no accident.
    fields.iter().filter_map(|(name, value)| match value {
        Value::Text(text) if !planted!(ChildrenFirst) && is_local(text) => {
            Some((name, text.as_str()))
        }
        _ => None,
    })
}

/// The records whose lookups lead, be it over others, to one that does not leave.
fn stuck(ready: &[Outgoing], waiting: &[Outgoing]) -> BTreeSet<String> {
    let leaving: BTreeSet<&str> = ready
        .iter()
        .chain(waiting)
        .map(|write| write.record.as_str())
        .collect();
    let mut pointing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for write in waiting {
        for (_, target) in unsent_lookups(&write.fields) {
            pointing.entry(target).or_default().push(&write.record);
        }
    }
    let mut open: Vec<&str> = pointing.keys().copied().collect();
    open.retain(|target| !leaving.contains(target));
    let mut stuck = BTreeSet::new();
    while let Some(target) = open.pop() {
        for record in pointing.get(target).into_iter().flatten() {
            if stuck.insert((*record).to_owned()) {
                open.push(record);
            }
        }
    }
    stuck
}

/// Finds a create that waits only for what waits for it in turn, and leaves those lookups for later.
fn break_circle(
    waiting: &[Outgoing],
    stuck: &BTreeSet<String>,
    optional: impl Fn(&str, &str) -> bool,
) -> Option<Outgoing> {
    let writes: BTreeMap<&str, &Outgoing> = waiting
        .iter()
        .map(|write| (write.record.as_str(), write))
        .collect();
    let leads_to = |from: &str, record: &str| {
        let (mut open, mut seen) = (vec![from], BTreeSet::new());
        while let Some(at) = open.pop() {
            if at == record {
                return true;
            }
            if let Some(write) = writes.get(at).filter(|_| seen.insert(at.to_owned())) {
                open.extend(unsent_lookups(&write.fields).map(|(_, target)| target));
            }
        }
        false
    };
    let found = waiting.iter().find(|write| {
        write.kind == MutationKind::Create
            && !stuck.contains(&write.record)
            && unsent_lookups(&write.fields).all(|(name, target)| {
                optional(&write.object, name) && leads_to(target, &write.record)
            })
    })?;
    let mut write = found.clone();
    let names: Vec<String> = unsent_lookups(&found.fields)
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in names {
        if let Some(value) = write.fields.remove(&name) {
            write.deferred.set(name, value);
        }
    }
    Some(write)
}

#[cfg(test)]
mod tests;
