//! Files that first loads are read from, and how far.

use super::{Reading, Writing};
use crate::error::Result;
use crate::record::ServerTime;
use rusqlite::{OptionalExtension, params};

/// How often a file is gone on with without a page of it coming.
const TRIES_MAX: i64 = 3;

/// What a file was made for: it is of no use to a load of which any of this has changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LoadOf {
    /// What the rule asks for, from the first id on.
    pub statement: String,
    /// Where the changes of the object begin that the session knows of: what the file says is as old as the file,
    /// and nothing tells of what changed between it and a later begin.
    pub low: Option<ServerTime>,
    /// How far the load has come.
    pub after: Option<String>,
}

/// A file that the remote made, and how far it was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LoadFile {
    /// What the remote calls it.
    pub name: String,
    /// Where its next page is; `None`: at its begin.
    pub next: Option<String>,
    /// How many of its rows were read.
    pub rows: u64,
}

impl Reading<'_> {
    /// The file that the rest of a load can be read from.
    pub(crate) fn load_file(&self, rule: i64, of: &LoadOf) -> Result<Option<LoadFile>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT file, next, rows FROM attache_load
             WHERE rule = ?1 AND statement = ?2 AND low IS ?3 AND after_id IS ?4 AND tried < ?5",
        )?;
        let low = of.low.map(|low| low.0);
        let file = statement.query_row(
            params![rule, of.statement, low, of.after, TRIES_MAX],
            |row| {
                Ok(LoadFile {
                    name: row.get(0)?,
                    next: row.get(1)?,
                    rows: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
                })
            },
        );
        Ok(file.optional()?)
    }
}

impl Writing<'_> {
    /// Notes that a file is made of the rest of a load.
    pub(crate) fn begin_load_file(&self, rule: i64, of: &LoadOf, file: &str) -> Result<()> {
        let low = of.low.map(|low| low.0);
        self.connection.execute(
            "INSERT OR REPLACE INTO attache_load (rule, file, statement, low, after_id) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![rule, file, of.statement, low, of.after],
        )?;
        Ok(())
    }

    /// Notes that a file is gone on with.
    pub(crate) fn try_load_file(&self, rule: i64) -> Result<()> {
        self.connection.execute(
            "UPDATE attache_load SET tried = tried + 1 WHERE rule = ?1",
            [rule],
        )?;
        Ok(())
    }

    /// Notes how far a file was read, together with how far that brings the load: to `after`.
    pub(crate) fn reach_in_load_file(
        &self,
        rule: i64,
        after: Option<&str>,
        next: &str,
        rows: u64,
    ) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE attache_load SET after_id = ?2, next = ?3, rows = ?4, tried = 0 WHERE rule = ?1",
            )?
            .execute(params![
                rule,
                after,
                next,
                i64::try_from(rows).unwrap_or(i64::MAX)
            ])?;
        Ok(())
    }

    /// Forgets the file of a load, if it has one.
    pub(crate) fn forget_load_file(&self, rule: i64) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM attache_load WHERE rule = ?1")?
            .execute([rule])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::store::{Durability, Store};

    #[test]
    fn a_file_stands_for_a_load_that_is_as_it_was() {
        let store = Store::open_in_memory(Options::new()).unwrap();
        let of = LoadOf {
            statement: "SELECT Id FROM Account".into(),
            low: Some(ServerTime(60)),
            after: Some("001a".into()),
        };
        let begin = |w: &mut Writing<'_>| w.begin_load_file(1, &of, "750");
        store.write(Durability::Ordered, begin).unwrap();
        let found = |of: &LoadOf| store.read(|r| r.load_file(1, of)).unwrap();
        let file = LoadFile {
            name: "750".into(),
            next: None,
            rows: 0,
        };
        assert_eq!(found(&of), Some(file));
        let others = [
            LoadOf {
                statement: "SELECT Id, Name FROM Account".into(),
                ..of.clone()
            },
            LoadOf {
                low: Some(ServerTime(120)),
                ..of.clone()
            },
            LoadOf {
                after: None,
                ..of.clone()
            },
        ];
        for other in &others {
            assert_eq!(found(other), None, "{other:?}");
        }
        let reach = |w: &mut Writing<'_>| w.reach_in_load_file(1, Some("001b"), "behind", 2_000);
        store.write(Durability::Ordered, reach).unwrap();
        assert_eq!(found(&of), None);
        let further = LoadOf {
            after: Some("001b".into()),
            ..of.clone()
        };
        let file = LoadFile {
            name: "750".into(),
            next: Some("behind".into()),
            rows: 2_000,
        };
        assert_eq!(found(&further), Some(file));
        for left in (0..TRIES_MAX).rev() {
            store
                .write(Durability::Ordered, |w| w.try_load_file(1))
                .unwrap();
            assert_eq!(found(&further).is_some(), left > 0, "{left} left");
        }
        store.write(Durability::Ordered, reach).unwrap();
        assert!(found(&further).is_some());
        store
            .write(Durability::Ordered, |w| w.forget_load_file(1))
            .unwrap();
        assert_eq!(found(&further), None);
    }
}
