//! The way home: sessions, and a person's decisions between them, until nothing is left.

use crate::commands::{ReportView, block_on};
use crate::demo::edits::{self, Day};
use crate::demo::fields;
use crate::demo::ledger::{Choice, Decision};
use crate::demo::world::Device;
use crate::error::{Failure, Result};
use crate::progress::Bar;
use attache::{
    Conflict, ConflictField, ConflictKind, ErrorKind, Keep, Mutation, MutationState, Problem,
    RecordId, Report, Resolution, Value,
};
use attache_sandbox::{Fault, FaultKind};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

/// Rounds in which both devices sync; more are a failure.
const ROUNDS_MAX: usize = 10;

/// One session as it went.
pub struct Session {
    /// Which round.
    pub round: usize,
    /// Whose device.
    pub device: usize,
    /// How it ended.
    pub outcome: Result<Report>,
    /// How long it took.
    pub seconds: f64,
    /// The answer of one of its writes was lost on the way back.
    pub lost_an_answer: bool,
}

/// A conflict and what was decided.
pub struct Settled {
    /// Whose device.
    pub device: usize,
    /// The conflict.
    pub conflict: Conflict,
    /// The decision on each field, or on the whole record.
    pub choices: Vec<(String, Choice)>,
}

/// An edit that the org refused, and what was done about it.
pub struct Refusal {
    /// Whose device.
    pub device: usize,
    /// The record's object.
    pub object: String,
    /// The record.
    pub record: RecordId,
    /// What it is called.
    pub title: String,
    /// What the org said.
    pub problems: Vec<Problem>,
    /// What was done.
    pub choice: Choice,
}

/// Everything that happened on the way home.
#[derive(Default)]
pub struct WayHome {
    /// In the order of events.
    pub sessions: Vec<Session>,
    /// In the order of events.
    pub conflicts: Vec<Settled>,
    /// In the order of events.
    pub refusals: Vec<Refusal>,
    /// Both devices had nothing to do in the last round.
    pub is_quiet: bool,
}

/// Runs one session to its end.
pub fn sync(device: &Device, bar: &Bar) -> (Result<Report>, f64) {
    let started = Instant::now();
    let shown = bar.clone();
    let session = device
        .store
        .sync()
        .on_progress(move |progress| shown.set(&progress));
    let report = block_on(session.into_future()).and_then(|report| report.map_err(Failure::from));
    (report, started.elapsed().as_secs_f64())
}

