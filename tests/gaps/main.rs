//! Where a pull could leave a gap: rows that come late, come back, move, or leave without a trace.

mod cascades;
mod clocks;
mod late;
mod merged;
mod pages;
mod pruned;
mod statements;
mod together;
mod undelete;
mod unmodified;

use attache::{Attache, RecordId};
use attache_sandbox::org::Org;
use attache_sim::World;

fn id(text: &str) -> RecordId {
    RecordId::parse(text).expect("an id")
}

fn holds(device: &Attache, record: &str) -> bool {
    device.get(&id(record)).expect("a read").is_some()
}

fn by_the_boss<T>(world: &World, act: impl FnOnce(&mut Org, &str) -> T) -> T {
    let boss = world.boss().to_owned();
    world.sandbox.with_org(|org| act(org, &boss))
}

/// The ids of the rows of a query at the org, which everybody there may see.
fn rows(world: &World, soql: &str) -> Vec<String> {
    let rows = world.rows(world.boss(), soql).expect("a valid query");
    rows.iter().filter_map(|row| row.text("Id")).collect()
}
