//! Files of records: known, fetched by policy and by wish, attached and sent, whatever goes wrong.

mod down;
mod large;
#[cfg(any(feature = "sqlcipher", feature = "sqlcipher-vendored"))]
mod sealed;
mod sparing;
mod up;

use attache::{Attache, FileInfo, FileState, RecordId};
use attache_sim::{World, fields, wait};
use attache_tests::{ME, briefcase, first, server_id};

/// A briefcase of accounts with this policy for their files, as JSON.
fn accounts(files: &str) -> attache::Briefcase {
    briefcase(&format!(
        r#"{{"version": 1, "objects": {{"Account": {{"files": {files}}}}}, "rules": [{{"object": "Account", "scope": "mine"}}]}}"#
    ))
}

/// A device of [`ME`] over this store, whose briefcase has this policy.
fn device(world: &World, store: Attache, files: &str) -> (Attache, RecordId) {
    let device = world.equip(store, ME).expect("a device");
    device.set_briefcase(accounts(files)).expect("a briefcase");
    wait(device.sync()).expect("a first session");
    let account = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    world.sandbox.advance(60);
    (device, account)
}

/// A world, a device in memory with this policy, and the first account it holds.
fn primed(files: &str) -> (World, Attache, RecordId) {
    let world = World::new(11, 300);
    let store = Attache::open_in_memory().expect("a store");
    let (device, account) = device(&world, store, files);
    (world, device, account)
}

/// Bytes that no two places share for long.
fn bytes(count: usize, seed: usize) -> Vec<u8> {
    (0..count)
        .map(|n| ((n * 31 + n / 251 + seed * 7) % 256) as u8)
        .collect()
}

/// Has somebody hang a file on a record at the org, and gives the id of its version.
fn at_org(world: &World, record: &str, name: &str, body: &[u8]) -> String {
    let given = fields(&[("PathOnClient", name), ("FirstPublishLocationId", record)]);
    let user = world.users[ME].id.clone();
    world
        .sandbox
        .with_org(|org| org.create_file(&user, &given, body.to_vec()))
        .expect("a file")
}

/// The one file of a record that has this title.
#[track_caller]
fn file(device: &Attache, record: &RecordId, title: &str) -> FileInfo {
    let files = device.files(record).expect("a read");
    let found = files.into_iter().find(|file| file.title == title);
    found.unwrap_or_else(|| panic!("no file {title}"))
}

#[track_caller]
fn state(device: &Attache, record: &RecordId, title: &str) -> FileState {
    file(device, record, title).state
}

#[track_caller]
fn body(device: &Attache, id: &RecordId) -> Vec<u8> {
    let mut read = Vec::new();
    let count = device.read_file(id, &mut read).expect("the file is here");
    assert_eq!(count, read.len() as u64);
    read
}

/// How many requests with this in their paths the org has seen.
fn requests(world: &World, method: &str, part: &str) -> usize {
    let log = world.sandbox.log();
    let fits = |request: &&attache_sandbox::Logged| {
        request.method == method && request.target.contains(part)
    };
    log.iter().filter(fits).count()
}

fn account_id(device: &Attache, account: &RecordId) -> String {
    server_id(device, account)
}
