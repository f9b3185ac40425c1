//! What was joined without asking, kept until a report has told it.
//!
//! A session may merge a record and then lose the network: what it did is told
//! by the next one that comes to its end.

use super::Writing;
use crate::error::{Error, Result};
use crate::outcome::Merged;
use crate::record::RecordId;

type Stored = (String, String, Vec<String>, Vec<String>, bool);

impl Writing<'_> {
    pub(super) fn put_notice(&self, merged: &Merged) -> Result<()> {
        let stored: Stored = (
            merged.record.as_str().to_owned(),
            merged.object.clone(),
            merged.taken.clone(),
            merged.kept.clone(),
            merged.delete_withdrawn,
        );
        let json = serde_json::to_string(&stored)
            .map_err(|error| Error::internal("a notice prints as JSON").with_source(error))?;
        self.connection
            .prepare_cached("INSERT INTO attache_notice (merged) VALUES (?1)")?
            .execute([json])?;
        Ok(())
    }

    /// Takes all notices, oldest first.
    pub(crate) fn take_notices(&self) -> Result<Vec<Merged>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT merged FROM attache_notice ORDER BY id")?;
        let texts: rusqlite::Result<Vec<String>> =
            statement.query_map([], |row| row.get(0))?.collect();
        let mut notices = Vec::new();
        for text in texts? {
            let (record, object, taken, kept, delete_withdrawn): Stored =
                serde_json::from_str(&text).map_err(|error| {
                    Error::internal("a notice in the store cannot be read").with_source(error)
                })?;
            notices.push(Merged {
                record: RecordId::trusted(&record),
                object,
                taken,
                kept,
                delete_withdrawn,
            });
        }
        self.connection
            .prepare_cached("DELETE FROM attache_notice")?
            .execute([])?;
        Ok(notices)
    }
}
