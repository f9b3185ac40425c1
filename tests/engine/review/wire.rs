//! Edits made on another handle while a request is on its way.

use attache::{Attache, Phase, RecordId};
use attache_sim::{Moment, World, wait};
use attache_tests::{agrees, at_org, briefcase, edit, first, prime, sync};
use std::sync::{Arc, Mutex};

/// A device that does something once, at a moment of the first write of a session.
fn meddled(
    world: &World,
    when: Moment,
    act: impl Fn(&Attache, &RecordId) + Send + Sync + 'static,
) -> (Attache, RecordId) {
    let device = prime(
        world,
        0,
        &briefcase(r#"{"version": 1, "rules": ["Account"]}"#),
    );
    let id = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    let (handle, record) = (device.clone(), id.clone());
    let armed = Mutex::new(true);
    let watcher = move |moment, method: &str, target: &str| {
        let write = method != "GET" && !target.contains("/query");
        let mut armed = armed.lock().expect("one thread");
        if moment == when && write && std::mem::take(&mut *armed) {
            act(&handle, &record);
        }
    };
    let remote = world
        .watched_remote(0, Arc::new(watcher))
        .expect("a remote");
    (device.with_remote(remote), id)
}

#[test]
fn a_deletion_made_while_an_edit_is_on_the_wire_stands() {
    for when in [Moment::Sent, Moment::Answered] {
        let world = World::new(1, 300);
        let (device, id) = meddled(&world, when, |device, id| {
            device.delete(id).expect("it may be deleted");
        });
        edit(&device, &id, "Phone", "on the wire");
        world.sandbox.advance(60);
        let report = sync(&device);
        assert!(report.merged.is_empty(), "{report:?}");
        assert!(sync(&device).is_settled());
        assert_eq!(at_org(&world, "Account", id.as_str(), "Id"), None);
        agrees(&world, 0, &device);
    }
}

#[test]
fn a_second_edit_made_while_the_first_is_on_the_wire_follows_it() {
    for when in [Moment::Sent, Moment::Answered] {
        let world = World::new(2, 300);
        let (device, id) = meddled(&world, when, |device, id| {
            edit(device, id, "Phone", "second");
        });
        edit(&device, &id, "Phone", "first");
        world.sandbox.advance(60);
        let report = wait(device.sync()).expect("a session");
        assert!(report.is_settled(), "{report:?}");
        let phone = at_org(&world, "Account", id.as_str(), "Phone");
        assert_eq!(phone.as_deref(), Some("\"second\""));
        agrees(&world, 0, &device);
    }
}

#[test]
fn an_edit_taken_back_before_it_is_sent_is_not_sent() {
    let world = World::new(3, 300);
    let device = prime(
        &world,
        0,
        &briefcase(r#"{"version": 1, "rules": ["Account"]}"#),
    );
    let id = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    edit(&device, &id, "Phone", "regretted");
    let handle = device.clone();
    let session = device.sync().on_progress(move |progress| {
        if progress.phase == Phase::Push {
            for mutation in handle.pending().expect("a read") {
                handle.discard(mutation.seq).expect("it waits");
            }
        }
    });
    let report = wait(session).expect("a session");
    assert_eq!(report.pushed_updates, 0, "{report:?}");
    agrees(&world, 0, &device);
}
