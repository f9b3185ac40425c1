//! The walks find known mistakes: a check that finds nothing when something is wrong proves nothing.
//!
//! Each mistake is planted in the engine, one at a time, and has to be found within so many seeds.

use attache_sim::simulation::{Bug, plant};
use attache_sim::walk;

const SEEDS_MAX: u64 = 2_000;
const STEPS: usize = 80;
/// Parts of the list, which run at the same time.
const PARTS: usize = 4;

/// Looks for the mistakes of one part of the list, and says which were not found.
fn found(part: usize) {
    let mut missed = Vec::new();
    for bug in Bug::ALL.iter().skip(part).step_by(PARTS) {
        plant(Some(*bug));
        let seed = (0..SEEDS_MAX).find(|seed| walk(*seed, STEPS).is_err());
        plant(None);
        match seed {
            Some(seed) => println!("{bug:?}: seed {seed}"),
            None => missed.push(bug),
        }
    }
    assert!(
        missed.is_empty(),
        "not found in {SEEDS_MAX} seeds: {missed:?}"
    );
}

#[test]
fn planted_mistakes_are_found_part_1() {
    found(0);
}

#[test]
fn planted_mistakes_are_found_part_2() {
    found(1);
}

#[test]
fn planted_mistakes_are_found_part_3() {
    found(2);
}

#[test]
fn planted_mistakes_are_found_part_4() {
    found(3);
}
