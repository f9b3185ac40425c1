//! What a host calls inside a changeset although the changeset holds the writer: nothing waits for itself.

use attache::{Attache, ErrorKind};
use attache_sim::World;
use attache_tests::{ME, create, edit, field_sales, first, primed, sync};
use std::sync::mpsc;
use std::time::Duration;

/// Gives what somebody does, or fails if it never ends.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, end) = mpsc::channel();
    std::thread::spawn(move || done.send(work()));
    end.recv_timeout(Duration::from_secs(60))
        .expect("it does not wait for ever")
}

#[test]
fn a_search_inside_a_changeset_finds_what_was_there_before_it() {
    let world = World::new(821, 300);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jo.db");
    let device = world.device_at(ME, &path).expect("a store");
    device.set_briefcase(field_sales()).expect("stored");
    sync(&device);
    create(&device, "Account", [("Name", "Known Zebra")]);
    assert_eq!(device.search("zebra").run().expect("a search").waiting, 0);
    // Words of this one are not in the index when the changeset begins.
    create(&device, "Account", [("Name", "Unread Zebra")]);
    let host = device.clone();
    let found = in_time(move || {
        host.changeset(|edits| {
            edits.create("Account", [("Name", "Zebra of the changeset")])?;
            host.search("zebra").run()
        })
    });
    let found = found.expect("a changeset");
    let titles: Vec<&str> = found.hits.iter().map(|hit| &*hit.title).collect();
    assert_eq!(titles, ["Known Zebra"]);
    assert!(found.waiting > 0, "{found:?}");
    let found = device.search("zebra").run().expect("a search");
    assert_eq!((found.hits.len(), found.waiting), (3, 0));
}

#[test]
fn edits_beside_a_changeset_on_its_own_thread_are_refused_and_it_goes_on() {
    let (_world, device, id) = primed(822);
    let (host, at) = (device.clone(), id.clone());
    let refused = in_time(move || {
        host.changeset(|edits| {
            edits.update(&at, [("Site", "through it")])?;
            let beside: [attache::Result<()>; 4] = [
                host.update(&at, [("Phone", "beside it")]),
                host.undo().map(|_| ()),
                host.changeset(|_| Ok(())),
                host.index_words(10).map(|_| ()),
            ];
            // The device is in memory: there is one connection, and the changeset has it.
            let read = host.get(&at).map(|_| ());
            Ok(beside.into_iter().chain([read]).collect::<Vec<_>>())
        })
    });
    for done in refused.expect("the changeset is saved") {
        let error = done.expect_err("it would wait for itself");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains("changeset"), "{error}");
    }
    let pending = device.pending().expect("a read");
    assert_eq!((pending.len(), pending[0].fields.len()), (1, 1));
    edit(&device, &id, "Phone", "after it");
}

#[test]
fn a_store_in_a_file_is_read_inside_a_changeset_as_it_was_before() {
    let world = World::new(823, 300);
    let folder = tempfile::tempdir().expect("a folder");
    let device = world
        .device_at(ME, &folder.path().join("jo.db"))
        .expect("a store");
    device.set_briefcase(field_sales()).expect("stored");
    sync(&device);
    let id = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    let before = attache_tests::value(&device, &id, "Site");
    let (host, at): (Attache, _) = (device.clone(), id.clone());
    let seen = in_time(move || {
        host.changeset(|edits| {
            edits.update(&at, [("Site", "inside")])?;
            Ok(attache_tests::value(&host, &at, "Site"))
        })
    });
    assert_eq!(seen.expect("a changeset"), before);
    assert_eq!(attache_tests::value(&device, &id, "Site"), "inside".into());
}
