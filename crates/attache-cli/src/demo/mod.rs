//! `attache demo`: the whole product at work, and the proof that it was right.
//!
//! Two people pack a briefcase each from an org on a real loopback socket, work
//! a day without a network while colleagues and triggers change the same
//! records, and come home. Then everything is compared, record by record and
//! field by field, against an expectation that the engine has no part in.
//!
//! A seed decides the org, the day and everybody's choices; whatever the seed,
//! nothing may be lost, exist twice or differ.

mod colleagues;
mod compare;
mod diary;
mod edits;
mod fields;
mod ledger;
mod narrate;
mod plan;
mod random;
mod settle;
mod world;

use crate::commands::ReportView;
use crate::error::{Failure, Result};
use crate::output::Output;
use crate::progress::Bar;
use attache::{Problem, Report};
use clap::Args;
use compare::{Findings, Snapshot};
use diary::Diary;
use edits::Day;
use ledger::Ledger;
use narrate::Narrator;
use plan::{Dealer, Scene};
use random::Random;
use serde::Serialize;
use settle::{RefusalView, SessionView, SettledView, WayHome};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use world::{Device, World};

/// From the evening to a quarter past the hour at which the day before began.
const NIGHT_S: u32 = 16 * 3_600;

/// How the demo varies.
#[derive(Args)]
pub struct Arguments {
    /// Decides the org, the day and everybody's choices.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Records of the org, roughly [default: 5,000].
    #[arg(long)]
    records: Option<usize>,
    /// Keep the two stores in this folder.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// A briefcase as it was packed.
struct Packed {
    report: Report,
    seconds: f64,
    objects: Vec<(String, u64)>,
}

/// What happened, from the first step to the last.
struct Story {
    seed: u64,
    url: String,
    records: u64,
    packed: Vec<Packed>,
    offline: Vec<Offline>,
    refused_locally: Vec<Problem>,
    diary: Diary,
    typed: usize,
    waiting: Vec<u64>,
    home: WayHome,
    again: Vec<(Report, f64)>,
    findings: Findings,
    seconds: f64,
}

/// What a session says when there is no network.
#[derive(Serialize)]
struct Offline {
    user: String,
    error: String,
    records: u64,
    pending: u64,
}

/// The story as data.
#[derive(Serialize)]
struct StoryView<'a> {
    seed: u64,
    agree: bool,
    differences: &'a [String],
    url: &'a str,
    records: u64,
    packed: Vec<PackedView<'a>>,
    offline: &'a [Offline],
    refused_locally: &'a [Problem],
    day: &'a Diary,
    sessions: Vec<SessionView<'a>>,
    conflicts: Vec<SettledView<'a>>,
    refusals: Vec<RefusalView<'a>>,
    sync_again: Vec<ReportView<'a>>,
    compared: &'a Findings,
    api_calls: u64,
    seconds: f64,
}

#[derive(Serialize)]
struct PackedView<'a> {
    user: &'a str,
    records: std::collections::BTreeMap<&'a str, u64>,
    report: ReportView<'a>,
}

/// Runs the demo. The exit code is 0 only if everything agrees.
pub fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode> {
    let nursery = tempfile::tempdir()
        .map_err(|error| Failure::file("make a folder in", &std::env::temp_dir(), &error))?;
    let folder = match &arguments.keep {
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .map_err(|error| Failure::file("make the folder", folder, &error))?;
            folder.as_path()
        }
        None => nursery.path(),
    };
    let paths = ["first.db", "second.db"].map(|name| folder.join(name));
    if let Some(taken) = paths.iter().find(|path| path.exists()) {
        return Err(
            Failure::usage(format!("{} exists already", taken.display()))
                .hint("give --keep another folder"),
        );
    }
    let started = Instant::now();
    let mut random = Random::new(arguments.seed, "shared records");
    let (world, people) = World::open(arguments.seed, arguments.records)?;
    let shared = plan::share(&world, &people, &mut random)?;
    let [first, second] = people;
    let devices = [
        world.device(first, &paths[0], arguments.seed, 154)?,
        world.device(second, &paths[1], arguments.seed, -415)?,
    ];
    let narrator = Narrator::new(output);
    let story = tell(
        arguments.seed,
        &world,
        &devices,
        &shared,
        &narrator,
        started,
    )?;
    if output.is_json() {
        output.data(&story.view(&devices))?;
    }
    match story.findings.differences.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::FAILURE),
    }
}

