//! Counts what a briefcase would bring, without writing anything.

use super::prepare::Node;
use super::soql::{self, Statement};
use super::{Run, apply};
use crate::briefcase::{Briefcase, Source};
use crate::dry_run::FilesEstimate;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Table, bytes};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Records whose size is looked at to tell that of the others.
const SAMPLE_ROWS: usize = 100;

/// Objects that may not stand in a semi-join (reference, section 4.6).
pub(super) const NOT_JOINED: [&str; 4] = ["Task", "Event", "Note", "Attachment"];

/// A briefcase, counted at the server.
pub(crate) struct Survey {
    pub rules: Vec<Surveyed>,
    /// About how many bytes a record of each object has.
    pub bytes: BTreeMap<String, u64>,
    pub files: Vec<FilesEstimate>,
    /// Calls that it took in all, and those of them that any session begins with.
    pub calls: u64,
    pub first_calls: u64,
}

/// A rule, counted.
pub(crate) struct Surveyed {
    /// The rule's name in the store.
    pub key: String,
    pub name: String,
    pub object: String,
    pub source: Source,
    pub limit: Option<u32>,
    /// The order that the limit counts in.
    pub order: String,
    /// What it says of a record by itself; of a scope that only the server can evaluate: nothing.
    pub conditions: Option<Vec<String>>,
    /// Records that it matches.
    pub matches: u64,
    /// They were counted, not estimated.
    pub exact: bool,
}

impl Surveyed {
    /// Records that the limit lets in.
    pub(crate) fn taken(&self) -> u64 {
        let limit = self.limit.map_or(u64::MAX, u64::from);
        self.matches.min(limit)
    }
}

