//! The merge itself: one pass over the fields of a record, in the order in which they are stored.

use super::{DeletionPolicy, FieldGroups, MergePolicy, Policy, join, same};
use crate::error::{Error, Result};
use crate::record::Value;
use crate::schema::{FieldSchema, ObjectSchema};
use std::fmt;
use std::sync::Arc;

/// How the records of one object merge: its fields, their groups and policies, laid out once for many records.
///
/// ```
/// use attache::{MergePolicy, Merger, ObjectSchema, Outcome, Reason, Value};
/// use std::sync::Arc;
///
/// let contact = ObjectSchema::from_describe(r#"{"name": "Contact", "fields": [
///     {"name": "Phone", "type": "phone", "createable": true, "updateable": true},
///     {"name": "Fax", "type": "phone", "createable": true, "updateable": true}]}"#)?;
/// let merger = Merger::new(Arc::new(contact), &MergePolicy::default());
/// let base = [Value::from("1"), Value::from("1")];
/// let local = [Value::from("2"), Value::from("1")];
/// let remote = [Value::from("3"), Value::from("2")];
/// let changes = merger.merge(&base, &local, &remote, &[true, false])?;
/// assert_eq!((changes[0].at, &changes[0].outcome), (0, &Outcome::Conflict));
/// assert_eq!((&changes[1].outcome, changes[1].reason), (&Outcome::Taken, Reason::ChangedThere));
/// # Ok::<(), attache::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Merger {
    object: Arc<ObjectSchema>,
    /// For each place in a row its place in the describe.
    fields: Vec<usize>,
    policies: Vec<Policy>,
    deletion: DeletionPolicy,
    /// The places in a row, those of a group side by side.
    order: Vec<usize>,
    /// Where each group ends in `order`.
    ends: Vec<usize>,
}

/// What becomes of a field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was edited here, and the server has the same value: nothing is left to send.
    Agreed,
    /// This device takes the server's value.
    Taken,
    /// This device's value stays and is to be sent.
    Kept,
    /// A policy made a value of both sides' changes that neither has; it is to be sent.
    Joined(Value),
    /// A person decides; until then this device shows its own value.
    Conflict,
}

/// Why a field came out as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Nobody changed it.
    Untouched,
    /// It, or its group, was changed here only.
    ChangedHere,
    /// It, or its group, was changed at the server only.
    ChangedThere,
    /// Both sides made the same change.
    SameChange,
    /// Of its group, what the server changed was changed to the same here, and more.
    MoreHere,
    /// Of its group, what was changed here was changed to the same at the server, and more.
    MoreThere,
    /// Both sides changed it, and a policy decides: ask, local, remote, or joined by one of the others.
    ByPolicy(Policy),
    /// Both sides changed it, and what the policy would join does not let itself be joined.
    NotJoined(Policy),
    /// Both sides changed its group, and the parts they changed have different policies.
    MixedPolicies,
}

impl fmt::Display for Reason {
    /// Prints the reason for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Untouched => f.write_str("changed on neither side"),
            Reason::ChangedHere => f.write_str("changed here only"),
            Reason::ChangedThere => f.write_str("changed at the server only"),
            Reason::SameChange => f.write_str("both sides made the same change"),
            Reason::MoreHere => {
                f.write_str("all that the server changed of its group was changed to the same here")
            }
            Reason::MoreThere => {
                f.write_str("all that was changed here of its group was changed to the same at the server")
            }
            Reason::ByPolicy(policy) => {
                write!(f, "changed on both sides; the policy is {}", policy.name())
            }
            Reason::NotJoined(Policy::Union) => f.write_str(
                "changed on both sides; union is for multi-select lists, and the list must stay valid",
            ),
            Reason::NotJoined(Policy::Text) => f.write_str(
                "changed on both sides; text joins changes of different lines, if the result fits the field",
            ),
            Reason::NotJoined(_) => f.write_str(
                "changed on both sides; counter adds to numbers that neither side cleared, if the sum fits the field",
            ),
            Reason::MixedPolicies => {
                f.write_str("its group was changed on both sides, and the changed parts have different policies")
            }
        }
    }
}

/// A field with which something happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its place in the row.
    pub at: usize,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
}

/// What was done to a field: bits.
const HERE: u8 = 1;
const THERE: u8 = 2;
const DIFFER: u8 = 4;

