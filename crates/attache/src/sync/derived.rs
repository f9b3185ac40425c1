//! Formulas that read a parent: when the parent changed, what hangs on it is read again.
//!
//! An org stamps no record when a formula of it gives another value because a parent changed, so no window of
//! changes tells of it. The formula's text says which fields of which parents it reads. A parent that is on this
//! device and came in with another value of one of them makes the records below it be read again by their ids: one call
//! for 2,000 of them, none where nothing changed. What a formula reads of a parent that is not here, or of a formula whose text the user may not see, is
//! as old as the record's own last reading.

use super::Run;
use super::changes::Changes;
use super::ids::Ids;
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

/// Parents whose records below are looked for at once.
const PARENTS_MAX: usize = 20_000;

/// A lookup, with the table that has it.
type StepUp = (Arc<Table>, String);

/// A path from the records of a table to a parent that formulas of theirs read.
pub(super) struct Way {
    /// The lookups that lead up, nearest first.
    steps: Vec<StepUp>,
    parent: String,
    /// What they read of the parent; `None`: what that is cannot be told, so it may be anything.
    reads: Option<BTreeSet<String>>,
}

impl Way {
    fn leads_as(&self, steps: &[StepUp]) -> bool {
        let same = |a: &StepUp, b: &StepUp| a.0.object.name == b.0.object.name && a.1 == b.1;
        self.steps.len() == steps.len() && self.steps.iter().zip(steps).all(|(a, b)| same(a, b))
    }

    /// Adds what a formula reads of the parent.
    fn add(&mut self, read: Option<String>) {
        match (read, &mut self.reads) {
            (Some(field), Some(reads)) => {
                reads.insert(field);
            }
            (None, reads) => *reads = None,
            (_, None) => {}
        }
    }
}

/// The field that a formula reads of a parent to come by this part of a path: a lookup, or its end.
///
/// `None` if the parent has no such column here, so that no change of it could be seen.
fn read_by(parent: &Table, part: &str) -> Option<String> {
    let field = match parent.object.parent_field(part) {
        Some(lookup) => lookup,
        None => parent.object.field(part)?,
    };
    let mut columns = parent.columns.iter();
    let column = columns.find(|column| column.name == field.name);
    column.map(|column| column.name.clone())
}

