//! The ids behind which related rules have looked.

use super::{Reading, Relation, Writing};
use crate::error::Result;
use rusqlite::params;

impl Reading<'_> {
    /// Ids that a related rule has yet to ask for, in their order, at most `limit` of those after `after`.
    pub(crate) fn uncovered(
        &self,
        relation: &Relation<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>> {
        let prefix = relation.table.object.key_prefix.as_deref();
        let mut statement = self.connection.prepare_cached(&uncovered(relation))?;
        let mut rows = statement.query(params![relation.rule.id, after.unwrap_or("")])?;
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

    /// Has a related rule look again at all that leads to its records.
    pub(crate) fn unsettle_rule(&self, rule: i64) -> Result<()> {
        self.connection
            .execute("UPDATE attache_rule SET loaded = 0 WHERE id = ?1", [rule])?;
        Ok(())
    }
}

fn uncovered(relation: &Relation<'_>) -> String {
    format!(
        "WITH keys (id) AS ({})
         SELECT DISTINCT id FROM keys
         WHERE id > ?2 AND id NOT LIKE 'local-%'
            AND NOT EXISTS (SELECT 1 FROM attache_covered c WHERE c.rule = ?1 AND c.id = keys.id)
         ORDER BY id",
        relation.keys()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::store::{Durability, RuleState, Store, WantedRule};

    const ACCOUNT: &str =
        r#"{"name": "Account", "keyPrefix": "001", "fields": [{"name": "Id", "type": "id"}]}"#;
    const CONTACT: &str = r#"{"name": "Contact", "keyPrefix": "003", "fields": [
        {"name": "Id", "type": "id"}, {"name": "AccountId", "type": "reference", "referenceTo": ["Account"]}]}"#;

    fn rule(object: &str, of_object: Option<&str>) -> WantedRule {
        WantedRule {
            key: object.into(),
            name: object.into(),
            object: object.into(),
            of_object: of_object.map(str::to_owned),
        }
    }

    /// Works on the relation from accounts to their contacts, in a store with these accounts.
    fn with_relation(accounts: &[&str], test: impl Fn(&Writing<'_>, &Relation<'_>)) {
        let store = Store::open_in_memory(Options::new()).unwrap();
        let done = store.write(Durability::Durable, |w| {
            w.define(ACCOUNT, None, &["Id".into()])?;
            w.define(CONTACT, None, &["Id".into(), "AccountId".into()])?;
            w.define_rules(&[rule("Account", None), rule("Contact", Some("Account"))])?;
            let (of, rule): (RuleState, RuleState) =
                (w.reading().rule("Account")?, w.reading().rule("Contact")?);
            for id in accounts {
                w.connection.execute(
                    "INSERT INTO Account (Id, attache_rules) VALUES (?1, ?2)",
                    params![id, of.mask],
                )?;
            }
            let relation = Relation {
                rule: &rule,
                table: w.catalogue().known("Contact")?,
                of: &of,
                of_table: w.catalogue().known("Account")?,
                field: "AccountId",
                parents: false,
                filtered: false,
            };
            test(w, &relation);
            Ok(())
        });
        done.unwrap();
    }

    #[test]
    fn what_is_yet_to_be_asked_for_comes_in_order_and_goes_on() {
        with_relation(
            &["001c", "local-x", "001a", "001b", "001d"],
            |w, relation| {
                w.cover(relation.rule.id, &["001b".into()]).unwrap();
                let next = |after| w.reading().uncovered(relation, after, 2).unwrap();
                assert_eq!(next(None), ["001a", "001c"]);
                assert_eq!(next(Some("001c")), ["001d"]);
                assert!(next(Some("001d")).is_empty());
            },
        );
    }

    #[test]
    fn going_on_starts_where_the_last_ids_ended() {
        with_relation(&[], |w, relation| {
            let sql = format!("EXPLAIN QUERY PLAN {}", uncovered(relation));
            let mut statement = w.connection.prepare(&sql).unwrap();
            let steps = statement.query_map(params![1, ""], |row| row.get("detail"));
            let steps: Vec<String> = steps.unwrap().map(|step| step.unwrap()).collect();
            assert!(steps[0].contains("(Id>?)"), "{steps:?}");
            assert!(
                !steps.iter().any(|step| step.contains("TEMP B-TREE")),
                "{steps:?}"
            );
        });
    }
}
