//! Who points at a record.

use super::{Reading, Table, quote};
use crate::error::{Error, Result};
use std::collections::BTreeSet;

impl Reading<'_> {
    /// The records, known to the server, whose lookup leads to one of these ids. Costs a pass over the table at most.
    pub(crate) fn referring(
        &self,
        table: &Table,
        lookup: &str,
        ids: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>> {
        let ids = serde_json::to_string(ids).map_err(|_| Error::internal("ids are text"))?;
        let sql = format!(
            "SELECT \"Id\" FROM {} WHERE {} IN (SELECT value FROM json_each(?1)) AND \"Id\" NOT LIKE 'local-%'",
            quote(&table.object.name),
            quote(lookup)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_map([ids], |row| row.get(0))?;
        Ok(found.collect::<std::result::Result<_, _>>()?)
    }
}
