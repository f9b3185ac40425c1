//! Which fields merge as one value.

use crate::schema::{FieldSchema, ObjectSchema};

/// The fields of an object in groups that merge as one value; most groups are one field.
#[derive(Debug)]
pub(crate) struct FieldGroups<'a> {
    groups: Vec<Vec<&'a FieldSchema>>,
}

impl<'a> FieldGroups<'a> {
    /// The groups in the order of their first fields, each in describe order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[&'a FieldSchema]> {
        self.groups.iter().map(Vec::as_slice)
    }
}

/// Finds the groups of an object: the parts of a compound address, location or name, and
/// picklists with the field that controls them. Picklists under one controller share its
/// group, as a new controlling value may rule out the values of all.
///
/// What this user can never write stands alone: it follows the server whatever happens
/// to the rest, as `Name` does when a part of it is edited.
///
/// # Cost
/// O(fields), one small allocation per group.
pub(crate) fn groups(object: &ObjectSchema) -> FieldGroups<'_> {
    let mut leader: Vec<usize> = (0..object.fields.len()).collect();
    let writable = |field: &FieldSchema| field.createable || field.updateable;
    let mut compounds: Vec<(&str, usize)> = Vec::new();
    for (at, field) in object.fields.iter().enumerate() {
        if !writable(field) {
            continue;
        }
        if let Some(compound) = field.compound.as_deref() {
            match compounds.iter().find(|(name, _)| *name == compound) {
                Some((_, first)) => join(&mut leader, at, *first),
                None => compounds.push((compound, at)),
            }
        }
        let controller = field.controller.as_deref().and_then(|controller| {
            object
                .fields
                .iter()
                .position(|other| other.name.eq_ignore_ascii_case(controller) && writable(other))
        });
        if let Some(controller) = controller {
            join(&mut leader, at, controller);
        }
    }
    let mut groups: Vec<Vec<&FieldSchema>> = Vec::with_capacity(object.fields.len());
    let mut place = vec![usize::MAX; object.fields.len()];
    for (at, field) in object.fields.iter().enumerate() {
        let root = find(&leader, at);
        if place[root] == usize::MAX {
            place[root] = groups.len();
            groups.push(Vec::new());
        }
        groups[place[root]].push(field);
    }
    FieldGroups { groups }
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
