//! Related rules: keeps their membership in line with the rules that they hang on.

use super::{Reading, RuleState, Table, Writing, quote};
use crate::error::Result;
use rusqlite::params;

/// A related rule, with the names that its statements need.
pub(crate) struct Relation<'a> {
    pub rule: &'a RuleState,
    pub table: &'a Table,
    /// The rule it hangs on.
    pub of: &'a RuleState,
    pub of_table: &'a Table,
    /// The reference field: of `table` for children, of `of_table` for parents.
    pub field: &'a str,
    /// Its records are the parents.
    pub parents: bool,
    /// A condition that only the server evaluates narrows it.
    pub filtered: bool,
}

impl Relation<'_> {
    /// SQL that is true of a row of `table` (by its alias `r`) that the other rule's records lead to.
    fn led_to(&self) -> String {
        let of = quote(&self.of_table.object.name);
        let field = quote(self.field);
        let joined = if self.parents {
            format!("o.{field} = r.\"Id\"")
        } else {
            format!("o.\"Id\" = r.{field}")
        };
        format!(
            "EXISTS (SELECT 1 FROM {of} o WHERE {joined} AND o.\"attache_rules\" & {})",
            self.of.mask
        )
    }

    /// SQL for the ids that the other rule's records lead from.
    pub(super) fn keys(&self) -> String {
        let of = quote(&self.of_table.object.name);
        let key = if self.parents {
            quote(self.field)
        } else {
            quote("Id")
        };
        format!(
            "SELECT {key} FROM {of} WHERE \"attache_rules\" & {} AND {key} IS NOT NULL",
            self.of.mask
        )
    }
}

impl Reading<'_> {
    /// The members of a related rule that these ids lead to, as far as the server knows them.
    pub(crate) fn led_to(&self, relation: &Relation<'_>, ids: &[String]) -> Result<Vec<String>> {
        let field = if relation.parents {
            quote("Id")
        } else {
            quote(relation.field)
        };
        let sql = format!(
            "SELECT \"Id\" FROM {} WHERE {field} = ?1 AND \"attache_rules\" & ?2 AND \"Id\" NOT LIKE 'local-%'",
            quote(&relation.table.object.name)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut members = Vec::new();
        for id in ids {
            let mut rows = statement.query(params![id, relation.rule.mask])?;
            while let Some(row) = rows.next()? {
                members.push(row.get(0)?);
            }
        }
        Ok(members)
    }
}

impl Writing<'_> {
    /// Brings the membership of a related rule in line with the rule it hangs on.
    pub(crate) fn relate(&self, relation: &Relation<'_>) -> Result<()> {
        let (table, mask, led_to) = (
            quote(&relation.table.object.name),
            relation.rule.mask,
            relation.led_to(),
        );
        let mut moved = self.connection.execute(
            &format!("UPDATE {table} AS r SET \"attache_rules\" = \"attache_rules\" & ~{mask} WHERE r.\"attache_rules\" & {mask} AND NOT {led_to}"),
            [],
        )?;
        self.connection.execute(
            &format!(
                "DELETE FROM attache_covered WHERE rule = ?1 AND id NOT IN ({})",
                relation.keys()
            ),
            [relation.rule.id],
        )?;
        if !relation.filtered {
            moved += self.connection.execute(
                &format!(
                    "UPDATE {table} AS r SET \"attache_rules\" = \"attache_rules\" | {mask} WHERE NOT r.\"attache_rules\" & {mask} AND {led_to}"
                ),
                [],
            )?;
            if relation.parents {
                // A parent that another rule brought is here already, and kept up to date by that rule.
                // One that the server has not seen is nothing to ask it about.
                self.connection.execute(
                    &format!(
                        "INSERT OR IGNORE INTO attache_covered
                         SELECT ?1, \"Id\" FROM {table} r WHERE {led_to} AND \"Id\" NOT LIKE 'local-%'"
                    ),
                    [relation.rule.id],
                )?;
            }
        }
        if moved > 0 {
            self.unsettle_relations(&relation.table.object.name)?;
        }
        Ok(())
    }
}
