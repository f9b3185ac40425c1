//! The power goes at any write, and the disk fails at any write: no edit is lost that a person was promised.
//!
//! A device in a process of its own lives through some days; all that it writes to its folder is written down, with
//! what it had promised by then. The disk is worked out as it may be found after a power cut at any of these moments,
//! what was not synced torn and in any order, and opened again. In other runs a write or a sync fails, or the disk is
//! full from some write on, by the errors of a real one.
//!
//! `ATTACHE_POWER_CUTS` and `ATTACHE_POWER_FAULTS` say how many moments are looked at; few unless they are set.
#![cfg(target_os = "linux")]

mod disk;
mod story;

use attache::{Attache, ErrorKind, MutationState, Resolution};
use attache_sim::{Prng, World};
use attache_tests::{ME, agrees, integrity, settle, sync};
use disk::{Disk, Entry, Left};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const FILE: &str = "device.db";
/// What a run may meet: the numbers of errors that a disk has, and until when it has them.
const FAULTS: [(&str, &str); 3] = [("5", "once"), ("28", "on"), ("28", "once")];

fn rounds_or(name: &str, few: usize) -> usize {
    std::env::var(name).map_or(few, |many| many.parse().expect("a number"))
}

/// A folder with the library that watches a disk.
struct Bench {
    folder: tempfile::TempDir,
    library: PathBuf,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().expect("a folder");
        let library = disk::library(folder.path());
        Bench { folder, library }
    }

    /// Lives through the days in a folder, with a fault if one is named, and gives the log.
    fn run(&self, name: &str, fault: Option<&str>) -> (PathBuf, Vec<Entry>, Output) {
        let at = self.folder.path().join(name);
        std::fs::create_dir(&at).expect("a folder");
        let log = self.folder.path().join(format!("{name}.log"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_attache-power-device"));
        command
            .arg(at.join(FILE))
            .env("LD_PRELOAD", &self.library)
            .env("ATTACHE_DISK_FOLDER", &at)
            .env("ATTACHE_DISK_LOG", &log)
            .stdin(Stdio::null());
        if let Some(fault) = fault {
            command.env("ATTACHE_DISK_FAIL", fault);
        }
        let output = command.output().expect("the device starts");
        let entries = disk::read(&log);
        std::fs::remove_file(&log).expect("a log");
        (at, entries, output)
    }
}

/// What a device had said by some moment.
#[derive(Clone, Debug, Default)]
struct Told {
    primed: bool,
    did: BTreeSet<String>,
    sent: BTreeSet<String>,
    arrived: BTreeSet<String>,
}

impl Told {
    fn hear(&mut self, text: &str) {
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("did", deed)) => self.did.insert(deed.to_owned()),
                Some(("sent", deed)) => self.sent.insert(deed.to_owned()),
                Some(("arrived", deed)) => self.arrived.insert(deed.to_owned()),
                _ => {
                    self.primed |= line == "primed";
                    true
                }
            };
        }
    }

    /// Asserts that a store has all that was promised, and knows what it had sent.
    fn check(&self, file: &Path, moment: &str) -> Option<Attache> {
        let store = match Attache::open(file) {
            Ok(store) => store,
            // Nothing was promised yet: a store that was being made is made again.
            Err(error) if !self.primed => {
                assert_ne!(error.kind(), ErrorKind::Internal, "{moment}: {error}");
                return None;
            }
            Err(error) => panic!("{moment}: {error:?}"),
        };
        integrity(file);
        let mut states: BTreeMap<String, MutationState> = BTreeMap::new();
        for mutation in store.pending().expect("a read") {
            for deed in story::deeds(&mutation) {
                states.insert(deed, mutation.state.clone());
            }
        }
        for deed in self.did.difference(&self.arrived) {
            assert!(states.contains_key(deed), "{moment}: {deed:?} is lost");
        }
        for deed in &self.sent {
            let state = states.get(deed);
            assert_ne!(
                state,
                Some(&MutationState::Pending),
                "{moment}: {deed:?} was sent, and the store does not know"
            );
        }
        Some(store)
    }
}

/// How often each deed is at the org, those in the recycle bin included.
fn times(world: &World, deed: &str) -> usize {
    let names = [("Account", "Name"), ("Contact", "LastName")];
    let of = |(object, field)| world.times(object, field, deed).expect("a query");
    names.into_iter().map(of).sum()
}