impl Day<'_> {
    /// Syncs both devices and decides what they ask, until a whole round has nothing to do.
    pub fn go_home(&mut self, show_bars: bool) -> Result<WayHome> {
        let mut home = WayHome::default();
        for round in 1..=ROUNDS_MAX {
            let mut is_quiet = true;
            for device in 0..self.devices.len() {
                // Enough for the engine to be sure of a create that was never answered.
                self.world.pass(240 + self.random.below(240) as u32);
                is_quiet &= self.session(round, device, show_bars, &mut home)?;
            }
            if is_quiet {
                home.is_quiet = true;
                break;
            }
        }
        Ok(home)
    }

    /// Runs a session and answers its questions; says whether there was nothing to do.
    fn session(
        &mut self,
        round: usize,
        device: usize,
        show_bars: bool,
        home: &mut WayHome,
    ) -> Result<bool> {
        if round == 1 {
            self.plan_fault(device);
        }
        let bar = Bar::new(&self.devices[device].person.name, show_bars);
        let (outcome, seconds) = sync(&self.devices[device], &bar);
        bar.finish();
        let lost_an_answer = round == 1 && self.world.sandbox.clear_faults() == 0;
        let mut is_quiet = false;
        if let Ok(report) = &outcome {
            is_quiet = is_idle(report) && report.is_settled();
            for merged in report.merged.iter().filter(|one| one.delete_withdrawn) {
                self.ledger.deletes.remove(&(device, merged.record.clone()));
                self.decide(device, &merged.record, None, None, Choice::Withdrawn)?;
            }
        }
        home.sessions.push(Session {
            round,
            device,
            outcome,
            seconds,
            lost_an_answer,
        });
        is_quiet &= self.settle_conflicts(device, home)?;
        is_quiet &= self.settle_refusals(device, home)?;
        Ok(is_quiet)
    }

    /// Plans that the answer to one call of the coming session is lost after the org has executed it.
    ///
    /// One device loses that of its first upsert or update, the other that of a read, a create, an
    /// update or a delete: whatever the call turns out to be.
    fn plan_fault(&mut self, device: usize) {
        let fault = Fault::new(FaultKind::LoseAnswer);
        let fault = match (device as u64 + self.seed).is_multiple_of(2) {
            true => fault.method("PATCH"),
            false => {
                let (method, path) = *self.random.pick(&[
                    ("POST", "/composite/sobjects"),
                    ("POST", "/composite"),
                    ("DELETE", "/composite/sobjects"),
                ]);
                let nth = 1 + self.random.below(3) as u32;
                fault.method(method).path(path).nth(nth)
            }
        };
        self.world.sandbox.fail_next(fault);
    }

    fn decide(
        &mut self,
        device: usize,
        record: &RecordId,
        field: Option<&str>,
        theirs: Option<Value>,
        choice: Choice,
    ) -> Result<()> {
        let id = self.devices[device].server_id(record)?;
        let field = field.map(str::to_owned);
        self.ledger.decisions.push(Decision {
            device,
            record: record.clone(),
            id,
            field,
            theirs,
            choice,
        });
        Ok(())
    }

    fn settle_conflicts(&mut self, device: usize, home: &mut WayHome) -> Result<bool> {
        let conflicts = self.devices[device].store.conflicts()?;
        let none = conflicts.is_empty();
        for conflict in conflicts {
            let choices = match conflict.kind {
                ConflictKind::DeletedAtRemote => self.settle_deletion(device, &conflict)?,
                // The demo's briefcase never asks about what was deleted here.
                ConflictKind::Fields | ConflictKind::DeletedHere => {
                    self.settle_fields(device, &conflict)?
                }
            };
            home.conflicts.push(Settled {
                device,
                conflict,
                choices,
            });
        }
        Ok(none)
    }

    /// Makes a record again that was deleted at the org, or lets it go.
    fn settle_deletion(
        &mut self,
        device: usize,
        conflict: &Conflict,
    ) -> Result<Vec<(String, Choice)>> {
        // Out of sight is not gone: making it again would make it twice.
        let id = self.devices[device]
            .server_id(&conflict.record)?
            .unwrap_or_default();
        let still_there = self.world.rows_by(
            &self.world.observer,
            &conflict.object,
            "Id",
            &[id],
            &["Id".into()],
        )?;
        let (choice, resolution) = match still_there.is_empty() && self.random.percent(50) {
            true => (Choice::Again, Resolution::Mine),
            false => (Choice::Theirs, Resolution::Theirs),
        };
        self.decide(device, &conflict.record, None, None, choice)?;
        if choice == Choice::Theirs {
            self.ledger.drop_wants(device, &conflict.record, None);
        }
        self.devices[device]
            .store
            .resolve(conflict.id, resolution)?;
        Ok(vec![("record".into(), choice)])
    }

    fn settle_fields(
        &mut self,
        device: usize,
        conflict: &Conflict,
    ) -> Result<Vec<(String, Choice)>> {
        let mut keeps = BTreeMap::new();
        let mut choices = Vec::new();
        for field in &conflict.fields {
            let (choice, keep) = self.choose(&conflict.object, field);
            self.decide(
                device,
                &conflict.record,
                Some(&field.name),
                Some(field.remote.clone()),
                choice,
            )?;
            match &keep {
                Keep::Value(value) => self.ledger.want(
                    device,
                    &conflict.record,
                    &conflict.object,
                    &field.name,
                    value,
                ),
                Keep::Theirs => self
                    .ledger
                    .drop_wants(device, &conflict.record, Some(&field.name)),
                Keep::Mine | Keep::Later => {}
            }
            keeps.insert(field.name.clone(), keep);
            choices.push((field.name.clone(), choice));
        }
        let all = |choice| choices.iter().all(|(_, made)| *made == choice);
        let resolution = if all(Choice::Mine) {
            Resolution::Mine
        } else if all(Choice::Theirs) {
            Resolution::Theirs
        } else {
            Resolution::PerField(keeps)
        };
        self.devices[device]
            .store
            .resolve(conflict.id, resolution)?;
        Ok(choices)
    }

    fn choose(&mut self, object: &str, field: &ConflictField) -> (Choice, Keep) {
        let free = fields::free(object)
            .iter()
            .find(|free| free.name == field.name && free.wide);
        match (self.random.below(3), free) {
            (0, _) => (Choice::Mine, Keep::Mine),
            (1, Some(free)) => {
                let not = [&field.base, &field.local];
                let value = free.value(self.random, self.world.today(), &field.remote, &not);
                (Choice::Value, Keep::Value(value))
            }
            _ => (Choice::Theirs, Keep::Theirs),
        }
    }

    fn settle_refusals(&mut self, device: usize, home: &mut WayHome) -> Result<bool> {
        let pending = self.devices[device].store.pending()?;
        let mut records: BTreeMap<RecordId, Vec<&Mutation>> = BTreeMap::new();
        for mutation in pending
            .iter()
            .filter(|mutation| matches!(mutation.state, MutationState::Rejected(_)))
        {
            records
                .entry(mutation.record.clone())
                .or_default()
                .push(mutation);
        }
        let none = records.is_empty();
        for (record, rejected) in records {
            let refusal = self.settle_refusal(device, &record, &rejected)?;
            home.refusals.push(refusal);
        }
        Ok(none)
    }

    /// Puts a refused edit right, or takes it back.
    fn settle_refusal(
        &mut self,
        device: usize,
        record: &RecordId,
        rejected: &[&Mutation],
    ) -> Result<Refusal> {
        let first = rejected[0];
        let reasons = match &first.state {
            MutationState::Rejected(problems) => problems.clone(),
            _ => Vec::new(),
        };
        let store = &self.devices[device].store;
        let title = edits::title(&self.devices[device], &first.object, record)?;
        let foreseen = reasons
            .iter()
            .any(|problem| problem.code == "FIELD_CUSTOM_VALIDATION_EXCEPTION");
        // Others' work hangs on a record that is new: it is put right, not taken back.
        let choice = match foreseen && (record.is_local() || self.random.percent(60)) {
            true => Choice::Fixed,
            false => Choice::Discarded,
        };
        if choice == Choice::Fixed {
            let values = edits::right(&first.object, self.random, self.world.today());
            store.update(record, values.iter().cloned().collect::<attache::Fields>())?;
            for (field, value) in &values {
                self.ledger
                    .want(device, record, &first.object, field, value);
            }
        }
        for mutation in rejected {
            if choice == Choice::Discarded {
                store.discard(mutation.seq)?;
                self.ledger.deletes.remove(&(device, record.clone()));
                for field in mutation.fields.names() {
                    self.ledger.drop_wants(device, record, Some(field));
                }
            } else if is_rejected(&store.pending()?, mutation) {
                store.retry(mutation.seq)?;
            }
        }
        self.decide(device, record, None, None, choice)?;
        let (object, record) = (first.object.clone(), record.clone());
        Ok(Refusal {
            device,
            object,
            record,
            title,
            problems: reasons,
            choice,
        })
    }
}

