//! Formulas that read a parent: when the parent changed, what hangs on it is read again.
//!
//! An org stamps no record when a formula of it gives another value because a parent changed, so no window of
//! changes tells of it. The formula's text says which parents it reads. A parent that is on this device and came in
//! changed makes the records below it be read again by their ids: one call for 2,000 of them, none where nothing
//! changed. What a formula reads of a parent that is not here, or of a formula whose text the user may not see, is
//! as old as the record's own last reading.

use super::Run;
use super::pull::Changes;
use crate::error::Result;
use crate::outcome::Phase;
use crate::schema::ObjectSchema;
use crate::store::{Arrived, Durability, Table, Writing};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The setting that says that a parent came in, and what hangs on it was not read again yet.
const PENDING: &str = "formulas_pending";
/// How many parents up a path of a formula is followed, and how many formulas may read each other.
const DEPTH_MAX: usize = 5;

/// A path from the records of a table to a parent that a formula of theirs reads.
#[derive(Clone)]
pub(super) struct Way {
    /// The lookups that lead up, nearest first, each with the table that has it.
    steps: Vec<(Arc<Table>, String)>,
    parent: String,
}

impl Run<'_> {
    /// Works out which formulas of carried fields read which carried parents.
    pub(super) fn find_ways(&mut self) {
        let tables = self.objects();
        let find = |name: &str| tables.iter().find(|table| table.object.name == name);
        let mut ways = Vec::new();
        for table in &tables {
            let carried = |name: &str| table.columns.iter().any(|column| column.name == name);
            let formulas = table
                .object
                .fields
                .iter()
                .filter(|field| carried(&field.name));
            let paths: BTreeSet<Vec<&str>> = formulas
                .filter_map(|field| field.formula.as_deref())
                .flat_map(paths)
                .collect();
            for path in paths {
                let (mut at, mut steps) = (table, Vec::new());
                for step in path.iter().take(DEPTH_MAX) {
                    let Some((lookup, parent)) = step_up(&at.object, step) else {
                        break;
                    };
                    if !at.columns.iter().any(|column| column.name == lookup) {
                        break;
                    }
                    let Some(next) = find(parent) else { break };
                    steps.push((Arc::clone(at), lookup.to_owned()));
                    ways.push(Way {
                        steps: steps.clone(),
                        parent: parent.to_owned(),
                    });
                    at = next;
                }
            }
        }
        self.ways = ways;
    }

    /// Says whether a record came in so that a formula below it may read otherwise than before.
    pub(super) fn is_moved(&self, table: &Table, arrived: &Arrived) -> bool {
        matches!(
            arrived,
            Arrived::Updated | Arrived::Moved | Arrived::Merged(_)
        ) && self.ways.iter().any(|way| way.parent == table.object.name)
    }

    pub(super) fn note_moved(&mut self, table: &Table, moved: Vec<String>) {
        if !moved.is_empty() {
            let known = self.moved.entry(table.object.name.clone()).or_default();
            known.extend(moved);
        }
    }

    /// Reads again what hangs on the parents that came in changed.
    pub(super) async fn refresh_formulas(
        &mut self,
        changes: &BTreeMap<String, Changes>,
    ) -> Result<()> {
        let pending = self.store.read(|r| r.setting(PENDING))?;
        if pending.as_deref() != Some("1") {
            return Ok(());
        }
        if self.moved.is_empty() {
            // A session before this one was cut off: its window is this one's as well.
            for way in &self.ways {
                let changed = changes.get(&way.parent).and_then(Changes::listed);
                let known = self.moved.entry(way.parent.clone()).or_default();
                known.extend(changed.into_iter().flatten().cloned());
            }
        }
        for _ in 0..DEPTH_MAX {
            let moved = std::mem::take(&mut self.moved);
            if moved.is_empty() {
                break;
            }
            for (table, ids) in self.below(&moved)? {
                let ids: Vec<String> = ids.into_iter().collect();
                self.read_by_id(Phase::Pull, &table, &ids, 0).await?;
            }
        }
        self.moved.clear();
        self.store
            .write(Durability::Ordered, |w| w.set_setting(PENDING, "0"))
    }

    /// What hangs on records, by table.
    fn below(
        &self,
        moved: &BTreeMap<String, BTreeSet<String>>,
    ) -> Result<Vec<(Arc<Table>, BTreeSet<String>)>> {
        let mut below: Vec<(Arc<Table>, BTreeSet<String>)> = Vec::new();
        for way in &self.ways {
            let Some(parents) = moved.get(&way.parent) else {
                continue;
            };
            let ids = self.store.read(|r| {
                let mut ids = parents.clone();
                for (table, lookup) in way.steps.iter().rev() {
                    ids = r.referring(table, lookup, &ids)?;
                }
                Ok(ids)
            })?;
            let Some((table, _)) = way.steps.first().filter(|_| !ids.is_empty()) else {
                continue;
            };
            match below
                .iter_mut()
                .find(|(own, _)| own.object.name == table.object.name)
            {
                Some((_, known)) => known.extend(ids),
                None => below.push((Arc::clone(table), ids)),
            }
        }
        Ok(below)
    }
}

/// Notes in the transaction that stores changed parents that what hangs on them is to be read again.
pub(super) fn note(w: &Writing<'_>, moved: &[String]) -> Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    w.set_setting(PENDING, "1")
}

/// The dotted names of a formula, each without its last part. A text in quotes may give some that lead nowhere.
fn paths(formula: &str) -> Vec<Vec<&str>> {
    formula
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
        .filter_map(|name| {
            let mut parts: Vec<&str> = name.split('.').collect();
            parts.pop();
            (!parts.is_empty() && !parts[0].is_empty()).then_some(parts)
        })
        .collect()
}

/// The lookup of a relationship and the one object it leads to.
fn step_up<'s>(object: &'s ObjectSchema, relationship: &str) -> Option<(&'s str, &'s str)> {
    let field = object.parent_field(relationship)?;
    match field.reference_to.as_slice() {
        [parent] => Some((&field.name, parent)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_names_the_parents_that_it_reads() {
        let formula =
            "IF(ISBLANK(Account.Site), \"a.b\", Account__r.Parent.Name & TEXT(1.5)) + Amount";
        let found = paths(formula);
        for path in [vec!["Account"], vec!["Account__r", "Parent"]] {
            assert!(found.contains(&path), "{found:?}");
        }
        assert!(!found.contains(&vec!["Amount"]), "a field of its own");
    }
}
