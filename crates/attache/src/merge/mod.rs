//! The three-way merge of one record, field by field.
//!
//! A pure function: no store, no clock, no log. What a conflict becomes (a
//! question to a person, a parked mutation) is decided by the callers.

mod groups;
mod join;
mod policy;

pub(crate) use groups::groups;
pub use policy::{DeletionPolicy, MergePolicy, Policy, Survivor};

use crate::record::{Fields, Value, remote_id};
use crate::schema::{FieldSchema, FieldType, ObjectSchema};
use std::collections::BTreeSet;

/// What came out of a merge. Each list has the order of the describe.
///
/// Afterwards the fields of `kept` and `conflicts` are the dirty ones. A dirty field in
/// neither is settled: its mutation has nothing left to do. With a group under
/// [`Policy::Local`], `kept` may name fields that were not edited here: they are part of
/// the value that stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Merge {
    /// The value each field should have on this device now.
    pub(crate) row: Vec<(String, Value)>,
    /// Fields whose value on this device becomes the server's.
    pub(crate) taken: Vec<String>,
    /// Fields that still differ from the server and are to be sent.
    pub(crate) kept: Vec<String>,
    /// Fields edited here where the server now has the same value.
    pub(crate) agreed: Vec<String>,
    /// Fields that wait for a decision; the row keeps this device's value until then.
    pub(crate) conflicts: Vec<String>,
}

/// Merges one record three ways.
///
/// `base` is what both sides last agreed on, `dirty` the fields edited here since. A
/// field missing from `remote` is unchanged there; one missing from `local` or, where it
/// is not dirty, from `base` is what the other of the two says.
///
/// The result depends on the arguments only. Under [`Policy::Ask`], [`Policy::Local`] and
/// [`Policy::Remote`] no value is invented: each equals that field in `base`, `local` or
/// `remote`. The fields of a [group](groups) come from one side together.
///
/// # Cost
/// O(fields of the object): a few lookups, a copied name and a copied value for each.
///
/// # Source
/// Field-wise diff3.
pub(crate) fn merge(
    object: &ObjectSchema,
    base: &Fields,
    local: &Fields,
    remote: &Fields,
    dirty: &BTreeSet<String>,
    policy: &MergePolicy,
) -> Merge {
    let sides: Vec<Option<Sides<'_>>> = object
        .fields
        .iter()
        .map(|field| Sides::of(&field.name, Some(field), base, local, remote, dirty))
        .collect();
    let groups = groups(object, policy);
    let mut verdicts: Vec<Option<Verdict>> = Vec::new();
    verdicts.resize_with(sides.len(), || None);
    let mut group = Vec::new();
    for members in groups.iter() {
        group.clear();
        group.extend(members.iter().filter_map(|at| sides[*at].as_ref()));
        verdicts[groups.first(members[0])] = Some(judge(&group, policy));
    }
    let mut out = Merge::default();
    out.row.reserve(sides.len());
    for (at, side) in sides.iter().enumerate() {
        if let (Some(side), Some(verdict)) = (side, &verdicts[groups.first(at)]) {
            out.settle(side, verdict);
        }
    }
    // A field that the schema lacks is rare, and looking for it costs a lookup per value.
    let seen: usize = sides.iter().flatten().map(|side| side.values).sum();
    if seen < base.len() + local.len() + remote.len() {
        for name in unknown(object, [base, local, remote]) {
            if let Some(side) = Sides::of(name, None, base, local, remote, dirty) {
                out.settle(&side, &judge(&[&side], policy));
            }
        }
    }
    out
}

/// The fields that the schema no longer has: an edit of one may still wait.
fn unknown<'a>(object: &ObjectSchema, sides: [&'a Fields; 3]) -> BTreeSet<&'a str> {
    sides
        .into_iter()
        .flat_map(Fields::names)
        .filter(|name| object.field(name).is_none())
        .collect()
}

/// The three values of a field.
struct Sides<'a> {
    name: &'a str,
    field: Option<&'a FieldSchema>,
    base: &'a Value,
    local: &'a Value,
    remote: &'a Value,
    dirty: bool,
    /// How many of the three have the field.
    values: usize,
}

