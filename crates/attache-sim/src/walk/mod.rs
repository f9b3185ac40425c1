//! A random walk: two devices, their people, colleagues, a clock and a bad network.
//!
//! Everything comes from the seed, and the same seed walks the same way. After
//! the walk the faults stop, and all must come to rest: each device equal to
//! what its user's briefcase says, nothing twice, and every edit accounted for.

mod ledger;
mod people;

use crate::clock::SimEnv;
use crate::random::Prng;
use crate::run::{abandon, wait};
use crate::transport::{Moment, Watcher};
use crate::world::World;
use attache::{Attache, Briefcase, Report};
use attache_sandbox::org::Rights;
use attache_sandbox::{Fault, FaultKind, Sandbox};
use ledger::{By, Ledger};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// Rows of the org: so few that people meet.
const ROWS: usize = 60;
/// Rounds of sessions after which two devices without troubles must have come to rest.
const ROUNDS_MAX: usize = 12;
/// Decisions of one person in one round after which no conflict may be left.
const DECISIONS_MAX: usize = 100;

/// What belongs to a person in the field.
const FIELD: &str = r#"{"version": 1, "objects": {"Account": {"client_key": "External_Id__c"}}, "rules": [
    {"object": "Account", "scope": "mine", "related": [
        {"children": "Contact.AccountId"}, {"children": "Opportunity.AccountId"}, {"children": "Task.WhatId"}]},
    {"object": "Opportunity", "scope": "mine", "where": "CloseDate = NEXT_N_DAYS:90", "related": [{"parent": "AccountId"}]},
    {"object": "Task", "scope": "mine", "where": "ActivityDate = THIS_WEEK"},
    {"object": "Lead", "scope": "mine"}]}"#;
/// What a person in the office takes: all of it.
const OFFICE: &str = r#"{"version": 1, "objects": {"Account": {"client_key": "External_Id__c"}},
    "rules": ["Account", "Contact", "Opportunity", "Task", {"object": "Lead", "order_by": "Company", "limit": 5}]}"#;

/// A world with its devices and its books.
struct Scene {
    world: World,
    devices: Vec<Attache>,
    ledger: Mutex<Ledger>,
    /// What happens while a session is under way.
    meanwhile: Mutex<Prng>,
}

/// What a walk came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// A number made of everything that was sent to the org: the same for the same seed.
    pub digest: u64,
    /// Requests the org was sent.
    pub requests: u64,
    /// Sessions that ended with an error, or were dropped.
    pub broken_sessions: u32,
    /// Sessions that ended well.
    pub sessions: u32,
    /// Conflicts that people met.
    pub conflicts: u32,
}

/// Walks so many steps from a seed.
///
/// # Errors
/// What is wrong in the end, a line each, with the seed.
pub fn walk(seed: u64, steps: usize) -> Result<Walked, String> {
    let scene = Scene::new(seed)?;
    let mut walked = Walked::default();
    let mut chance = Prng::fork(seed, "steps");
    scene.ledger().look(&scene.world, By::Colleague);
    for _ in 0..steps {
        scene.step(&mut chance, &mut walked);
        if !scene.ledger().wrong.is_empty() {
            break;
        }
    }
    let rest = scene.come_to_rest(&mut chance);
    let mut wrong = scene.ledger().close(&scene.world, &scene.devices);
    wrong.extend(rest.err());
    if wrong.is_empty() {
        for (user, device) in scene.devices.iter().enumerate() {
            let differences = scene.world.differences(user, device);
            let differences = differences.map_err(|error| error.to_string())?;
            wrong.extend(
                differences
                    .into_iter()
                    .map(|line| format!("device {user}: {line}")),
            );
        }
    }
    let mut hasher = DefaultHasher::new();
    for request in scene.world.sandbox.log() {
        (request.method, request.target, request.status).hash(&mut hasher);
    }
    walked.digest = hasher.finish();
    walked.requests = scene.world.sandbox.requests();
    if wrong.is_empty() {
        Ok(walked)
    } else {
        Err(format!(
            "seed {seed} of {steps} steps:\n{}",
            wrong.join("\n")
        ))
    }
}

