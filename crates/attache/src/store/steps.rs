//! Work on very many rows: some of them in each transaction, and whoever waits to write goes between.

use super::{Durability, Reading, RuleState, Store, WantedRule, Writing, quote};
use crate::error::Result;
use rusqlite::{OptionalExtension, params};

/// Rows that are looked at in one transaction: it holds the writer for some milliseconds.
pub(super) const STEP_ROWS: i64 = 5_000;

/// Whether there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    More,
    Last,
}

impl Store {
    /// Runs steps, a transaction each, up to the last.
    ///
    /// # Errors
    /// Those of `go_on`, which is asked before each step, and those of the steps. What is done then stays done.
    pub(crate) fn in_steps(
        &self,
        go_on: impl Fn() -> Result<()>,
        mut step: impl FnMut(&mut Writing<'_>) -> Result<Step>,
    ) -> Result<()> {
        loop {
            go_on()?;
            self.queue.let_in();
            if self.write(Durability::Ordered, &mut step)? == Step::Last {
                return Ok(());
            }
        }
    }

    /// Takes the records of all rules but these out of them, for [`define_rules`](Writing::define_rules) to forget the
    /// rules.
    ///
    /// A rule that is wanted again before that is read from its beginning.
    ///
    /// # Errors
    /// Those of `go_on`: see [`in_steps`](Store::in_steps).
    pub(crate) fn empty_rules_but(
        &self,
        wanted: &[WantedRule],
        go_on: impl Fn() -> Result<()>,
    ) -> Result<()> {
        let rules = self.read(|r| r.rules())?.into_iter();
        for rule in rules.filter(|rule| !wanted.iter().any(|want| want.key == rule.key)) {
            self.write(Durability::Ordered, |w| w.begin_rule_anew(&rule))?;
            let mut row = Some(0);
            self.in_steps(&go_on, |w| {
                row = match row {
                    Some(after) => w.empty_some(&rule, after, STEP_ROWS)?,
                    None => None,
                };
                Ok(if row.is_some() {
                    Step::More
                } else {
                    Step::Last
                })
            })?;
            self.forget_covered(rule.id, &go_on)?;
        }
        Ok(())
    }

    /// Forgets what a related rule has asked about, so that it asks anew.
    ///
    /// # Errors
    /// Those of `go_on`: see [`in_steps`](Store::in_steps).
    pub(crate) fn forget_covered(&self, rule: i64, go_on: impl Fn() -> Result<()>) -> Result<()> {
        self.in_steps(go_on, |w| w.forget_some_covered(rule, STEP_ROWS))
    }
}

impl Reading<'_> {
    /// Where a step ends that begins behind a row of an object; `None`: there is nothing behind it.
    pub(super) fn row_after(&self, object: &str, row: i64, rows: i64) -> Result<Option<i64>> {
        let sql = format!(
            "SELECT max(\"attache_row\") FROM (SELECT \"attache_row\" FROM {}
             WHERE \"attache_row\" > ?1 ORDER BY \"attache_row\" LIMIT ?2)",
            quote(object)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([row, rows], |row| row.get(0))?)
    }
}

