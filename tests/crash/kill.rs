//! A process is killed at a random moment of a sync: nothing is lost, nothing happens twice.
//!
//! A real process with a real store file and a real socket, killed with SIGKILL.
//! Each round makes edits of all kinds, starts a sync, kills it at a moment that
//! its seed decides, and lets the next sync end what was begun. A moment is so
//! many requests that the org has seen, and a part of a pause: a busy machine
//! moves it no further than it slows the sync. Four orgs share the rounds, so
//! that they run side by side.

mod program;

use attache::{Attache, RecordId, Value};
use attache_salesforce::{Salesforce, StaticToken};
use attache_sandbox::{Sandbox, Serving};
use attache_sim::{Prng, World};
use attache_tests::{agrees, all, at_org, create, edit, field_sales, integrity, server_id, settle};
use program::{ended, rounds_or};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

/// Rounds of each org, unless somebody asks for more: 200 kills in all.
const ROUNDS: usize = 50;
/// Families made in a round, and edits of other records.
const FAMILIES: usize = 4;

struct Scene {
    world: World,
    serving: Serving,
    folder: tempfile::TempDir,
    chance: Prng,
    /// The accounts of earlier rounds, oldest first.
    old: VecDeque<RecordId>,
    /// A first sync that nobody kills, and one with a round's edits.
    whole: [Whole; 2],
}

/// A sync that nobody kills.
#[derive(Clone, Copy, Debug, Default)]
struct Whole {
    requests: u64,
    /// From its start to its first request.
    start: Duration,
}

/// What a round has to bring to the org.
struct Round {
    made: Vec<(&'static str, &'static str, String, RecordId)>,
    edited: Vec<(RecordId, String)>,
    deleted: Vec<String>,
}

