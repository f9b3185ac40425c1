//! Writes are checked before the journal takes them: all that is wrong at once, and nothing that the org would take.

mod agreement;
mod problems;

use attache::{Attache, Briefcase, ErrorKind, Result};
use attache_sim::World;

fn device(seed: u64) -> (World, Attache) {
    let world = World::new(seed, 300);
    let carried = Briefcase::everything(["Account", "Contact", "Opportunity", "Task"]);
    let device = attache_tests::prime(&world, 0, &carried);
    (world, device)
}

/// What is wrong with a write, as (field, code), in order.
#[track_caller]
fn refused<T: std::fmt::Debug>(write: Result<T>) -> Vec<(String, String)> {
    let error = write.expect_err("a write that is refused");
    assert_eq!(error.kind(), ErrorKind::InvalidRecord, "{error}");
    let mut found: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| (problem.fields.join(","), problem.code.clone()))
        .collect();
    found.sort();
    found
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(field, code)| ((*field).to_owned(), (*code).to_owned()))
        .collect()
}