impl Run<'_> {
    pub(crate) async fn survey(mut self, briefcase: Briefcase) -> Result<Survey> {
        let calls = self.remote.usage().calls;
        let draft = self.draft(briefcase, false).await?;
        let first_calls = self.remote.usage().calls.saturating_sub(calls);
        let tables = self.store.read(|r| draft.tables(r))?;
        let table = |object: &String| {
            let table = tables.get(object).cloned();
            table.ok_or_else(|| Error::internal("each rule's object is described"))
        };
        let nodes = draft.nodes(table)?;
        let mut counted = BTreeMap::new();
        let mut rules: Vec<Surveyed> = Vec::with_capacity(nodes.len());
        for node in &nodes {
            self.check_cancelled()?;
            let (matches, exact) = self
                .count_matches(node, &nodes, &rules, &mut counted)
                .await?;
            rules.push(Surveyed {
                key: node.key.clone(),
                name: node.name.clone(),
                object: node.table.object.name.clone(),
                source: node.source.clone(),
                limit: node.limit(),
                conditions: node.scope.is_none().then(|| node.conditions.clone()),
                order: node.order(),
                matches,
                exact,
            });
        }
        let mut bytes = BTreeMap::new();
        for node in &nodes {
            if !bytes.contains_key(&node.table.object.name) {
                let size = self.record_bytes(&node.table).await?;
                bytes.insert(node.table.object.name.clone(), size);
            }
        }
        let files = self
            .weigh_files(&draft.briefcase, &nodes, &rules, &mut counted)
            .await?;
        Ok(Survey {
            rules,
            bytes,
            files,
            calls: self.remote.usage().calls.saturating_sub(calls),
            first_calls,
        })
    }

    /// Counts what a rule matches, and says whether that is exact.
    async fn count_matches(
        &mut self,
        node: &Node,
        nodes: &[Node],
        before: &[Surveyed],
        counted: &mut BTreeMap<String, u64>,
    ) -> Result<(u64, bool)> {
        let object = &node.table.object.name;
        let (of, field, parents) = match &node.source {
            Source::Children { of, field } => (*of, field, false),
            Source::Parents { of, field } => (*of, field, true),
            Source::Top { .. } | Source::Recent { .. } => {
                let soql = counting(object, node.scope.as_deref(), node.conditions.clone());
                return Ok((self.count_once(soql, counted).await?, true));
            }
        };
        let (above, of_object) = (&before[of], &nodes[of].table.object.name);
        if let Some(join) = semi_join(node, &nodes[of], above, field, parents) {
            let mut conditions = node.conditions.clone();
            conditions.push(join);
            match self
                .count_once(counting(object, None, conditions), counted)
                .await
            {
                Ok(count) => return Ok((count, true)),
                // What a server joins is its own affair: an estimate will do.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::MalformedQuery | ErrorKind::RemoteRefused
                    ) => {}
                Err(error) => return Err(error),
            }
        }
        let known = self.store.read(|r| r.rules())?;
        if let Some(rule) = known
            .iter()
            .find(|rule| rule.key == node.key && rule.loaded)
        {
            let shares = self.store.read(|r| r.shares(r.catalogue.known(object)?))?;
            let held = shares.iter().filter(|(rules, _)| rules & rule.mask != 0);
            return Ok((held.map(|(_, count)| count).sum(), false));
        }
        let mut conditions = node.conditions.clone();
        if parents {
            // No more than there are, and no more than point at one.
            let all = self
                .count_once(counting(object, None, conditions), counted)
                .await?;
            return Ok((all.min(above.taken()), false));
        }
        conditions.push(format!("{field} != null"));
        let children = self
            .count_once(counting(object, None, conditions), counted)
            .await?;
        let parents = self
            .count_once(counting(of_object, None, Vec::new()), counted)
            .await?;
        let share = u128::from(children) * u128::from(above.taken()) / u128::from(parents.max(1));
        Ok((
            u64::try_from(share).unwrap_or(u64::MAX).min(children),
            false,
        ))
    }

    pub(super) async fn count_once(
        &mut self,
        soql: String,
        counted: &mut BTreeMap<String, u64>,
    ) -> Result<u64> {
        if let Some(count) = counted.get(&soql) {
            return Ok(*count);
        }
        let count = self.remote.query(&soql).await?.total;
        counted.insert(soql, count);
        Ok(count)
    }

    /// About how many bytes a record has: by those that are here, or by some from the server.
    async fn record_bytes(&mut self, table: &Arc<Table>) -> Result<u64> {
        let here = self.store.read(|r| {
            let have = r.catalogue.table(&table.object.name);
            match have.filter(|have| have.columns == table.columns) {
                Some(have) => r.record_bytes(have),
                None => Ok(None),
            }
        })?;
        if let Some(here) = here {
            return Ok(here);
        }
        let tail = format!("LIMIT {SAMPLE_ROWS}");
        let statement = Statement {
            fields: &soql::fields(table),
            object: &table.object.name,
            scope: None,
            conditions: Vec::new(),
            tail: &tail,
        };
        let page = self.remote.query(&statement.print()).await?;
        let reader = apply::reader(table);
        let mut total = 0;
        for record in &page.records {
            total += reader.read(record)?.iter().map(bytes).sum::<u64>();
        }
        Ok(total / (page.records.len() as u64).max(1))
    }
}

pub(super) fn counting(object: &str, scope: Option<&str>, conditions: Vec<String>) -> String {
    let statement = Statement {
        fields: "COUNT()",
        object,
        scope,
        conditions,
        tail: "",
    };
    statement.print()
}

/// How many of the conditions have a statement inside.
pub(super) fn joins(conditions: &[String]) -> usize {
    let upper = conditions.iter().map(|one| one.to_ascii_uppercase());
    upper.filter(|one| one.contains("SELECT ")).count()
}

/// The condition that says which records a related rule leads to, where one can say it.
fn semi_join(
    node: &Node,
    of: &Node,
    above: &Surveyed,
    field: &str,
    parents: bool,
) -> Option<String> {
    let (object, of_object) = (&node.table.object.name, &of.table.object.name);
    let plain = !of.is_related()
        && of.scope.is_none()
        && above.taken() == above.matches
        && joins(&of.conditions) == 0
        && joins(&node.conditions) < 2
        && object != of_object
        && !NOT_JOINED.contains(&of_object.as_str());
    let (outer, inner) = if parents {
        ("Id", field)
    } else {
        (field, "Id")
    };
    let statement = Statement {
        fields: inner,
        object: of_object,
        scope: None,
        conditions: of.conditions.clone(),
        tail: "",
    };
    plain.then(|| format!("{outer} IN ({})", statement.print()))
}
