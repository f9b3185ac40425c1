//! Reads what a rule matches: all of it, its ids only, what changed, or its first so many.

use super::ahead::Ahead;
use super::file::keeps_file;
use super::pages::{Pages, RESTARTS_MAX};
use super::prepare::Node;
use super::soql::{self, Statement};
use super::{Run, apply};
use crate::briefcase::Source;
use crate::error::{ErrorKind, Result};
use crate::outcome::Phase;
use crate::record::ServerTime;
use crate::remote::Page;
use crate::store::{Durability, Origin, RuleState, SweepRange, Table, Writing};
use std::collections::{HashMap, HashSet};

/// How many rows an answer has left at least for the remote to make a file of them: ten pages of a query.
const FILE_ROWS_MIN: u64 = 20_000;

/// What a scan asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Whole records: a first load.
    Records,
    /// Ids: a look at what came and went without being changed.
    Ids,
}

impl Run<'_> {
    /// Walks through everything that a rule matches, in order of ids, and makes that its membership.
    ///
    /// Each page covers a stretch of ids completely, so that what is not in it
    /// has left the rule; a scan that is cut off goes on after its last page,
    /// and never takes anything away that it has not looked at. Should the
    /// server order ids in another way than by their characters, the walk is one
    /// stretch, and counts only once it is through.
    ///
    /// Tells `came_by` of the ids of each page.
    pub(super) async fn scan(
        &mut self,
        node: &Node,
        depth: Depth,
        came_by: &mut (dyn FnMut(&[String]) + Send),
    ) -> Result<()> {
        let mut ordered = true;
        let mut restarts = 0;
        let mut walk = Walk { came_by, count: 0 };
        loop {
            let rule = self.store.read(|r| r.rule(&node.key))?;
            let scanned = self.scan_once(node, &rule, depth, ordered, &mut walk).await;
            if !scanned
                .as_ref()
                .map_or_else(keeps_file, Scanned::keeps_file)
            {
                self.store
                    .write(Durability::Ordered, |w| w.forget_load_file(rule.id))?;
            }
            match scanned? {
                Scanned::Through => break,
                Scanned::Forgotten if restarts < RESTARTS_MAX => restarts += 1,
                Scanned::Forgotten => {
                    return Err(crate::Error::new(
                        ErrorKind::CursorExpired,
                        "the server forgets each query, or ends its answer, before its end",
                    ));
                }
                Scanned::Unordered => {
                    ordered = false;
                    self.store
                        .write(Durability::Ordered, |w| w.set_after(rule.id, None))?;
                }
            }
        }
        let rule = self.store.read(|r| r.rule(&node.key))?;
        let (now, day) = (self.env.now(), self.today()?);
        self.store.write(Durability::Ordered, |w| {
            w.forget_load_file(rule.id)?;
            w.set_loaded(rule.id)?;
            w.set_swept(rule.id, now, &day, walk.count)
        })
    }

    async fn scan_once(
        &mut self,
        node: &Node,
        rule: &RuleState,
        depth: Depth,
        ordered: bool,
        walk: &mut Walk<'_>,
    ) -> Result<Scanned> {
        let mut after = rule.after.clone().filter(|_| ordered);
        let reader = apply::reader(&node.table);
        let mut all = Vec::new();
        let resumed = match depth == Depth::Records && ordered {
            true => self.resume_file(node, rule).await?,
            false => None,
        };
        let mut in_file = resumed.is_some();
        let (answer, mut pages) = match resumed {
            Some((page, rows)) => (Ok(page), Pages::behind(rows)),
            None => {
                let first = self.statement(node, depth, after.as_deref());
                (self.query(&first).await, Pages::default())
            }
        };
        let Some(mut page) = unless_forgotten(answer)? else {
            return Ok(Scanned::Forgotten);
        };
        let (mut done, mut total) = (pages.rows(), 0);
        loop {
            self.check_cancelled()?;
            pages.count(&page)?;
            let (ids, decoded) = match depth {
                Depth::Records => {
                    let page = apply::decode(&node.table, &reader, &page.records)?;
                    (page.ids.clone(), Some(page))
                }
                Depth::Ids => (page_ids(&page)?, None),
            };
            total = total.max(page.total);
            if ordered && !ascending(after.as_deref(), &ids) {
                return Ok(Scanned::Unordered);
            }
            let last = ids.last().cloned().or_else(|| after.clone());
            // An answer that ends before its end covers nothing behind its last id.
            let cut_short = pages.are_cut_short(&page);
            let open_end = page.next.is_none() && !cut_short;
            let to = if open_end { None } else { last.clone() };
            let covers = ordered && (open_end || to.is_some());
            let shown = match covers {
                true => {
                    self.shown(node, rule, after.as_deref(), to.as_deref(), &ids)
                        .await?
                }
                false => Vec::new(),
            };
            let reached = covers.then_some(Reached {
                range: SweepRange {
                    after: after.as_deref(),
                    to: to
                        .as_deref()
                        .filter(|_| !planted!(DeletesOnIncompleteSweep)),
                    present: &shown,
                },
                last: last.as_deref(),
                file: page
                    .next
                    .as_deref()
                    .filter(|_| in_file)
                    .map(|next| (next, pages.rows())),
            });
            let load = depth == Depth::Records && ordered && !in_file;
            let rest = total.saturating_sub(done + ids.len() as u64);
            let in_a_file = load && rest >= FILE_ROWS_MIN;
            let ahead = match page.next.clone().filter(|_| !in_a_file) {
                Some(next) => Some(Ahead::of(self.remote, next).await),
                None => None,
            };
            match decoded {
                Some(decoded) => {
                    let left = total.saturating_sub(done);
                    self.check_space(&node.table.object.name, &page, left)?;
                    self.take_records(node, rule, decoded, reached.as_ref())?;
                }
                None => self.take_ids(node, rule, &ids, reached.as_ref()).await?,
            }
            done += ids.len() as u64;
            self.tell(Phase::Pull, &node.table.object.name, done, Some(total));
            walk.count += ids.len() as u64;
            (walk.came_by)(&ids);
            if !ordered {
                all.extend(ids);
            }
            after = last;
            let is_enough = planted!(DeletesOnIncompleteSweep) && depth == Depth::Ids;
            let Some(next) = page.next.filter(|_| !is_enough) else {
                if cut_short {
                    return Ok(Scanned::Forgotten);
                }
                break;
            };
            let file = match in_a_file {
                true => self.file(node, rule, after.clone()).await?,
                false => None,
            };
            if file.is_some() {
                (in_file, pages) = (true, Pages::default());
            }
            let answer = match (file, ahead) {
                (Some(first), _) => Ok(first),
                (None, Some(ahead)) => ahead.page().await,
                (None, None) => self.remote.query_more(&next).await,
            };
            let Some(next) = unless_forgotten(answer)? else {
                return Ok(Scanned::Forgotten);
            };
            page = next;
        }
        if !ordered {
            self.take_all(node, rule, &all).await?;
        }
        Ok(Scanned::Through)
    }

    /// Makes ids that came in no order, all of them, a rule's membership.
    async fn take_all(&mut self, node: &Node, rule: &RuleState, ids: &[String]) -> Result<()> {
        let shown = self.shown(node, rule, None, None, ids).await?;
        let range = SweepRange {
            after: None,
            to: None,
            present: &shown,
        };
        self.store.write(Durability::Ordered, |w| {
            w.sweep(&node.table, rule.mask, &range)
        })?;
        Ok(())
    }

    /// What a rule holds in a stretch of ids: what the server has shown there, and what it shows when it is asked for
    /// those that seem to be missing.
    ///
    /// One answer that lacks records does not take them away: nothing is lost by asking once more, and as a rule
    /// nothing is missing.
    async fn shown(
        &mut self,
        node: &Node,
        rule: &RuleState,
        after: Option<&str>,
        to: Option<&str>,
        ids: &[String],
    ) -> Result<Vec<String>> {
        let range = SweepRange {
            after,
            to,
            present: ids,
        };
        let missing = self
            .store
            .read(|r| r.missing_members(&node.table, rule.mask, &range))?;
        let mut shown = ids.to_vec();
        for chunk in missing.chunks(self.ids_per_query(node)) {
            let mut conditions = node.conditions.clone();
            conditions.push(format!("Id IN ({})", soql::list(chunk)));
            let statement = Statement {
                fields: "Id",
                object: &node.table.object.name,
                scope: node.scope.as_deref(),
                conditions,
                tail: "",
            };
            shown.extend(self.query_ids(&statement.print()).await?);
        }
        Ok(shown)
    }

    /// What a rule matches behind an id, in order.
    pub(super) fn statement(&self, node: &Node, depth: Depth, after: Option<&str>) -> String {
        let fields = if depth == Depth::Records {
            soql::fields(&node.table)
        } else {
            "Id".into()
        };
        let mut conditions = node.conditions.clone();
        conditions.extend(after.map(|id| format!("Id > {}", soql::text(id))));
        let statement = Statement {
            fields: &fields,
            object: &node.table.object.name,
            scope: node.scope.as_deref(),
            conditions,
            tail: "ORDER BY Id",
        };
        statement.print()
    }

    /// Takes in a page of a load.
    fn take_records(
        &mut self,
        node: &Node,
        rule: &RuleState,
        page: apply::Decoded,
        reached: Option<&Reached<'_>>,
    ) -> Result<()> {
        self.apply(&node.table, page, rule.mask, Origin::Server, |w| {
            reach(w, node, rule, reached)
        })?;
        Ok(())
    }

    /// Takes in a page of a sweep.
    async fn take_ids(
        &mut self,
        node: &Node,
        rule: &RuleState,
        ids: &[String],
        reached: Option<&Reached<'_>>,
    ) -> Result<()> {
        // What is new has to be here before the page counts as done.
        self.read_unknown(&node.table, ids, rule.mask).await?;
        self.store
            .write(Durability::Ordered, |w| reach(w, node, rule, reached))
    }

    /// Reads the records of these ids that are not here.
    pub(super) async fn read_unknown(
        &mut self,
        table: &Table,
        ids: &[String],
        rules: i64,
    ) -> Result<()> {
        let held = self.store.read(|r| r.held(table, ids))?;
        let held: HashSet<String> = held.into_iter().map(|(id, _)| id).collect();
        let unknown: Vec<String> = ids
            .iter()
            .filter(|id| !held.contains(*id))
            .cloned()
            .collect();
        self.read_by_id(Phase::Pull, table, &unknown, rules).await
    }

    /// Reads what a rule matches and somebody changed since `low`. Tells `came_by` of the ids of each page.
    pub(super) async fn delta(
        &mut self,
        node: &Node,
        low: ServerTime,
        came_by: &mut (dyn FnMut(&[String]) + Send),
    ) -> Result<()> {
        let rule = self.store.read(|r| r.rule(&node.key))?;
        let soql = delta_statement(node, low);
        let reader = apply::reader(&node.table);
        let mut pages = Pages::default();
        while let Some(page) = self.page(&soql, &mut pages).await? {
            let decoded = apply::decode(&node.table, &reader, &page.records)?;
            let ids = self.apply(&node.table, decoded, rule.mask, Origin::Server, |_| Ok(()))?;
            came_by(&ids);
            let (done, total) = (pages.rows(), Some(page.total));
            self.tell(Phase::Pull, &node.table.object.name, done, total);
        }
        Ok(())
    }

    /// Makes the first so many of an order a rule's membership, and reads those that are new or were changed.
    pub(super) async fn rank(&mut self, node: &Node) -> Result<()> {
        let Some(limit) = node.limit() else {
            return Ok(());
        };
        let rule = self.store.read(|r| r.rule(&node.key))?;
        let chosen = self.ids_and_stamps(&rank_statement(node, limit)).await?;
        let have: HashMap<String, Option<i64>> = self
            .store
            .read(|r| r.members(&node.table, rule.mask))?
            .into_iter()
            .collect();
        let stale: Vec<String> = chosen
            .iter()
            .filter(|(id, stamp)| {
                // A rule that is not loaded may lack values that no stamp tells of.
                !rule.loaded
                    || have
                        .get(id)
                        .is_none_or(|have| *have != stamp.map(|stamp| stamp.0))
            })
            .map(|(id, _)| id.clone())
            .collect();
        self.read_by_id(Phase::Pull, &node.table, &stale, rule.mask)
            .await?;
        let kept: HashSet<&String> = chosen.iter().map(|(id, _)| id).collect();
        let gone: Vec<String> = have.into_keys().filter(|id| !kept.contains(id)).collect();
        let mut matches = chosen.len() as u64;
        // A list of the last so many is cut by its nature.
        let is_list = matches!(node.source, Source::Recent { .. });
        if matches >= u64::from(limit) && !is_list {
            let statement = Statement {
                fields: "COUNT()",
                object: &node.table.object.name,
                scope: node.scope.as_deref(),
                conditions: node.conditions.clone(),
                tail: "",
            };
            matches = self.query(&statement.print()).await?.total;
        }
        let (now, day) = (self.env.now(), self.today()?);
        self.store.write(Durability::Ordered, |w| {
            w.leave(&node.table, rule.mask, &gone)?;
            if !gone.is_empty() {
                w.unsettle_relations(&node.table.object.name)?;
            }
            w.set_cut(rule.id, (matches > u64::from(limit)).then_some(matches))?;
            w.set_loaded(rule.id)?;
            w.set_swept(rule.id, now, &day, chosen.len() as u64)
        })
    }

    async fn ids_and_stamps(&mut self, soql: &str) -> Result<Vec<(String, Option<ServerTime>)>> {
        let reader = crate::json::RecordReader::new(vec![
            ("Id".into(), crate::FieldType::Id),
            ("SystemModstamp".into(), crate::FieldType::DateTime),
        ]);
        let (mut list, mut pages) = (Vec::new(), Pages::default());
        while let Some(page) = self.page(soql, &mut pages).await? {
            if pages.is_first() {
                list.clear();
            }
            for record in &page.records {
                if let [crate::Value::Text(id), stamp] = reader.read(record)?.as_slice() {
                    let stamp = if let crate::Value::DateTime(stamp) = stamp {
                        Some(*stamp)
                    } else {
                        None
                    };
                    list.push((id.clone(), stamp));
                }
            }
        }
        Ok(list)
    }
}