/// The three sides of a record, and what was edited here: values in the order of the row.
#[derive(Clone, Copy)]
struct Sides<'a> {
    base: &'a [Value],
    local: &'a [Value],
    remote: &'a [Value],
    edited: &'a [bool],
}

impl Merger {
    /// Lays an object's policy out; a row has the fields of the describe, in its order.
    pub fn new(object: Arc<ObjectSchema>, policy: &MergePolicy) -> Merger {
        let all = (0..object.fields.len()).collect();
        Merger::for_row(object, all, policy)
    }

    /// Lays an object's policy out for rows that have these fields of the describe.
    pub(crate) fn for_row(
        object: Arc<ObjectSchema>,
        fields: Vec<usize>,
        policy: &MergePolicy,
    ) -> Merger {
        let groups = FieldGroups::of(&object, policy);
        let mut order: Vec<usize> = (0..fields.len()).collect();
        order.sort_by_key(|at| (groups.first(fields[*at]), *at));
        let mut ends = Vec::with_capacity(order.len());
        let mut end = 0;
        for group in order.chunk_by(|a, b| groups.first(fields[*a]) == groups.first(fields[*b])) {
            end += group.len();
            ends.push(end);
        }
        let policies = fields
            .iter()
            .map(|at| policy.of_field(&object.fields[*at]))
            .collect();
        Merger {
            object,
            fields,
            policies,
            deletion: policy.deletion(),
            order,
            ends,
        }
    }