fn is_rejected(pending: &[Mutation], mutation: &Mutation) -> bool {
    let now = pending.iter().find(|other| other.seq == mutation.seq);
    now.is_some_and(|now| matches!(now.state, MutationState::Rejected(_)))
}

/// Says whether a session moved nothing in either direction.
pub fn is_idle(report: &Report) -> bool {
    let gone = report.evicted + report.deleted + report.out_of_sight;
    report.inserted + report.updated + gone == 0 && pushed(report) == 0
}

/// Records that a session wrote at the org.
pub fn pushed(report: &Report) -> u64 {
    report.pushed_creates + report.pushed_updates + report.pushed_deletes
}

/// A session as data.
#[derive(Serialize)]
pub struct SessionView<'a> {
    round: usize,
    user: &'a str,
    lost_an_answer: bool,
    report: Option<ReportView<'a>>,
    error: Option<String>,
}

/// A settled conflict as data.
#[derive(Serialize)]
pub struct SettledView<'a> {
    user: &'a str,
    conflict: &'a Conflict,
    choices: BTreeMap<&'a str, &'static str>,
}

/// A refusal as data.
#[derive(Serialize)]
pub struct RefusalView<'a> {
    user: &'a str,
    object: &'a str,
    record: &'a str,
    title: &'a str,
    problems: &'a [Problem],
    choice: &'static str,
}

impl Session {
    /// Shows a session as data.
    pub fn view<'a>(&'a self, devices: &'a [Device; 2]) -> SessionView<'a> {
        SessionView {
            round: self.round,
            user: &devices[self.device].person.name,
            lost_an_answer: self.lost_an_answer,
            report: self
                .outcome
                .as_ref()
                .ok()
                .map(|report| ReportView::of(report, self.seconds)),
            error: self.outcome.as_ref().err().map(Failure::sentence),
        }
    }
}

impl Settled {
    /// Shows a settled conflict as data.
    pub fn view<'a>(&'a self, devices: &'a [Device; 2]) -> SettledView<'a> {
        SettledView {
            user: &devices[self.device].person.name,
            conflict: &self.conflict,
            choices: self
                .choices
                .iter()
                .map(|(field, choice)| (field.as_str(), choice.word()))
                .collect(),
        }
    }
}

impl Refusal {
    /// Shows a refusal as data.
    pub fn view<'a>(&'a self, devices: &'a [Device; 2]) -> RefusalView<'a> {
        RefusalView {
            user: &devices[self.device].person.name,
            object: &self.object,
            record: self.record.as_str(),
            title: &self.title,
            problems: &self.problems,
            choice: self.choice.word(),
        }
    }
}

/// The kinds of error after which a session is simply run again.
pub fn is_passing(failure: &Failure) -> bool {
    matches!(
        failure.kind(),
        ErrorKind::RemoteUnreachable | ErrorKind::RemoteOutcomeUnknown | ErrorKind::RemoteBusy
    )
}
