//! Records whose edits the server takes all of or none.

use super::{Outgoing, Step, squash, unsent_lookups};
use crate::outcome::{MutationKind, MutationState};
use std::collections::{BTreeMap, BTreeSet};

/// Records that changesets tie together: all their edits are sent at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Unit {
    /// What leaves, in the order in which it is done: creates, parents before children, then updates, then deletes.
    ///
    /// A create may point at one before it by its local key; `deferred` follows when all of them are made.
    pub writes: Vec<Outgoing>,
    /// Nothing that a person or an answer has to settle first, and no record outside of it, keeps it here.
    pub ready: bool,
}

/// Finds the units of the journal: `together` are the changesets that are to be taken whole.
///
/// Two of them that edit one record are one unit, and so are all edits of a record that one of them edits: a record
/// is written once. `optional` says whether a lookup may be left out of a create.
pub(crate) fn units(
    steps: &[Step],
    together: &BTreeSet<i64>,
    optional: impl Fn(&str, &str) -> bool,
) -> Vec<Unit> {
    let mut records: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
    for step in steps {
        records.entry(&step.record).or_default().push(step);
    }
    tied(steps, together)
        .iter()
        .map(|group| unit(group, &records, &optional))
        .collect()
}

/// The records of each unit.
pub(crate) fn tied<'s>(steps: &'s [Step], together: &BTreeSet<i64>) -> Vec<BTreeSet<&'s str>> {
    let mut tied: Vec<BTreeSet<&str>> = Vec::new();
    for changeset in together {
        let of_changeset = steps.iter().filter(|step| step.changeset == *changeset);
        let mut group: BTreeSet<&str> = of_changeset.map(|step| step.record.as_str()).collect();
        if group.is_empty() {
            continue;
        }
        let (joined, apart): (Vec<_>, Vec<_>) = tied
            .into_iter()
            .partition(|other| !other.is_disjoint(&group));
        group.extend(joined.into_iter().flatten());
        tied = apart;
        tied.push(group);
    }
    tied
}

fn unit(
    group: &BTreeSet<&str>,
    records: &BTreeMap<&str, Vec<&Step>>,
    optional: &impl Fn(&str, &str) -> bool,
) -> Unit {
    let of_group: Vec<&Vec<&Step>> = group
        .iter()
        .filter_map(|record| records.get(record))
        .collect();
    let mut writes: Vec<Outgoing> = of_group.iter().map(|steps| squash(steps)).collect();
    writes.sort_by_key(|write| (write.kind as u8, write.seqs.first().copied()));
    let pending = of_group
        .iter()
        .flat_map(|steps| steps.iter())
        .all(|step| step.state == MutationState::Pending);
    let creates: BTreeSet<String> = writes
        .iter()
        .filter(|write| write.kind == MutationKind::Create)
        .map(|write| write.record.clone())
        .collect();
    let own = |write: &Outgoing| {
        unsent_lookups(&write.fields).all(|(_, target)| creates.contains(target))
    };
    let whole = writes.iter().all(own);
    match in_order(writes, optional) {
        Ok(writes) => Unit {
            writes,
            ready: pending && whole,
        },
        Err(writes) => Unit {
            writes,
            ready: false,
        },
    }
}