/// Plays the six acts.
fn tell(
    seed: u64,
    world: &World,
    devices: &[Device; 2],
    shared: &plan::Shared,
    narrator: &Narrator<'_>,
    started: Instant,
) -> Result<Story> {
    let morning = Snapshot::take(world)?;
    let mut story = Story::new(seed, world.url(), world.records());
    narrator.opening(&story)?;
    story.packed = pack(devices, narrator)?;
    narrator.packed(&story, devices)?;
    world.sandbox.offline(true);
    world.pass(900);
    story.offline.extend(try_offline(devices)?);
    narrator.offline(&story, devices)?;

    let (mut ledger, mut diary) = (Ledger::default(), Diary::default());
    let mut random = Random::new(seed, "parts");
    let scenes = Dealer::new(world, devices, shared, &mut random).deal()?;
    let mut random = Random::new(seed, "day");
    let mut day = Day {
        world,
        devices,
        ledger: &mut ledger,
        diary: &mut diary,
        random: &mut random,
        seed,
    };
    story.refused_locally = live(&mut day, &scenes)?;
    story.typed = day.ledger.typed;
    for device in devices {
        story.waiting.push(device.store.status()?.pending);
    }
    story.offline.extend(try_offline(devices)?);
    narrator.day(&story, devices, day.diary)?;
    narrator.meanwhile(&world.colleague.name, day.diary)?;

    world.pass(NIGHT_S);
    world.sandbox.offline(false);
    story.home = day.go_home(narrator.shows_bars())?;
    story.diary = diary;
    narrator.home(&story, devices)?;

    story.findings = compare::compare(world, devices, &ledger, &morning)?;
    check_the_rest(world, devices, &mut story, narrator)?;
    story.seconds = started.elapsed().as_secs_f64();
    narrator.verdict(&story, devices)?;
    Ok(story)
}

/// Primes both briefcases.
fn pack(devices: &[Device; 2], narrator: &Narrator<'_>) -> Result<Vec<Packed>> {
    let mut packed = Vec::new();
    for device in devices {
        let bar = Bar::new(&device.person.name, narrator.shows_bars());
        let (report, seconds) = settle::sync(device, &bar);
        bar.finish();
        packed.push(Packed {
            report: report?,
            seconds,
            objects: device.store.status()?.records,
        });
    }
    Ok(packed)
}

/// Syncs without a network: that must fail, and change nothing.
fn try_offline(devices: &[Device; 2]) -> Result<Vec<Offline>> {
    let mut tried = Vec::new();
    for device in devices {
        let before = device.store.status()?;
        let (outcome, _) = settle::sync(device, &Bar::new("", false));
        let after = device.store.status()?;
        let error = match outcome {
            Err(failure) => failure.sentence(),
            Ok(_) => {
                return Err(Failure::new(
                    attache::ErrorKind::Internal,
                    "a sync without a network said it was done",
                ));
            }
        };
        if (&before.records, before.pending) != (&after.records, after.pending) {
            return Err(Failure::new(
                attache::ErrorKind::Internal,
                "a sync without a network changed the store",
            ));
        }
        let records = after.records.iter().map(|(_, count)| count).sum();
        tried.push(Offline {
            user: device.person.name.clone(),
            error,
            records,
            pending: after.pending,
        });
    }
    Ok(tried)
}

