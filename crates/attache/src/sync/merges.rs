//! Follows records that were merged into others: what was edited of them is about the record that stayed.

use super::{Run, apply};
use crate::error::Result;
use crate::record::Value;
use crate::store::{Durability, Table};
use std::collections::{BTreeMap, BTreeSet};

/// The lookup by which the server names the record that another one was merged into.
const MASTER: &str = "MasterRecordId";

/// Ids of one question at most.
const MERGED_MAX: usize = 200;

/// How often the record that stayed may have been merged in turn.
const MERGES_MAX: usize = 5;

impl Run<'_> {
    /// Gives the unsent work about missing records to those that they were merged into, if they were.
    ///
    /// Costs nothing for records without such work, a call for those with it, and one more to read each record that
    /// stayed.
    pub(super) async fn follow_merges(&mut self, table: &Table, missing: &[String]) -> Result<()> {
        if table.object.field(MASTER).is_none() {
            return Ok(());
        }
        let worked_on = self.store.read(|r| r.worked_on(missing))?;
        // A record, and the one that it has become as far as is known.
        let mut open: Vec<(String, String)> =
            worked_on.into_iter().map(|id| (id.clone(), id)).collect();
        for _ in 0..MERGES_MAX {
            if open.is_empty() {
                break;
            }
            let asked: BTreeSet<String> = open.iter().map(|(_, at)| at.clone()).collect();
            let asked: Vec<String> = asked.into_iter().collect();
            let mut merged: BTreeMap<String, String> = BTreeMap::new();
            for chunk in asked.chunks(self.settings.ids_per_query_max.min(MERGED_MAX)) {
                merged.extend(self.remote.merged_into(&table.object.name, chunk).await?);
            }
            open.retain_mut(|(_, at)| match merged.get(at) {
                Some(master) if master != at => {
                    at.clone_from(master);
                    true
                }
                _ => false,
            });
            let there = self.read_masters(table, &open).await?;
            let (found, gone): (Vec<_>, Vec<_>) =
                open.into_iter().partition(|(_, at)| there.contains_key(at));
            self.store.write(Durability::Durable, |w| {
                found
                    .iter()
                    .try_for_each(|(loser, at)| w.follow_merge(table, loser, there[at].clone()))
            })?;
            open = gone;
        }
        Ok(())
    }

    /// Reads the records that others became.
    async fn read_masters(
        &mut self,
        table: &Table,
        open: &[(String, String)],
    ) -> Result<BTreeMap<String, Vec<Value>>> {
        let ids: BTreeSet<String> = open.iter().map(|(_, at)| at.clone()).collect();
        let ids: Vec<String> = ids.into_iter().collect();
        let mut there = BTreeMap::new();
        if ids.is_empty() {
            return Ok(there);
        }
        let names: Vec<String> = table
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        let reader = apply::reader(table);
        for chunk in ids.chunks(self.settings.ids_per_read_max) {
            let answers = self.retrieve(table, chunk, &names).await?;
            for (id, record) in chunk.iter().zip(answers) {
                if let Some(record) = record {
                    there.insert(id.clone(), reader.read(&record)?);
                }
            }
        }
        Ok(there)
    }
}
