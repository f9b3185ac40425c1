//! Related rules: keeps their membership in line with the rules that they hang on.

use super::steps::{STEP_ROWS, Step};
use super::{Durability, Reading, RuleState, Store, Table, Writing, quote};
use crate::error::Result;
use rusqlite::{ToSql, params};

/// How far a relation was looked through.
#[derive(Clone, Debug, PartialEq)]
enum Stage {
    /// Up to this row of the other rule's records, to gather what they lead to: only where no index tells.
    Keys(i64),
    /// Up to this row of its records.
    Members(i64),
    /// Up to this of the ids it has asked about.
    Covered(String),
}

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

    /// SQL that is 1 where the other rule's records lead from the id that `key` says, and 0 elsewhere.
    ///
    /// Each id is looked for by an index. Where the lookup has none yet, the ids were gathered before.
    fn is_key(&self, key: &str, indexed: bool) -> String {
        if !indexed {
            return format!("EXISTS (SELECT 1 FROM temp.attache_key k WHERE k.id = {key})");
        }
        format!("EXISTS ({})", self.probe(key))
    }

    /// The statement that gathers the ids that the other rule's records lead from, between two of their rows.
    fn gather_statement(&self) -> String {
        format!(
            "INSERT OR IGNORE INTO temp.attache_key {} AND \"attache_row\" > ?1 AND \"attache_row\" <= ?2",
            self.keys()
        )
    }

    /// SQL for the records of the other rule that an id leads from.
    fn probe(&self, key: &str) -> String {
        let by = if self.parents { self.field } else { "Id" };
        format!(
            "SELECT 1 FROM {} o WHERE o.{} = {key} AND o.\"attache_rules\" & {}",
            quote(&self.of_table.object.name),
            quote(by),
            self.of.mask
        )
    }

    /// The id that a row of `table` is led to by.
    fn key(&self) -> String {
        let field = if self.parents { "Id" } else { self.field };
        format!("{}.{}", quote(&self.table.object.name), quote(field))
    }

    /// The statements that bring records in line, between two rows: into the rule or out of it, and what is covered by
    /// the members.
    fn member_statements(&self, indexed: bool) -> Vec<String> {
        let (table, mask) = (quote(&self.table.object.name), self.rule.mask);
        let led_to = self.is_key(&self.key(), indexed);
        let between = "\"attache_row\" > ?1 AND \"attache_row\" <= ?2";
        // One that is led to may still be kept out by a condition that only the server evaluates.
        let strays = match self.filtered {
            true => format!("\"attache_rules\" & {mask} AND NOT {led_to}"),
            false => format!("(\"attache_rules\" & {mask} <> 0) <> {led_to}"),
        };
        let mut statements = vec![format!(
            "UPDATE {table} SET \"attache_rules\" =
                CASE WHEN \"attache_rules\" & {mask} THEN \"attache_rules\" & ~{mask} ELSE \"attache_rules\" | {mask} END
             WHERE {between} AND {strays}"
        )];
        if self.parents && !self.filtered {
            // A parent that another rule brought is here already, and kept up to date by that rule: it is a member
            // by now. One that the server has not seen is nothing to ask it about.
            statements.push(format!(
                "INSERT OR IGNORE INTO attache_covered
                 SELECT {}, \"Id\" FROM {table}
                 WHERE {between} AND \"attache_rules\" & {mask} AND \"Id\" NOT LIKE 'local-%'",
                self.rule.id
            ));
        }
        statements
    }

    /// The statement that forgets what was asked about ids, between two of them, that nothing leads from any more.
    fn covered_statement(&self, indexed: bool) -> String {
        format!(
            "DELETE FROM attache_covered
             WHERE rule = {} AND id > ?1 AND id <= ?2 AND NOT {}",
            self.rule.id,
            self.is_key("attache_covered.id", indexed)
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

impl Store {
    /// Brings the membership of a related rule in line with the rule it hangs on.
    ///
    /// It goes through the records of the rule's object and the ids it has asked about, some at a time: whoever waits
    /// to write goes between. What an edit changes meanwhile unsettles the rule again.
    ///
    /// # Errors
    /// Those of `go_on`, which is asked before each step: what is left then is looked through by a later session.
    pub(crate) fn relate(
        &self,
        relation: &Relation<'_>,
        go_on: impl Fn() -> Result<()>,
    ) -> Result<()> {
        let mut stage = Some(self.write(Durability::Ordered, |w| {
            w.set_settling(relation.rule.id)?;
            w.first_stage(relation)
        })?);
        self.in_steps(go_on, |w| {
            if let Some(next) = stage.take() {
                stage = w.relate_some(relation, next, STEP_ROWS)?;
            }
            Ok(if stage.is_some() {
                Step::More
            } else {
                Step::Last
            })
        })
    }
}

impl Reading<'_> {
    /// Says whether the ids that a relation goes by are found by an index.
    fn is_indexed(&self, relation: &Relation<'_>) -> Result<bool> {
        let plan = format!("EXPLAIN QUERY PLAN {}", relation.probe("?1"));
        let mut statement = self.connection.prepare_cached(&plan)?;
        let how: String = statement.query_row([""], |row| row.get("detail"))?;
        Ok(how.starts_with("SEARCH"))
    }

    /// Where a step ends that begins behind an id that was asked about; `None`: there is none behind it.
    fn covered_after(
        &self,
        relation: &Relation<'_>,
        id: &str,
        rows: i64,
    ) -> Result<Option<String>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT max(id) FROM (SELECT id FROM attache_covered WHERE rule = ?1 AND id > ?2 ORDER BY id LIMIT ?3)",
        )?;
        Ok(statement.query_row(params![relation.rule.id, id, rows], |row| row.get(0))?)
    }
}

