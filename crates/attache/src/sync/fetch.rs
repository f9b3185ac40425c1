//! Brings single records onto the device, at a person's wish.

use super::Run;
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::Phase;
use crate::record::{RecordId, is_local, not_found};
use crate::store::{Durability, Table};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Run<'_> {
    /// Reads records by their ids and keeps them as recently viewed. Gives the identity of each, or why it did not come.
    pub(crate) async fn fetch(mut self, ids: &[RecordId]) -> Result<Vec<Result<RecordId>>> {
        self.prepare(false).await?;
        let mut wanted: BTreeMap<String, (Arc<Table>, Vec<String>)> = BTreeMap::new();
        let mut places = Vec::with_capacity(ids.len());
        for id in ids {
            let (current, table) = self.store.read(|r| {
                let current = r.current(id.as_str())?;
                let table = r.table_of(&current)?;
                Ok((current, table))
            })?;
            if let Some(table) = table.as_ref().filter(|_| !is_local(&current)) {
                let name = table.object.name.clone();
                let (_, of_table) = wanted
                    .entry(name)
                    .or_insert_with(|| (Arc::clone(table), Vec::new()));
                if !of_table.contains(&current) {
                    of_table.push(current.clone());
                }
            }
            places.push((current, table));
        }
        for (table, ids) in wanted.values() {
            self.fetch_of(table, ids).await?;
        }
        let found = |(id, (current, table)): (&RecordId, (String, Option<Arc<Table>>))| {
            if table.is_none() && !is_local(&current) {
                return Ok(Err(unknown_object(&current)));
            }
            self.store.read(|r| match r.locate(id)? {
                Some(place) => Ok(Ok(r.identity(&place.id)?)),
                None => Ok(Err(not_found(id))),
            })
        };
        ids.iter().zip(places).map(found).collect()
    }

    async fn fetch_of(&mut self, table: &Table, ids: &[String]) -> Result<()> {
        for chunk in ids.chunks(self.settings.ids_per_read_max) {
            self.read_by_id(Phase::Pull, table, chunk, 0).await?;
            let now = self.env.now();
            self.store.write(Durability::Ordered, |w| {
                chunk.iter().try_for_each(|id| w.note_view(id, now))
            })?;
        }
        Ok(())
    }
}

fn unknown_object(id: &str) -> Error {
    Error::new(
        ErrorKind::UnknownObject,
        format!(
            "the briefcase names no object with ids that begin with {}: name it under \"objects\"",
            id.get(..3).unwrap_or_default()
        ),
    )
}