impl Scene {
    fn new(seed: u64) -> Result<Arc<Scene>, String> {
        let world = World::built(seed, Sandbox::builder().records(ROWS));
        let office = Rights {
            view_all: true,
            modify_all: true,
        };
        let user = world.users[1].id.clone();
        world.sandbox.with_org(|org| org.set_rights(&user, office));
        let scene: Arc<OnceLock<Weak<Scene>>> = Arc::default();
        let mut devices = Vec::new();
        for (user, briefcase) in [FIELD, OFFICE].into_iter().enumerate() {
            let at = Arc::clone(&scene);
            let watcher: Watcher = Arc::new(move |moment, method, target| {
                if let Some(scene) = at.get().and_then(Weak::upgrade) {
                    scene.meanwhile(user, moment, method, target);
                }
            });
            let device = device(&world, seed, user, watcher, briefcase);
            devices.push(device.map_err(|error| error.to_string())?);
        }
        let made = Arc::new(Scene {
            world,
            devices,
            ledger: Mutex::default(),
            meanwhile: Mutex::new(Prng::fork(seed, "meanwhile")),
        });
        // Nobody else sets it.
        let _ = scene.set(Arc::downgrade(&made));
        Ok(made)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens around a request of a device: its person and colleagues go on working.
    fn meanwhile(&self, device: usize, moment: Moment, method: &str, target: &str) {
        if method != "GET" && !is_read(method, target) {
            // Transactions that were open may have come to their end.
            self.world.sandbox.with_org(|_| ());
            let by = match moment {
                Moment::Sent => By::Colleague,
                Moment::Answered => By::Device(device),
            };
            self.ledger().look(&self.world, by);
        }
        let mut chance = self
            .meanwhile
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match chance.below(60) {
            0 => self.edit(device, &mut chance),
            1 => self.colleague(&mut chance),
            2 => self.create(device, &mut chance),
            3 => self.world.sandbox.advance(1 + chance.below(20) as u32),
            4 if chance.percent(30) => self.delete(device, &mut chance),
            _ => {}
        }
    }

    fn step(&self, chance: &mut Prng, walked: &mut Walked) {
        let device = chance.below(self.devices.len());
        match chance.below(100) {
            0..28 => self.edit(device, chance),
            28..40 => self.create(device, chance),
            40..44 => self.delete(device, chance),
            44..62 => self.colleague(chance),
            62..68 => {
                let conflicts = self.devices[device].conflicts().unwrap_or_default();
                walked.conflicts += conflicts.len().min(1) as u32;
                self.resolve(device, chance);
            }
            68..70 => self.discard(device, chance),
            70..72 => self.clear_up(device, false),
            72..78 => self.pass_time(chance),
            78..80 => {
                let rows = if chance.percent(50) { 3 } else { 2_000 };
                self.world
                    .sandbox
                    .with_switches(|switches| switches.page_rows_max = rows);
            }
            _ => self.session(device, chance, walked),
        }
    }

    fn pass_time(&self, chance: &mut Prng) {
        let seconds = match chance.below(10) {
            0..5 => chance.below(90),
            5..8 => 700 + chance.below(600),
            8 => 86_400 + chance.below(86_400),
            // Longer than the org remembers deletions.
            _ if chance.percent(20) => 20 * 86_400,
            _ => 3_600,
        };
        self.world.sandbox.advance(seconds as u32);
        self.ledger().look(&self.world, By::Colleague);
    }

    /// Runs a session on a bad network, or drops it on the way.
    fn session(&self, device: usize, chance: &mut Prng, walked: &mut Walked) {
        for _ in 0..chance.below(3) {
            let kind = match chance.below(6) {
                0 => FaultKind::LoseRequest,
                1 | 2 => FaultKind::LoseAnswer,
                3 => FaultKind::Truncate(chance.below(400)),
                4 => FaultKind::Status(503, "<html>Down for maintenance</html>".into()),
                _ => {
                    let body =
                        r#"[{"message":"Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#;
                    FaultKind::Status(403, body.into())
                }
            };
            let nth = 1 + chance.below(30) as u32;
            self.world.sandbox.fail_next(Fault::new(kind).nth(nth));
        }
        let session = self.devices[device].sync();
        let ended = match chance.percent(20) {
            true => abandon(session, chance.below(60)),
            false => Some(wait(session)),
        };
        match ended {
            Some(Ok(_)) => walked.sessions += 1,
            _ => walked.broken_sessions += 1,
        }
        self.world.sandbox.clear_faults();
        // A session that was dropped after its request was executed has no one to tell.
        self.ledger().look(&self.world, By::Device(device));
    }

    /// Lets everybody settle, without faults and without anything new.
    fn come_to_rest(&self, chance: &mut Prng) -> Result<(), String> {
        *self
            .meanwhile
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Prng::still();
        self.world
            .sandbox
            .with_switches(|switches| switches.page_rows_max = 2_000);
        // Whatever date rules and sharing moved is found by the look of the next day.
        self.world.sandbox.advance(86_400);
        self.ledger().look(&self.world, By::Colleague);
        let mut looked = false;
        for round in 0..ROUNDS_MAX {
            let mut quiet = true;
            // Once a round: were it another day for the second device, the first would not know of it.
            self.world.sandbox.advance(700);
            for device in 0..self.devices.len() {
                self.decide_all(device, chance)?;
                self.clear_up(device, round > ROUNDS_MAX / 2);
                let report = wait(self.devices[device].sync());
                let report = report.map_err(|error| format!("device {device}: {error:?}"))?;
                quiet &= is_quiet(&report);
            }
            if quiet && looked {
                return Ok(());
            }
            if quiet {
                // What the others' last writes took out of sight is found by one more such look.
                self.world.sandbox.advance(86_400);
                looked = true;
            }
        }
        Err(format!("no rest after {ROUNDS_MAX} rounds"))
    }

    /// Settles all conflicts of a device.
    fn decide_all(&self, device: usize, chance: &mut Prng) -> Result<(), String> {
        let open = || self.devices[device].conflicts();
        for _ in 0..DECISIONS_MAX {
            if open().map_err(|error| error.to_string())?.is_empty() {
                return Ok(());
            }
            self.resolve(device, chance);
        }
        let left = open().map_err(|error| error.to_string())?;
        Err(format!("device {device}: no decision ends {left:?}"))
    }
}

fn device(
    world: &World,
    seed: u64,
    user: usize,
    watcher: Watcher,
    briefcase: &str,
) -> attache::Result<Attache> {
    let env = SimEnv::new(world.sandbox.clone(), seed.wrapping_add(user as u64));
    let device = Attache::open_in_memory()?
        .with_env(env)
        .with_remote(world.watched_remote(user, watcher)?);
    device.set_briefcase(Briefcase::from_json(briefcase)?)?;
    Ok(device)
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

/// Records are also read by requests with a body.
fn is_read(method: &str, target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    let object = path
        .rsplit("/composite/sobjects/")
        .next()
        .unwrap_or_default();
    method == "POST" && path.contains("/composite/sobjects/") && !object.contains('/')
}