/// Puts parents before children, and leaves lookups that make a circle for later; gives the writes back as they are
/// if a circle cannot be broken.
fn in_order(
    writes: Vec<Outgoing>,
    optional: &impl Fn(&str, &str) -> bool,
) -> Result<Vec<Outgoing>, Vec<Outgoing>> {
    let (mut creates, others): (Vec<Outgoing>, Vec<Outgoing>) = writes
        .into_iter()
        .partition(|write| write.kind == MutationKind::Create);
    let mut ordered: Vec<Outgoing> = Vec::with_capacity(creates.len() + others.len());
    while !creates.is_empty() {
        let waiting: BTreeSet<String> = creates.iter().map(|it| it.record.clone()).collect();
        let waits = |write: &Outgoing| {
            unsent_lookups(&write.fields).any(|(_, target)| waiting.contains(target))
        };
        if let Some(at) = creates.iter().position(|write| !waits(write)) {
            ordered.push(creates.remove(at));
            continue;
        }
        let breaks = |write: &Outgoing| {
            unsent_lookups(&write.fields)
                .filter(|(_, target)| waiting.contains(*target))
                .all(|(name, _)| optional(&write.object, name))
        };
        let Some(at) = creates.iter().position(breaks) else {
            ordered.extend(creates);
            ordered.extend(others);
            return Err(ordered);
        };
        let mut write = creates.remove(at);
        let names: Vec<String> = unsent_lookups(&write.fields)
            .filter(|(_, target)| waiting.contains(*target))
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in names {
            if let Some(value) = write.fields.remove(&name) {
                write.deferred.set(name, value);
            }
        }
        ordered.push(write);
    }
    ordered.extend(others);
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Fields;

    /// A mutation of a record whose number the last letter of its key is.
    fn step(seq: i64, changeset: i64, record: &str, fields: &[(&str, &str)]) -> Step {
        let local = record.starts_with("local-");
        Step {
            seq,
            changeset,
            object: "Account".into(),
            record: record.into(),
            kind: match local {
                true => MutationKind::Create,
                false => MutationKind::Update,
            },
            fields: fields.iter().copied().collect::<Fields>(),
            state: MutationState::Pending,
            client_key: None,
        }
    }

    fn key(number: u8) -> String {
        format!("local-00000000-0000-7000-8000-{number:012x}")
    }

    fn found(steps: &[Step], together: &[i64], optional: bool) -> Vec<Unit> {
        units(steps, &together.iter().copied().collect(), |_, _| optional)
    }

    fn records(unit: &Unit) -> Vec<&str> {
        unit.writes.iter().map(|it| it.record.as_str()).collect()
    }

    #[test]
    fn without_such_changesets_there_are_no_units() {
        assert!(found(&[step(1, 1, "001A", &[])], &[], true).is_empty());
        assert!(found(&[step(1, 1, "001A", &[])], &[7], true).is_empty());
    }

    #[test]
    fn parents_stand_before_children_and_creates_before_updates() {
        let (parent, child) = (key(2), key(1));
        let steps = [
            step(1, 1, "001A", &[("Name", "x")]),
            step(2, 1, &child, &[("ParentId", &parent)]),
            step(3, 1, &parent, &[("Name", "y")]),
            step(4, 2, "001B", &[("Name", "z")]),
        ];
        let units = found(&steps, &[1], true);
        assert_eq!(units.len(), 1);
        assert!(units[0].ready);
        assert_eq!(records(&units[0]), [parent.as_str(), &child, "001A"]);
    }

    #[test]
    fn changesets_that_share_a_record_are_one_unit() {
        let steps = [
            step(1, 1, "001A", &[("Name", "x")]),
            step(2, 1, "001B", &[("Name", "x")]),
            step(3, 2, "001B", &[("Site", "x")]),
            step(4, 2, "001C", &[("Name", "x")]),
            step(5, 3, "001D", &[("Name", "x")]),
            step(6, 4, "001A", &[("Fax", "1")]),
        ];
        let units = found(&steps, &[1, 2, 3], true);
        let all: Vec<Vec<&str>> = units.iter().map(records).collect();
        assert_eq!(all, [vec!["001A", "001B", "001C"], vec!["001D"]]);
        assert_eq!(units[0].writes[0].seqs, [1, 6], "a record is written once");
    }

    #[test]
    fn a_circle_is_broken_by_lookups_that_may_follow() {
        let (a, b) = (key(1), key(2));
        let steps = [
            step(1, 1, &a, &[("ParentId", &b)]),
            step(2, 1, &b, &[("ParentId", &a)]),
        ];
        let units = found(&steps, &[1], true);
        assert!(units[0].ready);
        assert_eq!(units[0].writes[0].deferred.len(), 1);
        assert_eq!(units[0].writes[1].fields.len(), 1);
        assert!(!found(&steps, &[1], false)[0].ready, "required lookups");
    }

    #[test]
    fn a_unit_waits_for_its_weakest_part_and_for_what_it_points_at() {
        let mut refused = step(2, 1, "001B", &[("Name", "x")]);
        refused.state = MutationState::Rejected(Vec::new());
        let steps = [step(1, 1, "001A", &[("Name", "x")]), refused];
        assert!(!found(&steps, &[1], true)[0].ready);
        let outside = key(9);
        let steps = [step(1, 1, &key(1), &[("ParentId", &outside)])];
        assert!(!found(&steps, &[1], true)[0].ready);
    }
}
