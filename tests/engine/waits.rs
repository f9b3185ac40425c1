//! How long a person's edit waits for a session: for one transaction, and each of those is small, however many records
//! the session is about.

use crate::drift::{add_field, next_day};
use attache::RecordId;
use attache_sandbox::schema::FieldKind;
use attache_sim::World;
use attache_tests::{agrees, all, briefcase, sync};
use std::cell::Cell;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Rows that one transaction writes at most: those of a step or of a page, with what is noted of each of them.
const ROWS_MAX: u64 = 12_000;
const ROWS: usize = 60_000;

thread_local! {
    /// Of the transactions that this thread heard of: the most rows of one, and those of all.
    static HEARD: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// Hears of each transaction how many rows it wrote. There is one for all threads, which run other tests as well.
struct Log;

impl Visit for Log {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows" {
            HEARD.with(|heard| {
                let (most, all) = heard.get();
                heard.set((most.max(value), all + value));
            });
        }
    }
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "attache::store"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Log);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Does something of very many rows, none of whose transactions writes many.
fn bounded<T>(what: &str, rows_min: u64, work: impl FnOnce() -> T) -> T {
    HEARD.set((0, 0));
    let done = work();
    let (most, all) = HEARD.get();
    assert!(all >= rows_min, "{what}: {all} rows show nothing");
    assert!(most <= ROWS_MAX, "{what}: {most} rows in one transaction");
    done
}

/// Writes into a field of very many records, as somebody with a loader does.
fn load(world: &World, ids: &[RecordId], field: &str) {
    for (nr, id) in ids.iter().enumerate() {
        let value = format!("\"{nr}\"");
        world
            .change("Contact", id.as_str(), &[(field, &value)])
            .expect("the boss may");
    }
}

#[test]
fn no_transaction_of_a_session_is_long_however_much_it_does() {
    tracing::subscriber::set_global_default(Log).expect("nobody else listens");
    let world = World::new(71, ROWS);
    // The boss sees every record.
    let boss = world.users.len() - 1;
    let device = world.device(boss).expect("a store in memory opens");
    let large = r#"{"version": 1, "rules": ["Lead", "Task",
        {"object": "Contact", "related": [{"parent": "AccountId"}]},
        {"object": "Account", "related": [{"children": "Contact.AccountId"}, {"children": "Opportunity.AccountId"}]}]}"#;
    device.set_briefcase(briefcase(large)).expect("it is kept");
    bounded("a first load", 3 * ROWS_MAX, || sync(&device));
    let found = bounded("an index of words", ROWS_MAX, || {
        device.search("nobody").run()
    });
    assert!(found.expect("it is searched").hits.is_empty());

    let contacts = all(&device, "SELECT Id FROM Contact");
    load(&world, &contacts, "Title");
    world.sandbox.advance(60);
    bounded("a window", ROWS_MAX, || sync(&device));

    add_field(&world, "Contact", "Extra__c", FieldKind::String);
    load(&world, &contacts, "Extra__c");
    bounded("a field filled in, and a sweep", ROWS_MAX, || {
        next_day(&world, &device)
    });
    agrees(&world, boss, &device);

    for id in &contacts {
        world.remove("Contact", id.as_str()).expect("the boss may");
    }
    world.sandbox.advance(60);
    bounded("deletions", ROWS_MAX, || sync(&device));

    let small = r#"{"version": 1, "rules": [{"object": "Account", "where": "Name = 'nobody'",
        "related": [{"children": "Opportunity.AccountId"}]}]}"#;
    device.set_briefcase(briefcase(small)).expect("it is kept");
    world.sandbox.advance(60);
    let left = bounded("rules that go", 2 * ROWS_MAX, || sync(&device));
    assert!(left.evicted > 2 * ROWS_MAX, "{left:?}");
    agrees(&world, boss, &device);
}
