//! Random walks: whatever people, colleagues, clocks and networks do, all comes to rest.
//!
//! A seed that fails here is shrunk by `cargo xtask sim --replay`, and its scenario lives on as a named test in
//! `shrunk.rs`.

use attache_sim::walk;

const STEPS: usize = 80;

const SEEDS: u64 = 104;

/// Conflicts and broken sessions of some walks, each made twice, and what failed.
fn walks(seeds: impl Iterator<Item = u64>) -> (u32, u32, Vec<String>) {
    let (mut conflicts, mut broken, mut failed) = (0, 0, Vec::new());
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
    (conflicts, broken, failed)
}

#[test]
fn random_walks_come_to_rest_and_repeat() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (mut conflicts, mut broken, mut failed) = (0, 0, Vec::new());
    std::thread::scope(|scope| {
        let walkers: Vec<_> = (0..cores)
            .map(|first| scope.spawn(move || walks((0..SEEDS).skip(first).step_by(cores))))
            .collect();
        for walker in walkers {
            let (some, more, others) = walker.join().expect("no walk panics");
            conflicts += some;
            broken += more;
            failed.extend(others);
        }
    });
    assert!(
        failed.is_empty(),
        "{} failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
    // Walks on which nothing happens prove nothing.
    assert!(
        conflicts > 0 && broken > 0,
        "{conflicts} conflicts, {broken} broken sessions"
    );
}