/// Lives the day: everybody's writes, in an order that chance decides.
fn live(day: &mut Day<'_>, scenes: &[Scene]) -> Result<Vec<Problem>> {
    enum Act<'a> {
        Mine(&'a Scene),
        Theirs(&'a Scene),
        Customer(usize),
        Calendar(usize),
        Mistype(usize),
    }
    let mut acts: Vec<Act<'_>> = scenes
        .iter()
        .flat_map(|scene| [Act::Mine(scene), Act::Theirs(scene)])
        .collect();
    for device in 0..2 {
        acts.extend([
            Act::Customer(device),
            Act::Calendar(device),
            Act::Mistype(device),
        ]);
    }
    day.random.shuffle(&mut acts);
    let pause = (8 * 3_600 / acts.len().max(1)) as u32;
    for act in acts {
        day.world.pass(pause);
        match act {
            Act::Mine(scene) => day.play_mine(scene)?,
            Act::Theirs(scene) => day.play_theirs(scene)?,
            Act::Customer(device) => day.meet_customer(device)?,
            Act::Calendar(device) => day.keep_calendar(device)?,
            Act::Mistype(device) => day.mistype_contact(device)?,
        }
    }
    day.mistype_locally(0)
}

/// Checks what no comparison shows: the way home ended, and one more sync has nothing to do.
fn check_the_rest(
    world: &World,
    devices: &[Device; 2],
    story: &mut Story,
    narrator: &Narrator<'_>,
) -> Result<()> {
    let differences = &mut story.findings.differences;
    if !story.home.is_quiet {
        differences.push("the devices still had something to do after ten rounds".into());
    }
    for session in &story.home.sessions {
        if let Err(failure) = &session.outcome
            && !settle::is_passing(failure)
        {
            differences.push(format!(
                "{}: {}",
                devices[session.device].person.name,
                failure.sentence()
            ));
        }
    }
    let evening = Snapshot::take(world)?;
    for device in devices {
        world.pass(300);
        let bar = Bar::new(&device.person.name, narrator.shows_bars());
        let (report, seconds) = settle::sync(device, &bar);
        bar.finish();
        let report = report?;
        if !settle::is_idle(&report) || !report.is_settled() {
            differences.push(format!(
                "{}: a sync after the last one had something to do",
                device.person.name
            ));
        }
        story.again.push((report, seconds));
    }
    let written = evening.differing(&Snapshot::take(world)?);
    if written > 0 {
        differences.push(format!(
            "a sync after the last one changed {written} records at the org"
        ));
    }
    Ok(())
}

impl Story {
    fn new(seed: u64, url: String, records: u64) -> Story {
        Story {
            seed,
            url,
            records,
            packed: Vec::new(),
            offline: Vec::new(),
            refused_locally: Vec::new(),
            diary: Diary::default(),
            typed: 0,
            waiting: Vec::new(),
            home: WayHome::default(),
            again: Vec::new(),
            findings: Findings::default(),
            seconds: 0.0,
        }
    }

    /// Calls of all sessions.
    fn api_calls(&self) -> u64 {
        let packed = self.packed.iter().map(|packed| packed.report.api_calls);
        let home = self
            .home
            .sessions
            .iter()
            .filter_map(|session| session.outcome.as_ref().ok());
        let again = self.again.iter().map(|(report, _)| report.api_calls);
        packed
            .chain(home.map(|report| report.api_calls))
            .chain(again)
            .sum()
    }

    fn view<'a>(&'a self, devices: &'a [Device; 2]) -> StoryView<'a> {
        let packed = self
            .packed
            .iter()
            .zip(devices)
            .map(|(packed, device)| PackedView {
                user: &device.person.name,
                records: packed
                    .objects
                    .iter()
                    .map(|(object, count)| (object.as_str(), *count))
                    .collect(),
                report: ReportView::of(&packed.report, packed.seconds),
            });
        StoryView {
            seed: self.seed,
            agree: self.findings.differences.is_empty(),
            differences: &self.findings.differences,
            url: &self.url,
            records: self.records,
            packed: packed.collect(),
            offline: &self.offline,
            refused_locally: &self.refused_locally,
            day: &self.diary,
            sessions: self
                .home
                .sessions
                .iter()
                .map(|session| session.view(devices))
                .collect(),
            conflicts: self
                .home
                .conflicts
                .iter()
                .map(|settled| settled.view(devices))
                .collect(),
            refusals: self
                .home
                .refusals
                .iter()
                .map(|refusal| refusal.view(devices))
                .collect(),
            sync_again: self
                .again
                .iter()
                .map(|(report, seconds)| ReportView::of(report, *seconds))
                .collect(),
            compared: &self.findings,
            api_calls: self.api_calls(),
            seconds: (self.seconds * 1_000.0).round() / 1_000.0,
        }
    }
}
