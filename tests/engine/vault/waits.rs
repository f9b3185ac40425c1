//! Who waits for whom: readers for nobody, a writer for another no longer than it was told.

use super::{ANY, home};
use attache::{Attache, ErrorKind, Limits, Options};
use attache_tests::{ME, create, edit, first, sync};
use rusqlite::Connection;
use std::time::Duration;

#[test]
fn a_reader_is_answered_while_another_process_writes_and_a_writer_writes_when_that_is_done() {
    let (world, _place, path) = home(53, 300);
    drop(super::worked(&world, &path, Options::new()));
    let limits = Limits {
        busy_wait: Duration::from_millis(20),
        ..Limits::default()
    };
    let store = Attache::open_with(&path, Options::new().limits(limits)).expect("a store");
    let device = world.equip(store, ME).expect("a device");
    world.sandbox.advance(1);
    let id = first(&device, ANY);
    let other = Connection::open(&path).expect("another process");
    other
        .execute_batch("BEGIN IMMEDIATE; DELETE FROM Account")
        .expect("its lock");
    // What is not committed is not seen, and nobody waits for it.
    assert_eq!(first(&device, ANY), id);
    let before = device.pending().expect("a read");
    let refused = [
        device.update(&id, [("Phone", "1")]).expect_err("an edit"),
        device
            .create("Account", [("Name", "New")])
            .expect_err("a create"),
        device.delete(&id).expect_err("a delete"),
        attache_sim::wait(device.sync()).expect_err("a session"),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::StorageBusy, "{error}");
        assert!(matches!(error.retry(), attache::Retry::After(_)));
    }
    assert_eq!(device.pending().expect("a read"), before);
    other.execute_batch("ROLLBACK").expect("unlocked");
    edit(&device, &id, "Phone", "2");
    create(&device, "Account", [("Name", "New")]);
    sync(&device);
}