impl Run<'_> {
    /// Works out which formulas of carried fields read which carried parents.
    pub(super) fn find_ways(&mut self) {
        let tables = self.objects();
        let find = |name: &str| tables.iter().find(|table| table.object.name == name);
        let mut ways: Vec<Way> = Vec::new();
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
                for (nr, step) in path[..path.len() - 1].iter().take(DEPTH_MAX).enumerate() {
                    let Some((lookup, parent)) = step_up(&at.object, step) else {
                        break;
                    };
                    if !at.columns.iter().any(|column| column.name == lookup) {
                        break;
                    }
                    let Some(next) = find(parent) else { break };
                    steps.push((Arc::clone(at), lookup.to_owned()));
                    let read = read_by(next, path[nr + 1]);
                    match ways.iter_mut().find(|way| way.leads_as(&steps)) {
                        Some(way) => way.add(read),
                        None => ways.push(Way {
                            steps: steps.clone(),
                            parent: parent.to_owned(),
                            reads: read.map(|field| BTreeSet::from([field])),
                        }),
                    }
                    at = next;
                }
            }
        }
        self.ways = ways;
    }

    /// The ways along which formulas may read otherwise than before, now that a record came in.
    pub(super) fn ways_moved(&self, table: &Table, id: &str, arrived: &Arrived) -> Vec<usize> {
        let (touched, pushed) = match arrived {
            Arrived::Updated(touched) | Arrived::Moved(touched) => {
                (Some(touched), self.pushed.get(id))
            }
            Arrived::Merged(_) => (None, None),
            _ => return Vec::new(),
        };
        // Of what another session wrote nobody remembers the fields.
        let unknown = touched.is_none_or(|touched| touched.written_here && pushed.is_none());
        let places = touched.into_iter().flat_map(|touched| &touched.places);
        let names = places.map(|at| table.columns[*at].name.as_str());
        let names: BTreeSet<&str> = names
            .chain(pushed.into_iter().flatten().map(String::as_str))
            .collect();
        let is_read = |way: &Way| {
            let read = |fields: &BTreeSet<String>| {
                fields.iter().any(|field| names.contains(field.as_str()))
            };
            way.parent == table.object.name && (unknown || way.reads.as_ref().is_none_or(read))
        };
        let ways = self.ways.iter().enumerate();
        ways.filter(|(_, way)| is_read(way))
            .map(|(at, _)| at)
            .collect()
    }

    pub(super) fn note_moved(&mut self, moved: Vec<(usize, String)>) -> Result<()> {
        for (way, id) in moved {
            self.moved.entry(way).or_default().add(&id)?;
        }
        Ok(())
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
            for (at, way) in self.ways.iter().enumerate() {
                let changed = changes.get(&way.parent).and_then(Changes::listed);
                if let Some(changed) = changed.filter(|changed| !changed.is_empty()) {
                    self.moved.entry(at).or_default().extend(changed);
                }
            }
        }
        for _ in 0..DEPTH_MAX {
            let moved = std::mem::take(&mut self.moved);
            if moved.is_empty() {
                break;
            }
            for (table, ids) in self.below(moved)? {
                for chunk in ids.chunks(self.settings.ids_per_read_max) {
                    self.read_by_id(Phase::Pull, &table, &chunk, 0).await?;
                }
            }
        }
        self.moved.clear();
        self.store
            .write(Durability::Ordered, |w| w.set_setting(PENDING, "0"))
    }

    /// What hangs on records, by table.
    fn below(&self, moved: BTreeMap<usize, Ids>) -> Result<Vec<(Arc<Table>, Ids)>> {
        let mut below: Vec<(Arc<Table>, Ids)> = Vec::new();
        for (at, mut parents) in moved {
            let Some((way, (table, _))) = self
                .ways
                .get(at)
                .and_then(|way| Some((way, way.steps.first()?)))
            else {
                continue;
            };
            parents.order();
            let name = &table.object.name;
            let place = below.iter().position(|(own, _)| own.object.name == *name);
            let place = place.unwrap_or_else(|| {
                below.push((Arc::clone(table), Ids::default()));
                below.len() - 1
            });
            // A pass over the table for each part of them, unless the lookup has an index.
            for part in parents.chunks(PARENTS_MAX) {
                let ids = self.store.read(|r| {
                    let mut ids = part.into_iter().collect();
                    for (table, lookup) in way.steps.iter().rev() {
                        ids = r.referring(table, lookup, &ids)?;
                    }
                    Ok(ids)
                })?;
                for id in &ids {
                    below[place].1.add(id)?;
                }
            }
        }
        for (_, ids) in &mut below {
            ids.order();
        }
        Ok(below)
    }
}

/// Notes in the transaction that stores changed parents that what hangs on them is to be read again.
pub(super) fn note(w: &Writing<'_>, moved: &[(usize, String)]) -> Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    w.set_setting(PENDING, "1")
}

/// The dotted names of a formula in their parts, two at least. A text in quotes may give some that lead nowhere.
fn paths(formula: &str) -> Vec<Vec<&str>> {
    formula
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
        .filter_map(|name| {
            let parts: Vec<&str> = name.split('.').collect();
            (parts.len() > 1 && !parts[0].is_empty()).then_some(parts)
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
        for path in [
            vec!["Account", "Site"],
            vec!["Account__r", "Parent", "Name"],
        ] {
            assert!(found.contains(&path), "{found:?}");
        }
        assert!(!found.contains(&vec!["Amount"]), "a field of its own");
    }
}