impl<'a> Sides<'a> {
    /// Collects the values of a field; `None` if no side has it.
    fn of(
        name: &'a str,
        field: Option<&'a FieldSchema>,
        base: &'a Fields,
        local: &'a Fields,
        remote: &'a Fields,
        dirty: &BTreeSet<String>,
    ) -> Option<Sides<'a>> {
        let (base, local, remote) = (base.get(name), local.get(name), remote.get(name));
        base.or(local).or(remote)?;
        let values = [base, local, remote].iter().flatten().count();
        let dirty = dirty.contains(name);
        // Bases are kept for what was edited: a clean field's base is its value.
        let base = base
            .or(if dirty { None } else { local })
            .unwrap_or(&Value::Null);
        let local = local.unwrap_or(base);
        let remote = remote.unwrap_or(base);
        Some(Sides {
            name,
            field,
            base,
            local,
            remote,
            dirty,
            values,
        })
    }

    fn same(&self, a: &Value, b: &Value) -> bool {
        self.field
            .map_or(a == b, |field| same(&field.field_type, a, b))
    }

    fn changed_here(&self) -> bool {
        self.dirty && !self.same(self.base, self.local)
    }

    fn changed_there(&self) -> bool {
        !self.same(self.base, self.remote)
    }

    fn agrees(&self) -> bool {
        self.same(self.local, self.remote)
    }
}

/// Which side a group as a whole comes from.
enum Verdict {
    Local,
    Remote,
    Joined(Value),
    Conflict,
}

impl Merge {
    /// Takes in a field by the verdict on its group.
    fn settle(&mut self, side: &Sides<'_>, verdict: &Verdict) {
        let value = match verdict {
            Verdict::Remote => side.remote,
            Verdict::Joined(value) => value,
            Verdict::Local | Verdict::Conflict => side.local,
        };
        self.row.push((side.name.into(), value.clone()));
        let list = match verdict {
            _ if side.agrees() && side.dirty => &mut self.agreed,
            _ if side.agrees() => return,
            Verdict::Conflict => &mut self.conflicts,
            Verdict::Local => &mut self.kept,
            Verdict::Joined(value) if !side.same(value, side.remote) => &mut self.kept,
            Verdict::Remote | Verdict::Joined(_) => &mut self.taken,
        };
        list.push(side.name.into());
    }
}

/// The whole policy of a merge.
fn judge(group: &[&Sides<'_>], policy: &MergePolicy) -> Verdict {
    if !group.iter().any(|side| side.changed_here()) {
        return Verdict::Remote;
    }
    if !group.iter().any(|side| side.changed_there()) {
        return Verdict::Local;
    }
    // What one side changed may be a part of what the other did: the fuller change stands.
    if group
        .iter()
        .all(|side| !side.changed_here() || side.agrees())
    {
        return Verdict::Remote;
    }
    if group
        .iter()
        .all(|side| !side.changed_there() || side.agrees())
    {
        return Verdict::Local;
    }
    let mut policies = group
        .iter()
        .filter(|side| side.changed_here() || side.changed_there())
        .map(|side| match side.field {
            Some(field) => policy.of_field(field),
            None => policy.of(side.name),
        });
    let first = policies.next().unwrap_or_default();
    if !policies.all(|other| other == first) {
        return Verdict::Conflict;
    }
    match (first, group) {
        (Policy::Ask, _) => Verdict::Conflict,
        (Policy::Local, _) => Verdict::Local,
        (Policy::Remote, _) => Verdict::Remote,
        (Policy::Union | Policy::Text | Policy::Counter, [side]) => side
            .field
            .and_then(|field| join::join(first, field, side.base, side.local, side.remote))
            .map_or(Verdict::Conflict, Verdict::Joined),
        (Policy::Union | Policy::Text | Policy::Counter, _) => Verdict::Conflict,
    }
}

/// Says whether two values of a field mean the same.
///
/// Numbers are equal whatever their trailing zeros, multi-select lists as sets, ids in both
/// of their lengths, a checkbox without a value is not ticked. Other text is equal to
/// itself only, and null to null and empty text.
pub(crate) fn same(ty: &FieldType, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Text(text), Value::Null) | (Value::Null, Value::Text(text)) => text.is_empty(),
        (Value::Boolean(ticked), Value::Null) | (Value::Null, Value::Boolean(ticked)) => {
            *ty == FieldType::Boolean && !ticked
        }
        (Value::Text(a), Value::Text(b)) => {
            a == b
                || match ty {
                    FieldType::MultiPicklist => join::members(a).eq(join::members(b)),
                    FieldType::Id | FieldType::Reference => {
                        remote_id(a).is_some_and(|a| remote_id(b) == Some(a))
                    }
                    _ => false,
                }
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests;
