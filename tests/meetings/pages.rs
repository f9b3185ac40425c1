//! Edits between two pages of one load, also of the very records that the second page carries.

use attache::{Attache, RecordId, Value};
use attache_sim::{Moment, Watcher, World};
use attache_tests::{
    ME, agrees, all, briefcase, edit, org_says, prime, quoted, server_id, settle, sync,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const MINE: &str = r#"{"object": "Account", "scope": "mine"}"#;
const NAMED: &str = r#"{"object": "Account", "where": "Name != null"}"#;
/// Further pages during which the person edits, in turn.
const PAGES: usize = 4;

/// A device with this user's accounts, about to load all that the user sees, in pages of three.
fn about_to_load(seed: u64) -> (World, Attache) {
    let world = World::new(seed, 600);
    let rules = |rules: &str| briefcase(&format!(r#"{{"version": 1, "rules": [{rules}]}}"#));
    let device = prime(&world, ME, &rules(MINE));
    for id in all(&device, "SELECT Id FROM Account") {
        let id = server_id(&device, &id);
        let site = [("Site", "\"before\"")];
        world.change("Account", &id, &site).expect("the boss may");
    }
    settle(&world, &device);
    world
        .sandbox
        .with_switches(|switches| switches.page_rows_max = 3);
    device
        .set_briefcase(rules(&format!("{MINE}, {NAMED}")))
        .expect("a briefcase is stored");
    (world, device)
}

/// A colleague's edit of every account that the device holds.
fn colleague_everywhere(world: &World, device: &Attache, fields: &[(&str, &str)]) {
    world.sandbox.advance(60);
    for id in all(device, "SELECT Id FROM Account") {
        let id = server_id(device, &id);
        world.change("Account", &id, fields).expect("the boss may");
    }
    world.sandbox.advance(60);
}

type Edited = Arc<Mutex<Vec<RecordId>>>;

/// The device, whose person edits every account it holds while a further page is on its way.
fn with_a_busy_person(world: &World, device: &Attache, nth: usize) -> (Attache, Edited) {
    let (pages, edited, host) = (AtomicUsize::new(0), Edited::default(), device.clone());
    let seen = Arc::clone(&edited);
    let watcher: Watcher = Arc::new(move |moment, method, target| {
        let further = (moment, method) == (Moment::Answered, "GET") && target.contains("/query/");
        if further && pages.fetch_add(1, Ordering::SeqCst) + 1 == nth {
            let ids = all(&host, "SELECT Id FROM Account");
            for id in &ids {
                edit(&host, id, "Site", "mine");
            }
            *seen.lock().expect("nobody panics") = ids;
        }
    });
    let remote = world.watched_remote(ME, watcher).expect("a remote");
    (device.clone().with_remote(remote), edited)
}

#[test]
fn edits_between_any_two_pages_of_a_load_are_kept_beside_what_the_pages_bring() {
    for nth in 1..=PAGES {
        let (world, device) = about_to_load(801);
        colleague_everywhere(&world, &device, &[("Fax", "\"theirs\"")]);
        let (busy, edited) = with_a_busy_person(&world, &device, nth);
        let report = sync(&busy);
        assert_eq!(report.conflicts, 0, "page {nth}: {report:?}");
        let edited = edited.lock().expect("nobody panics").clone();
        assert!(edited.len() > 3, "more than one page: {}", edited.len());
        settle(&world, &device);
        for id in &edited {
            let id = server_id(&device, id);
            org_says(&world, &id, "Site", "mine");
        }
        for id in all(&device, "SELECT Id FROM Account WHERE Fax = 'theirs'") {
            org_says(&world, id.as_str(), "Fax", "theirs");
        }
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_field_that_a_page_brings_and_a_person_edits_meanwhile_is_asked_about_upon_its_true_base() {
    let mut asked = 0;
    for nth in 1..=PAGES {
        let (world, device) = about_to_load(802);
        let held = all(&device, "SELECT Id FROM Account");
        colleague_everywhere(&world, &device, &[("Site", &quoted("theirs"))]);
        let (busy, edited) = with_a_busy_person(&world, &device, nth);
        sync(&busy);
        let edited = edited.lock().expect("nobody panics").clone();
        let mut conflicts: BTreeMap<RecordId, [Value; 3]> = BTreeMap::new();
        for conflict in device.conflicts().expect("a read") {
            let [field] = &conflict.fields[..] else {
                panic!("page {nth}: {conflict:?}");
            };
            assert_eq!(field.name, "Site");
            let sides = [&field.base, &field.local, &field.remote].map(Clone::clone);
            conflicts.insert(conflict.record.clone(), sides);
        }
        asked += conflicts.len();
        // What the page had brought before the edit was the edit's base, and nobody is asked.
        let sides = ["before", "mine", "theirs"].map(Value::from);
        for id in edited {
            let there = server_id(&device, &id);
            match conflicts.remove(&id) {
                Some(found) => {
                    assert_eq!(found, sides, "page {nth}");
                    assert!(held.contains(&id));
                    org_says(&world, &there, "Site", "theirs");
                }
                None => org_says(&world, &there, "Site", "mine"),
            }
        }
        assert_eq!(conflicts.len(), 0, "only what was edited is asked about");
    }
    assert!(asked > 3, "{asked} records were edited before their page");
}
