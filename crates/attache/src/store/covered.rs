//! The ids behind which related rules have looked.

use super::{Reading, Relation, Writing};
use crate::error::Result;
use rusqlite::params;

impl Reading<'_> {
    /// Ids that a related rule has yet to ask for, at most `limit`.
    pub(crate) fn uncovered(&self, relation: &Relation<'_>, limit: usize) -> Result<Vec<String>> {
        let sql = format!(
            "WITH keys (id) AS ({})
             SELECT DISTINCT id FROM keys
             WHERE id NOT LIKE 'local-%' AND NOT EXISTS (SELECT 1 FROM attache_covered c WHERE c.rule = ?1 AND c.id = keys.id)
             ORDER BY id",
            relation.keys()
        );
        let prefix = relation.table.object.key_prefix.as_deref();
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([relation.rule.id])?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            let id: String = row.get(0)?;
            // A reference to several objects leads to this one only in part.
            if !relation.parents || prefix.is_none_or(|prefix| id.starts_with(prefix)) {
                ids.push(id);
            }
            if ids.len() == limit {
                break;
            }
        }
        Ok(ids)
    }

    /// Ids behind which a related rule has looked, in their order, at most `limit` of those after `after`.
    pub(crate) fn covered(
        &self,
        rule: i64,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM attache_covered WHERE rule = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let ids: rusqlite::Result<Vec<String>> = statement
            .query_map(params![rule, after.unwrap_or(""), limit], |row| row.get(0))?
            .collect();
        Ok(ids?)
    }
}

impl Writing<'_> {
    /// Notes that a related rule has asked for what these ids lead to.
    pub(crate) fn cover(&self, rule: i64, ids: &[String]) -> Result<()> {
        let mut statement = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO attache_covered VALUES (?1, ?2)")?;
        for id in ids {
            statement.execute(params![rule, id])?;
        }
        Ok(())
    }

    /// Asks anew for all that a related rule leads to.
    pub(crate) fn uncover(&self, rule: i64) -> Result<()> {
        self.connection
            .execute("DELETE FROM attache_covered WHERE rule = ?1", [rule])?;
        self.connection
            .execute("UPDATE attache_rule SET loaded = 0 WHERE id = ?1", [rule])?;
        Ok(())
    }
}
