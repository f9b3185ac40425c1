//! Fills in columns that came after the records.

use super::Run;
use crate::error::Result;
use crate::json::RecordReader;
use crate::outcome::Phase;
use crate::store::{Count, Durability, Missing, Table};

impl Run<'_> {
    /// Reads the columns that no record here has values of yet: these alone, of the records that are here alone.
    ///
    /// Goes on where another session was cut off. Records with edits are read whole,
    /// since what is read is merged with the edits.
    pub(super) async fn fill_in(&mut self) -> Result<()> {
        for table in self.objects() {
            // Each pass ends with one group less: two that have come as far as each other go on together.
            while let Some(missing) = self
                .store
                .read(|r| r.missing(&table.object.name))?
                .into_iter()
                .next()
            {
                self.fill_page(&table, &missing).await?;
            }
        }
        Ok(())
    }

    /// Says whether there is a column to be filled in.
    pub(super) fn lacks_columns(&self) -> Result<bool> {
        for table in self.objects() {
            if !self
                .store
                .read(|r| r.missing(&table.object.name))?
                .is_empty()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn fill_page(&mut self, table: &Table, missing: &Missing) -> Result<()> {
        self.check_cancelled()?;
        let limit = self.settings.ids_per_read_max;
        let held = self
            .store
            .read(|r| r.next_held(table, missing.after.as_deref(), limit))?;
        let (clean, edited): (Vec<_>, Vec<_>) = held.iter().partition(|(_, clean)| *clean);
        let ids = |records: Vec<&(String, bool)>| -> Vec<String> {
            records.into_iter().map(|(id, _)| id.clone()).collect()
        };
        let (clean, edited) = (ids(clean), ids(edited));
        let mut rows = Vec::with_capacity(clean.len());
        if !clean.is_empty() {
            let mut names = vec![String::from("Id")];
            names.extend(missing.fields.iter().cloned());
            let typed = |name: &String| {
                let column = &table.columns[table.place(name)?];
                Some((column.name.clone(), column.ty.clone()))
            };
            let reader = RecordReader::new(names.iter().filter_map(typed).collect());
            let answers = self.retrieve(table, &clean, &names).await?;
            for (id, answer) in clean.into_iter().zip(answers) {
                // What is not there any more is found by the pull.
                if let Some(record) = answer {
                    let mut values = reader.read(&record)?;
                    values.remove(0);
                    rows.push((id, values));
                }
            }
        }
        self.read_by_id(Phase::Pull, table, &edited, 0).await?;
        let reached = held
            .last()
            .map(|(id, _)| id.as_str())
            .filter(|_| held.len() == limit);
        self.store.write(Durability::Ordered, |w| {
            w.fill_in(table, &missing.fields, &rows, reached)?;
            w.tally(Count::Updated, rows.len() as u64)
        })?;
        let done = rows.len() as u64;
        self.tell(Phase::Pull, &table.object.name, done, None);
        Ok(())
    }
}
