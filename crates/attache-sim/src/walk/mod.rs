//! A random walk: devices, their people, colleagues, clocks and a bad network.
//!
//! Everything comes from the seed, and the same seed walks the same way. After
//! each step it is checked that nothing has happened that never may; after
//! the walk the faults stop, and all must come to rest: each device equal to
//! what its user's briefcase says, nothing twice, and every edit accounted for.

mod admin;
mod deletions;
mod disk;
mod errands;
mod faults;
mod ledger;
mod org;
mod people;
mod rest;
mod scenario;
mod scene;
mod shrink;

use crate::random::Prng;
use crate::run::{abandon, wait};
use crate::transport::Moment;
use attache::CancelToken;
use ledger::{By, Who};
pub use scenario::{Class, Scenario};
use scene::Scene;
pub use shrink::{Shrunk, shrink};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a walk came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Walked {
    /// A number made of everything that was sent to the org: the same for the same scenario.
    pub digest: u64,
    /// Requests the org was sent.
    pub requests: u64,
    /// Sessions that ended with an error, or were dropped.
    pub broken_sessions: u32,
    /// Sessions that ended well.
    pub sessions: u32,
    /// Conflicts that people met.
    pub conflicts: u32,
    /// Devices of the world.
    pub devices: u32,
    /// Virtual time, from the first step to the last session.
    pub seconds: u64,
    /// What happened how often, by name.
    pub met: BTreeMap<String, u64>,
}

/// A walk on which something went wrong that never may.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// What was walked.
    pub scenario: Scenario,
    /// What is wrong, a line each.
    pub wrong: Vec<String>,
    /// What happened, a line each; empty unless it was asked for.
    pub story: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "cargo xtask sim --replay '{}'", self.scenario)?;
        for line in &self.wrong {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}

/// Walks so many steps of a seed.
///
/// # Errors
/// What is wrong, with the line that replays it.
pub fn walk(seed: u64, steps: usize) -> Result<Walked, Failure> {
    run(&Scenario::new(seed, steps), false)
}

/// Walks as a scenario says, and keeps the story if asked to.
///
/// # Errors
/// What is wrong.
pub fn run(scenario: &Scenario, keep_story: bool) -> Result<Walked, Failure> {
    let fail = |wrong: Vec<String>, story| Failure {
        scenario: scenario.clone(),
        wrong,
        story,
    };
    let scene = Scene::new(scenario, keep_story).map_err(|error| fail(vec![error], Vec::new()))?;
    let begun = scene.world.sandbox.now();
    let mut walked = Walked::default();
    scene.ledger().look(&scene.world, By::Colleague);
    for step in &scenario.steps {
        scene.tell(format_args!("-- step {step}"));
        scene.step(*step, &mut walked);
        // A device that does not start again has nothing to account for.
        if scene.ledger().wrong.is_empty() {
            scene.account();
        }
        if !scene.ledger().wrong.is_empty() {
            return Err(fail(scene.take_wrong(), scene.take_story()));
        }
    }
    let mut wrong = scene.come_to_rest().err().unwrap_or_default();
    if wrong.is_empty() {
        wrong = scene.ledger().close(&scene.world);
        wrong.extend(scene.differences());
    }
    let mut hasher = DefaultHasher::new();
    for request in scene.world.sandbox.log() {
        (request.method, request.target, request.status).hash(&mut hasher);
    }
    walked.digest = hasher.finish();
    walked.requests = scene.world.sandbox.requests();
    walked.devices = scene.devices.len() as u32;
    walked.seconds = u64::try_from(scene.world.sandbox.now() - begun).unwrap_or(0);
    walked.met = scene.take_met();
    if wrong.is_empty() {
        Ok(walked)
    } else {
        Err(fail(wrong, scene.take_story()))
    }
}

impl Scene {
    /// What happens around a request of a device: its person and colleagues go on working.
    fn meanwhile(&self, who: Who, moment: Moment, method: &str, target: &str) {
        self.tell(format_args!(
            "device {} {moment:?} {method} {target}",
            who.0
        ));
        self.let_stragglers_in();
        if method != "GET" && !is_read(method, target) {
            // Transactions that were open may have come to their end.
            self.world.sandbox.with_org(|_| ());
            let by = match moment {
                Moment::Sent => By::Colleague,
                Moment::Answered => By::Device(who.0, who.1),
            };
            self.ledger().look(&self.world, by);
        }
        let mut chance = self.chance();
        match chance.below(90) {
            0 | 1 => self.edit(who, &mut chance),
            2 | 3 => self.colleague(&mut chance),
            4 => self.create(who, &mut chance),
            5 => self.world.sandbox.advance(1 + chance.below(20) as u32),
            6 if chance.percent(40) => self.delete(who, &mut chance),
            7 => self.discard(who, &mut chance),
            8 => self.resolve(who, &mut chance),
            9 => self.changeset(who, &mut chance),
            10 if chance.percent(30) => self.change_briefcase(who, &mut chance),
            11 => self.attach(who, &mut chance),
            12 if chance.percent(30) => self.pin(who, &mut chance),
            13 => self.clear_up(who, false),
            _ => {}
        }
        // What is due by now is not this device's doing.
        self.let_stragglers_in();
    }

