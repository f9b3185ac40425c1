//! The end of a walk: the faults stop, and all comes to rest.

use super::Scene;
use super::errands::briefcase;
use super::ledger::By;
use crate::random::Prng;
use crate::run::wait;
use attache::{Briefcase, Report};
use std::collections::BTreeSet;

/// Rounds of sessions after which devices without troubles must have come to rest.
const ROUNDS_MAX: usize = 16;
/// Decisions of one person in one round after which no conflict may be left.
const DECISIONS_MAX: usize = 100;

impl Scene {
    /// Lets everybody settle, without faults and without anything new.
    pub(super) fn come_to_rest(&self) -> Result<(), Vec<String>> {
        let mut chance = Prng::fork(self.seed, "rest");
        self.calm();
        self.make_room();
        if !self.ledger().wrong.is_empty() {
            return Err(self.take_wrong());
        }
        // Whatever date rules and sharing moved is found by the look of the next day.
        self.world.sandbox.advance(86_400);
        self.let_stragglers_in();
        self.ledger().look(&self.world, By::Colleague);
        let mut looked = false;
        for round in 0..ROUNDS_MAX {
            self.tell(format_args!("-- round {round}"));
            let mut quiet = true;
            // Once a round: were it another day for the second device, the first would not know of it.
            self.world.sandbox.advance(700);
            for device in 0..self.devices.len() {
                quiet &= self.settle(device, round, &mut chance)?;
            }
            self.account();
            if !self.ledger().wrong.is_empty() {
                return Err(self.take_wrong());
            }
            if quiet && looked {
                return self.left_over();
            }
            if quiet {
                // What the others' last writes took out of sight is found by one more such look.
                self.world.sandbox.advance(86_400);
                looked = true;
            }
        }
        Err(vec![format!("no rest after {ROUNDS_MAX} rounds")])
    }

    /// One round of a device: decisions, what was carried over, a session. Says whether nothing moved.
    fn settle(&self, device: usize, round: usize, chance: &mut Prng) -> Result<bool, Vec<String>> {
        let who = self.who(device);
        self.decide_all(device, chance)?;
        self.clear_up(who, round > ROUNDS_MAX / 2);
        if round > 2 && self.waits_for(who.1) {
            // What is carried names an object that this briefcase may lack.
            let all = Briefcase::from_json(briefcase(1));
            let _ = all.and_then(|all| self.at(device).set_briefcase(all));
        }
        self.take_in(who);
        self.ledger().begins(device);
        let report = wait(self.at(device).sync());
        self.tell(format_args!("device {device} syncs: {report:?}"));
        let report = report.map_err(|error| vec![format!("device {device}: {error:?}")])?;
        self.check_report(who, &report);
        self.ledger().look(&self.world, By::Device(who.0, who.1));
        self.check_contents(who);
        self.check_edits(who);
        Ok(is_quiet(&report))
    }

    fn waits_for(&self, user: usize) -> bool {
        self.carried().iter().any(|it| it.is_for(user))
    }

    /// What is still unsent, or in a file, after all.
    fn left_over(&self) -> Result<(), Vec<String>> {
        let mut wrong = Vec::new();
        if !self.carried().is_empty() {
            wrong.push("unsent work was carried and nobody could take it in".to_owned());
        }
        for device in 0..self.devices.len() {
            match self.at(device).pending() {
                Ok(pending) if pending.is_empty() => {}
                other => wrong.push(format!("device {device} has not settled: {other:?}")),
            }
        }
        wrong.extend(self.misplaced_files());
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong),
        }
    }

    /// Files that are at the org twice, or with other bytes.
    fn misplaced_files(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let boss = self.world.boss();
        for file in self.attached().iter() {
            let soql = format!(
                "SELECT Id FROM ContentVersion WHERE Title = '{}'",
                file.mark
            );
            let rows = self.world.rows(boss, &soql).unwrap_or_default();
            let ids: Vec<String> = rows.iter().filter_map(|row| row.text("Id")).collect();
            let bodies = self.world.sandbox.with_org(|org| {
                let body = |id: &String| org.file_body(boss, id);
                ids.iter().filter_map(body).collect::<Vec<_>>()
            });
            if ids.len() > 1 + usize::from(file.again)
                || bodies.iter().any(|body| **body != *file.bytes)
            {
                wrong.push(format!("the file {} is at the org as {ids:?}", file.mark));
            }
            if ids.is_empty() && !self.ledger().is_dropped(&file.mark) {
                wrong.push(format!("the file {} never arrived", file.mark));
            }
        }
        wrong
    }

    /// Settles all conflicts of a device.
    fn decide_all(&self, device: usize, chance: &mut Prng) -> Result<(), Vec<String>> {
        let open = || {
            let open = self.at(device).conflicts();
            open.map_err(|error| vec![error.to_string()])
        };
        for _ in 0..DECISIONS_MAX {
            if open()?.is_empty() {
                return Ok(());
            }
            self.resolve(self.who(device), chance);
        }
        let left = open()?;
        Err(vec![format!("device {device}: no decision ends {left:?}")])
    }

    /// What differs between the devices and what their briefcases say of the org.
    pub(super) fn differences(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for at in 0..self.devices.len() {
            let (device, (_, user)) = (self.at(at), self.who(at));
            let pins = device.pins().unwrap_or_default().into_iter();
            let recents = device.recents().unwrap_or_default().into_iter();
            let held = pins
                .map(|pin| pin.record)
                .chain(recents.map(|it| it.record));
            let held: BTreeSet<String> = held
                .filter_map(|id| device.get(&id).ok().flatten())
                .filter_map(|record| record.fields.get("Id").map(super::ledger::text))
                .collect();
            let objects: Vec<&str> = super::ledger::OBJECTS.iter().map(|it| it.0).collect();
            match self.world.compare_all(user, &device, &objects, &held) {
                Ok(lines) => {
                    wrong.extend(lines.into_iter().map(|line| format!("device {at}: {line}")))
                }
                Err(error) => wrong.push(error.to_string()),
            }
            let missing = self.missing_pins(at, user).into_iter();
            wrong.extend(missing.map(|line| format!("device {at}: {line}")));
        }
        wrong
    }
}

/// Says whether a session moved nothing and left nothing.
fn is_quiet(report: &Report) -> bool {
    let moved = [
        report.inserted,
        report.updated,
        report.evicted,
        report.deleted,
        report.out_of_sight,
        report.pushed_creates,
        report.pushed_updates,
        report.pushed_deletes,
    ];
    report.is_settled() && moved.iter().all(|count| *count == 0)
}
