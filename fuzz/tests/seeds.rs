//! Every target takes every seed of it, and bytes that are near to one.

use attache_fuzz::TARGETS;
use attache_sim::Prng;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// Changed copies of a target's seeds, all of them together.
const CHANGED: usize = 300;
/// The same where each of them is two sessions.
const CHANGED_SESSIONS: usize = 60;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

/// The entries of a folder, in order of their names.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

/// A copy with a few bytes put in, taken away, changed, or brought from another seed.
fn changed(seeds: &[Vec<u8>], chance: &mut Prng) -> Vec<u8> {
    let mut bytes = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(4) {
        let from = chance.below(bytes.len() + 1);
        let to = (from + chance.below(9)).min(bytes.len());
        let other = &seeds[chance.below(seeds.len())];
        let start = chance.below(other.len() + 1);
        let with = match chance.below(4) {
            0 => Vec::new(),
            1 => vec![chance.below(256) as u8],
            2 => bytes[from..to].iter().map(|byte| byte ^ 1).collect(),
            _ => other[start..(start + 24).min(other.len())].to_vec(),
        };
        bytes.splice(from..to, with);
    }
    bytes
}

fn replay(name: &str, times: usize) {
    let (_, target) = TARGETS
        .into_iter()
        .find(|(target, _)| *target == name)
        .expect("a target");
    let run = |what: &str, bytes: &[u8]| {
        assert!(
            catch_unwind(|| target(bytes)).is_ok(),
            "{name} does not hold for {what}: {:?}",
            bytes.escape_ascii().to_string()
        );
    };
    let mut seeds = Vec::new();
    for path in entries(&folder().join(name)) {
        let seed = fs::read(&path).expect("a seed");
        run(&path.display().to_string(), &seed);
        seeds.push(seed);
    }
    assert!(!seeds.is_empty());
    let mut chance = Prng::fork(1, name);
    for n in 0..times {
        run(&format!("change {n}"), &changed(&seeds, &mut chance));
    }
    run("nothing", b"");
}

#[test]
fn every_target_has_its_seeds_and_no_seed_is_without_a_target() {
    let folders: Vec<String> = entries(&folder())
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect();
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(folders, names);
}

#[test]
fn sequences_of_c_calls() {
    replay("abi", CHANGED);
}

#[test]
fn answers_to_every_method_of_the_client() {
    replay("answers", CHANGED);
}

#[test]
fn briefcases_of_every_origin() {
    replay("briefcase", CHANGED);
}

#[test]
fn files_of_bulk_queries() {
    replay("csv", CHANGED);
}

#[test]
fn merges() {
    replay("merge", CHANGED);
}

#[test]
fn sessions_with_a_liar() {
    replay("session", CHANGED_SESSIONS);
}

#[test]
fn conditions_and_statements() {
    replay("soql", CHANGED);
}

#[test]
fn damaged_stores() {
    replay("store", CHANGED);
}

#[test]
fn files_of_unsent_work() {
    replay("unsent", CHANGED);
}
