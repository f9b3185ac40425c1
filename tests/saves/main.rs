//! What an org makes of a save, and what a device makes of that.

mod circles;
mod duplicates;
mod locks;
mod merges;
mod together;

use attache::{Attache, Briefcase, JournalSeq, MutationState, Problem, RecordId};
use attache_sim::World;

/// A device with the objects of most tests, in an org that a test may change.
fn device(seed: u64) -> (World, Attache) {
    let world = World::new(seed, 200);
    let carried = Briefcase::everything(["Account", "Contact", "Opportunity", "Lead", "Task"]);
    let device = attache_tests::prime(&world, attache_tests::ME, &carried);
    (world, device)
}

/// The one edit of a record that was refused, and why.
#[track_caller]
fn refusal(device: &Attache, id: &RecordId) -> (JournalSeq, Vec<Problem>) {
    let pending = device.pending().expect("a journal");
    let found = pending.iter().find_map(|mutation| match &mutation.state {
        MutationState::Rejected(problems) if mutation.record == *id => {
            Some((mutation.seq, problems.clone()))
        }
        _ => None,
    });
    found.unwrap_or_else(|| panic!("nothing of {id} was refused: {pending:?}"))
}
