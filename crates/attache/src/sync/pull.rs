//! Brings this device up to what the server has.
//!
//! For each object the server is first asked which records changed and which
//! were deleted since the last time. Most often nothing did, and those questions,
//! which travel together, are all. The window's start moves only when everything
//! in it is stored.

use super::changes::{Changes, Deletions, STEP_ROWS};
use super::ids::{Ids, Marks};
use super::index::Loaded;
use super::prepare::Node;
use super::scan::Depth;
use super::tasks::Task;
use super::{Run, apply, derived, sweep_rest};
use crate::error::{ErrorKind, Result};
use crate::outcome::Phase;
use crate::record::{ServerTime, Value};
use crate::store::{Count, Durability, Evicting, Origin, Reading, RuleState, Table};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

impl Run<'_> {
    /// Pulls. `sweep` also looks for what came and went without being changed, where that is due.
    ///
    /// What is small comes first: should the session be cut off in a large load, the rest is up to date.
    pub(super) async fn pull(&mut self, sweep: bool) -> Result<()> {
        let nodes = self.nodes.clone();
        let tables = self.objects();
        let mut changes: BTreeMap<String, Changes> = BTreeMap::new();
        self.plan_windows(&tables)?;
        for table in &tables {
            let found = self.changes(table).await?;
            if planted!(CursorBeforeRows) {
                let low = found.next_low;
                self.store
                    .write(Durability::Ordered, |w| w.set_low(&table.object.name, low))?;
            }
            changes.insert(table.object.name.clone(), found);
        }
        let tasks = self.tasks(&nodes, &changes, sweep)?;
        let tasks = self.spare(&nodes, tasks, &mut changes)?;
        self.plan_tasks(&nodes, &tasks, &changes)?;
        let (small, large) = tasks.split_at(tasks.partition_point(|(_, task)| *task < Task::Load));
        let (loads, sweeps) =
            large.split_at(large.partition_point(|(_, task)| *task < Task::Sweep));
        let loading: BTreeSet<&String> = loads
            .iter()
            .map(|(at, _)| &nodes[*at].table.object.name)
            .collect();
        self.pull_rules(&nodes, small, &mut changes).await?;
        self.settle_windows(&nodes, &mut changes, |object| !loading.contains(object))
            .await?;
        self.pull_rules(&nodes, loads, &mut changes).await?;
        self.settle_windows(&nodes, &mut changes, |object| loading.contains(object))
            .await?;
        self.pull_rules(&nodes, sweeps, &mut changes).await?;
        self.keep_indexes(&nodes, Loaded::Chosen)?;
        self.pull_related(&nodes).await?;
        self.keep_indexes(&nodes, Loaded::All)?;
        if sweep {
            self.sweep_related(&nodes).await?;
        }
        for table in &tables {
            if let Some(changes) = changes.get(&table.object.name) {
                self.pull_held(table, changes, sweep).await?;
            }
        }
        self.refresh_formulas(&changes).await?;
        // What was read since, and a person's edits, may lead elsewhere.
        self.pull_related(&nodes).await?;
        self.store.flush_views()?;
        let limits = self.store.limits;
        let mut settled = changes.iter().filter(|(_, changes)| !changes.waits);
        let mut evicting = Evicting::default();
        self.store.in_steps(
            || self.check_cancelled(),
            |w| {
                for (object, changes) in settled.by_ref() {
                    w.set_low(object, changes.next_low)?;
                }
                w.trim_recents(limits.recent_records, limits.recent_bytes)?;
                let unsettled = unsettled(&w.reading(), &nodes)?;
                let step = w.evict(&unsettled, &mut evicting)?;
                w.tally(Count::Evicted, evicting.take_count())?;
                Ok(step)
            },
        )
    }

    async fn pull_rules(
        &mut self,
        nodes: &[Node],
        tasks: &[(usize, Task)],
        changes: &mut BTreeMap<String, Changes>,
    ) -> Result<()> {
        for (at, task) in tasks {
            let node = &nodes[*at];
            if let Some(changes) = changes.get_mut(&node.table.object.name) {
                self.pull_rule(node, *task, changes).await?;
            }
        }
        Ok(())
    }

    /// Brings the records up to date that changed and that no rule has brought, object by object.
    async fn settle_windows(
        &mut self,
        nodes: &[Node],
        changes: &mut BTreeMap<String, Changes>,
        which: impl Fn(&String) -> bool,
    ) -> Result<()> {
        for table in self.objects() {
            let name = &table.object.name;
            let of_object = changes.get_mut(name);
            if let Some(changes) = of_object.filter(|changes| !changes.waits && which(name)) {
                self.read_rest(&table, nodes, changes).await?;
                self.settle_window(&table, nodes, changes).await?;
            }
        }
        Ok(())
    }

    /// Asks what changed and what was deleted since the last time.
    async fn changes(&mut self, table: &Table) -> Result<Changes> {
        self.check_cancelled()?;
        let name = &table.object.name;
        let low = self.store.read(|r| r.low(name))?;
        let mut changes = Changes::new(low, self.window_start(self.server_now()?));
        let Some(low) = low else {
            // From now on nothing may be missed, wherever the first load is cut off.
            self.store
                .write(Durability::Ordered, |w| w.set_low(name, changes.next_low))?;
            changes.ids = Some(Ids::default());
            return Ok(changes);
        };
        if !table.object.replicateable {
            return Ok(changes);
        }
        let asked = match self.updated(name, low).await {
            Ok(updated) => match self.deleted(name, low).await {
                Ok(deleted) => Ok((updated, deleted)),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        match asked {
            Ok((updated, deleted)) => {
                let covered = updated.latest_covered.min(deleted.latest_covered);
                changes.next_low = self.window_start(covered.min(self.server_now()?)).max(low);
                changes.ids = Some(Ids::of(updated.ids)?);
                changes.deleted = Deletions::of(deleted.records)?;
            }
            // So long ago that the server has forgotten: everything is looked at anew.
            Err(error) if error.kind() == ErrorKind::CursorExpired => {
                changes.ids = Some(Ids::default());
                if planted!(IgnoresHorizon) {
                    return Ok(changes);
                }
                let rules = self.store.read(|r| r.rules())?.into_iter();
                for rule in rules.filter(|rule| rule.object == *name) {
                    self.store
                        .forget_covered(rule.id, || self.check_cancelled())?;
                }
                // From now on nothing may be missed, wherever the look is cut off: the next session goes on with it.
                self.store.write(Durability::Ordered, |w| {
                    w.reload(name)?;
                    w.set_low(name, changes.next_low)
                })?;
                changes.low = None;
            }
            Err(error) => return Err(error),
        }
        Ok(changes)
    }

    /// Windows begin at whole minutes, since the server cuts the seconds off: what it lists must not begin before
    /// what the rules are asked for, or records would seem to have left them.
    fn window_start(&self, time: ServerTime) -> ServerTime {
        if planted!(NoOverlap) {
            return time;
        }
        ServerTime((time.0 - self.settings.overlap_seconds).div_euclid(60) * 60)
    }

    async fn pull_rule(&mut self, node: &Node, task: Task, changes: &mut Changes) -> Result<()> {
        match task {
            Task::Delta => self.pull_delta(node, changes).await,
            Task::Rank => self.rank(node).await,
            Task::Load => {
                let rule = self.store.read(|r| r.rule(&node.key))?;
                // A load that went on where another was cut off has not come by the records before that
                // place: only asking for what changed tells which of them still match.
                if rule.after.is_some() {
                    self.scan(node, Depth::Records, &mut |_| {}).await?;
                    return self.pull_delta(node, changes).await;
                }
                changes.ask(rule.mask);
                let mut note = |ids: &[String]| {
                    changes.note_read(ids);
                    changes.note_matched(rule.mask, ids);
                };
                self.scan(node, Depth::Records, &mut note).await
            }
            Task::Sweep => self.scan(node, Depth::Ids, &mut |_| {}).await,
        }
    }

    async fn pull_delta(&mut self, node: &Node, changes: &mut Changes) -> Result<()> {
        let Some(low) = changes.window() else {
            return Ok(());
        };
        let rule = self.store.read(|r| r.rule(&node.key))?;
        changes.ask(rule.mask);
        let mut note = |ids: &[String]| {
            changes.note_read(ids);
            changes.note_matched(rule.mask, ids);
        };
        self.delta(node, low, &mut note).await
    }

    /// Says whether records may have come or gone although nobody changed them.
    pub(super) fn sweep_is_due(&self, node: &Node, rule: &RuleState) -> Result<bool> {
        if rule.after.is_some() {
            return Ok(true);
        }
        let moved = node
            .filter
            .as_ref()
            .is_some_and(|filter| filter.has_relative_dates())
            && rule.swept_day.as_deref() != Some(self.today()?.as_str());
        let age = rule.swept_at.map(|at| self.env.now().0 - at.0);
        let rest = sweep_rest(&self.settings, rule.swept_ids);
        let old = age.is_none_or(|age| !(0..rest * 1000).contains(&age));
        Ok(moved || old)
    }

    /// The day it is at the server, in the user's zone: relative dates move when it changes.
    pub(super) fn today(&self) -> Result<String> {
        let zone = self
            .store
            .read(|r| r.setting("time_zone"))?
            .unwrap_or_default();
        let zone = jiff::tz::TimeZone::get(&zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let now = jiff::Timestamp::from_second(self.server_now()?.0)
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Ok(now.to_zoned(zone).date().to_string())
    }

    /// Reads what changed and no rule has brought: records that left one, and relatives.
    async fn read_rest(
        &mut self,
        table: &Arc<Table>,
        nodes: &[Node],
        changes: &mut Changes,
    ) -> Result<()> {
        let related: Vec<&Node> = nodes
            .iter()
            .filter(|n| n.is_asked() && n.table.object.name == table.object.name)
            .collect();
        let (mut rest, mut from) = (Marks::default(), 0);
        let reader = apply::reader(table);
        let names: Vec<String> = table
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        loop {
            let (chunk, held) = self.next_rest(table, changes, &mut from, related.is_empty())?;
            if chunk.is_empty() {
                break;
            }
            self.check_cancelled()?;
            let answers = self.retrieve(table, &chunk, &names).await?;
            let mut missing = Vec::new();
            let mut rows = Vec::new();
            for (id, answer) in chunk.iter().zip(answers) {
                match answer {
                    Some(record) => rows.push((id.clone(), reader.read(&record)?)),
                    None if held.contains(id) => missing.push(id.clone()),
                    None => {}
                }
            }
            self.take_relatives(table, &related, nodes, rows, &held)?;
            self.take_missing(table, &missing, Count::OutOfSight)
                .await?;
            changes.note_read(&chunk);
            for at in chunk
                .iter()
                .filter_map(|id| changes.ids.as_ref()?.place(id))
            {
                rest.set(at);
            }
            self.tell(Phase::Pull, &table.object.name, changes.rows_read, None);
        }
        self.read_filtered(&related, &rest, changes).await
    }

    /// The next of what changed and no rule has brought, as many as are read in one call, and which of them are here.
    ///
    /// Where no related rule may lead to others, those that are here are all of them.
    fn next_rest(
        &self,
        table: &Table,
        changes: &Changes,
        from: &mut usize,
        held_only: bool,
    ) -> Result<(Vec<String>, HashSet<String>)> {
        let (mut rest, mut held) = (Vec::new(), HashSet::new());
        let Some(ids) = &changes.ids else {
            return Ok((rest, held));
        };
        let most = self.settings.ids_per_read_max;
        while rest.len() < most {
            let next = ids.next(from, most - rest.len(), |at| !changes.read.has(at));
            if next.is_empty() {
                break;
            }
            let here = self.store.read(|r| r.held(table, &next))?;
            let here = here.into_iter().map(|(id, _)| id);
            if held_only {
                rest.extend(here.clone());
            } else {
                rest.extend(next);
            }
            held.extend(here);
        }
        Ok((rest, held))
    }

    /// Takes in records that are here, or that a related rule leads to.
    fn take_relatives(
        &mut self,
        table: &Table,
        related: &[&Node],
        nodes: &[Node],
        rows: Vec<(String, Vec<Value>)>,
        held: &HashSet<String>,
    ) -> Result<()> {
        let moved = self.store.write(Durability::Ordered, |w| {
            let edited = w.reading().edited_records()?;
            let mut unsettles = false;
            let mut arrived = Vec::new();
            let mut changed = Vec::new();
            for (id, values) in rows {
                let mut rules = 0;
                for node in related.iter().filter(|node| node.filter.is_none()) {
                    rules |= self.leading_rule(&w.reading(), node, nodes, table, &values)?;
                }
                if rules != 0 || held.contains(&id) {
                    let one = w.arrive(table, &edited, values, rules, Origin::Server)?;
                    unsettles |= self.unsettles(table, &id, Origin::Server, &one);
                    let ways = self.ways_moved(table, &id, &one).into_iter();
                    changed.extend(ways.map(|way| (way, id.clone())));
                    arrived.push(one);
                }
            }
            if unsettles {
                w.unsettle_relations(&table.object.name)?;
            }
            w.tally_arrived(&arrived, Count::OutOfSight)?;
            derived::note(w, &changed)?;
            Ok(changed)
        })?;
        self.note_moved(moved)
    }

    /// Asks the server which of the changed records a related rule with a condition still matches.
    async fn read_filtered(
        &mut self,
        related: &[&Node],
        rest: &Marks,
        changes: &mut Changes,
    ) -> Result<()> {
        for node in related.iter().filter(|node| node.filter.is_some()) {
            let rule = self.store.read(|r| r.rule(&node.key))?;
            changes.ask(rule.mask);
            let (most, mut from, mut any) = (self.ids_per_query(node), 0, false);
            loop {
                let ids = changes.ids.as_ref();
                let chunk = ids.map(|ids| ids.next(&mut from, most, |at| rest.has(at)));
                let chunk = chunk.unwrap_or_default();
                if chunk.is_empty() {
                    break;
                }
                let mut conditions = node.conditions.clone();
                conditions.push(format!("Id IN ({})", super::soql::list(&chunk)));
                let statement = super::soql::Statement {
                    fields: "Id",
                    object: &node.table.object.name,
                    scope: None,
                    conditions,
                    tail: "",
                };
                let matched = self.query_ids(&statement.print()).await?;
                any |= !matched.is_empty();
                changes.note_matched(rule.mask, &matched);
            }
            // What matches and is not here comes with the records that lead to it.
            if any {
                self.store
                    .forget_covered(rule.id, || self.check_cancelled())?;
                self.store
                    .write(Durability::Ordered, |w| w.unsettle_rule(rule.id))?;
            }
        }
        Ok(())
    }

    /// Takes out of the rules what changed and no longer matches, and off the device what was deleted.
    async fn settle_window(
        &mut self,
        table: &Arc<Table>,
        nodes: &[Node],
        changes: &Changes,
    ) -> Result<()> {
        let Some(ids) = &changes.ids else {
            return Ok(());
        };
        let mut left = false;
        for node in nodes
            .iter()
            .filter(|node| node.table.object.name == table.object.name && node.limit().is_none())
        {
            let rule = self.store.read(|r| r.rule(&node.key))?;
            let Some(matched) = changes.matched.get(&rule.mask) else {
                continue;
            };
            let mut from = 0;
            loop {
                let gone = ids.next(&mut from, STEP_ROWS, |at| !matched.has(at));
                if gone.is_empty() {
                    break;
                }
                self.store
                    .write(Durability::Ordered, |w| w.leave(table, rule.mask, &gone))?;
                left = true;
            }
        }
        if left {
            self.store.write(Durability::Ordered, |w| {
                w.unsettle_relations(&table.object.name)
            })?;
        }
        self.take_deleted(table, &changes.deleted).await
    }

    /// Takes off the device what was deleted and did not come back.
    async fn take_deleted(&mut self, table: &Table, deletions: &Deletions) -> Result<()> {
        let mut from = 0;
        loop {
            let deleted = deletions.next(&mut from);
            if deleted.is_empty() {
                return Ok(());
            }
            self.check_cancelled()?;
            let gone = self.store.read(|r| {
                let mut gone = Vec::with_capacity(deleted.len());
                for (id, at) in deleted {
                    // A record that came back has a stamp after its deletion.
                    if r.stamp(table, &id)?.is_none_or(|stamp| stamp <= at) {
                        gone.push(id);
                    }
                }
                r.held(table, &gone)
            })?;
            let gone: Vec<String> = gone.into_iter().map(|(id, _)| id).collect();
            self.take_missing(table, &gone, Count::Deleted).await?;
        }
    }
}

/// The objects that a related rule has yet to look at.
fn unsettled(reading: &Reading<'_>, nodes: &[Node]) -> Result<BTreeSet<String>> {
    let mut objects = BTreeSet::new();
    for node in nodes.iter().filter(|node| node.is_asked()) {
        if !reading.rule(&node.key)?.loaded {
            objects.insert(node.table.object.name.clone());
        }
    }
    Ok(objects)
}
