//! Gives a record that came back the id that led to another one meanwhile.

use super::{Writing, quote};
use crate::error::Result;
use rusqlite::{OptionalExtension, params};

impl Writing<'_> {
    /// Lets a server id lead to its own record again.
    ///
    /// A record that was deleted at the server and kept here was created anew, and its old id has led to the new one
    /// since; so has that of a record that was merged into another. When somebody restores it there are two, lookups
    /// name the old id and mean the old record, and so must hosts. The new record is known by its local key from then
    /// on. What was decided about the old one cannot be taken back any more.
    pub(super) fn give_back(&self, id: &str) -> Result<()> {
        let led_to: Option<(String, String)> = self
            .connection
            .query_row(
                "DELETE FROM attache_alias WHERE key = ?1 RETURNING current, object",
                [id],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let Some((current, object)) = led_to else {
            return Ok(());
        };
        let key: Option<String> = self.connection.query_row(
            "SELECT min(key) FROM attache_alias WHERE current = ?1",
            [&current],
            |row| row.get(0),
        )?;
        if let Some(table) = self.catalogue().table(&object) {
            let sql = format!(
                "UPDATE {} SET \"attache_key\" = ?2 WHERE \"Id\" = ?1 AND \"attache_key\" = ?3",
                quote(&table.object.name)
            );
            self.connection.execute(&sql, params![current, key, id])?;
        }
        self.connection.execute(
            "UPDATE attache_base SET key = ?2 WHERE record = ?1 AND key = ?3",
            params![current, key, id],
        )?;
        self.connection
            .execute("DELETE FROM attache_resolution WHERE record = ?1", [id])?;
        Ok(())
    }
}
