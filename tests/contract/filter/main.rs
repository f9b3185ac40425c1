//! The filter contract: the device's SQL and the org's own evaluator find the same rows.
//!
//! Schemas, rows and conditions are made up from seeds: nulls, cases, accents,
//! ids of both lengths, sets, numbers that no double holds, instants around
//! changes of clocks in several zones. A condition on which the sides disagree
//! is made smaller until nothing can be left out, and printed with one row.
//!
//! `ATTACHE_FILTER_CASES=200000 cargo test -p attache-tests --test filter_contract`
//! runs more of it.

mod ask;
mod field;
mod statements;
mod world;

use ask::{Tree, question};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use world::Sides;

/// Conditions asked of each made-up org.
const CASES_PER_WORLD: u32 = 500;

/// Asks both sides; tells the first row on which they disagree.
fn disagreement(sides: &Sides, tree: &Tree, now: i64) -> Option<String> {
    let condition = tree.to_string();
    let (device, org) = (
        sides.on_device(&condition, now),
        sides.at_org(&condition, now),
    );
    let told = |what: String| Some(format!("{condition}\n{}\n{what}", sides.calendar(now)));
    match (device, org) {
        (Ok(device), Ok(org)) if device == org => None,
        (Ok(device), Ok(org)) => {
            let id = device.symmetric_difference(&org).next()?;
            let (yes, no) = match device.contains(id) {
                true => ("the device finds", "the org does not"),
                false => ("the org finds", "the device does not"),
            };
            let fields = condition
                .parse::<attache::Filter>()
                .map(|filter| filter.fields());
            let row = sides.show(id, &fields.unwrap_or_default());
            told(format!("{yes} {id} and {no}: {row}"))
        }
        (device, org) => told(format!("device: {:?}\norg: {:?}", device.err(), org.err())),
    }
}

fn ask(seed: u64, cases: u32) {
    let sides = Sides::new(seed);
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let asked = runner.run(&question(&sides), |(tree, now)| {
        match disagreement(&sides, &tree, now) {
            None => Ok(()),
            Some(told) => Err(TestCaseError::fail(told)),
        }
    });
    match asked {
        Ok(()) => {}
        Err(TestError::Fail(_, (tree, now))) => {
            let told = disagreement(&sides, &tree, now).unwrap_or_default();
            panic!("seed {seed}: the sides disagree on\n{told}");
        }
        Err(TestError::Abort(reason)) => panic!("seed {seed}: {reason}"),
    }
}

#[test]
fn device_and_org_find_the_same_rows() {
    let cases = std::env::var("ATTACHE_FILTER_CASES").ok();
    let cases: u32 = cases.and_then(|text| text.parse().ok()).unwrap_or(3_000);
    let first: u64 = std::env::var("ATTACHE_FILTER_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let worlds = u64::from(cases.div_ceil(CASES_PER_WORLD));
    for seed in first..first + worlds {
        ask(seed, CASES_PER_WORLD);
    }
    println!(
        "{} conditions, {} rows each",
        worlds * u64::from(CASES_PER_WORLD),
        40
    );
}