/// What a rule matches and somebody changed since `low`.
pub(super) fn delta_statement(node: &Node, low: ServerTime) -> String {
    let fields = soql::fields(&node.table);
    let mut conditions = node.conditions.clone();
    conditions.push(format!("SystemModstamp >= {}", low.to_soql()));
    let statement = Statement {
        fields: &fields,
        object: &node.table.object.name,
        scope: node.scope.as_deref(),
        conditions,
        tail: "ORDER BY SystemModstamp, Id",
    };
    statement.print()
}

/// The first so many that a rule matches, in its order.
pub(super) fn rank_statement(node: &Node, limit: u32) -> String {
    let tail = format!("ORDER BY {} LIMIT {limit}", node.order());
    let statement = Statement {
        fields: "Id, SystemModstamp",
        object: &node.table.object.name,
        scope: node.scope.as_deref(),
        conditions: node.conditions.clone(),
        tail: &tail,
    };
    statement.print()
}

/// Gives a page, and none where the server no longer knows its query.
fn unless_forgotten(answer: Result<Page>) -> Result<Option<Page>> {
    match answer {
        Err(error) if error.kind() == ErrorKind::CursorExpired => Ok(None),
        answer => answer.map(Some),
    }
}

/// How far a page has brought a walk.
struct Reached<'a> {
    /// What it covers.
    range: SweepRange<'a>,
    /// The id behind which a walk that is cut off here goes on.
    last: Option<&'a str>,
    /// Where the file that it is from goes on, and how many rows of that were read.
    file: Option<(&'a str, u64)>,
}

