//! Membership: which rule holds which record.
//!
//! Each rule of an object owns a bit of its records' `attache_rules`, so that
//! membership is counted without a row of its own. A record without a bit is
//! evicted, unless something else holds it (see `holds`).

use super::{Reading, Table, Writing, quote};
use crate::briefcase::RULES_PER_OBJECT_MAX;
use crate::env::LocalTime;
use crate::error::{Error, Result};
use crate::record::{ServerTime, is_local};
use rusqlite::{OptionalExtension, Row, params};
use std::collections::{BTreeSet, HashSet};

/// Where a rule stands.
#[derive(Clone, Debug)]
pub(crate) struct RuleState {
    pub id: i64,
    /// Its name in the store.
    pub key: String,
    pub name: String,
    pub object: String,
    /// The rule's bit, as a mask.
    pub mask: i64,
    /// Everything the rule matches was read.
    pub loaded: bool,
    /// How far a load or a sweep has come.
    pub after: Option<String>,
    pub swept_at: Option<LocalTime>,
    pub swept_day: Option<String>,
    /// How many ids the last finished sweep went through.
    pub swept_ids: u64,
    /// How many records the rule matches at the server, if that is more than its limit lets in.
    pub cut_from: Option<u64>,
}

/// A rule as a briefcase has it.
pub(crate) struct WantedRule {
    /// The same for rules that keep the same records.
    pub key: String,
    pub name: String,
    pub object: String,
    /// The object of the rule that this one hangs on.
    pub of_object: Option<String>,
}

/// A stretch of ids that a page of a sweep covers completely.
pub(crate) struct SweepRange<'a> {
    /// After this id; `None`: from the first.
    pub after: Option<&'a str>,
    /// Up to and with this id; `None`: to the last.
    pub to: Option<&'a str>,
    /// Everything the rule matches in between.
    pub present: &'a [String],
}

/// Of a rule: what leads to its records may have changed.
const UNSETTLED: i64 = 0;
/// All that it matches was read.
const LOADED: i64 = 1;
/// What leads to its records is being looked through: an edit meanwhile unsettles it, a page that comes in does not.
const SETTLING: i64 = 2;

const COLUMNS: &str =
    "id, bit, loaded = 1, after_id, swept_at, swept_day, swept_ids, name, object, cut_from, key";

fn read(row: &Row<'_>) -> rusqlite::Result<RuleState> {
    Ok(RuleState {
        id: row.get(0)?,
        mask: 1 << row.get::<_, i64>(1)?,
        loaded: row.get(2)?,
        after: row.get(3)?,
        swept_at: row.get::<_, Option<i64>>(4)?.map(LocalTime),
        swept_day: row.get(5)?,
        swept_ids: u64::try_from(row.get::<_, i64>(6)?).unwrap_or(0),
        key: row.get(10)?,
        name: row.get(7)?,
        object: row.get(8)?,
        cut_from: row
            .get::<_, Option<i64>>(9)?
            .and_then(|count| u64::try_from(count).ok()),
    })
}