impl Writing<'_> {
    /// Where looking through a relation begins.
    fn first_stage(&self, relation: &Relation<'_>) -> Result<Stage> {
        if self.reading().is_indexed(relation)? {
            return Ok(Stage::Members(0));
        }
        self.connection.execute_batch(
            "DROP TABLE IF EXISTS temp.attache_key;
             CREATE TEMP TABLE attache_key (id TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;",
        )?;
        Ok(Stage::Keys(0))
    }

    /// Looks at so many rows, and gives how far it has come, as long as there is more.
    fn relate_some(
        &self,
        relation: &Relation<'_>,
        stage: Stage,
        rows: i64,
    ) -> Result<Option<Stage>> {
        let reading = self.reading();
        let indexed = !self.has_gathered()?;
        match stage {
            Stage::Keys(row) => {
                let of = &relation.of_table.object.name;
                let Some(last) = reading.row_after(of, row, rows)? else {
                    return Ok(Some(Stage::Members(0)));
                };
                self.bring_in_line(&relation.gather_statement(), &[&row, &last])?;
                Ok(Some(Stage::Keys(last)))
            }
            Stage::Members(row) => {
                let Some(last) = reading.row_after(&relation.table.object.name, row, rows)? else {
                    return Ok(Some(Stage::Covered(String::new())));
                };
                let mut moved = 0;
                for (at, sql) in relation.member_statements(indexed).iter().enumerate() {
                    let changed = self.bring_in_line(sql, &[&row, &last])?;
                    moved += if at == 0 { changed } else { 0 };
                }
                if moved > 0 {
                    self.unsettle_by_page(&relation.table.object.name)?;
                }
                Ok(Some(Stage::Members(last)))
            }
            Stage::Covered(id) => {
                let Some(last) = reading.covered_after(relation, &id, rows)? else {
                    self.connection
                        .execute_batch("DROP TABLE IF EXISTS temp.attache_key")?;
                    return Ok(None);
                };
                self.bring_in_line(&relation.covered_statement(indexed), &[&id, &last])?;
                Ok(Some(Stage::Covered(last)))
            }
        }
    }

    /// Says whether ids were gathered, for want of an index.
    fn has_gathered(&self) -> Result<bool> {
        let sql = "SELECT 1 FROM sqlite_temp_schema WHERE name = 'attache_key'";
        Ok(self.connection.prepare_cached(sql)?.exists([])?)
    }

    fn bring_in_line(&self, sql: &str, between: &[&dyn ToSql; 2]) -> Result<usize> {
        Ok(self.connection.prepare_cached(sql)?.execute(between)?)
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
    fn with_relation(
        parents: bool,
        filtered: bool,
        mut test: impl FnMut(&Writing<'_>, &Relation<'_>),
    ) {
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
        ids_of(w, sql, "Id")
    }

    fn ids_of(w: &Writing<'_>, sql: &str, column: &str) -> Vec<String> {
        let mut statement = w.connection.prepare(sql).unwrap();
        let ids = statement.raw_query().mapped(|row| row.get(column));
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

    /// Brings a relation in line, so many rows at a time, and gives how many steps that took.
    fn relate(w: &Writing<'_>, relation: &Relation<'_>, rows: i64) -> usize {
        let (mut stage, mut steps) = (Some(w.first_stage(relation).unwrap()), 0);
        while let Some(next) = stage {
            stage = w.relate_some(relation, next, rows).unwrap();
            steps += 1;
        }
        steps
    }

    /// Rows that a statement walks through without an index.
    fn walked(w: &Writing<'_>, sql: &str, between: &[&dyn ToSql; 2]) -> i32 {
        let mut statement = w.connection.prepare(sql).unwrap();
        statement.execute(between).unwrap();
        statement.get_status(StatementStatus::FullscanStep)
    }

    #[test]
    fn relating_without_an_index_walks_each_table_once() {
        // Children are found by their parents' ids, which always have one.
        with_relation(true, false, |w, relation| {
            assert!(!w.reading().is_indexed(relation).unwrap());
            // The last step of each stage finds nothing more.
            let steps = CONTACTS / 10 + 1 + ACCOUNTS / 10 + 1;
            assert!(relate(w, relation, 10) > steps);
            assert!(!w.has_gathered().unwrap());
            w.first_stage(relation).unwrap();
            let mut statements = relation.member_statements(false);
            statements.push(relation.covered_statement(false));
            statements.push(relation.gather_statement());
            for sql in &statements {
                let plan = ids_of(w, &format!("EXPLAIN QUERY PLAN {sql}"), "detail");
                assert!(plan.iter().all(|how| !how.starts_with("SCAN")), "{plan:?}");
            }
        });
    }

    #[test]
    fn a_step_looks_at_its_own_rows_only_where_the_lookup_has_an_index() {
        for parents in [false, true] {
            with_relation(parents, false, |w, relation| {
                let index =
                    "CREATE INDEX by ON Contact (AccountId, Id) WHERE AccountId IS NOT NULL";
                w.connection.execute(index, []).unwrap();
                assert!(w.reading().is_indexed(relation).unwrap());
                let members = if parents { ACCOUNTS } else { CONTACTS };
                // The last steps of each stage find nothing more.
                let steps = members / 10 + 1 + covered(w).len() / 10 + 1;
                assert!(relate(w, relation, 10) >= steps);
                let mut statements = relation.member_statements(true);
                for sql in &statements {
                    assert_eq!(walked(w, sql, &[&10, &20]), 0, "{sql}");
                }
                statements.push(relation.covered_statement(true));
                for sql in &statements {
                    let plan = ids_of(w, &format!("EXPLAIN QUERY PLAN {sql}"), "detail");
                    assert!(plan.iter().all(|how| !how.starts_with("SCAN")), "{plan:?}");
                }
            });
        }
    }

    #[test]
    fn what_is_brought_in_line_by_steps_is_as_at_once() {
        for (parents, filtered) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut found = Vec::new();
            for (rows, indexed) in [1, 7, i64::MAX]
                .map(|rows| [(rows, true), (rows, false)])
                .as_flattened()
            {
                with_relation(parents, filtered, |w, relation| {
                    if *indexed {
                        let index = "CREATE INDEX by ON Contact (AccountId, Id)";
                        w.connection.execute(index, []).unwrap();
                    }
                    w.cover(relation.rule.id, &["001001".into(), "001999".into()])
                        .unwrap();
                    relate(w, relation, *rows);
                    found.push((members(w, relation), covered(w)));
                });
            }
            assert!(found.windows(2).all(|two| two[0] == two[1]), "{found:?}");
        }
    }

    #[test]
    fn children_follow_their_lookup_out_of_a_rule_and_into_it() {
        with_relation(false, false, |w, relation| {
            w.cover(relation.rule.id, &["001001".into(), "001999".into()])
                .unwrap();
            relate(w, relation, 50);
            assert_eq!(members(w, relation).len(), CONTACTS / 5 * 4);
            assert_eq!(covered(w), ["001001"], "001999 leads nowhere any more");
            let moves = "UPDATE Contact SET AccountId = CASE Id WHEN '003000' THEN '001002' END
                         WHERE Id IN ('003000', '003001')";
            w.connection.execute(moves, []).unwrap();
            relate(w, relation, 50);
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
            relate(w, relation, 50);
            let led_to = ACCOUNTS / 5 * 4;
            assert_eq!(members(w, relation).len(), led_to);
            assert_eq!(covered(w), members(w, relation));
            w.connection
                .execute(
                    "UPDATE Contact SET AccountId = '001000' WHERE AccountId = '001001'",
                    [],
                )
                .unwrap();
            relate(w, relation, 50);
            let members = members(w, relation);
            assert_eq!(members[..2], ["001000", "001002"]);
            assert_eq!(members.len(), led_to);
            assert_eq!(covered(w), members);
        });
    }

    #[test]
    fn a_relation_that_the_server_narrows_lets_records_go_but_takes_none_in() {
        with_relation(false, true, |w, relation| {
            relate(w, relation, 50);
            assert!(members(w, relation).is_empty());
            let mask = relation.rule.mask;
            let joins = format!(
                "UPDATE Contact SET attache_rules = {mask} WHERE Id IN ('003000', '003001')"
            );
            w.connection.execute(&joins, []).unwrap();
            relate(w, relation, 50);
            assert_eq!(members(w, relation), ["003001"], "003000 has no account");
        });
    }
}
