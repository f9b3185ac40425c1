//! Large files: how far they are, how they are stopped, and servers that send them in crumbs.

use super::{account_id, at_org, body, bytes, device, file, primed, requests, state};
use attache::{Attache, CancelToken, ErrorKind, FileState, Phase};
use attache_sandbox::{Fault, FaultKind, Response};
use attache_sim::wait;
use attache_tests::{settle, sync};
use std::sync::{Arc, Mutex};

const MIB: usize = 1 << 20;

/// What was told, in bytes of so many.
type Told = Arc<Mutex<Vec<(u64, u64)>>>;

fn listener(told: &Told) -> impl FnMut(attache::Progress) + Send + 'static {
    let told = Arc::clone(told);
    move |progress| {
        if progress.phase == Phase::Files {
            let total = progress.total.expect("a total");
            told.lock().expect("a lock").push((progress.done, total));
        }
    }
}

fn heard(told: &Told) -> Vec<(u64, u64)> {
    std::mem::take(&mut told.lock().expect("a lock"))
}

#[test]
fn a_fetch_tells_how_far_it_is_and_one_that_is_stopped_is_gone_on_with() {
    let (world, device, account) = primed(r#""none""#);
    let whole = bytes(9 * MIB, 4);
    at_org(&world, &account_id(&device, &account), "film.mp4", &whole);
    sync(&device);
    let film = file(&device, &account, "film").id;
    let (told, token) = (Told::default(), CancelToken::new());
    let stop = token.clone();
    let mut listen = listener(&told);
    let stopped = device
        .fetch_file(&film)
        .cancel_token(token)
        .on_progress(move |progress| {
            if progress.phase == Phase::Files {
                stop.cancel();
            }
            listen(progress);
        });
    let error = wait(stopped).expect_err("it was stopped");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let part = FileState::Partial { bytes: 4 << 20 };
    assert_eq!(state(&device, &account, "film"), part);
    assert_eq!(heard(&told), [(4 << 20, 9 << 20)]);

    wait(device.fetch_file(&film).on_progress(listener(&told))).expect("it comes");
    assert_eq!(heard(&told), [(4 << 20, 5 << 20), (5 << 20, 5 << 20)]);
    assert_eq!(body(&device, &film), whole);
    assert_eq!(requests(&world, "GET", "/VersionData"), 3);
}

#[test]
fn a_fetch_that_was_stopped_before_it_began_asks_nothing() {
    let (world, device, account) = primed(r#""none""#);
    let id = account_id(&device, &account);
    at_org(&world, &id, "film.mp4", &bytes(10, 4));
    sync(&device);
    let film = file(&device, &account, "film").id;
    let token = CancelToken::new();
    token.cancel();
    let error = wait(device.fetch_file(&film).cancel_token(token)).expect_err("stopped");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(requests(&world, "GET", "/VersionData"), 0);
    drop(device.fetch_file(&film));
    wait(device.fetch_file(&film)).expect("nothing is in the way");
}

#[test]
fn a_file_that_leaves_tells_how_far_it_is_and_can_be_stopped() {
    let (world, device, account) = primed("{}");
    let whole = bytes(5 * MIB, 6);
    let film = device
        .attach(&account, "film.mp4", &whole[..])
        .expect("attached");
    let (told, token) = (Told::default(), CancelToken::new());
    let stop = token.clone();
    let stopped = device.sync().cancel_token(token).on_progress(move |told| {
        if told.phase == Phase::Files && told.done > 0 {
            stop.cancel();
        }
    });
    let error = wait(stopped).expect_err("it was stopped");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let at_org =
        |world: &attache_sim::World| world.sandbox.with_org(|org| org.count("ContentVersion"));
    assert_eq!(at_org(&world), 0);
    assert_eq!(state(&device, &account, "film"), FileState::Queued);

    wait(device.sync().on_progress(listener(&told))).expect("a session");
    settle(&world, &device);
    assert_eq!(at_org(&world), 1);
    assert_eq!(body(&device, &film), whole);
    let told = heard(&told);
    assert!(told.is_sorted(), "{told:?}");
    let between = told.iter().filter(|(done, _)| (1..5 << 20).contains(done));
    assert!(between.count() > 2, "{told:?}");
    assert_eq!(told.last(), Some(&(5 << 20, 5 << 20)));
}

#[test]
fn a_file_that_is_damaged_while_it_leaves_is_not_told_of_as_a_broken_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jo.db");
    let world = attache_sim::World::new(11, 300);
    let store = Attache::open(&path).expect("a store");
    let (device, account) = device(&world, store, "{}");
    let whole = bytes(5 * MIB, 6);
    device
        .attach(&account, "film.mp4", &whole[..])
        .expect("attached");
    let damaged = device.sync().on_progress(move |told| {
        if told.phase == Phase::Files && told.done > 0 {
            let beside = rusqlite::Connection::open(&path).expect("the file opens");
            beside
                .execute("DELETE FROM attache_file_piece WHERE start > 0", [])
                .expect("its pieces go");
        }
    });
    let error = wait(damaged).expect_err("it is not whole");
    assert_eq!(error.kind(), ErrorKind::StorageCorrupt, "{error}");
    assert_eq!(world.sandbox.with_org(|org| org.count("ContentVersion")), 0);
    assert_eq!(state(&device, &account, "film"), FileState::Queued);
}

/// Has the org answer the next reads of a file with so many stretches of a thousand bytes.
fn crumbs(world: &attache_sim::World, whole: &[u8], count: usize) {
    for (n, crumb) in whole.chunks(1_000).take(count).enumerate() {
        let (start, end) = (n * 1_000, n * 1_000 + crumb.len() - 1);
        let range = format!("bytes {start}-{end}/{}", whole.len());
        let answer = Response {
            status: 206,
            headers: vec![("Content-Range".into(), range)],
            body: crumb.to_vec(),
        };
        let fault = Fault::new(FaultKind::Answer(answer)).path("/VersionData");
        world.sandbox.fail_next(fault);
    }
}

#[test]
fn a_server_that_sends_crumbs_is_given_up_and_a_slow_start_is_not() {
    let (world, device, account) = primed(r#""none""#);
    let whole = bytes(200_000, 8);
    at_org(&world, &account_id(&device, &account), "film.mp4", &whole);
    sync(&device);
    let film = file(&device, &account, "film").id;

    crumbs(&world, &whole, 17);
    wait(device.fetch_file(&film)).expect_err("it would take two hundred calls");
    assert_eq!(requests(&world, "GET", "/VersionData"), 17);
    let left = file(&device, &account, "film");
    assert_eq!(left.state, FileState::Absent);
    let problem = left.problem.expect("a problem");
    assert!(problem.contains("too small parts"), "{problem}");

    crumbs(&world, &whole, 16);
    wait(device.fetch_file(&film)).expect("the rest comes at once");
    assert_eq!(requests(&world, "GET", "/VersionData"), 17 + 17);
    assert_eq!(body(&device, &film), whole);
    assert_eq!(file(&device, &account, "film").problem, None);
}
