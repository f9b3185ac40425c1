//! Which fields merge as one value.

use super::MergePolicy;
use crate::schema::{FieldSchema, ObjectSchema};

/// The fields of an object in groups that merge as one value; most groups are one field.
#[derive(Debug)]
pub(super) struct FieldGroups {
    /// For each field the first field of its group.
    first: Vec<usize>,
}

impl FieldGroups {
    /// Finds the groups of an object: the parts of a compound address, location or name,
    /// picklists with the field that controls them, and what the host declares. Picklists under
    /// one controller share its group, as a new controlling value may rule out the values of all.
    ///
    /// What this user can never write stands alone: it follows the server whatever happens to
    /// the rest. So does what is called like its own compound: the `Name` of a person is made of
    /// its parts by the server, and that of a business has none (both are accounts).
    ///
    /// # Cost
    /// O(fields), a few allocations.
    pub(super) fn of(object: &ObjectSchema, policy: &MergePolicy) -> FieldGroups {
        let mut leader: Vec<usize> = (0..object.fields.len()).collect();
        let writable = |field: &FieldSchema| field.createable || field.updateable;
        let mut compounds: Vec<(&str, usize)> = Vec::new();
        for (at, field) in object.fields.iter().enumerate() {
            if !writable(field) {
                continue;
            }
            if let Some(compound) = field.compound.as_deref().filter(|it| *it != field.name) {
                match compounds.iter().find(|(name, _)| *name == compound) {
                    Some((_, first)) => join(&mut leader, at, *first),
                    None => compounds.push((compound, at)),
                }
            }
            let controller = field.controller.as_deref().and_then(|controller| {
                object.fields.iter().position(|other| {
                    other.name.eq_ignore_ascii_case(controller) && writable(other)
                })
            });
            if let Some(controller) = controller {
                join(&mut leader, at, controller);
            }
        }
        for group in policy.groups() {
            let mut members = (0..object.fields.len()).filter(|at| {
                let field = &object.fields[*at];
                writable(field) && group.has(&field.name)
            });
            if let Some(one) = members.next() {
                members.for_each(|other| join(&mut leader, one, other));
            }
        }
        let first: Vec<usize> = (0..leader.len()).map(|at| find(&leader, at)).collect();
        FieldGroups { first }
    }

    /// Says whether a field merges by itself.
    pub(super) fn is_alone(&self, field: usize) -> bool {
        let of_group = self
            .first
            .iter()
            .filter(|first| **first == self.first[field]);
        of_group.count() == 1
    }

    /// The first field of a field's group.
    pub(super) fn first(&self, field: usize) -> usize {
        self.first[field]
    }
}

fn find(leader: &[usize], mut at: usize) -> usize {
    while leader[at] != at {
        at = leader[at];
    }
    at
}

fn join(leader: &mut [usize], a: usize, b: usize) {
    let (a, b) = (find(leader, a), find(leader, b));
    leader[a.max(b)] = a.min(b);
}