    /// Takes one step. What it does follows from its number alone, and from the state of the world.
    fn step(&self, step: usize, walked: &mut Walked) {
        let mut chance = Prng::fork(self.seed, &format!("step {step}"));
        let chance = &mut chance;
        let device = chance.below(self.devices.len());
        let who = self.who(device);
        match chance.below(200) {
            0..46 => self.edit(who, chance),
            46..62 => self.create(who, chance),
            62..70 => self.delete(who, chance),
            70..76 => self.changeset(who, chance),
            76..108 => self.colleague(chance),
            108..120 => {
                let conflicts = self.at(device).conflicts().unwrap_or_default();
                walked.conflicts += conflicts.len().min(1) as u32;
                self.resolve(who, chance);
            }
            120..126 => self.discard(who, chance),
            126..130 => self.clear_up(who, false),
            130..140 => self.pass_time(chance),
            140..143 => self.change_manners(chance),
            143..147 => self.pin(who, chance),
            147..149 => self.change_briefcase(who, chance),
            149..152 => self.attach(who, chance),
            152..154 => self.carry(who, chance),
            154 => self.take_in(who),
            155 => self.log_out(who),
            156 => self.stranger(who, chance),
            157 => self.jump_clock(device, chance),
            158..160 => self.restart(device, chance),
            _ => self.session(step, who, chance, walked),
        }
    }

    fn pass_time(&self, chance: &mut Prng) {
        let seconds = match chance.below(10) {
            0..5 => chance.below(90),
            5..8 => 700 + chance.below(600),
            8 if self.has(Class::Weeks) => 86_400 + chance.below(86_400),
            // Longer than the org remembers deletions.
            _ if self.has(Class::Weeks) && chance.percent(20) => 20 * 86_400,
            _ => 3_600,
        };
        self.tell(format_args!("{seconds} seconds pass"));
        self.world.sandbox.advance(seconds as u32);
        self.ledger().look(&self.world, By::Colleague);
    }

    /// Runs a session on a bad network, or drops it on the way.
    fn session(&self, step: usize, who: Who, chance: &mut Prng, walked: &mut Walked) {
        self.tell(format_args!("device {} syncs", who.0));
        self.plan_faults(chance);
        if self.has(Class::Offline) && chance.percent(10) {
            self.world.sandbox.offline(true);
        }
        if self.has(Class::Meanwhile) {
            *self.chance() = Prng::fork(self.seed, &format!("meanwhile {step}"));
        }
        self.ledger().begins(who.0);
        let cancel = CancelToken::new();
        let session = self.at(who.0).sync().cancel_token(cancel.clone());
        let ended = match chance.below(100) {
            0..20 if self.has(Class::Death) => abandon(session, chance.below(60)),
            20..25 if self.has(Class::Death) => {
                let waits = chance.below(60);
                crate::run::after(session, waits, || cancel.cancel())
            }
            _ => Some(wait(session)),
        };
        *self.chance() = Prng::still();
        let died = ended.is_none();
        match ended {
            Some(Ok(report)) => {
                walked.sessions += 1;
                self.check_report(who, &report);
            }
            ended => {
                walked.broken_sessions += 1;
                self.tell(format_args!("the session broke: {ended:?}"));
                self.check_secrets(ended.and_then(Result::err));
            }
        }
        self.world.sandbox.clear_faults();
        self.world.sandbox.offline(false);
        // A session that was dropped after its request was executed has no one to tell.
        self.ledger().look(&self.world, By::Device(who.0, who.1));
        if died && chance.percent(50) {
            self.restart(who.0, chance);
        }
        self.check_contents(who);
        self.check_edits(who);
    }
}

/// Records are also read by requests with a body.
fn is_read(method: &str, target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    let object = path
        .rsplit("/composite/sobjects/")
        .next()
        .unwrap_or_default();
    method == "POST" && path.contains("/composite/sobjects/") && !object.contains('/')
}
