//! What a merge makes of a row.

use super::{Merger, Outcome, Policy, Reason, same};
use crate::record::Value;
use crate::schema::FieldSchema;

/// A merged row, and the places in it of each kind, in order.
///
/// Afterwards the fields of `kept` and `conflicts` are the edited ones: the mutation of
/// every other has nothing left to do. `kept` may name fields that were not edited here:
/// they are part of a group that stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Merge {
    /// The value each field should have on this device now.
    pub(crate) row: Vec<Value>,
    /// Fields whose value on this device becomes the server's.
    pub(crate) taken: Vec<usize>,
    /// Fields that still differ from the server and are to be sent.
    pub(crate) kept: Vec<usize>,
    /// Fields edited here where the server now has the same value.
    pub(crate) agreed: Vec<usize>,
    /// Fields that wait for a decision; the row keeps this device's value until then.
    pub(crate) conflicts: Vec<usize>,
}

#[cfg(feature = "simulation")]
impl Merge {
    /// The planted mistakes of settling what a person should decide.
    pub(crate) fn mistaken(mut self, remote: &[Value]) -> Merge {
        if planted!(MergeTakesLocal) {
            self.kept.append(&mut self.conflicts);
        }
        if planted!(MergeTakesRemote) {
            for at in std::mem::take(&mut self.conflicts) {
                self.row[at] = remote[at].clone();
                self.taken.push(at);
            }
        }
        self
    }
}

impl Merger {
    /// The base, moved to what this device has sent without an answer where the server has just that by now.
    ///
    /// `sent` are the values that may have arrived, `None` for all other fields. What was edited upon such a value
    /// is no conflict with it. A count stays: somebody else may have come to the same number.
    pub(crate) fn base_after(
        &self,
        mut base: Vec<Value>,
        local: &[Value],
        remote: &[Value],
        edited: &[bool],
        sent: &[Option<Value>],
    ) -> Vec<Value> {
        let has_arrived = |(at, field): (usize, &FieldSchema)| {
            let sent = sent[at].as_ref()?;
            same(&field.field_type, sent, &remote[at]).then_some(at)
        };
        let mut arrived: Vec<usize> = self.fields().enumerate().filter_map(has_arrived).collect();
        if !arrived.is_empty() {
            let changes = self.changes(&base, local, remote, edited);
            let is_count = |at: &usize| {
                let mut own = changes.iter().filter(|change| change.at == *at);
                own.any(|change| change.reason == Reason::ByPolicy(Policy::Counter))
            };
            arrived.retain(|at| !is_count(at));
        }
        for at in arrived {
            base[at] = remote[at].clone();
        }
        base
    }

    /// Merges sides that are as long as the row into one.
    ///
    /// `sent` says of which fields an edit may have reached the server without our knowing:
    /// to add such a one again could count it twice, so its field asks.
    pub(crate) fn merged(
        &self,
        base: &[Value],
        local: &[Value],
        remote: &[Value],
        edited: &[bool],
        sent: &[bool],
    ) -> Merge {
        let mut out = Merge {
            row: remote.to_vec(),
            ..Merge::default()
        };
        for change in self.changes(base, local, remote, edited) {
            let at = change.at;
            let list = match change.outcome {
                Outcome::Agreed => &mut out.agreed,
                Outcome::Taken => &mut out.taken,
                Outcome::Kept => {
                    out.row[at] = local[at].clone();
                    &mut out.kept
                }
                Outcome::Conflict => {
                    out.row[at] = local[at].clone();
                    &mut out.conflicts
                }
                Outcome::Joined(_)
                    if sent[at] && change.reason == Reason::ByPolicy(Policy::Counter) =>
                {
                    out.row[at] = local[at].clone();
                    &mut out.conflicts
                }
                Outcome::Joined(value) => {
                    out.row[at] = value;
                    &mut out.kept
                }
            };
            list.push(at);
        }
        out
    }
}
