//! Related rules: the children and the parents of what other rules hold.

use super::pages::Pages;
use super::prepare::Node;
use super::scan::page_ids;
use super::soql::{self, Statement};
use super::{Run, apply};
use crate::briefcase::Source;
use crate::error::{Error, Result};
use crate::outcome::Phase;
use crate::record::Value;
use crate::store::{Arrived, Durability, Origin, Reading, Relation, RuleState, Table};
use std::collections::{BTreeSet, HashSet};

impl Run<'_> {
    /// Reads what related rules lead to, until nothing new leads anywhere, or leaves it to the next session because edits
    /// lead elsewhere again and again.
    pub(super) async fn pull_related(&mut self, nodes: &[Node]) -> Result<()> {
        // Each pass settles at least the rules of one more depth, and records only ever come.
        for _ in 0..nodes.len() * 2 + 2 {
            let mut settled = true;
            for node in nodes.iter().filter(|node| node.is_asked()) {
                let rule = self.store.read(|r| r.rule(&node.key))?;
                if !rule.loaded && !self.is_spared(rule.swept_at.is_none()) {
                    self.pull_relation(node, nodes).await?;
                    settled = false;
                }
            }
            if settled {
                return Ok(());
            }
        }
        tracing::debug!("related rules are left to the next session");
        Ok(())
    }

    async fn pull_relation(&mut self, node: &Node, nodes: &[Node]) -> Result<()> {
        let (rule, of_rule, of_node) = self.states(node, nodes)?;
        let relation = relation(node, &rule, of_node, &of_rule)?;
        // Those records are here now, and are looked through by their lookup for each list of ids.
        self.keep_indexes_of(&of_node.table, nodes)?;
        self.store.relate(&relation, || self.check_cancelled())?;
        let mut after: Option<String> = None;
        loop {
            let most = self.ids_per_query(node);
            let keys = self
                .store
                .read(|r| r.uncovered(&relation, after.as_deref(), most))?;
            let from_the_start = after.is_none();
            after = keys.last().cloned();
            if !keys.is_empty() {
                self.read_relatives(node, &relation, &keys).await?;
            } else if from_the_start {
                // Until then some may have come that lie before those that were asked for.
                break;
            }
        }
        let (now, day) = (self.env.now(), self.today()?);
        self.store.write(Durability::Ordered, |w| {
            // A first load has looked at everything.
            if rule.swept_at.is_none() {
                w.set_swept(rule.id, now, &day, 0)?;
            }
            w.set_settled(rule.id)
        })
    }

    /// Looks at what related rules hold for records that went out of sight, or came into it, without being changed.
    pub(super) async fn sweep_related(&mut self, nodes: &[Node]) -> Result<()> {
        for node in nodes.iter().filter(|node| node.is_asked()) {
            let (rule, of_rule, of_node) = self.states(node, nodes)?;
            if self.sweep_is_due(node, &rule)? {
                let relation = relation(node, &rule, of_node, &of_rule)?;
                self.sweep_relation(node, &relation).await?;
            }
        }
        self.pull_related(nodes).await
    }

    async fn sweep_relation(&mut self, node: &Node, relation: &Relation<'_>) -> Result<()> {
        let rule = relation.rule;
        let mut after = rule.after.clone();
        let mut looked_at = 0;
        loop {
            let keys = self
                .store
                .read(|r| r.covered(rule.id, after.as_deref(), self.ids_per_query(node)))?;
            let Some(last) = keys.last().cloned() else {
                break;
            };
            let present = self.ids_of_relatives(node, relation, &keys).await?;
            let members = self.store.read(|r| r.led_to(relation, &keys))?;
            self.read_unknown(relation.table, &present, rule.mask)
                .await?;
            // What was not shown went out of sight, or elsewhere: reading it by its id tells which.
            let present: HashSet<String> = present.into_iter().collect();
            let vanished: Vec<String> = members
                .into_iter()
                .filter(|id| !present.contains(id))
                .collect();
            self.read_by_id(Phase::Pull, relation.table, &vanished, 0)
                .await?;
            looked_at += keys.len().max(present.len()) as u64;
            self.store
                .write(Durability::Ordered, |w| w.set_after(rule.id, Some(&last)))?;
            after = Some(last);
        }
        let (now, day) = (self.env.now(), self.today()?);
        self.store.write(Durability::Ordered, |w| {
            w.set_swept(rule.id, now, &day, looked_at)
        })
    }

    async fn ids_of_relatives(
        &mut self,
        node: &Node,
        relation: &Relation<'_>,
        keys: &[String],
    ) -> Result<Vec<String>> {
        self.query_ids(&relatives(node, relation, keys, "Id")).await
    }

    /// How many ids one question about a rule's records may list.
    pub(super) fn ids_per_query(&self, node: &Node) -> usize {
        let statement = Statement {
            fields: &soql::fields(&node.table),
            object: &node.table.object.name,
            scope: None,
            conditions: node.conditions.clone(),
            tail: "",
        };
        soql::ids_that_fit(&statement.print(), self.settings.ids_per_query_max)
    }

    /// Runs a query of ids to its end.
    pub(super) async fn query_ids(&mut self, soql: &str) -> Result<Vec<String>> {
        let (mut ids, mut pages) = (Vec::new(), Pages::default());
        while let Some(page) = self.page(soql, &mut pages).await? {
            if pages.is_first() {
                ids.clear();
            }
            ids.extend(page_ids(&page)?);
        }
        Ok(ids)
    }

    async fn read_relatives(
        &mut self,
        node: &Node,
        relation: &Relation<'_>,
        keys: &[String],
    ) -> Result<()> {
        let fields = soql::fields(&node.table);
        let object = &node.table.object.name;
        let reader = apply::reader(&node.table);
        let soql = relatives(node, relation, keys, &fields);
        let (mut done, mut pages) = (0, Pages::default());
        while let Some(page) = self.page(&soql, &mut pages).await? {
            if pages.is_first() {
                done = 0;
            }
            let rule = relation.rule;
            let last = page.next.is_none();
            let decoded = apply::decode(&node.table, &reader, &page.records)?;
            let ids = self.apply(&node.table, decoded, rule.mask, Origin::Server, |w| {
                if last { w.cover(rule.id, keys) } else { Ok(()) }
            })?;
            done += ids.len() as u64;
            self.tell(Phase::Pull, object, done, Some(page.total));
        }
        Ok(())
    }

    fn states<'n>(
        &self,
        node: &Node,
        nodes: &'n [Node],
    ) -> Result<(RuleState, RuleState, &'n Node)> {
        let of = match &node.source {
            Source::Children { of, .. } | Source::Parents { of, .. } => *of,
            Source::Top { .. } | Source::Recent { .. } => {
                return Err(Error::internal(
                    "a rule that chooses by itself is related to none",
                ));
            }
        };
        let of_node = &nodes[of];
        self.store
            .read(|r| Ok((r.rule(&node.key)?, r.rule(&of_node.key)?, of_node)))
    }

    /// Says whether related rules may lead to other records now that one came in.
    ///
    /// To look at that they go through all records of their objects, so it is not said lightly.
    pub(super) fn unsettles(
        &self,
        table: &Table,
        id: &str,
        origin: Origin,
        arrived: &Arrived,
    ) -> bool {
        let touched = match arrived {
            Arrived::Unchanged => return false,
            Arrived::Updated(touched) => touched,
            _ => return true,
        };
        let mut touched = touched.places.iter();
        if touched.any(|at| self.is_followed(table, &table.columns[*at].name)) {
            return true;
        }
        // An edit of ours has the row lead there before the server says so.
        let written = self.pushed.get(id);
        let elsewhere =
            |names: &BTreeSet<String>| names.iter().any(|name| self.is_followed(table, name));
        origin == Origin::Echo && written.is_none_or(elsewhere)
    }

    /// Says whether a related rule goes by a lookup.
    fn is_followed(&self, table: &Table, name: &str) -> bool {
        let own = |node: &Node| node.table.object.name == table.object.name;
        self.nodes.iter().any(|node| match &node.source {
            Source::Children { field, .. } => own(node) && field == name,
            Source::Parents { of, field } => own(&self.nodes[*of]) && field == name,
            Source::Top { .. } | Source::Recent { .. } => false,
        })
    }

    /// The bit of a related rule, if it leads to a record with these values; 0 otherwise.
    pub(super) fn leading_rule(
        &self,
        reading: &Reading<'_>,
        node: &Node,
        nodes: &[Node],
        table: &Table,
        values: &[Value],
    ) -> Result<i64> {
        let (Source::Children { of, field } | Source::Parents { of, field }) = &node.source else {
            return Ok(0);
        };
        let of_node = &nodes[*of];
        let (rule, of_rule) = (reading.rule(&node.key)?, reading.rule(&of_node.key)?);
        let leads = if matches!(node.source, Source::Parents { .. }) {
            values
                .first()
                .and_then(Value::as_text)
                .map(|id| reading.points_at(&of_node.table, field, id, of_rule.mask))
        } else {
            let parent = table.place(field).and_then(|at| values[at].as_text());
            parent.map(|id| reading.is_member(&of_node.table, id, of_rule.mask))
        };
        Ok(if leads.transpose()?.unwrap_or(false) {
            rule.mask
        } else {
            0
        })
    }
}

/// The statement that reads fields of what a relation leads to from some records.
fn relatives(node: &Node, relation: &Relation<'_>, keys: &[String], fields: &str) -> String {
    let field = if relation.parents {
        "Id"
    } else {
        relation.field
    };
    let mut conditions = node.conditions.clone();
    conditions.push(format!("{field} IN ({})", soql::list(keys)));
    let statement = Statement {
        fields,
        object: &node.table.object.name,
        scope: None,
        conditions,
        tail: "",
    };
    statement.print()
}

fn relation<'a>(
    node: &'a Node,
    rule: &'a RuleState,
    of_node: &'a Node,
    of: &'a RuleState,
) -> Result<Relation<'a>> {
    let (field, parents) = match &node.source {
        Source::Children { field, .. } => (field, false),
        Source::Parents { field, .. } => (field, true),
        Source::Top { .. } | Source::Recent { .. } => {
            return Err(Error::internal(
                "a rule that chooses by itself is related to none",
            ));
        }
    };
    Ok(Relation {
        rule,
        table: &node.table,
        of,
        of_table: &of_node.table,
        field,
        parents,
        filtered: node.filter.is_some(),
    })
}
