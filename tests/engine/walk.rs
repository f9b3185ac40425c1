//! Random walks: whatever people, colleagues, clocks and networks do, all comes to rest.
//!
//! A seed that fails here is shrunk by `cargo xtask sim --replay`, and its scenario lives on as a named test in
//! `shrunk.rs`.

use attache_sim::walk;

const STEPS: usize = 80;

fn walks(seeds: std::ops::Range<u64>) {
    let (mut conflicts, mut broken) = (0, 0);
    let mut failed = Vec::new();
    for seed in seeds {
        match (walk(seed, STEPS), walk(seed, STEPS)) {
            (Ok(once), Ok(twice)) => {
                assert_eq!(once, twice, "seed {seed} does not repeat");
                conflicts += once.conflicts;
                broken += once.broken_sessions;
            }
            (Err(failure), _) | (_, Err(failure)) => failed.push(failure.to_string()),
        }
    }
    assert!(
        failed.is_empty(),
        "{} failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
    // A walk on which nothing happens proves nothing.
    assert!(
        conflicts > 0 && broken > 0,
        "{conflicts} conflicts, {broken} broken sessions"
    );
}

#[test]
fn walks_0_to_26() {
    walks(0..26);
}

#[test]
fn walks_26_to_52() {
    walks(26..52);
}

#[test]
fn walks_52_to_78() {
    walks(52..78);
}

#[test]
fn walks_78_to_104() {
    walks(78..104);
}
