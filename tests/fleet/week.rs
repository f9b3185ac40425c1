//! The days of a fleet.

use attache::{ApiUsage, ErrorKind, Pace, Remote, ServerTime};
use attache_salesforce::{Budget, Salesforce, StaticToken};
use attache_sandbox::{Logged, Sandbox};
use attache_sim::{InProcess, Prng, wait};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

pub const DEVICES: usize = 5_000;
pub const DAYS: usize = 7;
/// How often a device comes that has no pace.
pub const FIXED: Duration = Duration::from_secs(15 * 60);

/// 2026-03-02, a Monday, at midnight, in milliseconds since 1970.
const MIDNIGHT: i64 = 1_772_409_600_000;
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// When everybody switches on, and off.
const OPEN: (i64, i64) = (9 * HOUR_MS, 17 * HOUR_MS);
/// Minutes of a bar of the plot.
const BAR: usize = 10;

/// What a record of an object needs.
pub fn sample(object: &str) -> &'static [(&'static str, &'static str)] {
    match object {
        "Account" => &[("Name", "\"Pier\"")],
        "Contact" => &[("LastName", "\"Ohm\"")],
        "Opportunity" => &[
            ("Name", "\"Mole\""),
            ("StageName", "\"Prospecting\""),
            ("CloseDate", "\"2026-03-20\""),
        ],
        _ => &[("Subject", "\"Call\"")],
    }
}

/// How the devices of a fleet behave, and what the org allows.
#[derive(Clone, Copy)]
pub struct Rules {
    pub calls_a_day: u64,
    pub percent_max: Option<u8>,
    /// None: a timer of [`FIXED`].
    pub pace: Option<Pace>,
    /// Calls of a session where nothing changed.
    pub idle: u64,
    /// Calls of the first session of a day.
    pub morning: u64,
}

struct Device {
    remote: Salesforce,
    told: ApiUsage,
    told_at: Option<i64>,
    /// Sessions of this day that came to their end.
    done: u32,
}

pub struct Fleet {
    rules: Rules,
    sandbox: Sandbox,
    devices: Vec<Device>,
    chance: Prng,
}

/// What a day saw.
pub struct Day {
    /// Calls in each minute.
    minutes: Vec<u64>,
    /// Whole sessions of each device.
    sessions: Vec<u32>,
    /// Sessions that stopped at their budget.
    pub stopped: u64,
    /// Calls that the org refused for its limit.
    pub refused: u64,
    /// Calls of any 24 hours, at most, as the org counts them.
    pub used_max: u64,
}

impl Fleet {
    pub fn new(rules: Rules) -> Fleet {
        let sandbox = Sandbox::builder()
            .seed(5)
            .records(0)
            .now("2026-03-02T00:00:00Z")
            .manual_clock()
            .build()
            .expect("an org");
        sandbox.with_switches(|switches| switches.daily_calls_max = rules.calls_a_day);
        let users = sandbox.users();
        let device = |at: usize| Device {
            remote: Salesforce::builder(
                "https://fleet.my.salesforce.com",
                StaticToken::new(&users[at % users.len()].access_token),
            )
            .transport(Arc::new(InProcess::new(sandbox.clone())))
            .budget(Budget {
                org_percent_max: rules.percent_max,
                ..Budget::default()
            })
            .build()
            .expect("a client"),
            told: ApiUsage::default(),
            told_at: None,
            done: 0,
        };
        Fleet {
            rules,
            devices: (0..DEVICES).map(device).collect(),
            chance: Prng::fork(5, "fleet"),
            sandbox,
        }
    }

    pub fn live(&mut self, days: usize) -> Vec<Day> {
        (0..days as i64)
            .map(|day| self.day(MIDNIGHT + day * DAY_MS))
            .collect()
    }