/// Notes that a walk is through a stretch of ids.
fn reach(
    w: &Writing<'_>,
    node: &Node,
    rule: &RuleState,
    reached: Option<&Reached<'_>>,
) -> Result<()> {
    let Some(reached) = reached else {
        return Ok(());
    };
    w.sweep(&node.table, rule.mask, &reached.range)?;
    w.set_after(rule.id, reached.last)?;
    match reached.file {
        Some((next, rows)) => w.reach_in_load_file(rule.id, reached.last, next, rows),
        None => Ok(()),
    }
}

/// What a walk has come by. It keeps none of it, so that its memory does not grow with the rule.
struct Walk<'a> {
    came_by: &'a mut (dyn FnMut(&[String]) + Send),
    count: u64,
}

/// How a walk ended.
enum Scanned {
    Through,
    /// The server no longer knows the query, or its answer ends before its end.
    Forgotten,
    /// The server's order of ids is not that of their characters.
    Unordered,
}

impl Scanned {
    /// Says whether the file that it read, if it read one, is of use to the load still.
    fn keeps_file(&self) -> bool {
        matches!(self, Scanned::Through)
    }
}

pub(super) fn page_ids(page: &Page) -> Result<Vec<String>> {
    let reader = crate::json::RecordReader::new(vec![("Id".into(), crate::FieldType::Id)]);
    let mut ids = Vec::with_capacity(page.records.len());
    for record in &page.records {
        match reader.read(record)?.pop() {
            Some(crate::Value::Text(id)) => ids.push(id),
            _ => {
                return Err(crate::Error::new(
                    ErrorKind::NotARemote,
                    "the server sent a record without an id",
                ));
            }
        }
    }
    Ok(ids)
}

fn ascending(after: Option<&str>, ids: &[String]) -> bool {
    let first = after
        .zip(ids.first())
        .is_none_or(|(after, first)| after < first.as_str());
    first && ids.is_sorted_by(|a, b| a < b)
}