impl Writing<'_> {
    /// Has a rule read everything anew, and takes it from what was deleted or decided here, which may come back.
    fn begin_rule_anew(&self, rule: &RuleState) -> Result<()> {
        self.connection.execute(
            "UPDATE attache_rule SET loaded = 0, after_id = NULL WHERE id = ?1",
            [rule.id],
        )?;
        for kept in ["attache_base", "attache_resolution"] {
            self.connection.execute(
                &format!("UPDATE {kept} SET rules = rules & ~?2 WHERE object = ?1 AND rules & ?2"),
                params![rule.object, rule.mask],
            )?;
        }
        Ok(())
    }

    /// Takes records out of a rule, from a row on, and gives how far that came; `None`: none is left.
    fn empty_some(&self, rule: &RuleState, after: i64, rows: i64) -> Result<Option<i64>> {
        let Some(table) = self.catalogue().table(&rule.object) else {
            return Ok(None);
        };
        let object = &table.object.name;
        let Some(last) = self.reading().row_after(object, after, rows)? else {
            return Ok(None);
        };
        let sql = format!(
            "UPDATE {} SET \"attache_rules\" = \"attache_rules\" & ~?3
             WHERE \"attache_row\" > ?1 AND \"attache_row\" <= ?2 AND \"attache_rules\" & ?3",
            quote(object)
        );
        self.connection
            .prepare_cached(&sql)?
            .execute([after, last, rule.mask])?;
        Ok(Some(last))
    }

    fn forget_some_covered(&self, rule: i64, rows: i64) -> Result<Step> {
        let last: Option<String> = self
            .connection
            .prepare_cached(
                "SELECT id FROM attache_covered WHERE rule = ?1 ORDER BY id LIMIT 1 OFFSET ?2",
            )?
            .query_row([rule, rows - 1], |row| row.get(0))
            .optional()?;
        self.connection
            .prepare_cached(
                "DELETE FROM attache_covered WHERE rule = ?1 AND (?2 IS NULL OR id <= ?2)",
            )?
            .execute(params![rule, last])?;
        Ok(match last {
            Some(_) => Step::More,
            None => Step::Last,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, ErrorKind, Options};
    use std::cell::Cell;

    const CONTACT: &str =
        r#"{"name": "Contact", "keyPrefix": "003", "fields": [{"name": "Id", "type": "id"}]}"#;
    const ROWS: i64 = STEP_ROWS + 10;

    fn number(store: &Store, sql: &str) -> i64 {
        let found = store.read(|r| Ok(r.connection.query_row(sql, [], |row| row.get(0))?));
        found.unwrap()
    }

    #[test]
    fn a_rule_is_emptied_in_steps_and_read_from_its_beginning_wherever_that_is_cut_off() {
        let store = Store::open_in_memory(Options::new()).unwrap();
        let wanted = [WantedRule {
            key: "all".into(),
            name: "all".into(),
            object: "Contact".into(),
            of_object: None,
        }];
        let filled = store.write(Durability::Ordered, |w| {
            w.define(CONTACT, None, &["Id".into()])?;
            w.define_rules(&wanted)?;
            let rule = w.reading().rule("all")?;
            for nr in 0..ROWS {
                let id = format!("003{nr:015}");
                w.connection
                    .prepare_cached("INSERT INTO Contact (Id, attache_rules) VALUES (?1, ?2)")?
                    .execute(params![id, rule.mask])?;
                w.cover(rule.id, &[id])?;
            }
            w.set_after(rule.id, Some("003"))?;
            w.set_loaded(rule.id)
        });
        filled.unwrap();
        let members = "SELECT count(*) FROM Contact WHERE attache_rules";
        let covered = "SELECT count(*) FROM attache_covered";
        let asked = Cell::new(0);
        let once = || match asked.replace(asked.get() + 1) {
            0 => Ok(()),
            _ => Err(Error::new(ErrorKind::Interrupted, "enough")),
        };
        store.empty_rules_but(&wanted, once).unwrap();
        assert_eq!(
            (number(&store, members), asked.get()),
            (ROWS, 0),
            "it is wanted"
        );
        store.empty_rules_but(&[], once).unwrap_err();
        assert_eq!(number(&store, members), ROWS - STEP_ROWS);
        let rule = store.read(|r| r.rule("all")).unwrap();
        assert!(!rule.loaded && rule.after.is_none(), "{rule:?}");

        store.empty_rules_but(&[], || Ok(())).unwrap();
        assert_eq!((number(&store, members), number(&store, covered)), (0, 0));
        store
            .write(Durability::Ordered, |w| w.define_rules(&[]))
            .unwrap();
        assert_eq!(number(&store, "SELECT count(*) FROM attache_rule"), 0);
    }
}
