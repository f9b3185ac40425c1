//! No room in the middle of anything: a device in a process of its own, whose files may not grow past a limit.
//!
//! For SQLite that is a write that fails, as on a disk that is full or behind a quota; the log is what grows.

#![cfg(unix)]

use attache::{Attache, Briefcase};
use attache_salesforce::{Salesforce, StaticToken};
use attache_sandbox::{Sandbox, Serving};
use attache_sim::World;
use attache_tests::{ME, agrees, at_org, integrity, server_id, settle};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};

/// What `ulimit -f` counts in, as POSIX has it.
const BLOCK_BYTES: u64 = 512;

/// An org behind a socket, and the place of a store.
struct Scene {
    world: World,
    serving: Serving,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new(seed: u64) -> Scene {
        let sandbox = Sandbox::builder()
            .seed(seed)
            .records(1_500)
            .build()
            .expect("a sandbox without files builds");
        sandbox.with_switches(|switches| switches.page_rows_max = 50);
        let serving = Serving::spawn(sandbox.clone(), 0).expect("a free port");
        Scene {
            world: World::around(seed, sandbox),
            serving,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("device.db")
    }

    /// The store, with room.
    fn open(&self) -> Attache {
        let token = StaticToken::new(&self.world.users[ME].access_token);
        let org = Salesforce::new(self.serving.url(), token).expect("a good address");
        let device = Attache::open(self.path()).expect("the store opens");
        device.with_remote(org)
    }

    /// Runs the device under a limit.
    fn run(&self, blocks: u64, what: &[&str]) -> Output {
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        Command::new("sh")
            .args(["-c", &limited])
            .arg(env!("CARGO_BIN_EXE_attache-crash-device"))
            .arg(self.path())
            .args([self.serving.url(), &self.world.users[ME].access_token])
            .args(what)
            .output()
            .expect("a shell")
    }
}

/// Asserts that a device stopped for want of room, and said what to do.
#[track_caller]
fn told(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("StorageFull: "), "{said}");
    assert!(said.contains("make room"), "{said}");
    assert!(said.contains("nothing was written"), "{said}");
}

#[test]
fn a_pull_that_runs_out_of_room_keeps_its_pages_and_goes_on() {
    let mut in_the_middle = 0;
    let mut blocks = 400;
    loop {
        let scene = Scene::new(831);
        let everything = Briefcase::everything(["Account", "Contact", "Lead", "Opportunity"]);
        scene.open().set_briefcase(everything).expect("stored");
        let output = scene.run(blocks, &[]);
        if output.status.success() {
            break;
        }
        told(&output);
        integrity(&scene.path());
        let device = scene.open();
        let records = device.status().expect("a status").records;
        in_the_middle += usize::from(records.iter().any(|(_, count)| *count > 0));
        let report = settle(&scene.world, &device);
        assert!(report.is_settled(), "{report:?}");
        agrees(&scene.world, ME, &device);
        integrity(&scene.path());
        blocks += blocks / 8;
    }
    assert!(in_the_middle > 1, "{in_the_middle} pulls stopped midway");
}

#[test]
fn edits_until_there_is_no_room_are_all_there_and_are_sent() {
    let mut midway = 0;
    for kibibytes in [600, 1_100, 2_100, 3_100] {
        let scene = Scene::new(832);
        let device = scene.open();
        device
            .set_briefcase(Briefcase::everything(["Account"]))
            .expect("stored");
        settle(&scene.world, &device);
        drop(device);
        let output = scene.run(kibibytes * 1024 / BLOCK_BYTES, &["edit"]);
        told(&output);
        integrity(&scene.path());
        let said = String::from_utf8(output.stdout).expect("text");
        let saved: BTreeMap<&str, &str> = said
            .lines()
            .filter_map(|line| line.split_once(' '))
            .collect();
        midway += usize::from(saved.len() > 1);
        let device = scene.open();
        let pending = device.pending().expect("a read");
        assert_eq!(
            pending.len(),
            said.lines().count(),
            "each saved edit, no other"
        );
        settle(&scene.world, &device);
        for (id, nth) in saved {
            let id = attache::RecordId::parse(id).expect("an id");
            let there = at_org(
                &scene.world,
                "Account",
                &server_id(&device, &id),
                "Description",
            );
            let begins = format!("\"{nth} long long");
            assert!(there.is_some_and(|text| text.starts_with(&begins)), "{id}");
        }
        agrees(&scene.world, ME, &device);
    }
    assert!(midway > 2, "{midway} of 4 stopped after some edits");
}
