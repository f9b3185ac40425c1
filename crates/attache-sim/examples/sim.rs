//! Walks many seeds on all cores: what `cargo xtask sim` runs, see its `--help`.

use attache_sim::{Failure, Scenario, Walked, run, shrink, walk};
use clap::Parser;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Walks that shrinking a failure may take.
const SHRINKING_WALKS_MAX: usize = 300;
/// Failures that are shrunk in one run.
const SHRUNK_MAX: usize = 3;

#[derive(Parser)]
#[command(
    name = "cargo xtask sim",
    about = "Walks seeds: devices, an org and faults in virtual time"
)]
struct Arguments {
    /// The seeds, the last not included.
    #[arg(long, value_parser = range, default_value = "0..1000")]
    seeds: Range<u64>,
    /// Steps of a walk.
    #[arg(long, default_value_t = 80)]
    steps: usize,
    /// Begins no walk after so many minutes.
    #[arg(long)]
    minutes: Option<u64>,
    /// Walks at the same time; all cores unless said.
    #[arg(long)]
    threads: Option<usize>,
    /// Walks each seed twice, and fails if the two differ.
    #[arg(long)]
    twice: bool,
    /// Prints the result as one line of JSON.
    #[arg(long)]
    json: bool,
    /// Walks one scenario, as a failure prints it, and tells its story; one that fails is shrunk.
    #[arg(long, value_name = "SCENARIO")]
    replay: Option<Scenario>,
    /// Plants each known mistake in turn, or the one of this name, and says at which seed it is found. Needs the
    /// feature `simulation`.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    planted: Option<String>,
}

impl Arguments {
    fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(cores)
    }
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (first, last) = text.split_once("..").ok_or("seeds are FIRST..LAST")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    Ok(number(first)?..number(last)?)
}

/// What all walks came to.
#[derive(Default)]
struct Sum {
    walks: u64,
    sessions: u64,
    broken_sessions: u64,
    requests: u64,
    device_seconds: u64,
    met: BTreeMap<String, u64>,
    failures: Vec<Failure>,
    unlike: Vec<u64>,
    arms: BTreeSet<(&'static str, String)>,
}

impl Sum {
    fn add(&mut self, walked: &Walked) {
        self.walks += 1;
        self.sessions += u64::from(walked.sessions);
        self.broken_sessions += u64::from(walked.broken_sessions);
        self.requests += walked.requests;
        self.device_seconds += walked.seconds * u64::from(walked.devices);
        for (name, count) in &walked.met {
            *self.met.entry(name.clone()).or_default() += count;
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout();
    if let Some(scenario) = &arguments.replay {
        return replay(scenario, &mut out);
    }
    if let Some(name) = &arguments.planted {
        return planted(name, &arguments, &mut out);
    }
    let begun = Instant::now();
    let sum = walk_all(&arguments, begun);
    // A reader that has gone away needs no more lines.
    let good = sum.failures.is_empty() && sum.unlike.is_empty();
    let _ = tell(&arguments, sum, begun, &mut out);
    ExitCode::from(u8::from(!good))
}

fn walk_all(arguments: &Arguments, begun: Instant) -> Sum {
    let next = AtomicU64::new(arguments.seeds.start);
    let sum = Mutex::new(Sum::default());
    let until = arguments
        .minutes
        .map(|minutes| Duration::from_secs(60 * minutes));
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads() {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let late = until.is_some_and(|until| begun.elapsed() >= until);
                    if seed >= arguments.seeds.end || late {
                        break;
                    }
                    one(arguments, seed, &sum);
                }
            });
        }
    });
    sum.into_inner().unwrap_or_else(|error| error.into_inner())
}

fn one(arguments: &Arguments, seed: u64, sum: &Mutex<Sum>) {
    let walked = walk(seed, arguments.steps);
    let unlike = arguments.twice && !alike(&walked, &walk(seed, arguments.steps));
    let mut sum = sum.lock().unwrap_or_else(|error| error.into_inner());
    #[cfg(feature = "simulation")]
    sum.arms.extend(attache_sim::simulation::take_met());
    if unlike {
        sum.unlike.push(seed);
    }
    match walked {
        Ok(walked) => sum.add(&walked),
        Err(failure) => {
            // Whoever does not read it is told at the end.
            let _ = write!(std::io::stderr(), "{failure}");
            sum.failures.push(failure);
        }
    }
}

fn alike(once: &Result<Walked, Failure>, twice: &Result<Walked, Failure>) -> bool {
    match (once, twice) {
        (Ok(once), Ok(twice)) => once == twice,
        (Err(once), Err(twice)) => once.wrong == twice.wrong,
        _ => false,
    }
}