    fn day(&mut self, midnight: i64) -> Day {
        let mut day = Day {
            minutes: vec![0; 24 * 60],
            sessions: Vec::new(),
            stopped: 0,
            refused: 0,
            used_max: 0,
        };
        let mut due: BinaryHeap<Reverse<(i64, usize)>> = (0..DEVICES)
            .map(|at| Reverse((self.again(at, midnight + OPEN.0, true), at)))
            .collect();
        while let Some(Reverse((now, at))) = due.pop() {
            if now >= midnight + OPEN.1 {
                break;
            }
            self.sandbox.set_time_ms(now);
            self.session(at, now, &mut day, ((now - midnight) / 60_000) as usize);
            due.push(Reverse((self.again(at, now, false), at)));
        }
        day.sessions = self
            .devices
            .iter_mut()
            .map(|device| std::mem::take(&mut device.done))
            .collect();
        let turned_away = |logged: &Logged| logged.status == Some(403);
        let log = self.sandbox.log();
        day.refused = log.iter().filter(|logged| turned_away(logged)).count() as u64;
        self.sandbox.clear_log();
        day
    }

    /// When a device comes next.
    fn again(&mut self, at: usize, now: i64, woke: bool) -> i64 {
        let Some(pace) = self.rules.pace else {
            let wait = if woke { Duration::ZERO } else { FIXED };
            return now + wait.as_millis() as i64;
        };
        let device = &self.devices[at];
        let since = device.told_at.map(|told| now - told);
        let since = since.map(|since| Duration::from_millis(since.unsigned_abs()));
        let draw = self.chance.below(1 << 20) as f64 / f64::from(1 << 20);
        now + pace.wait(device.told, since, draw).as_millis() as i64
    }

    fn session(&mut self, at: usize, now: i64, day: &mut Day, minute: usize) {
        let device = &mut self.devices[at];
        let calls = match device.done {
            0 => self.rules.morning,
            _ => self.rules.idle,
        };
        let start = ServerTime(now / 1_000 - 3_600);
        let before = device.remote.usage().calls;
        let mut whole = true;
        while whole && device.remote.usage().calls < before + calls {
            if let Err(error) = wait(device.remote.updated("Account", start)) {
                assert_eq!(error.kind(), ErrorKind::LimitReached, "{error}");
                whole = false;
            }
        }
        day.minutes[minute] += device.remote.usage().calls - before;
        device.done += u32::from(whole);
        day.stopped += u64::from(!whole);
        let usage = device.remote.usage();
        if usage.used.is_some() {
            device.told = usage;
        }
        device.told_at = Some(now);
        day.used_max = day.used_max.max(usage.used.unwrap_or(0));
    }
}

impl Day {
    pub fn fewest(&self) -> u32 {
        self.sessions.iter().copied().min().unwrap_or(0)
    }

    /// Calls of the fullest minute.
    pub fn peak(&self) -> u64 {
        self.minutes.iter().copied().max().unwrap_or(0)
    }

    /// Prints a row for each day, and the first day minute by minute.
    pub fn print(days: &[Day]) {
        println!("day    calls  peak/min  sessions  a device: fewest  most  stopped  refused");
        for (at, day) in days.iter().enumerate() {
            println!(
                "{at:3} {:8} {:9} {:9} {:17} {:5} {:8} {:8}",
                day.minutes.iter().sum::<u64>(),
                day.peak(),
                day.sessions.iter().map(|&n| u64::from(n)).sum::<u64>(),
                day.fewest(),
                day.sessions.iter().copied().max().unwrap_or(0),
                day.stopped,
                day.refused
            );
        }
        let Some(first) = days.first() else { return };
        let bars: Vec<u64> = first
            .minutes
            .chunks(BAR)
            .map(|minutes| minutes.iter().sum::<u64>() / BAR as u64)
            .collect();
        let most = bars.iter().copied().max().unwrap_or(0).max(1);
        println!("calls per minute of day 0, by ten minutes");
        for (at, bar) in bars.iter().enumerate().filter(|(_, bar)| **bar > 0) {
            let width = (bar * 60).div_ceil(most) as usize;
            println!(
                "{:02}:{:02} {bar:6} {}",
                at * BAR / 60,
                at * BAR % 60,
                "█".repeat(width)
            );
        }
    }
}
