//! A session is dropped wherever it waits: nothing is lost, nothing happens twice.
//!
//! Its future is dropped after a number of waits that the seed decides, before
//! or after the org has executed a request, and the store's file is opened anew.

use attache_sim::{Prng, World, abandon, wait};
use attache_tests::{Case, all, create, field_sales, prime, settle};
use std::path::{Path, PathBuf};

fn store(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("device.db")
}

/// Counts the waits of a session that is not dropped: two for each request.
fn waits(make: impl Fn() -> Case) -> usize {
    let case = make();
    case.world.sandbox.clear_log();
    wait(case.device.sync()).expect("a session runs");
    case.world.sandbox.log().len() * 2
}

/// Drops up to three sessions in a row, then lets one through.
fn die(make: impl Fn(u64, Option<&Path>) -> Case, seeds: std::ops::Range<u64>) {
    let most = waits(|| make(seeds.start, None));
    let (mut dropped, count) = (0, seeds.end - seeds.start);
    for seed in seeds {
        let folder = tempfile::tempdir().expect("a folder");
        let mut chance = Prng::fork(seed, "death");
        let mut case = make(seed, Some(&store(&folder)));
        for _ in 0..=chance.below(3) {
            let ended = abandon(case.device.sync(), chance.below(most));
            dropped += usize::from(ended.is_none());
            case.reopen(&store(&folder));
        }
        settle(&case.world, &case.device);
        case.check();
    }
    assert!(dropped as u64 > count / 2, "too few sessions were dropped");
}

#[test]
fn a_first_session_may_die_anywhere() {
    die(Case::new, 0..60);
}

#[test]
fn a_busy_session_may_die_anywhere() {
    die(Case::busy, 0..70);
}

#[test]
fn a_busy_session_may_die_anywhere_70_to_140() {
    die(Case::busy, 70..140);
}

#[test]
fn a_busy_session_may_die_anywhere_140_to_210() {
    die(Case::busy, 140..210);
}

#[test]
fn a_session_that_was_dropped_makes_room_for_the_next() {
    let world = World::new(91, 400);
    let device = prime(&world, 0, &field_sales());
    create(&device, "Account", [("Name", "Dropped")]);
    assert!(abandon(device.sync(), 3).is_none());
    assert!(wait(device.sync()).is_ok());
    assert!(all(&device, "SELECT Id FROM Account WHERE Name = 'Dropped'").len() == 1);
}