impl Reading<'_> {
    pub(crate) fn rule(&self, key: &str) -> Result<RuleState> {
        let sql = format!("SELECT {COLUMNS} FROM attache_rule WHERE key = ?1");
        Ok(self
            .connection
            .prepare_cached(&sql)?
            .query_row([key], read)?)
    }

    /// The object of a rule, by what the briefcase says of it.
    pub(crate) fn object_of_rule(&self, key: &str) -> Result<Option<String>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT object FROM attache_rule WHERE key = object || ': ' || ?1")?;
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    }

    /// Of some ids, those on this device, with their membership.
    pub(crate) fn held(&self, table: &Table, ids: &[String]) -> Result<Vec<(String, i64)>> {
        let sql = format!(
            "SELECT \"attache_rules\" FROM {} WHERE \"Id\" = ?1",
            quote(&table.object.name)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut held = Vec::new();
        for id in ids {
            let mut rows = statement.query([id])?;
            if let Some(row) = rows.next()? {
                held.push((id.clone(), row.get(0)?));
            } else if self.edited(id)? {
                held.push((id.clone(), 0));
            }
        }
        Ok(held)
    }

    /// Says whether a rule holds a record.
    pub(crate) fn is_member(&self, table: &Table, id: &str, mask: i64) -> Result<bool> {
        let sql = format!(
            "SELECT 1 FROM {} WHERE \"Id\" = ?1 AND \"attache_rules\" & ?2",
            quote(&table.object.name)
        );
        Ok(self
            .connection
            .prepare_cached(&sql)?
            .exists(params![id, mask])?)
    }

    /// Says whether a record of a rule points at an id through a field.
    pub(crate) fn points_at(
        &self,
        table: &Table,
        field: &str,
        id: &str,
        mask: i64,
    ) -> Result<bool> {
        let sql = format!(
            "SELECT 1 FROM {} WHERE {} = ?1 AND \"attache_rules\" & ?2",
            quote(&table.object.name),
            quote(field)
        );
        Ok(self
            .connection
            .prepare_cached(&sql)?
            .exists(params![id, mask])?)
    }

    /// The stamp of the version of a record that is here.
    pub(crate) fn stamp(&self, table: &Table, id: &str) -> Result<Option<ServerTime>> {
        if table.place("SystemModstamp").is_none() {
            return Ok(None);
        }
        let sql = format!(
            "SELECT \"SystemModstamp\" FROM {} WHERE \"Id\" = ?1",
            quote(&table.object.name)
        );
        let stamp: Option<Option<i64>> = self
            .connection
            .prepare_cached(&sql)?
            .query_row([id], |row| row.get(0))
            .optional()?;
        Ok(stamp.flatten().map(ServerTime))
    }

    /// The members of a rule that a look at a stretch of ids does not show.
    pub(crate) fn missing_members(
        &self,
        table: &Table,
        mask: i64,
        range: &SweepRange<'_>,
    ) -> Result<Vec<String>> {
        let present: HashSet<&str> = range.present.iter().map(String::as_str).collect();
        let mut missing = self.members_within(table, mask, range)?;
        missing.retain(|id| !is_local(id) && !present.contains(id.as_str()));
        Ok(missing)
    }

    /// The members of a rule in a stretch of ids, in their order.
    fn members_within(
        &self,
        table: &Table,
        mask: i64,
        range: &SweepRange<'_>,
    ) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT \"Id\" FROM {} WHERE \"attache_rules\" & ?1 AND \"Id\" > ?2 AND (?3 IS NULL OR \"Id\" <= ?3) ORDER BY \"Id\"",
            quote(&table.object.name)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let after = range.after.unwrap_or("");
        let members: rusqlite::Result<Vec<String>> = statement
            .query_map(params![mask, after, range.to], |row| row.get(0))?
            .collect();
        Ok(members?)
    }

    /// The members of a rule with their stamps.
    pub(crate) fn members(&self, table: &Table, mask: i64) -> Result<Vec<(String, Option<i64>)>> {
        let stamp = if table.place("SystemModstamp").is_some() {
            "\"SystemModstamp\""
        } else {
            "NULL"
        };
        let sql = format!(
            "SELECT \"Id\", {stamp} FROM {} WHERE \"attache_rules\" & ?1 ORDER BY \"Id\"",
            quote(&table.object.name)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let members: rusqlite::Result<Vec<_>> = statement
            .query_map([mask], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect();
        Ok(members?)
    }
}

impl Reading<'_> {
    /// All rules, in the order in which the store learnt of them.
    pub(crate) fn rules(&self) -> Result<Vec<RuleState>> {
        let sql = format!("SELECT {COLUMNS} FROM attache_rule ORDER BY id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rules: rusqlite::Result<Vec<_>> = statement.query_map([], read)?.collect();
        Ok(rules?)
    }

    /// Tells of each record of a table: its current id and its membership.
    pub(crate) fn each_member(
        &self,
        table: &Table,
        mut tell: impl FnMut(String, i64),
    ) -> Result<()> {
        let sql = format!(
            "SELECT \"Id\", \"attache_rules\" FROM {}",
            quote(&table.object.name)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            tell(row.get(0)?, row.get(1)?);
        }
        Ok(())
    }

    /// How many records of an object each set of rules holds.
    pub(crate) fn shares(&self, table: &Table) -> Result<Vec<(i64, u64)>> {
        let sql = format!(
            "SELECT \"attache_rules\", count(*) FROM {} GROUP BY 1",
            quote(&table.object.name)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let shares: rusqlite::Result<Vec<(i64, i64)>> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect();
        let shares = shares?.into_iter();
        Ok(shares
            .map(|(rules, count)| (rules, u64::try_from(count).unwrap_or(0)))
            .collect())
    }
}

impl Writing<'_> {
    /// Makes the set of rules what a briefcase says.
    ///
    /// Rules that go have no records any more: [`empty_rules_but`](super::Store::empty_rules_but) comes first.
    pub(crate) fn define_rules(&self, wanted: &[WantedRule]) -> Result<()> {
        let mut statement = self
            .connection
            .prepare("SELECT key, id FROM attache_rule")?;
        let have: rusqlite::Result<Vec<(String, i64)>> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect();
        let have = have?;
        for (_, id) in have
            .iter()
            .filter(|(key, _)| !wanted.iter().any(|want| want.key == *key))
        {
            self.connection
                .execute("DELETE FROM attache_rule WHERE id = ?1", [id])?;
            self.forget_load_file(*id)?;
        }
        let mut seen = HashSet::new();
        for rule in wanted.iter().filter(|want| seen.insert(want.key.as_str())) {
            if have.iter().any(|(old, _)| *old == rule.key) {
                self.connection
                    .prepare_cached(
                        "UPDATE attache_rule SET name = ?2 WHERE key = ?1 AND name <> ?2",
                    )?
                    .execute([&rule.key, &rule.name])?;
                continue;
            }
            let object = &rule.object;
            let mut statement = self
                .connection
                .prepare_cached("SELECT bit FROM attache_rule WHERE object = ?1")?;
            let used: rusqlite::Result<BTreeSet<i64>> =
                statement.query_map([object], |row| row.get(0))?.collect();
            let used = used?;
            let free = (0..RULES_PER_OBJECT_MAX as i64)
                .find(|bit| !used.contains(bit))
                .ok_or_else(|| {
                    Error::invalid(format!(
                        "the briefcase has more than {RULES_PER_OBJECT_MAX} rules for {object}"
                    ))
                })?;
            self.connection.execute(
                "INSERT INTO attache_rule (key, object, of_object, bit, name) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![rule.key, object, rule.of_object, free, rule.name],
            )?;
        }
        Ok(())
    }

    pub(crate) fn set_after(&self, rule: i64, after: Option<&str>) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE attache_rule SET after_id = ?2 WHERE id = ?1")?
            .execute(params![rule, after])?;
        Ok(())
    }

    /// Notes how many records a rule matches at the server, if its limit leaves some of them out.
    pub(crate) fn set_cut(&self, rule: i64, from: Option<u64>) -> Result<()> {
        let from = from.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        self.connection
            .prepare_cached("UPDATE attache_rule SET cut_from = ?2 WHERE id = ?1")?
            .execute(params![rule, from])?;
        Ok(())
    }

    /// Notes that all a rule matches was read.
    pub(crate) fn set_loaded(&self, rule: i64) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE attache_rule SET loaded = ?2 WHERE id = ?1")?
            .execute([rule, LOADED])?;
        Ok(())
    }

    /// Notes that what leads to a related rule's records is about to be looked through.
    pub(super) fn set_settling(&self, rule: i64) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE attache_rule SET loaded = ?2 WHERE id = ?1")?
            .execute([rule, SETTLING])?;
        Ok(())
    }

    /// Notes that all a related rule leads to was read, unless an edit has led elsewhere since that was looked through.
    pub(crate) fn set_settled(&self, rule: i64) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE attache_rule SET loaded = ?2 WHERE id = ?1 AND loaded = ?3")?
            .execute([rule, LOADED, SETTLING])?;
        Ok(())
    }

    /// Notes that all a rule matches was looked at: when, on which day, and how many ids that were.
    pub(crate) fn set_swept(&self, rule: i64, now: LocalTime, day: &str, ids: u64) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE attache_rule SET after_id = NULL, swept_at = ?2, swept_day = ?3, swept_ids = ?4 WHERE id = ?1",
            )?
            .execute(params![rule, now.0, day, i64::try_from(ids).unwrap_or(i64::MAX)])?;
        Ok(())
    }

    /// Notes that records of an object came, went or changed: what is related to them may have, too.
    pub(crate) fn unsettle_relations(&self, object: &str) -> Result<()> {
        self.unsettle(object, SETTLING)
    }

    /// Does so for what a session reads: a rule that is being settled asked for it.
    pub(crate) fn unsettle_by_page(&self, object: &str) -> Result<()> {
        self.unsettle(object, LOADED)
    }

    fn unsettle(&self, object: &str, most: i64) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE attache_rule SET loaded = ?2
                 WHERE of_object IS NOT NULL AND loaded BETWEEN ?3 AND ?4 AND (object = ?1 OR of_object = ?1)",
            )?
            .execute(params![object, UNSETTLED, LOADED, most])?;
        Ok(())
    }

    /// Takes records out of a rule.
    pub(crate) fn leave(&self, table: &Table, mask: i64, ids: &[String]) -> Result<()> {
        if planted!(NeverLeaves) {
            return Ok(());
        }
        let sql = format!(
            "UPDATE {} SET \"attache_rules\" = \"attache_rules\" & ~?2 WHERE \"Id\" = ?1",
            quote(&table.object.name)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        for id in ids {
            statement.execute(params![id, mask])?;
            // A record that was deleted here keeps its membership beside its base.
            self.connection
                .prepare_cached("UPDATE attache_base SET rules = rules & ~?2 WHERE record = ?1")?
                .execute(params![id, mask])?;
        }
        Ok(())
    }

    /// Compares a rule's members with what the server has in a stretch of ids, and gives the ids to read.
    pub(crate) fn sweep(
        &self,
        table: &Table,
        mask: i64,
        range: &SweepRange<'_>,
    ) -> Result<Vec<String>> {
        let members = self.reading().members_within(table, mask, range)?;
        let members: HashSet<String> = members.into_iter().collect();
        let present: HashSet<&str> = range.present.iter().map(String::as_str).collect();
        let gone: Vec<String> = members
            .iter()
            .filter(|id| !is_local(id) && !present.contains(id.as_str()))
            .cloned()
            .collect();
        self.leave(table, mask, &gone)?;
        let new: Vec<String> = range
            .present
            .iter()
            .filter(|id| !members.contains(*id))
            .cloned()
            .collect();
        let (mut unknown, mut joined) = (Vec::new(), false);
        let held: HashSet<String> = self
            .reading()
            .held(table, &new)?
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        for id in new {
            if held.contains(&id) {
                self.add_rules(table, &id, mask)?;
                joined = true;
            } else {
                unknown.push(id);
            }
        }
        if joined || !gone.is_empty() {
            self.unsettle_relations(&table.object.name)?;
        }
        Ok(unknown)
    }

    /// Has all records of an object read anew: the server no longer tells what changed.
    ///
    /// What related rules hold is read from what leads to it, which does not show what is gone: that takes a look,
    /// which is due at once.
    pub(crate) fn reload(&self, object: &str) -> Result<()> {
        self.connection.execute(
            "DELETE FROM attache_covered WHERE rule IN (SELECT id FROM attache_rule WHERE object = ?1)",
            [object],
        )?;
        self.connection.execute(
            "UPDATE attache_rule SET loaded = 0, after_id = NULL,
                swept_at = CASE WHEN of_object IS NULL OR swept_at IS NULL THEN swept_at ELSE 0 END
             WHERE object = ?1",
            [object],
        )?;
        self.connection.execute(
            "UPDATE attache_object SET looked_at = NULL WHERE name = ?1",
            [object],
        )?;
        Ok(())
    }
}
