//! What happened without asking, kept until a report has told it.
//!
//! A session may merge a record and then lose the network: what it did is told
//! by the next one that comes to its end. So it is written in the transaction
//! that does it, the counts as well as what concerns single records.

use super::{Arrived, Writing};
use crate::error::{Error, Problem, Result};
use crate::outcome::{Dropped, Merged, Report};
use crate::record::RecordId;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A notice as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    /// Record, object, fields taken, fields kept, whether a deletion was withdrawn.
    Merged(String, String, Vec<String>, Vec<String>, bool),
    Dropped {
        record: String,
        object: String,
        /// Fields, code and message of each.
        problems: Vec<(Vec<String>, String, String)>,
    },
}

/// What a report counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Inserted,
    Updated,
    Evicted,
    Deleted,
    OutOfSight,
    PushedCreates,
    PushedUpdates,
    PushedDeletes,
}

impl Count {
    fn name(self) -> &'static str {
        match self {
            Count::Inserted => "inserted",
            Count::Updated => "updated",
            Count::Evicted => "evicted",
            Count::Deleted => "deleted",
            Count::OutOfSight => "out_of_sight",
            Count::PushedCreates => "pushed_creates",
            Count::PushedUpdates => "pushed_updates",
            Count::PushedDeletes => "pushed_deletes",
        }
    }
}

impl Writing<'_> {
    pub(super) fn put_notice(&self, merged: &Merged) -> Result<()> {
        self.store_notice(&Stored::Merged(
            merged.record.as_str().to_owned(),
            merged.object.clone(),
            merged.taken.clone(),
            merged.kept.clone(),
            merged.delete_withdrawn,
        ))
    }

    pub(super) fn put_dropped(&self, dropped: &Dropped) -> Result<()> {
        let problems = dropped.problems.iter();
        self.store_notice(&Stored::Dropped {
            record: dropped.record.as_str().to_owned(),
            object: dropped.object.clone(),
            problems: problems
                .map(|p| (p.fields.clone(), p.code.clone(), p.message.clone()))
                .collect(),
        })
    }

    fn store_notice(&self, stored: &Stored) -> Result<()> {
        let json = serde_json::to_string(stored)
            .map_err(|error| Error::internal("a notice prints as JSON").with_source(error))?;
        self.connection
            .prepare_cached("INSERT INTO attache_notice (merged) VALUES (?1)")?
            .execute([json])?;
        Ok(())
    }

    /// Counts for the next report.
    pub(crate) fn tally(&self, what: Count, many: u64) -> Result<()> {
        if many == 0 {
            return Ok(());
        }
        self.connection
            .prepare_cached(
                "INSERT INTO attache_tally VALUES (?1, ?2) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            )?
            .execute(params![what.name(), i64::try_from(many).unwrap_or(i64::MAX)])?;
        Ok(())
    }

    /// Counts what became of records that came in. `purged` says what those are that had to go.
    pub(crate) fn tally_arrived(&self, arrived: &[Arrived], purged: Count) -> Result<()> {
        let many = |is: fn(&Arrived) -> bool| arrived.iter().filter(|one| is(one)).count() as u64;
        let updated = many(|one| {
            matches!(
                one,
                Arrived::Updated(_) | Arrived::Moved(_) | Arrived::Merged(_)
            )
        });
        self.tally(Count::Inserted, many(|one| *one == Arrived::Inserted))?;
        self.tally(Count::Updated, updated)?;
        self.tally(purged, many(|one| *one == Arrived::Purged))
    }

    /// Takes all that no report has told yet, oldest first.
    pub(crate) fn take_notices(&self) -> Result<Report> {
        let mut report = Report::default();
        let mut statement = self
            .connection
            .prepare_cached("SELECT merged FROM attache_notice ORDER BY id")?;
        let texts: rusqlite::Result<Vec<String>> =
            statement.query_map([], |row| row.get(0))?.collect();
        for text in texts? {
            let stored = serde_json::from_str(&text).map_err(|error| {
                Error::internal("a notice in the store cannot be read").with_source(error)
            })?;
            match stored {
                Stored::Merged(record, object, taken, kept, delete_withdrawn) => {
                    report.merged.push(Merged {
                        record: RecordId::trusted(&record),
                        object,
                        taken,
                        kept,
                        delete_withdrawn,
                    });
                }
                Stored::Dropped {
                    record,
                    object,
                    problems,
                } => report.dropped.push(Dropped {
                    record: RecordId::trusted(&record),
                    object,
                    problems: problems
                        .into_iter()
                        .map(|(fields, code, message)| Problem {
                            fields,
                            code,
                            message,
                            duplicates: None,
                        })
                        .collect(),
                }),
            }
        }
        self.connection
            .prepare_cached("DELETE FROM attache_notice")?
            .execute([])?;
        self.take_counts(&mut report)?;
        Ok(report)
    }

    fn take_counts(&self, report: &mut Report) -> Result<()> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT name, count FROM attache_tally")?;
        let counts: rusqlite::Result<BTreeMap<String, i64>> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect();
        let counts = counts?;
        let count = |what: Count| {
            let count = counts.get(what.name()).copied().unwrap_or(0);
            u64::try_from(count).unwrap_or(0)
        };
        report.inserted = count(Count::Inserted);
        report.updated = count(Count::Updated);
        report.evicted = count(Count::Evicted);
        report.deleted = count(Count::Deleted);
        report.out_of_sight = count(Count::OutOfSight);
        report.pushed_creates = count(Count::PushedCreates);
        report.pushed_updates = count(Count::PushedUpdates);
        report.pushed_deletes = count(Count::PushedDeletes);
        if !counts.is_empty() {
            self.connection.execute("DELETE FROM attache_tally", [])?;
        }
        Ok(())
    }
}
