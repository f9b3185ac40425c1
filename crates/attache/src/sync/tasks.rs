//! What a pull has to do, known before it does it: small things first, and their questions together.

use super::Run;
use super::changes::Changes;
use super::prepare::Node;
use super::scan::{Depth, delta_statement, rank_statement};
use super::together::{IDS_ROWS, LIST_ROWS};
use crate::error::Result;
use crate::question::Question;
use crate::store::Table;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One thing to do for a rule that chooses records by itself, in order of what it may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// Reads what changed.
    Delta,
    /// Looks at the first so many of an order.
    Rank,
    /// Reads everything, for the first time or to the end of it.
    Load,
    /// Looks for what came and went without being changed.
    Sweep,
}

impl Run<'_> {
    /// What is to be done for a rule, in the state that it is in.
    fn tasks_of(&self, node: &Node, changes: &Changes, sweep: bool) -> Result<Vec<Task>> {
        if node.rests || node.is_related() {
            return Ok(Vec::new());
        }
        let rule = self.store.read(|r| r.rule(&node.key))?;
        let due = sweep && self.sweep_is_due(node, &rule)?;
        if node.limit().is_some() {
            let moved = !rule.loaded || due || changes.tell_of_any();
            return Ok(moved.then_some(Task::Rank).into_iter().collect());
        }
        if !rule.loaded {
            return Ok(vec![Task::Load]);
        }
        let delta = changes.window().map(|_| Task::Delta);
        Ok(delta
            .into_iter()
            .chain(due.then_some(Task::Sweep))
            .collect())
    }

    /// Everything that is to be done, in the order in which it is done: the places of the rules with their tasks.
    pub(super) fn tasks(
        &self,
        nodes: &[Node],
        changes: &BTreeMap<String, Changes>,
        sweep: bool,
    ) -> Result<Vec<(usize, Task)>> {
        let mut tasks = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            if let Some(changes) = changes.get(&node.table.object.name) {
                let of_node = self.tasks_of(node, changes, sweep)?;
                tasks.extend(of_node.into_iter().map(|task| (at, task)));
            }
        }
        tasks.sort_by_key(|(at, task)| (*task, *at));
        Ok(tasks)
    }

    /// Has the first questions of all tasks asked together, but for those whose answers are large.
    pub(super) fn plan_tasks(
        &mut self,
        nodes: &[Node],
        tasks: &[(usize, Task)],
        changes: &BTreeMap<String, Changes>,
    ) -> Result<()> {
        let mut questions = Vec::new();
        for (at, task) in tasks {
            let node = &nodes[*at];
            let changes = &changes[&node.table.object.name];
            let (soql, rows) = match (task, node.limit(), changes.window()) {
                (Task::Delta, _, Some(low)) => (delta_statement(node, low), changes.rows()),
                (Task::Rank, Some(limit), _) => (rank_statement(node, limit), IDS_ROWS),
                (Task::Sweep, ..) => {
                    let rule = self.store.read(|r| r.rule(&node.key))?;
                    let soql = self.statement(node, Depth::Ids, rule.after.as_deref());
                    (soql, IDS_ROWS)
                }
                _ => continue,
            };
            questions.push((Question::Query { soql }, rows));
        }
        self.plan_ahead(questions);
        Ok(())
    }

    /// Has the changes of all objects asked for together.
    pub(super) fn plan_windows(&mut self, tables: &[Arc<Table>]) -> Result<()> {
        let mut questions = Vec::new();
        for table in tables.iter().filter(|table| table.object.replicateable) {
            let object = &table.object.name;
            if let Some(start) = self.store.read(|r| r.low(object))? {
                let object = object.clone();
                let updated = Question::Updated {
                    object: object.clone(),
                    start,
                };
                questions.push((updated, LIST_ROWS));
                questions.push((Question::Deleted { object, start }, LIST_ROWS));
            }
        }
        self.plan_ahead(questions);
        Ok(())
    }
}
