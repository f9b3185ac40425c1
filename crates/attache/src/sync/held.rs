//! Records that something but a rule holds: pins are fetched, and all of them are kept up to date.

use super::changes::Changes;
use super::{Run, sweep_rest};
use crate::error::Result;
use crate::outcome::Phase;
use crate::store::{Count, Durability, Table};
use std::sync::Arc;

impl Run<'_> {
    /// Looks at the records that no rule looks after, and fetches pinned records that are not here.
    pub(super) async fn pull_held(
        &mut self,
        table: &Arc<Table>,
        changes: &Changes,
        sweep: bool,
    ) -> Result<()> {
        self.look_at_kept(table, changes, sweep).await?;
        self.fetch_pins(table).await
    }

    /// Finds what no change of an object tells of.
    ///
    /// What was changed has come already. Left is a first look, one after a
    /// gap, an object whose changes the server does not list, and what went
    /// out of sight.
    async fn look_at_kept(
        &mut self,
        table: &Arc<Table>,
        changes: &Changes,
        sweep: bool,
    ) -> Result<()> {
        let object = &table.object.name;
        let looked_at = self.store.read(|r| r.looked_at(object))?;
        let whole = looked_at.is_none() || !changes.are_listed();
        if !whole && !sweep {
            return Ok(());
        }
        let kept = self.store.read(|r| r.kept(table))?;
        let rest = sweep_rest(&self.settings, kept.len() as u64);
        let age = looked_at.map(|at| self.env.now().0 - at.0);
        if whole {
            self.read_by_id(Phase::Pull, table, &kept, 0).await?;
        } else if age.is_some_and(|age| (0..rest * 1000).contains(&age)) {
            return Ok(());
        } else {
            self.find_unseen(table, &kept).await?;
        }
        let now = self.env.now();
        self.store
            .write(Durability::Ordered, |w| w.set_looked(object, now))
    }

    /// Fetches pinned records that are not here. The pin of one that the server does not have ends.
    async fn fetch_pins(&mut self, table: &Arc<Table>) -> Result<()> {
        let missing = self.store.read(|r| r.missing_pins(table))?;
        if missing.is_empty() {
            return Ok(());
        }
        self.read_by_id(Phase::Pull, table, &missing, 0).await?;
        self.store.write(Durability::Durable, |w| {
            let mut gone = w.reading().missing_pins(table)?;
            // What was pinned meanwhile was not asked for.
            gone.retain(|id| missing.contains(id));
            w.end_pins(table, &gone)
        })
    }

    /// Asks which of some records are still in sight, and takes in that the others are not.
    async fn find_unseen(&mut self, table: &Table, ids: &[String]) -> Result<()> {
        let names = ["Id".to_owned()];
        for chunk in ids.chunks(self.settings.ids_per_read_max) {
            self.check_cancelled()?;
            let answers = self.retrieve(table, chunk, &names).await?;
            let gone: Vec<String> = chunk
                .iter()
                .zip(answers)
                .filter(|(_, answer)| answer.is_none())
                .map(|(id, _)| id.clone())
                .collect();
            self.take_missing(table, &gone, Count::OutOfSight).await?;
        }
        Ok(())
    }
}
