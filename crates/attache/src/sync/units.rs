//! Sends what the server is to take whole or not at all.

use super::Run;
use super::push::Batch;
use crate::error::{Error, ErrorKind, Problem, Result};
use crate::outcome::{MutationKind, Phase};
use crate::plan::{self, Outgoing, Step, Unit};
use crate::record::ServerTime;
use crate::remote::{Joined, Write, WriteAction, WriteOutcome};
use crate::store::{Durability, Entry, Settlement};
use crate::together::TOGETHER_MAX;
use std::collections::{BTreeMap, BTreeSet};

/// The code of a write that was not done because another one was not.
const ROLLED_BACK: &str = "ALL_OR_NONE_OPERATION_ROLLED_BACK";

impl Run<'_> {
    /// The units of the journal.
    pub(super) fn units(&self, steps: &[Step]) -> Result<Vec<Unit>> {
        let together = self.store.read(|r| r.together())?;
        if together.is_empty() || planted!(SendsUnitsApart) {
            return Ok(Vec::new());
        }
        Ok(plan::units(steps, &together, |object, field| {
            self.is_optional(object, field)
        }))
    }

    /// Sends a unit, once all was looked at that has to be right before it leaves.
    pub(super) async fn send_together(
        &mut self,
        planned: Vec<Outgoing>,
        checked: &mut BTreeMap<String, (Option<ServerTime>, u32)>,
    ) -> Result<Batch> {
        let mut updates = planned.clone();
        updates.retain(|write| write.kind == MutationKind::Update);
        while self.look_again(&updates, checked).await? {}
        let mut deletes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for write in planned
            .iter()
            .filter(|write| write.kind == MutationKind::Delete)
        {
            let ids = deletes.entry(write.object.clone()).or_default();
            ids.insert(write.record.clone());
        }
        self.read_all_by_id(Phase::Push, deletes).await?;
        // What was seen may have changed it: then it is planned anew.
        let entries = self.store.read(|r| r.entries())?;
        let steps: Vec<Step> = entries.iter().map(Entry::step).collect();
        let same = |unit: &Unit| {
            unit.ready
                && unit
                    .writes
                    .iter()
                    .any(|write| write.record == planned[0].record)
        };
        let Some(unit) = self.units(&steps)?.into_iter().find(same) else {
            return Ok(Batch::default());
        };
        self.send_unit(unit.writes).await
    }

    async fn send_unit(&mut self, unit: Vec<Outgoing>) -> Result<Batch> {
        let now = self.env.now();
        let nodes = unit.len() + unit.iter().filter(|it| !it.deferred.is_empty()).count();
        if nodes > TOGETHER_MAX {
            let refused = Settlement::Rejected(vec![too_large(nodes)]);
            self.store.write(Durability::Durable, |w| {
                unit.iter()
                    .try_for_each(|write| w.settle(write, &refused, now))
            })?;
            return Ok(Batch::default());
        }
        let keys = self.client_keys()?;
        let known = self.remote.server_time();
        let planned = unit.len();
        let unit = self.store.write(Durability::Durable, |w| {
            let unit = w.intend(unit, known, &keys)?;
            if unit.len() != planned {
                // Somebody took a part of it back just now.
                unit.iter()
                    .try_for_each(|write| w.settle(write, &Settlement::NotDone, now))?;
                return Ok(Vec::new());
            }
            Ok(unit)
        })?;
        if unit.is_empty() {
            return Ok(Batch::default());
        }
        let joined = self.joined(&unit)?;
        let writes: Vec<Joined> = joined.iter().map(|(_, write)| write.clone()).collect();
        let answer = self.remote.push_together(&writes).await;
        let outcomes = match answer {
            Ok(outcomes) if outcomes.len() == writes.len() => outcomes,
            Ok(_) => vec![WriteOutcome::Unknown; writes.len()],
            Err(error) => {
                self.store.write(Durability::Durable, |w| {
                    unit.iter()
                        .try_for_each(|write| w.settle(write, &Settlement::NotDone, now))
                })?;
                return Err(error);
            }
        };
        let mut of_record: Vec<Vec<WriteOutcome>> = vec![Vec::new(); unit.len()];
        for ((at, _), outcome) in joined.iter().zip(outcomes) {
            of_record[*at].push(outcome);
        }
        self.conclude_unit(unit, of_record)
    }

    /// The writes of a unit, each with the place of its record: a lookup that was left out follows its creates.
    fn joined(&self, unit: &[Outgoing]) -> Result<Vec<(usize, Joined)>> {
        let mut joined = Vec::with_capacity(unit.len());
        let mut rest = Vec::new();
        for (at, write) in unit.iter().enumerate() {
            let record = write.record.clone();
            let whole = Joined {
                record: record.clone(),
                write: self.write_of(write)?,
            };
            match write.kind {
                MutationKind::Create => joined.push((at, whole)),
                MutationKind::Update | MutationKind::Delete => rest.push((at, whole)),
            }
        }
        for (at, write) in unit.iter().enumerate() {
            if write.deferred.is_empty() {
                continue;
            }
            let update = Write {
                object: write.object.clone(),
                action: WriteAction::Update {
                    id: write.record.clone(),
                    fields: write.deferred.clone(),
                    unmodified_since: None,
                },
                allow_duplicates: self.store.read(|r| r.allows_duplicates(&write.seqs))?,
            };
            joined.push((
                at,
                Joined {
                    record: write.record.clone(),
                    write: update,
                },
            ));
        }
        joined.extend(rest);
        Ok(joined)
    }

    /// Stores what became of a unit, in one transaction: it was done as a whole, or not.
    fn conclude_unit(
        &mut self,
        unit: Vec<Outgoing>,
        outcomes: Vec<Vec<WriteOutcome>>,
    ) -> Result<Batch> {
        let now = self.env.now();
        let mut batch = Batch::default();
        let fates = fates(&unit, &outcomes)?;
        for (write, fate) in unit.iter().zip(&fates) {
            match fate {
                Settlement::Created(id) => batch.wrote(write, id),
                Settlement::Updated => batch.wrote(write, &write.record),
                Settlement::NotDone => batch.again.push(write.record.clone()),
                _ => {}
            }
            batch.changed |= matches!(fate, Settlement::Deleted | Settlement::Gone);
            batch.unanswered |= *fate == Settlement::InDoubt;
        }
        let is = |sort: fn(&WriteOutcome) -> bool| outcomes.iter().flatten().any(sort);
        for (write, outcomes) in unit.iter().zip(&outcomes) {
            let stale = |it: &WriteOutcome| matches!(it, WriteOutcome::Stale | WriteOutcome::Gone);
            if write.kind == MutationKind::Update && outcomes.iter().any(stale) {
                batch.found_stale(&write.object, &write.record);
            }
        }
        batch.locked = batch.stale.is_empty()
            && is(|it| matches!(it, WriteOutcome::Later(_)))
            && !is(|it| matches!(it, WriteOutcome::Refused(_)));
        self.store.write(Durability::Durable, |w| {
            w.settle_together(&unit, &fates, now)
        })?;
        Ok(batch)
    }
}