    /// The fields of a row, in order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = &FieldSchema> {
        self.fields.iter().map(|at| &self.object.fields[*at])
    }

    /// What to do where one side deleted what the other edited.
    pub fn deletion(&self) -> DeletionPolicy {
        self.deletion
    }

    /// The places that merge as one value; most groups are one field.
    pub fn groups(&self) -> impl Iterator<Item = &[usize]> {
        let mut begin = 0;
        self.ends.iter().map(move |end| {
            let group = &self.order[begin..*end];
            begin = *end;
            group
        })
    }

    /// Merges one record three ways, and gives the fields with which something happened, in order of their places.
    ///
    /// `base` is what both sides last agreed on, `edited` says which fields were edited here
    /// since. The merged row is the server's, except for what is kept, joined or in conflict.
    ///
    /// The result depends on the arguments only. Without policies that join, no value is
    /// invented: each is that of `local` or `remote`, and the fields of a group come from one
    /// of them together.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind) if the four are not as long as the row.
    ///
    /// # Cost
    /// O(fields): a comparison for each field that was not edited, three for each that was.
    /// Nothing is allocated for fields with which nothing happened.
    ///
    /// # Source
    /// Field-wise diff3.
    pub fn merge(
        &self,
        base: &[Value],
        local: &[Value],
        remote: &[Value],
        edited: &[bool],
    ) -> Result<Vec<Change>> {
        let row = self.fields.len();
        let as_long = [base, local, remote].iter().all(|side| side.len() == row);
        if !as_long || edited.len() != row {
            return Err(Error::invalid(format!(
                "each side of a merge has the {row} fields of the row"
            )));
        }
        Ok(self.changes(base, local, remote, edited))
    }

    /// [`merge`](Merger::merge) of sides that are known to be as long as the row.
    pub(crate) fn changes(
        &self,
        base: &[Value],
        local: &[Value],
        remote: &[Value],
        edited: &[bool],
    ) -> Vec<Change> {
        let sides = Sides {
            base,
            local,
            remote,
            edited,
        };
        let mut changes = Vec::new();
        for group in self.groups() {
            if !group.iter().any(|at| edited[*at]) {
                changes.extend(
                    group
                        .iter()
                        .filter(|at| !self.agrees(**at, &sides))
                        .map(|at| Change {
                            at: *at,
                            outcome: Outcome::Taken,
                            reason: Reason::ChangedThere,
                        }),
                );
            } else if let [at] = *group {
                let done = self.done(at, &sides);
                let verdict = self.judge(&[at], &[done], &sides);
                changes.extend(settle(at, done, edited[at], verdict));
            } else {
                let done: Vec<u8> = group.iter().map(|at| self.done(*at, &sides)).collect();
                let verdict = self.judge(group, &done, &sides);
                changes.extend(
                    group
                        .iter()
                        .zip(&done)
                        .filter_map(|(at, done)| settle(*at, *done, edited[*at], verdict.clone())),
                );
            }
        }
        changes.sort_unstable_by_key(|change| change.at);
        changes
    }

    pub(super) fn field(&self, at: usize) -> &FieldSchema {
        &self.object.fields[self.fields[at]]
    }

    fn agrees(&self, at: usize, sides: &Sides<'_>) -> bool {
        let (local, remote) = (&sides.local[at], &sides.remote[at]);
        local == remote || same(&self.field(at).field_type, local, remote)
    }

    fn done(&self, at: usize, sides: &Sides<'_>) -> u8 {
        let ty = &self.field(at).field_type;
        let (base, local, remote) = (&sides.base[at], &sides.local[at], &sides.remote[at]);
        let bit = |bit, differs: bool| if differs { bit } else { 0 };
        bit(HERE, sides.edited[at] && !same(ty, base, local))
            | bit(THERE, !same(ty, base, remote))
            | bit(DIFFER, !same(ty, local, remote))
    }

    /// The whole policy of a merge: says what a group comes from, and why.
    fn judge(&self, group: &[usize], done: &[u8], sides: &Sides<'_>) -> (Outcome, Reason) {
        let all = |side: u8| {
            done.iter()
                .all(|done| done & side == 0 || done & DIFFER == 0)
        };
        let any = |side: u8| done.iter().any(|done| done & side != 0);
        if !any(HERE) {
            return (Outcome::Taken, Reason::ChangedThere);
        }
        if !any(THERE) {
            return (Outcome::Kept, Reason::ChangedHere);
        }
        // What one side changed may be a part of what the other did: the fuller change stands.
        match (all(HERE), all(THERE)) {
            (true, true) => return (Outcome::Taken, Reason::SameChange),
            (true, false) => return (Outcome::Taken, Reason::MoreThere),
            (false, true) => return (Outcome::Kept, Reason::MoreHere),
            (false, false) => {}
        }
        let mut policies = group
            .iter()
            .zip(done)
            .filter(|(_, done)| **done & (HERE | THERE) != 0)
            .map(|(at, _)| self.policies[*at]);
        let policy = policies.next().unwrap_or_default();
        if !policies.all(|other| other == policy) {
            return (Outcome::Conflict, Reason::MixedPolicies);
        }
        match (policy, group) {
            (Policy::Ask, _) => (Outcome::Conflict, Reason::ByPolicy(policy)),
            (Policy::Local, _) => (Outcome::Kept, Reason::ByPolicy(policy)),
            (Policy::Remote, _) => (Outcome::Taken, Reason::ByPolicy(policy)),
            (Policy::Union | Policy::Text | Policy::Counter, [at]) => {
                let (field, at) = (self.field(*at), *at);
                let (base, local) = (&sides.base[at], &sides.local[at]);
                let (ty, remote) = (&field.field_type, &sides.remote[at]);
                match join::join(policy, field, base, local, remote) {
                    None => (Outcome::Conflict, Reason::NotJoined(policy)),
                    Some(value) if same(ty, &value, remote) => {
                        (Outcome::Taken, Reason::ByPolicy(policy))
                    }
                    Some(value) if same(ty, &value, local) => {
                        (Outcome::Kept, Reason::ByPolicy(policy))
                    }
                    Some(value) => (Outcome::Joined(value), Reason::ByPolicy(policy)),
                }
            }
            (Policy::Union | Policy::Text | Policy::Counter, _) => {
                (Outcome::Conflict, Reason::NotJoined(policy))
            }
        }
    }
}

/// What the verdict on its group means for one field; `None` if nothing happened with it.
fn settle(at: usize, done: u8, edited: bool, verdict: (Outcome, Reason)) -> Option<Change> {
    let (outcome, reason) = verdict;
    let change = |outcome, reason| {
        Some(Change {
            at,
            outcome,
            reason,
        })
    };
    if done & DIFFER != 0 {
        return change(outcome, reason);
    }
    match (edited, done & HERE != 0) {
        (false, _) => None,
        (true, true) => change(Outcome::Agreed, Reason::SameChange),
        // It was edited and edited back.
        (true, false) => change(Outcome::Agreed, Reason::Untouched),
    }
}
