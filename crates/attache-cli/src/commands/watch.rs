//! `attache query --watch`: follows the answer of a query.

use super::sync::block_on;
use crate::error::{Failure, Result};
use crate::output::{Output, RowView};
use attache::{Attache, ErrorKind, RowChanges, Watch};
use serde::Serialize;
use std::time::Duration;

/// How long another process's commit may go unseen.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A change as data.
#[derive(Serialize)]
struct ChangeView {
    total: usize,
    removed: Vec<Removed>,
    updated: Vec<Updated>,
    inserted: Vec<Inserted>,
}

#[derive(Serialize)]
struct Removed {
    from: usize,
    record: RowView,
}

#[derive(Serialize)]
struct Updated {
    from: usize,
    at: usize,
    record: RowView,
}

#[derive(Serialize)]
struct Inserted {
    at: usize,
    record: RowView,
}

impl ChangeView {
    fn of(change: &RowChanges) -> Result<ChangeView> {
        let removed = change.removed.iter().map(|one| {
            let record = RowView::of(&one.row)?;
            Ok(Removed {
                from: one.from,
                record,
            })
        });
        let updated = change.updated.iter().map(|one| {
            let record = RowView::of(&one.row)?;
            let (from, at) = (one.from, one.at);
            Ok(Updated { from, at, record })
        });
        let inserted = change.inserted.iter().map(|one| {
            let record = RowView::of(&one.row)?;
            Ok(Inserted { at: one.at, record })
        });
        Ok(ChangeView {
            total: change.total,
            removed: removed.collect::<Result<_>>()?,
            updated: updated.collect::<Result<_>>()?,
            inserted: inserted.collect::<Result<_>>()?,
        })
    }
}

/// Prints a line per change until it is interrupted.
pub fn run(store: &Attache, soql: &str, output: &Output) -> Result<()> {
    let failed = |error: attache::Error| Failure::from(error).in_query(soql);
    let mut watch = store.watch(soql).map_err(failed)?;
    block_on(async {
        tokio::select! {
            ended = follow(&mut watch, soql, output) => ended,
            _ = tokio::signal::ctrl_c() => Err(Failure::new(ErrorKind::Interrupted, "the watch was stopped")),
        }
    })?
}

async fn follow(watch: &mut Watch, soql: &str, output: &Output) -> Result<()> {
    while !watch.is_over() {
        while let Some(change) = watch.try_next() {
            match change {
                Ok(change) => output.data(&ChangeView::of(&change)?)?,
                Err(error) => return Err(Failure::from(error).in_query(soql)),
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}
