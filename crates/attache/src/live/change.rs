//! What differs between two answers of one query. Pure.

use crate::record::Value;
use crate::store::query::{Cell, Row};
use serde::Serialize;
use std::collections::HashMap;

/// How the answer of a watched query changed.
///
/// Places count from 0. To bring a list up to date, take out the rows at
/// `removed[..].from` and `updated[..].from`, all as places of the list as it was, then
/// put in `inserted` and `updated` at their `at`, lowest first: [`apply`](RowChanges::apply)
/// does it. Rows that are not named stand in the same order as before.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RowChanges {
    /// Rows that are no longer in the answer, in order of `from`.
    pub removed: Vec<RowRemoved>,
    /// Rows that look different, or stand elsewhere among the others, in order of `at`.
    pub updated: Vec<RowUpdated>,
    /// Rows that are new in the answer, in order of `at`.
    pub inserted: Vec<RowInserted>,
    /// How many rows the answer has now.
    pub total: usize,
}

/// A row that left an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RowRemoved {
    /// Its place in the answer before.
    pub from: usize,
    /// The row as it was.
    pub row: Row,
}

/// A row that changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RowUpdated {
    /// Its place in the answer before.
    pub from: usize,
    /// Its place in the answer now.
    pub at: usize,
    /// The row as it is now.
    pub row: Row,
}

/// A row that came into an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RowInserted {
    /// Its place in the answer now.
    pub at: usize,
    /// The row.
    pub row: Row,
}

impl RowChanges {
    /// Says whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.updated.is_empty() && self.inserted.is_empty()
    }

    /// Brings a copy of the answer before to the answer now.
    ///
    /// Rows whose places the copy does not have are passed over: it is another query's then.
    pub fn apply(self, rows: &mut Vec<Row>) {
        let removed = self.removed.iter().map(|row| row.from);
        let mut gone = vec![false; rows.len()];
        for from in removed.chain(self.updated.iter().map(|row| row.from)) {
            if let Some(gone) = gone.get_mut(from) {
                *gone = true;
            }
        }
        let mut gone = gone.into_iter();
        rows.retain(|_| !gone.next().unwrap_or(false));
        let updated = self.updated.into_iter().map(|row| (row.at, row.row));
        let inserted = self.inserted.into_iter().map(|row| (row.at, row.row));
        let mut placed: Vec<(usize, Row)> = updated.chain(inserted).collect();
        placed.sort_by_key(|(at, _)| *at);
        // In one pass: rows put in one by one would move all that follow each time.
        let mut kept = std::mem::take(rows).into_iter();
        for (at, row) in placed {
            let before = at.saturating_sub(rows.len());
            rows.extend(kept.by_ref().take(before));
            rows.push(row);
        }
        rows.extend(kept);
    }
}

/// What makes a row of one answer the same row in the next.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    /// The record's identity, or the values that a row of aggregates is grouped by.
    name: String,
    /// Which of several of that name.
    nr: usize,
}

/// Names the rows of an answer; `grouped_by`: the columns that tell rows of aggregates apart.
fn keys(rows: &[Row], grouped_by: &[usize]) -> Vec<Key> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let name = |row: &Row| match row.id() {
        Some(id) => id.to_string(),
        None => grouped_by.iter().fold(String::new(), |name, at| {
            let value = match row.cells().get(*at) {
                Some(Cell::Value(value)) => value,
                _ => &Value::Null,
            };
            // The length parts `a`, `b c` from `a b`, `c`.
            let text = value.to_string();
            format!("{name}{}{}:{text}", u8::from(value.is_null()), text.len())
        }),
    };
    rows.iter()
        .map(|row| {
            let name = name(row);
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            Key { name, nr: *count }
        })
        .collect()
}

/// Finds what differs between two answers.
pub(super) fn difference(before: &[Row], now: &[Row], grouped_by: &[usize]) -> RowChanges {
    let places: HashMap<Key, usize> = keys(before, grouped_by).into_iter().zip(0..).collect();
    let found: Vec<Option<usize>> = keys(now, grouped_by)
        .iter()
        .map(|key| places.get(key).copied())
        .collect();
    let stands = in_order(&found);
    let mut change = RowChanges {
        total: now.len(),
        ..RowChanges::default()
    };
    let mut kept = vec![false; before.len()];
    for (at, (row, from)) in now.iter().zip(&found).enumerate() {
        let Some(from) = *from else {
            let row = row.clone();
            change.inserted.push(RowInserted { at, row });
            continue;
        };
        kept[from] = true;
        if !stands[at] || before[from] != *row {
            let row = row.clone();
            change.updated.push(RowUpdated { from, at, row });
        }
    }
    for (from, row) in before.iter().enumerate().filter(|(from, _)| !kept[*from]) {
        let row = row.clone();
        change.removed.push(RowRemoved { from, row });
    }
    change
}

/// Chooses as many rows as possible that stand in the order they stood in: the others moved.
///
/// The longest increasing run of the places before, by patience sorting.
fn in_order(found: &[Option<usize>]) -> Vec<bool> {
    // The last row of the best run of each length, and the row before each row in its run.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = vec![None; found.len()];
    for (at, from) in found.iter().enumerate() {
        if from.is_none() {
            continue;
        }
        let length = ends.partition_point(|end| found[*end] < *from);
        previous[at] = length.checked_sub(1).map(|before| ends[before]);
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut stands = vec![false; found.len()];
    let mut next = ends.last().copied();
    while let Some(at) = next {
        stands[at] = true;
        next = previous[at];
    }
    stands
}