#[test]
fn a_power_cut_at_any_write_loses_no_promise() {
    let bench = Bench::new();
    let (_, entries, output) = bench.run("days", None);
    assert!(output.status.success(), "{output:?}");
    let changes = entries
        .iter()
        .filter(|it| !matches!(it, Entry::Told(_)))
        .count();
    let cuts = rounds_or("ATTACHE_POWER_CUTS", 150);
    let mut chance = Prng::fork(1, "power");
    let (mut disk, mut told) = (Disk::default(), Told::default());
    let (mut looked, mut loose, mut settled) = (0, 0, 0);
    for (at, entry) in entries.iter().enumerate() {
        if let Entry::Told(text) = entry {
            told.hear(text);
            continue;
        }
        disk.apply(entry);
        // Some moments, and of each what may be left of the changes that nobody synced.
        if !chance.percent((cuts * 100 / changes).clamp(1, 100)) {
            continue;
        }
        let kinds = if disk.is_loose() {
            &Left::EACH[..]
        } else {
            &[Left::All]
        };
        for left in kinds {
            let moment = format!("a power cut after entry {at}, left {left:?}");
            let folder = tempfile::tempdir_in("/dev/shm")
                .or_else(|_| tempfile::tempdir())
                .expect("a folder");
            disk.lay(*left, &mut chance, folder.path());
            let store = told.check(&folder.path().join(FILE), &moment);
            looked += 1;
            loose += usize::from(*left != Left::All);
            // The org goes on, and so does the device.
            if let Some(store) = store.filter(|_| told.primed && chance.percent(2)) {
                goes_on(store, &told, &moment);
                settled += 1;
            }
        }
    }
    assert!(
        loose > 0 && settled > 0,
        "{looked} looked at, {loose} of them loose, {settled} settled"
    );
    println!(
        "{changes} changes and syncs; {looked} disks, {loose} with changes lost; {settled} synced again"
    );
}

/// A device that was found after a power cut meets an org that has all that it sent, and that its days brought.
fn goes_on(store: Attache, told: &Told, moment: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = story::live(&folder.path().join(FILE), |_| {}).expect("days without trouble");
    let device = world.equip(store, ME).expect("a device");
    // What its later days brought, which it knows nothing of, is another's to it.
    sync(&device);
    device
        .resolve_all(None, &Resolution::Mine)
        .expect("decisions");
    settle(&world, &device);
    agrees(&world, ME, &device);
    for deed in told
        .sent
        .iter()
        .filter(|deed| !deed.contains("edit") && !deed.contains("deletion"))
    {
        assert_eq!(times(&world, deed), 1, "{moment}: {deed:?} is at the org");
    }
}

#[test]
fn a_disk_that_fails_at_any_write_loses_no_promise() {
    let bench = Bench::new();
    let (_, entries, _) = bench.run("whole", None);
    let is_counted = |it: &&Entry| matches!(it, Entry::Changed { .. } | Entry::Synced { .. });
    let changes = entries.iter().filter(is_counted).count();
    let faults = rounds_or("ATTACHE_POWER_FAULTS", 30);
    let mut chance = Prng::fork(1, "faults");
    let mut failed = 0;
    for round in 0..faults {
        let at = 1 + chance.below(changes);
        let (number, until) = FAULTS[round % FAULTS.len()];
        let fault = format!("{at} {number} {until}");
        let name = format!("fault {round}");
        let (folder, entries, output) = bench.run(&name, Some(&fault));
        failed += usize::from(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "{fault}: {said}");
        // It says what is wrong with the disk, not that SQLite is at a loss.
        assert!(
            output.status.success() || said.starts_with("Storage"),
            "{fault}: {said}"
        );
        let mut told = Told::default();
        for entry in &entries {
            if let Entry::Told(text) = entry {
                told.hear(text);
            }
        }
        told.check(&folder.join(FILE), &fault);
        std::fs::remove_dir_all(folder).expect("a folder");
    }
    assert!(failed > 0, "no fault was felt");
    println!("{changes} changes and syncs; {faults} faults, {failed} of them ended the run");
}
