//! Takes pages of records into the store.

use super::{Run, derived};
use crate::error::{Error, ErrorKind, Result};
use crate::json::RecordReader;
use crate::outcome::Phase;
use crate::record::Value;
use crate::store::{Arrived, Count, Durability, Origin, Table, Writing};
use serde_json::value::RawValue;

/// Reads the records of one table by their described types.
pub(super) fn reader(table: &Table) -> RecordReader {
    RecordReader::new(
        table
            .columns
            .iter()
            .map(|column| (column.name.clone(), column.ty.clone()))
            .collect(),
    )
}

/// A page of records, read by their described types.
pub(super) struct Decoded {
    pub ids: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// Reads a page.
pub(super) fn decode(
    table: &Table,
    reader: &RecordReader,
    records: &[Box<RawValue>],
) -> Result<Decoded> {
    let mut page = Decoded {
        ids: Vec::with_capacity(records.len()),
        rows: Vec::with_capacity(records.len()),
    };
    for record in records {
        let values = reader.read(record)?;
        page.ids.push(id_of(table, &values)?);
        page.rows.push(values);
    }
    Ok(page)
}

impl Run<'_> {
    /// Takes in a page in one transaction, together with what `then` writes, and gives the records' ids.
    ///
    /// `rules` is the membership that each record of the page gets.
    pub(super) fn apply(
        &mut self,
        table: &Table,
        page: Decoded,
        rules: i64,
        origin: Origin,
        then: impl FnOnce(&Writing<'_>) -> Result<()>,
    ) -> Result<Vec<String>> {
        let moved = self.store.write(Durability::Ordered, |w| {
            let edited = w.reading().edited_records()?;
            let mut unsettles = false;
            let mut arrived = Vec::with_capacity(page.rows.len());
            let mut changed = Vec::new();
            for (id, values) in page.ids.iter().zip(page.rows) {
                let one = w.arrive(table, &edited, values, rules, origin)?;
                unsettles |= self.unsettles(table, id, origin, &one);
                let ways = self.ways_moved(table, id, &one).into_iter();
                changed.extend(ways.map(|way| (way, id.clone())));
                arrived.push(one);
            }
            if unsettles {
                w.unsettle_by_page(&table.object.name)?;
            }
            w.tally_arrived(&arrived, Count::OutOfSight)?;
            then(w)?;
            derived::note(w, &changed)?;
            Ok(changed)
        })?;
        self.note_moved(moved)?;
        Ok(page.ids)
    }

    /// Reads records by id and takes them in; those that do not come are taken in as missing.
    pub(super) async fn read_by_id(
        &mut self,
        phase: Phase,
        table: &Table,
        ids: &[String],
        rules: i64,
    ) -> Result<()> {
        let reader = reader(table);
        let names: Vec<String> = table
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        let total = ids.len() as u64;
        let origin = if phase == Phase::ReadBack {
            Origin::Echo
        } else {
            Origin::Server
        };
        let mut done = 0;
        for chunk in ids.chunks(self.settings.ids_per_read_max) {
            self.check_cancelled()?;
            let answers = self.retrieve(table, chunk, &names).await?;
            let (mut present, mut missing) = (Vec::new(), Vec::new());
            for (id, answer) in chunk.iter().zip(answers) {
                match answer {
                    Some(record) => present.push(record),
                    None => missing.push(id.clone()),
                }
            }
            let present = decode(table, &reader, &present)?;
            self.apply(table, present, rules, origin, |_| Ok(()))?;
            self.take_missing(table, &missing, Count::OutOfSight)
                .await?;
            done += chunk.len() as u64;
            self.tell(phase, &table.object.name, done, Some(total));
        }
        Ok(())
    }

    /// Reads records by id, and makes sure that they are those that were asked for.
    pub(super) async fn retrieve(
        &mut self,
        table: &Table,
        ids: &[String],
        names: &[String],
    ) -> Result<Vec<Option<Box<RawValue>>>> {
        let answers = self.remote.retrieve(&table.object.name, ids, names).await?;
        let reader = RecordReader::new(vec![("Id".into(), crate::FieldType::Id)]);
        let mut as_asked = answers.len() == ids.len();
        for (id, record) in ids.iter().zip(&answers) {
            if let Some(record) = record {
                let values = reader.read(record)?;
                as_asked &= values.first().and_then(Value::as_text) == Some(id);
            }
        }
        if !as_asked {
            return Err(Error::new(
                ErrorKind::NotARemote,
                "the server answered with other records than it was asked for",
            ));
        }
        Ok(answers)
    }

    /// Takes in that records are deleted, or out of this user's sight: `why` they are counted.
    pub(super) async fn take_missing(
        &mut self,
        table: &Table,
        ids: &[String],
        why: Count,
    ) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        self.follow_merges(table, ids).await?;
        self.store.write(Durability::Ordered, |w| {
            let arrived: Result<Vec<Arrived>> = ids.iter().map(|id| w.missing(table, id)).collect();
            w.unsettle_relations(&table.object.name)?;
            w.tally_arrived(&arrived?, why)
        })
    }
}

fn id_of(table: &Table, values: &[Value]) -> Result<String> {
    // `Id` is every table's first column.
    values
        .first()
        .and_then(Value::as_text)
        .map(str::to_owned)
        .ok_or_else(|| {
            Error::new(
                ErrorKind::NotARemote,
                format!(
                    "the server sent a record of {} without an id",
                    table.object.name
                ),
            )
        })
}