impl Scene {
    fn new(seed: u64) -> Scene {
        let sandbox = Sandbox::builder()
            .seed(seed)
            .records(300)
            .build()
            .expect("a sandbox without files builds");
        let serving = Serving::spawn(sandbox.clone(), 0).expect("a free port");
        Scene {
            world: World::around(seed, sandbox),
            serving,
            folder: tempfile::tempdir().expect("a folder"),
            chance: Prng::fork(seed, "kill"),
            old: VecDeque::new(),
            whole: [Whole::default(); 2],
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("device.db")
    }

    fn open(&self) -> Attache {
        let token = StaticToken::new(&self.world.users[0].access_token);
        let org = Salesforce::new(self.serving.url(), token).expect("a good address");
        let device = Attache::open(self.file()).expect("the store opens");
        device.with_remote(org)
    }

    /// Throws the store away: the next sync is a first one.
    fn forget(&self) {
        for name in ["device.db", "device.db-wal", "device.db-shm"] {
            let _ = std::fs::remove_file(self.folder.path().join(name));
        }
        let device = self.open();
        device
            .set_briefcase(field_sales())
            .expect("a briefcase is stored");
        // As `attache init` leaves it.
        device
            .set_host_value("attache-cli.url", self.serving.url())
            .expect("a note");
    }

    fn spawn(&self) -> Child {
        program::command(&["sync"])
            .arg(self.file())
            .env("ATTACHE_ACCESS_TOKEN", &self.world.users[0].access_token)
            .spawn()
            .expect("the device starts")
    }

    /// Makes a round's edits: families, edits of others, and deletes.
    fn work(&mut self, round: usize) -> Round {
        let device = self.open();
        let mut work = Round {
            made: Vec::new(),
            edited: Vec::new(),
            deleted: Vec::new(),
        };
        for n in 0..FAMILIES {
            let mark = format!("Round {round} family {n}");
            let account = create(&device, "Account", [("Name", mark.as_str())]);
            let of = |field: &'static str| (field, Value::from(&account));
            let name = |field: &'static str| (field, Value::from(mark.as_str()));
            let contact = create(&device, "Contact", [name("LastName"), of("AccountId")]);
            let close = Value::Date(jiff::civil::date(2031, 5, 6));
            let stage = ("StageName", Value::from("Prospecting"));
            let opportunity = [name("Name"), of("AccountId"), stage, ("CloseDate", close)];
            let opportunity = create(&device, "Opportunity", opportunity);
            let task = [
                name("Subject"),
                of("WhatId"),
                ("WhoId", Value::from(&contact)),
            ];
            let task = create(&device, "Task", task);
            work.made.push(("Account", "Name", mark.clone(), account));
            work.made
                .push(("Contact", "LastName", mark.clone(), contact));
            work.made
                .push(("Opportunity", "Name", mark.clone(), opportunity));
            work.made.push(("Task", "Subject", mark, task));
        }
        let seeded = "SELECT Id FROM Account WHERE NOT Name LIKE 'Round %' ORDER BY Id LIMIT 4";
        for (n, id) in all(&device, seeded).into_iter().enumerate() {
            let site = format!("Round {round} edit {n}");
            edit(&device, &id, "Site", site.as_str());
            work.edited.push((id, site));
        }
        while self.old.len() > 2 * FAMILIES {
            let account = self.old.pop_front().expect("there are more than none");
            work.deleted.push(server_id(&device, &account));
            device.delete(&account).expect("an account may be deleted");
        }
        work
    }

    /// Waits until the org has seen more requests than `seen`, and says how many; `None` if the device ended.
    fn next_request(&self, child: &mut Child, seen: u64) -> Option<u64> {
        loop {
            let ended = ended(child);
            let now = self.world.sandbox.requests();
            if now > seen {
                return Some(now);
            }
            if ended {
                return None;
            }
            std::thread::yield_now();
        }
    }

    /// Kills a sync after a number of requests that chance decides, and a part of the time that the last
    /// of them took to come. Says whether it was still at work.
    fn kill(&mut self, whole: Whole) -> bool {
        let requests = self.chance.below(whole.requests as usize + 1) as u64;
        let part = self.chance.below(1_000) as u32;
        self.world.sandbox.clear_log();
        let mut child = self.spawn();
        let (mut seen, mut pause, mut last) = (0, whole.start, Instant::now());
        while seen < requests
            && let Some(now) = self.next_request(&mut child, seen)
        {
            // The first one has no other before it: that much is the device's start.
            pause = last.elapsed() * u32::from(seen > 0);
            (seen, last) = (now, Instant::now());
        }
        while last.elapsed() < pause * part / 1_000 && !ended(&mut child) {
            std::thread::yield_now();
        }
        let finished = ended(&mut child);
        child.kill().expect("the device can be killed");
        child.wait().expect("the device is gone");
        !finished
    }

    /// Measures a sync that nobody kills.
    fn measure(&self) -> Whole {
        self.world.sandbox.clear_log();
        let began = Instant::now();
        let mut child = self.spawn();
        self.next_request(&mut child, 0);
        let start = began.elapsed();
        let status = child.wait().expect("the device ends");
        assert!(status.success());
        Whole {
            requests: self.world.sandbox.requests(),
            start,
        }
    }

    fn check(&mut self, round: usize, work: Round) {
        integrity(&self.file());
        let device = self.open();
        settle(&self.world, &device);
        for (object, field, mark, id) in &work.made {
            let times = self.world.times(object, field, mark);
            assert_eq!(times, Ok(1), "round {round}: {object} {mark}");
            server_id(&device, id);
        }
        for (id, site) in &work.edited {
            let there = at_org(&self.world, "Account", id.as_str(), "Site");
            assert_eq!(there, Some(format!("{site:?}")), "round {round}");
        }
        for id in &work.deleted {
            assert_eq!(
                at_org(&self.world, "Account", id, "Id"),
                None,
                "round {round}"
            );
        }
        assert_eq!(device.pending().expect("a read"), []);
        agrees(&self.world, 0, &device);
        integrity(&self.file());
        let accounts = work
            .made
            .into_iter()
            .filter(|(object, ..)| *object == "Account");
        self.old.extend(accounts.map(|(.., id)| id));
    }
}

/// Kills a sync many times.
#[expect(clippy::print_stdout, reason = "shown on request: how the kills fell")]
fn rounds(seed: u64) {
    let rounds = rounds_or(ROUNDS);
    let mut scene = Scene::new(seed);
    scene.forget();
    scene.whole[0] = scene.measure();
    let work = scene.work(rounds);
    scene.whole[1] = scene.measure();
    scene.check(rounds, work);
    let (mut at_work, mut on_the_wire) = (0, 0);
    for round in 0..rounds {
        // Now and then it is the first load that is killed.
        if round % 5 == 4 {
            scene.old.clear();
            scene.forget();
            at_work += usize::from(scene.kill(scene.whole[0]));
            let device = scene.open();
            settle(&scene.world, &device);
            agrees(&scene.world, 0, &device);
            continue;
        }
        let work = scene.work(round);
        at_work += usize::from(scene.kill(scene.whole[1]));
        on_the_wire += usize::from(scene.open().status().expect("a read").in_doubt > 0);
        scene.check(round, work);
    }
    println!(
        "seed {seed}: {rounds} kills in {:?}, {at_work} at work, {on_the_wire} with writes on the wire",
        scene.whole
    );
    assert!(at_work > rounds / 2, "most kills came too late: {at_work}");
    assert!(on_the_wire > 0, "no kill met a write on the wire");
}

#[test]
fn killed_50_times() {
    rounds(1);
}

#[test]
fn killed_100_times() {
    rounds(2);
}

#[test]
fn killed_150_times() {
    rounds(3);
}

#[test]
fn killed_200_times() {
    rounds(4);
}