fn tell(
    arguments: &Arguments,
    sum: Sum,
    begun: Instant,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    let cpu_minutes = cpu_minutes().unwrap_or(minutes);
    match arguments.json {
        true => tell_json(&sum, minutes, cpu_minutes, out)?,
        false => tell_people(arguments, &sum, minutes, cpu_minutes, out)?,
    }
    for failure in sum.failures.into_iter().take(SHRUNK_MAX) {
        let shrunk = shrink(failure, SHRINKING_WALKS_MAX);
        let out = &mut std::io::stderr();
        writeln!(
            out,
            "\nshrunk in {} walks: {}",
            shrunk.walks, shrunk.failure
        )?;
        for line in &shrunk.failure.story {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

fn tell_json(
    sum: &Sum,
    minutes: f64,
    cpu_minutes: f64,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let failed = |failure: &Failure| serde_json::json!({"replay": failure.scenario.to_string(), "wrong": failure.wrong});
    let told = serde_json::json!({
        "seeds": sum.walks + sum.failures.len() as u64,
        "failures": sum.failures.iter().map(failed).collect::<Vec<_>>(),
        "unlike": sum.unlike,
        "minutes": minutes,
        "cpu_minutes": cpu_minutes,
        "device_days": sum.device_seconds as f64 / 86_400.0,
        "sessions": sum.sessions,
        "broken_sessions": sum.broken_sessions,
        "requests": sum.requests,
        "arms_met": sum.arms.len(),
        "arms": arms().len(),
        "met": sum.met,
    });
    writeln!(out, "{told}")
}

fn tell_people(
    arguments: &Arguments,
    sum: &Sum,
    minutes: f64,
    cpu_minutes: f64,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let walks = sum.walks + sum.failures.len() as u64;
    let days = sum.device_seconds as f64 / 86_400.0;
    writeln!(
        out,
        "{walks} seeds of {} steps in {minutes:.1} minutes ({:.0} a minute): {} failed, {} did not repeat",
        arguments.steps,
        walks as f64 / minutes,
        sum.failures.len(),
        sum.unlike.len()
    )?;
    writeln!(
        out,
        "{days:.0} device-days, {:.0} a CPU minute; {} sessions, {} broken; {} requests",
        days / cpu_minutes,
        sum.sessions,
        sum.broken_sessions,
        sum.requests
    )?;
    for (name, count) in &sum.met {
        writeln!(out, "{count:10} {name}")?;
    }
    let all = arms();
    if !all.is_empty() {
        let missed: Vec<String> = all
            .difference(&sum.arms)
            .map(|(table, arm)| format!("{table}: {arm}"))
            .collect();
        let met = sum.arms.len();
        writeln!(out, "{met} of {} arms met; missed: {missed:?}", all.len())?;
    }
    Ok(())
}

/// What all threads have used of the processors.
#[cfg(unix)]
fn cpu_minutes() -> Option<f64> {
    let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some((cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9) / 60.0)
}

#[cfg(not(unix))]
fn cpu_minutes() -> Option<f64> {
    None
}

#[cfg(feature = "simulation")]
fn arms() -> BTreeSet<(&'static str, String)> {
    attache_sim::simulation::arms()
}

/// Only a build for simulations tells which arms were met.
#[cfg(not(feature = "simulation"))]
fn arms() -> BTreeSet<(&'static str, String)> {
    BTreeSet::new()
}

fn replay(scenario: &Scenario, out: &mut impl Write) -> ExitCode {
    let (failed, story) = match run(scenario, true) {
        Ok(walked) => (false, format!("nothing is wrong: {walked:?}")),
        Err(failure) => {
            let shrunk = shrink(failure, SHRINKING_WALKS_MAX);
            let story = shrunk.failure.story.join("\n");
            (true, format!("{story}\n{}", shrunk.failure))
        }
    };
    // As above.
    let _ = writeln!(out, "{story}");
    ExitCode::from(u8::from(failed))
}

#[cfg(feature = "simulation")]
fn planted(name: &str, arguments: &Arguments, out: &mut impl Write) -> ExitCode {
    use attache_sim::simulation::Bug;
    let is_meant = |bug: &&Bug| name.is_empty() || name == format!("{bug:?}");
    let bugs: Vec<&Bug> = Bug::ALL.iter().filter(is_meant).collect();
    if bugs.is_empty() {
        let _ = writeln!(out, "no mistake {name} is known; these are: {:?}", Bug::ALL);
        return ExitCode::from(2);
    }
    let mut missed = 0;
    for bug in bugs {
        let line = match first_to_find(*bug, arguments) {
            Some(failure) => {
                let what = failure.wrong.first().cloned().unwrap_or_default();
                format!("{bug:?}: seed {}: {what}", failure.scenario.seed)
            }
            None => {
                missed += 1;
                format!("{bug:?}: NOT FOUND")
            }
        };
        let _ = writeln!(out, "{line}");
    }
    ExitCode::from(u8::from(missed > 0))
}

/// The first seed that fails with a mistake in the engine, and does not fail without it.
#[cfg(feature = "simulation")]
fn first_to_find(bug: attache_sim::simulation::Bug, arguments: &Arguments) -> Option<Failure> {
    use attache_sim::simulation::plant;
    let next = AtomicU64::new(arguments.seeds.start);
    let found: Mutex<Option<Failure>> = Mutex::new(None);
    let best = |found: &Option<Failure>| found.as_ref().map_or(u64::MAX, |it| it.scenario.seed);
    let hold = || found.lock().unwrap_or_else(|error| error.into_inner());
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads() {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= arguments.seeds.end || best(&hold()) < seed {
                        break;
                    }
                    plant(Some(bug));
                    let walked = walk(seed, arguments.steps);
                    plant(None);
                    let Err(failure) = walked else { continue };
                    if walk(seed, arguments.steps).is_err() {
                        continue;
                    }
                    let mut found = hold();
                    if seed < best(&found) {
                        *found = Some(failure);
                    }
                }
            });
        }
    });
    found
        .into_inner()
        .unwrap_or_else(|error| error.into_inner())
}

#[cfg(not(feature = "simulation"))]
fn planted(_: &str, _: &Arguments, out: &mut impl Write) -> ExitCode {
    let _ = writeln!(
        out,
        "built without the feature simulation: cargo xtask sim --planted builds with it"
    );
    ExitCode::from(2)
}
