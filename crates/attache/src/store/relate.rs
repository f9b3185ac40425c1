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

    /// SQL that is 1 of a row of `table` that the other rule's records lead to, and 0 of any other.
    ///
    /// The ids are gathered once. Looked for by each row, they would take a walk each
    /// as long as the index of the lookup is left to a later session.
    fn led_to(&self) -> String {
        let key = if self.parents {
            quote("Id")
        } else {
            quote(self.field)
        };
        format!("coalesce({key} IN ({}), 0)", self.keys())
    }

    /// The statements of [`Writing::relate`]: those that move records into the rule and out of it, and those that
    /// bring in line what is covered, which have the rule's number as their parameter.
    fn statements(&self) -> (String, Vec<String>) {
        let (table, mask) = (quote(&self.table.object.name), self.rule.mask);
        let (led_to, keys) = (self.led_to(), self.keys());
        // One that is led to may still be kept out by a condition that only the server evaluates.
        let strays = match self.filtered {
            true => format!("\"attache_rules\" & {mask} AND NOT {led_to}"),
            false => format!("(\"attache_rules\" & {mask} <> 0) <> {led_to}"),
        };
        let moves = format!(
            "UPDATE {table} SET \"attache_rules\" =
                CASE WHEN \"attache_rules\" & {mask} THEN \"attache_rules\" & ~{mask} ELSE \"attache_rules\" | {mask} END
             WHERE {strays}"
        );
        let mut covers = vec![format!(
            "DELETE FROM attache_covered WHERE rule = ?1 AND id NOT IN ({keys})"
        )];
        if self.parents && !self.filtered {
            // A parent that another rule brought is here already, and kept up to date by that rule: it is a member
            // by now. One that the server has not seen is nothing to ask it about.
            covers.push(format!(
                "INSERT OR IGNORE INTO attache_covered
                 SELECT ?1, \"Id\" FROM {table} WHERE \"attache_rules\" & {mask} AND \"Id\" NOT LIKE 'local-%'"
            ));
        }
        (moves, covers)
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
    ///
    /// It goes through the records of both objects a fixed number of times, whatever indexes stand.
    pub(crate) fn relate(&self, relation: &Relation<'_>) -> Result<()> {
        let (moves, covers) = relation.statements();
        let moved = self.connection.execute(&moves, [])?;
        for covers in covers {
            self.connection.execute(&covers, [relation.rule.id])?;
        }
        if moved > 0 {
            self.unsettle_relations(&relation.table.object.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::store::{Durability, Store, WantedRule};
    use rusqlite::StatementStatus;

    const ACCOUNT: &str =
        r#"{"name": "Account", "keyPrefix": "001", "fields": [{"name": "Id", "type": "id"}]}"#;
    const CONTACT: &str = r#"{"name": "Contact", "keyPrefix": "003", "fields": [
        {"name": "Id", "type": "id"}, {"name": "AccountId", "type": "reference", "referenceTo": ["Account"]}]}"#;
    const ACCOUNTS: usize = 40;
    const CONTACTS: usize = 200;

    fn rule(object: &str, of_object: Option<&str>) -> WantedRule {
        WantedRule {
            key: object.into(),
            name: object.into(),
            object: object.into(),
            of_object: of_object.map(str::to_owned),
        }
    }

    /// Works on a relation of accounts and contacts, in a store without an index of the lookup. The other rule holds
    /// all its records, the related one none; each fifth contact has no account.
    fn with_relation(parents: bool, filtered: bool, test: impl Fn(&Writing<'_>, &Relation<'_>)) {
        let store = Store::open_in_memory(Options::new()).unwrap();
        let done = store.write(Durability::Durable, |w| {
            w.define(ACCOUNT, None, &["Id".into()])?;
            w.define(CONTACT, None, &["Id".into(), "AccountId".into()])?;
            let (of, object) = match parents {
                true => ("Contact", "Account"),
                false => ("Account", "Contact"),
            };
            w.define_rules(&[rule(of, None), rule(object, Some(of))])?;
            let (of, rule) = (w.reading().rule(of)?, w.reading().rule(object)?);
            let rules = |has: bool| if has { of.mask } else { 0 };
            for nr in 0..ACCOUNTS {
                w.connection.execute(
                    "INSERT INTO Account (Id, attache_rules) VALUES (?1, ?2)",
                    params![format!("001{nr:03}"), rules(!parents)],
                )?;
            }
            for nr in 0..CONTACTS {
                let account = (nr % 5 > 0).then(|| format!("001{:03}", nr % ACCOUNTS));
                w.connection.execute(
                    "INSERT INTO Contact (Id, AccountId, attache_rules) VALUES (?1, ?2, ?3)",
                    params![format!("003{nr:03}"), account, rules(parents)],
                )?;
            }
            let relation = Relation {
                rule: &rule,
                table: w.catalogue().known(object)?,
                of: &of,
                of_table: w.catalogue().known(&of.object)?,
                field: "AccountId",
                parents,
                filtered,
            };
            test(w, &relation);
            Ok(())
        });
        done.unwrap();
    }

    fn ids(w: &Writing<'_>, sql: &str) -> Vec<String> {
        let mut statement = w.connection.prepare(sql).unwrap();
        let ids = statement.query_map([], |row| row.get(0)).unwrap();
        ids.map(|id| id.unwrap()).collect()
    }

    fn members(w: &Writing<'_>, relation: &Relation<'_>) -> Vec<String> {
        let (table, mask) = (&relation.table.object.name, relation.rule.mask);
        ids(
            w,
            &format!("SELECT Id FROM {table} WHERE attache_rules & {mask} ORDER BY Id"),
        )
    }

    fn covered(w: &Writing<'_>) -> Vec<String> {
        ids(w, "SELECT id FROM attache_covered ORDER BY id")
    }

    #[test]
    fn relating_walks_each_table_a_fixed_number_of_times_without_an_index() {
        for parents in [false, true] {
            with_relation(parents, false, |w, relation| {
                w.relate(relation).unwrap();
                let (moves, covers) = relation.statements();
                let walked = |sql: &str| {
                    let mut statement = w.connection.prepare(sql).unwrap();
                    let bound = statement.parameter_count();
                    let values = [relation.rule.id];
                    statement
                        .execute(rusqlite::params_from_iter(&values[..bound]))
                        .unwrap();
                    statement.get_status(StatementStatus::FullscanStep)
                };
                let rows = (ACCOUNTS + CONTACTS) as i32;
                let walked: Vec<i32> = [moves]
                    .iter()
                    .chain(&covers)
                    .map(|sql| walked(sql))
                    .collect();
                assert!(walked[0] > 0, "{walked:?}");
                assert!(walked.iter().all(|walked| *walked <= rows), "{walked:?}");
            });
        }
    }

    #[test]
    fn children_follow_their_lookup_out_of_a_rule_and_into_it() {
        with_relation(false, false, |w, relation| {
            w.cover(relation.rule.id, &["001001".into(), "001999".into()])
                .unwrap();
            w.relate(relation).unwrap();
            assert_eq!(members(w, relation).len(), CONTACTS / 5 * 4);
            assert_eq!(covered(w), ["001001"], "001999 leads nowhere any more");
            let moves = "UPDATE Contact SET AccountId = CASE Id WHEN '003000' THEN '001002' END
                         WHERE Id IN ('003000', '003001')";
            w.connection.execute(moves, []).unwrap();
            w.relate(relation).unwrap();
            let members = members(w, relation);
            assert_eq!(members[..2], ["003000", "003002"]);
            // What other rules hold is not touched.
            let others = "SELECT Id FROM Account WHERE attache_rules <> 1";
            assert!(ids(w, others).is_empty());
        });
    }

    #[test]
    fn parents_are_members_while_a_record_points_at_them_and_need_not_be_asked_for() {
        with_relation(true, false, |w, relation| {
            w.relate(relation).unwrap();
            let led_to = ACCOUNTS / 5 * 4;
            assert_eq!(members(w, relation).len(), led_to);
            assert_eq!(covered(w), members(w, relation));
            w.connection
                .execute(
                    "UPDATE Contact SET AccountId = '001000' WHERE AccountId = '001001'",
                    [],
                )
                .unwrap();
            w.relate(relation).unwrap();
            let members = members(w, relation);
            assert_eq!(members[..2], ["001000", "001002"]);
            assert_eq!(members.len(), led_to);
            assert_eq!(covered(w), members);
        });
    }

    #[test]
    fn a_relation_that_the_server_narrows_lets_records_go_but_takes_none_in() {
        with_relation(false, true, |w, relation| {
            w.relate(relation).unwrap();
            assert!(members(w, relation).is_empty());
            let mask = relation.rule.mask;
            let joins = format!(
                "UPDATE Contact SET attache_rules = {mask} WHERE Id IN ('003000', '003001')"
            );
            w.connection.execute(&joins, []).unwrap();
            w.relate(relation).unwrap();
            assert_eq!(members(w, relation), ["003001"], "003000 has no account");
        });
    }
}