/// What becomes of each record of a unit.
fn fates(unit: &[Outgoing], outcomes: &[Vec<WriteOutcome>]) -> Result<Vec<Settlement>> {
    let all = || outcomes.iter().flatten();
    if all().any(|it| *it == WriteOutcome::Unknown) {
        return Ok(vec![Settlement::InDoubt; unit.len()]);
    }
    let done = all().all(|it| matches!(it, WriteOutcome::Done { .. }));
    let culprits = outcomes.iter().filter(|of| refusal(of).is_some()).count();
    let others = unit.len() - culprits;
    unit.iter()
        .zip(outcomes)
        .map(|(write, outcomes)| {
            Ok(match (refusal(outcomes), write.kind) {
                (None, MutationKind::Create) if done => Settlement::Created(created(outcomes)?),
                (None, MutationKind::Update) if done => Settlement::Updated,
                (None, MutationKind::Delete) if done => Settlement::Deleted,
                (None, MutationKind::Delete) if outcomes.contains(&WriteOutcome::Gone) => {
                    Settlement::Gone
                }
                (None, _) => Settlement::NotDone,
                (Some(problems), _) => {
                    let mut problems = problems.clone();
                    problems.extend((others > 0).then(|| waiting_for_it(others)));
                    Settlement::Rejected(problems)
                }
            })
        })
        .collect()
}

fn refusal(outcomes: &[WriteOutcome]) -> Option<&Vec<Problem>> {
    outcomes.iter().find_map(|outcome| match outcome {
        WriteOutcome::Refused(problems) => Some(problems),
        _ => None,
    })
}

fn created(outcomes: &[WriteOutcome]) -> Result<String> {
    let id = outcomes.iter().find_map(|outcome| match outcome {
        WriteOutcome::Done { id } => crate::record::remote_id(id),
        _ => None,
    });
    id.ok_or_else(|| {
        Error::new(
            ErrorKind::NotARemote,
            "the server gave a new record an id that is none",
        )
    })
}

/// Tells a person that a refused edit holds others up.
fn waiting_for_it(others: usize) -> Problem {
    let records = match others {
        1 => String::from("1 other record of its changeset waits"),
        _ => format!("{others} other records of its changeset wait"),
    };
    Problem::new(
        ROLLED_BACK,
        format!("{records} for it: all of them are saved, or none"),
    )
}

fn too_large(nodes: usize) -> Problem {
    Problem::new(
        "LIMIT_EXCEEDED",
        format!(
            "its changesets take {nodes} writes, and {TOGETHER_MAX} are taken together at most: discard some of them"
        ),
    )
}
